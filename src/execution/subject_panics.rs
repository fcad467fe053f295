//! Distinguishes panics of the subject from panics of the harness, and silences the subject's.

use super::Stop;
use crate::outcome::{Limit, Verdict};
use crate::subject::{Subject, Trespass, WrongAdapter};
use ringstorm_sim_device::EndlessCall;
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{self, AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Once;
use std::thread;

thread_local! {
    /// Whether this thread is inside a call of a subject.
    static IN_SUBJECT: Cell<bool> = const { Cell::new(false) };
    /// The message of the subject's last panic.
    static MESSAGE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Installs a panic hook that silences panics of subjects, which are outcomes. All other panics go to the previous
/// hook.
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

/// Runs a call of the subject. After a panic, [`subject_panic_message`] returns its message.
pub(super) fn in_subject_call<T>(call: impl FnOnce() -> T) -> T {
    IN_SUBJECT.set(true);
    let result = call();
    IN_SUBJECT.set(false);
    result
}

/// Runs code of an adapter that does not belong to its queue. A panic here means that the adapter is wrong.
pub(super) fn call_adapter<T>(method: &str, call: impl FnOnce() -> T) -> T {
    let payload = match catch_unwind(AssertUnwindSafe(|| in_subject_call(call))) {
        Ok(value) => return value,
        Err(payload) => payload,
    };
    let message = subject_panic_message().unwrap_or_default();
    match payload.is::<WrongAdapter>() {
        true => resume_unwind(payload),
        false => WrongAdapter::raise(format!("its `{method}` panics: {message}")),
    }
}

/// Whether the subject has panicked by itself: not the harness, and not because the harness ended the call.
pub(super) fn is_panic_of_subject(payload: &(dyn Any + Send)) -> bool {
    let by_harness = payload.is::<WrongAdapter>() || payload.is::<Trespass>() || payload.is::<EndlessCall>();
    IN_SUBJECT.get() && !by_harness
}

/// Marks the subject's panic as handled.
pub(super) fn forget_panic() {
    IN_SUBJECT.set(false);
}

/// After a panic: the message if the subject panicked, `None` if the harness did. Marks the panic as handled.
pub(super) fn subject_panic_message() -> Option<String> {
    IN_SUBJECT.replace(false).then(|| MESSAGE.take())
}

/// The verdict of an execution that ended in this way. Resumes a panic that is not the subject's.
///
/// # Errors
/// [`WrongAdapter`] if the adapter is wrong.
pub(super) fn verdict(end: thread::Result<Result<(), Stop>>) -> Result<Verdict, WrongAdapter> {
    match end {
        Ok(Ok(())) => Ok(Verdict::Pass),
        Ok(Err(Stop::Violation(violation))) => Ok(Verdict::Violation(violation)),
        Err(payload) => classify_panic(payload),
    }
}

/// The verdict of a panic.
fn classify_panic(payload: Box<dyn Any + Send>) -> Result<Verdict, WrongAdapter> {
    let payload = match payload.downcast::<WrongAdapter>() {
        Ok(wrong) => {
            forget_panic();
            return Err(*wrong);
        }
        Err(payload) => payload,
    };
    let payload = match payload.downcast::<Trespass>() {
        Ok(trespass) => {
            forget_panic();
            return Ok(Verdict::Violation(trespass.violation()));
        }
        Err(payload) => payload,
    };
    match subject_panic_message() {
        None => resume_unwind(payload),
        Some(_) if payload.is::<EndlessCall>() => Ok(Verdict::Stuck(Limit::Accesses)),
        Some(message) => Ok(Verdict::Panic(message)),
    }
}

/// Releases a subject after the verdict, and ignores a panic. The subject may be in any state.
pub(super) fn release(subject: Option<Box<dyn Subject>>) {
    if let Some(subject) = subject {
        let _ = catch_unwind(AssertUnwindSafe(|| in_subject_call(|| subject.release())));
        forget_panic();
    }
}
