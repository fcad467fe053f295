//! This program: its file, and the name by which it was called.

use crate::report::PROGRAM;
use std::io;
use std::path::PathBuf;

/// The file of this program, even if another has taken its name since.
pub(super) fn executable() -> io::Result<PathBuf> {
    let own = PathBuf::from("/proc/self/exe");
    if own.exists() { Ok(own) } else { std::env::current_exe() }
}

/// This program, as it was called.
pub(super) fn called() -> PathBuf {
    std::env::args_os().next().unwrap_or_else(|| PROGRAM.into()).into()
}
