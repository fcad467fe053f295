//! Copies between private and shared memory that access each shared byte exactly once.
//!
//! `core::ptr::copy_nonoverlapping` does not promise that. It is an ordinary copy, so the compiler may assume that nobody
//! else changes the bytes: it may read the source again in place of the copy, and drop a copy that is overwritten. Both
//! happen. A caller checks its copy and copies it on; the compiler takes the second copy from shared memory, and what
//! arrives is not what was checked. That is a double fetch that no line of source shows.
//!
//! So the accesses to shared memory are spelled out:
//!
//! - On x86-64 and aarch64 they are inline assembly. The compiler must run each block exactly as often as the program
//!   does, and must assume that it may read and write any memory.
//! - On other targets, and under Miri, which runs no assembly, they are relaxed atomics: whole words, and bytes at both
//!   ends. A compiler must not replace the value of an atomic load by a second load.
//!   `--cfg ringstorm_portable_copies` selects them on every target, for tests and for tools that do not see the
//!   accesses of assembly.
//!
//! The private side of a copy is ordinary memory. The three functions have one contract: the bytes at `place` are valid
//! for the access for as long as it lasts, and no Rust reference covers them. A device that changes them meanwhile may
//! leave a mixture of old and new bytes in a copy; that is all it can do.

#[cfg(all(target_arch = "x86_64", target_pointer_width = "64", not(any(miri, ringstorm_portable_copies))))]
#[path = "x86_64.rs"]
mod chosen;

#[cfg(all(target_arch = "aarch64", target_pointer_width = "64", not(any(miri, ringstorm_portable_copies))))]
#[path = "aarch64.rs"]
mod chosen;

#[cfg(any(
    not(all(any(target_arch = "x86_64", target_arch = "aarch64"), target_pointer_width = "64")),
    miri,
    ringstorm_portable_copies
))]
#[path = "portable.rs"]
mod chosen;

pub(super) use chosen::{from_shared, to_shared, zero};
