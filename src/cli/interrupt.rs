//! Ctrl-C.

use super::error::CliError;
use super::unfinished;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// Installs the Ctrl-C handler. The flag becomes true at the first signal. A second signal ends the process at once, unless it
/// comes within half a second: a program such as `timeout` signals both a process and its group.
pub(super) fn interrupt() -> Result<&'static AtomicBool, CliError> {
    static INTERRUPTED: AtomicBool = AtomicBool::new(false);
    static FIRST: OnceLock<Instant> = OnceLock::new();
    // A process can run several commands, also at the same time.
    static SET: Mutex<bool> = Mutex::new(false);
    let mut set = SET.lock().unwrap_or_else(PoisonError::into_inner);
    if !*set {
        ctrlc::set_handler(|| {
            INTERRUPTED.store(true, Ordering::Relaxed);
            if FIRST.get_or_init(Instant::now).elapsed() > Duration::from_millis(500) {
                unfinished::exit(130);
            }
        })
        .map_err(|error| CliError::Input(format!("Ctrl-C: {error}")))?;
        *set = true;
    }
    Ok(&INTERRUPTED)
}
