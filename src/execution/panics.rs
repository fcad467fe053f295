//! Telling a subject's panics from our own, and keeping quiet about them.

use std::cell::{Cell, RefCell};
use std::panic;
use std::sync::Once;

thread_local! {
    /// Whether this thread is inside a call of a subject.
    static IN_SUBJECT: Cell<bool> = const { Cell::new(false) };
    /// What the subject said when it panicked.
    static MESSAGE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Makes panics of subjects silent: they are outcomes. All others go on to the hook that was there.
pub(super) fn install_hook() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !IN_SUBJECT.get() {
                return before(info);
            }
            let payload = info.payload();
            let text = payload
                .downcast_ref::<&str>()
                .map(|text| (*text).to_owned())
                .or_else(|| payload.downcast_ref::<String>().cloned())
                .unwrap_or_else(|| "a panic without a message".to_owned());
            MESSAGE.set(text);
        }));
    });
}

/// Runs a call of the subject. If it panics, [`in_subject`] tells so.
pub(super) fn guard<T>(call: impl FnOnce() -> T) -> T {
    IN_SUBJECT.set(true);
    let result = call();
    IN_SUBJECT.set(false);
    result
}

/// Forgets that a subject panicked.
pub(super) fn leave() {
    IN_SUBJECT.set(false);
}

/// After a panic: whether it was the subject's, and what it said.
pub(super) fn in_subject() -> Option<String> {
    IN_SUBJECT.replace(false).then(|| MESSAGE.take())
}
