//! Copies between private and shared memory that access each shared byte exactly once.
//!
//! `core::ptr::copy_nonoverlapping` does not guarantee that. It is an ordinary copy, so the compiler may assume that
//! nobody else changes the bytes. It may read the source again instead of the copy, and it may drop a copy that is
//! overwritten. Compilers do both. Suppose that a caller copies bytes out, checks them, and copies them to a second place.
//! The compiler may make the second copy from shared memory, so the result may differ from the bytes that were checked.
//! This is a double fetch that the source code does not show.
//!
//! Therefore the accesses to shared memory are explicit:
//!
//! - On x86-64 and aarch64 they are inline assembly. The compiler must run each block exactly as often as the program
//!   does, and must assume that it reads and writes any memory.
//! - On other targets, and under Miri, which cannot run assembly, they are relaxed atomics: whole words, and bytes at both
//!   ends. A compiler must not replace the value of an atomic load by a second load.
//!   `--cfg ringstorm_portable_copies` selects them on every target, for tests and for tools that cannot observe accesses
//!   made by assembly.
//!
//! The private side of a copy is ordinary memory. The three functions have one contract: the bytes at `place` are valid
//! for the access while it lasts, and no Rust reference covers them. If a device changes the bytes during a copy, the copy
//! may contain a mixture of old and new bytes, and nothing else goes wrong.

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
