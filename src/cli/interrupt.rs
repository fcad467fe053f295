//! Ctrl-C.

use super::error::CliError;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// What becomes true with Ctrl-C. A second one ends the process at once, but not one that comes with the first: whoever ends
/// a process and its group, as `timeout` does, sends two.
pub(super) fn interrupt() -> Result<&'static AtomicBool, CliError> {
    static INTERRUPTED: AtomicBool = AtomicBool::new(false);
    static FIRST: OnceLock<Instant> = OnceLock::new();
    // There may be several commands in one process, one after the other or at the same time.
    static SET: Mutex<bool> = Mutex::new(false);
    let mut set = SET.lock().unwrap_or_else(PoisonError::into_inner);
    if !*set {
        ctrlc::set_handler(|| {
            INTERRUPTED.store(true, Ordering::Relaxed);
            if FIRST.get_or_init(Instant::now).elapsed() > Duration::from_millis(500) {
                std::process::exit(130);
            }
        })
        .map_err(|error| CliError::Input(format!("Ctrl-C: {error}")))?;
        *set = true;
    }
    Ok(&INTERRUPTED)
}
