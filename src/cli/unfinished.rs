//! The end of this process before a command has finished. If code of a subject exits, the run is incomplete, whatever status
//! that code chose.

use super::error::CliError;
use super::output;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The exit status of an incomplete result.
const INCOMPLETE: i32 = 2;
/// The number of commands in progress. A process can run several at the same time.
static COMMANDS: AtomicUsize = AtomicUsize::new(0);

/// A command in progress. While there is one, an exit of this process is an error.
pub(super) struct InProgress(());

impl InProgress {
    pub(super) fn begin() -> Result<Self, CliError> {
        static WATCHED: OnceLock<bool> = OnceLock::new();
        if !WATCHED.get_or_init(|| shutdown_hooks::add_shutdown_hook(at_exit)) {
            return Err(CliError::Input("the end of this process cannot be watched: no memory".to_owned()));
        }
        COMMANDS.fetch_add(1, Ordering::SeqCst);
        Ok(Self(()))
    }
}

impl Drop for InProgress {
    fn drop(&mut self) {
        COMMANDS.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Ends this process although commands are in progress.
pub(super) fn exit(status: i32) -> ! {
    COMMANDS.store(0, Ordering::SeqCst);
    std::process::exit(status)
}

/// Runs when this process exits.
extern "C" fn at_exit() {
    if COMMANDS.load(Ordering::SeqCst) == 0 {
        return;
    }
    output::note(
        "error: the subject ended this process by an exit before the command had finished; `run --isolate` and \
         `replay --isolate` report this as a finding",
    );
    // The process is exiting already, so `std::process::exit` is not allowed.
    signal_hook::low_level::exit(INCOMPLETE)
}
