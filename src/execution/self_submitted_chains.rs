//! The chains that a subject submits by itself.

use super::{Listener, Rig, Stop};
use crate::subject::Submission;

impl Rig {
    /// Emits the chains that the subject submitted itself. Returns whether there were any. Their memory accesses are
    /// not observed.
    fn report_self_submitted(&mut self, listener: &mut impl Listener) -> Result<bool, Stop> {
        let mut found = false;
        if !self.run.can.submits_itself {
            return Ok(found);
        }
        let (by, reports) = (self.run.call, self.scratch.reports);
        while let Some(submission) = self.call(by, |subject| subject.submitted_itself()) {
            let Submission { head, readable, writable } = &submission;
            let readable: Vec<&[u8]> = readable.iter().map(Vec::as_slice).collect();
            self.emit_submitted(&readable, writable, Ok(*head), listener)?;
            found = true;
        }
        self.scratch.reports = reports;
        Ok(found)
    }

    /// Observes a call after which the subject may have submitted chains itself. If it has, the device must be notified
    /// as it requests at this time: by the subject's `publish`, if it has one; else the subject has notified the device
    /// already.
    pub(super) fn check_self_submitted(&mut self, listener: &mut impl Listener) -> Result<(), Stop> {
        let found = self.report_self_submitted(listener)?;
        self.observe_used_event(listener)?;
        self.observe_call(listener)?;
        if found && self.publish(listener)?.is_some() {
            self.run.notify_device();
        }
        Ok(())
    }
}
