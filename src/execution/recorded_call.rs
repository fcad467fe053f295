//! Makes a call of the driver while its memory accesses are recorded.

use super::Rig;
use crate::outcome::Call;
use crate::subject::Subject;

impl Rig {
    /// Calls the subject and records its memory accesses.
    #[inline(always)]
    pub(super) fn call<T>(&mut self, call: Call, f: impl FnOnce(&mut dyn Subject) -> T) -> T {
        self.begin_call(call);
        let subject = self.run.subject.as_deref_mut().expect("the subject is there until it is released");
        let answer = super::subject_panics::in_subject_call(|| f(subject));
        self.end_call();
        answer
    }

    /// Starts to record memory accesses as the subject's, until [`end_call`](Self::end_call). Not inlined: a step makes several
    /// calls, and the code of all of them together should fit into the processor's cache.
    #[inline(never)]
    pub(super) fn begin_call(&mut self, call: Call) {
        // Each function is called at the end, so that nothing is saved on the stack.
        if self.run.failing.left().is_some() {
            return self.begin_call_while_memory_fails(call);
        }
        self.enter_call(call);
    }

    #[cold]
    #[inline(never)]
    fn begin_call_while_memory_fails(&mut self, call: Call) {
        self.save_visible(call);
        self.enter_call(call);
    }

    #[inline(always)]
    fn enter_call(&mut self, call: Call) {
        let run = &mut self.run;
        run.call = call;
        run.faults.begin_call();
        if let Some(progress_cell) = &self.progress_cell {
            self.calls = self.calls.wrapping_add(1);
            if progress_cell.is_in_file() {
                return self.enter_call_for_process(call);
            }
            progress_cell.begin_call(call, run.steps, &run.faults, self.calls);
        }
        self.provided.begin_call(run.call_limit);
    }

    /// The end of [`enter_call`](Self::enter_call), if another process watches.
    #[inline(never)]
    fn enter_call_for_process(&self, call: Call) {
        let Self { run, progress_cell, .. } = self;
        if let Some(progress_cell) = progress_cell {
            progress_cell.begin_call(call, run.steps, &run.faults, self.calls);
        }
        self.provided.begin_call(run.call_limit);
    }

    /// Ends the recording and keeps the report for the rings and for the buffers.
    #[inline(never)]
    pub(super) fn end_call(&mut self) {
        self.provided.end_call(&mut self.scratch.reports);
    }
}
