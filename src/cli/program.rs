//! This program: its file, and the name by which it was called.

use crate::report::PROGRAM;
use std::io;
use std::path::PathBuf;

/// The file of this program, also after another file took its name.
pub(super) fn executable() -> io::Result<PathBuf> {
    let own = PathBuf::from("/proc/self/exe");
    if own.exists() { Ok(own) } else { std::env::current_exe() }
}

/// The name by which this program was called.
pub(super) fn called() -> PathBuf {
    std::env::args_os().next().unwrap_or_else(|| PROGRAM.into()).into()
}
