//! Running the subject in a child process, so that one that aborts, overflows its stack, dies of a signal, ends the
//! process or never returns from a call is a finding, and the campaign goes on.
//!
//! ```text
//!    parent                                  child
//!    Child::seeds ---- a request, a line --> serve: a rig
//!          ^ <-------- a reply, a line ---------|
//!          `---------- where it is now ---------'    ProgressCell, in a file that both have mapped
//! ```
//!
//! Requests and replies go through a socket that is the child's standard input. What the child prints is kept apart, for
//! its last words. A reply that does not come, or a pulse that does not change, is what the parent finds.

mod child;
mod message;
mod serve;

pub use child::{Child, Isolation};
pub use serve::serve;
