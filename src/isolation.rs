//! Runs the subject in a child process. If the subject aborts, overflows its stack, dies of a signal, exits, or does
//! not return from a call, this is a finding, and the campaign continues.
//!
//! ```text
//!    parent                                  child
//!    Child::seeds ---- a request, a line --> serve: a rig
//!          ^ <-------- a reply, a line ---------|
//!          `---------- where it is now ---------'    ProgressCell, in a file that both have mapped
//! ```
//!
//! Requests and replies go through a socket, which is the child's standard input. What the child prints is kept
//! separately, for messages about its end. The parent reports a finding if the child ends without a reply, or if its
//! position does not change for too long. After each finding, it starts another child, because the subject may have
//! damaged the memory of its process. If a child ends outside of a call, the finding states all seeds that it has run.

mod child;
mod last_output;
mod lost;
mod message;
mod serve;

pub use child::{Child, Isolation};
pub use serve::serve;
