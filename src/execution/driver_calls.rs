//! The driver's calls.

use super::{Listener, Rig, Skip, Stop};
use crate::outcome::Call;
use crate::scenario::{Amount, Buffers, Pick};
use crate::subject::{Subject, Submission, WrongAdapter};
use ringstorm_core::SharedMemory;
use ringstorm_model::{Answer, Completion, Event, HandleAge, Refusal};

/// What is wrong with an adapter that promises to be watched and is not.
const UNWATCHED: &str =
    "its capabilities promise `watched`, but it submitted a chain without a store to the rings' memory";

impl Rig {
    /// Calls the subject, watched.
    #[inline(always)]
    pub(super) fn call<T>(&mut self, call: Call, f: impl FnOnce(&mut dyn Subject) -> T) -> T {
        self.begin_call(call);
        let subject = self.run.subject.as_deref_mut().expect("the subject is there until it is released");
        let answer = super::panics::guard(|| f(subject));
        self.end_call();
        answer
    }

    /// From here to [`end_call`](Self::end_call), the subject acts.
    #[inline(always)]
    pub(super) fn begin_call(&mut self, call: Call) {
        let run = &mut self.run;
        (run.call, run.blame) = (call, None);
        if let Some(pulse) = &self.pulse {
            self.calls = self.calls.wrapping_add(1);
            pulse.enter(call, run.steps, run.last_fault, self.calls);
        }
        if run.failing.left().is_some() {
            self.look_before_call();
        }
        self.provided.begin_call(self.run.call_limit);
    }

    /// Ends the call, and keeps what it did to rings and buffers.
    #[inline(always)]
    pub(super) fn end_call(&mut self) {
        self.provided.end_call(&mut self.scratch.reports);
    }

    pub(super) fn submit(
        &mut self,
        readable: Buffers,
        writable: Buffers,
        in_place: bool,
        publish: bool,
        listener: &mut impl Listener,
    ) -> Result<Option<Skip>, Stop> {
        let run = &mut self.run;
        let can = run.can;
        let asked_to_publish = can.prepare || can.should_notify;
        if can.submits_itself || in_place && !can.write_in_place || !publish && !asked_to_publish {
            return Ok(Some(Skip::Incapable));
        }
        run.submissions = run.submissions.wrapping_add(1);
        let mut request = std::mem::take(&mut self.scratch.request);
        let run = &mut self.run;
        request.fill(&run.setup, run.submissions, readable, writable, in_place);
        // A few pieces for each buffer, and none that ends where a buffer does.
        let piece = usize::from(run.setup.buffer_size) / 4 + 1;
        let (slices, lengths) = (request.readable(), request.writable());
        let answer = self.call(Call::Submit, |subject| match in_place {
            true => subject.write_in_place(slices, lengths, piece),
            false => subject.submit(slices, lengths),
        });
        let told = self.submitted(slices, lengths, answer, listener);
        self.scratch.request = request;
        told?;
        match answer {
            // Whoever is not asked has notified within submit.
            Ok(_) if !asked_to_publish => self.run.device.notified(),
            Ok(_) if publish => {
                self.publish(listener)?;
            }
            _ => {}
        }
        Ok(None)
    }

    fn submitted(
        &mut self,
        readable: &[&[u8]],
        writable: &[u32],
        answer: Answer<u16>,
        listener: &mut impl Listener,
    ) -> Result<(), Stop> {
        if answer.is_ok() && self.run.can.watched && self.scratch.reports[0].stores == 0 {
            WrongAdapter::raise(UNWATCHED);
        }
        self.tell_submitted(readable, writable, answer, listener)?;
        self.look_after(listener)
    }

    fn tell_submitted(
        &mut self,
        readable: &[&[u8]],
        writable: &[u32],
        answer: Answer<u16>,
        listener: &mut impl Listener,
    ) -> Result<(), Stop> {
        self.judge.tell(&Event::Submit { readable, writable, answer }, listener)?;
        let run = &mut self.run;
        run.effective |= answer != Err(Refusal::Broken);
        if let Some(lives) = answer.ok().and_then(|head| run.lives.get_mut(usize::from(head))) {
            *lives += 1;
        }
        run.attribute_faults(Call::Submit, answer.err());
        answer.map_or(Ok(()), |head| self.look_at_chain(head, listener))
    }

    pub(super) fn publish(&mut self, listener: &mut impl Listener) -> Result<Option<Skip>, Stop> {
        if !(self.run.can.prepare || self.run.can.should_notify) {
            return Ok(Some(Skip::Incapable));
        }
        let before = self.run.available;
        let notify = self.call(Call::Publish, |subject| subject.publish());
        self.judge.tell(&Event::Publish { notify }, listener)?;
        self.look_after(listener)?;
        let run = &mut self.run;
        run.effective |= run.available != before;
        run.attribute_faults(Call::Publish, None);
        if notify {
            run.device.notified();
        }
        Ok(None)
    }

    /// Takes one used chain. Says whether it is worth trying again.
    pub(super) fn take(&mut self, listener: &mut impl Listener) -> Result<bool, Stop> {
        let stood = if self.run.can.free { None } else { self.look_at_what_stands() };
        let from = self.judge.model.next_used();
        let answer = self.call(Call::Take, |subject| subject.take());
        self.judge.tell(&Event::Take { answer }, listener)?;
        let run = &mut self.run;
        run.attribute_take(from, self.judge.model.next_used(), answer);
        let (effective, again) = match answer {
            Ok(Some(Completion { head, .. })) => {
                run.returned.push_back(head);
                (true, true)
            }
            Ok(None) | Err(Refusal::Broken) => (false, false),
            Err(Refusal::Device(refusal)) => {
                run.returned.extend(refusal.returned);
                (true, !refusal.broken)
            }
            Err(Refusal::Misuse(_) | Refusal::System) => (true, false),
        };
        run.effective |= effective;
        if !run.can.free {
            self.freed_by_taking(answer, stood, listener)?;
        }
        self.check_self_submitted(listener)?;
        Ok(again)
    }

    /// Keeps what stands in the buffers of the chain that should be taken next: they may be used again as soon as it is.
    fn look_at_what_stands(&mut self) -> Option<u16> {
        let head = self.judge.model.next_completion()?;
        self.gather(head, self.room(head));
        Some(head)
    }

    /// A chain that was just taken is free, if there is one: it is read at once.
    fn freed_by_taking(
        &mut self,
        answer: Answer<Option<Completion>>,
        stood: Option<u16>,
        listener: &mut impl Listener,
    ) -> Result<(), Stop> {
        let reports = self.scratch.reports;
        self.run.returned.clear();
        let head = match answer {
            Ok(Some(Completion { head, .. })) => {
                let room = self.room(head);
                if stood != Some(head) {
                    self.gather(head, room);
                }
                self.read_unseen(head, room, listener)?;
                Some(head)
            }
            Err(Refusal::Device(refusal)) => refusal.returned,
            _ => None,
        };
        // What is looked at afterwards is what taking did; reading copies what was taken.
        (self.scratch.reports, self.run.call) = (reports, Call::Take);
        match head {
            Some(head) => {
                self.judge.tell(&Event::Free { head, handle: HandleAge::Current, answer: Ok(()) }, listener)
            }
            None => Ok(()),
        }
    }

    /// Hears of the chains that the subject submitted itself, and says whether there were any. What that did to memory is not
    /// looked at.
    fn report_self_submitted(&mut self, listener: &mut impl Listener) -> Result<bool, Stop> {
        let mut met = false;
        if !self.run.can.submits_itself {
            return Ok(met);
        }
        let (by, reports) = (self.run.call, self.scratch.reports);
        while let Some(submission) = self.call(by, |subject| subject.submitted_itself()) {
            let Submission { head, readable, writable } = &submission;
            let readable: Vec<&[u8]> = readable.iter().map(Vec::as_slice).collect();
            self.tell_submitted(&readable, writable, Ok(*head), listener)?;
            met = true;
        }
        self.scratch.reports = reports;
        Ok(met)
    }

    /// Looks at what a call did after which the subject may have submitted chains itself. If it has, it has notified the device
    /// by now, or says whether it must be, if it is one to be asked: by what the device wants at this time, and not later.
    pub(super) fn check_self_submitted(&mut self, listener: &mut impl Listener) -> Result<(), Stop> {
        let met = self.report_self_submitted(listener)?;
        self.look_at_event(listener)?;
        self.look_after(listener)?;
        if met && self.publish(listener)?.is_some() {
            self.run.device.notified();
        }
        Ok(())
    }

    /// Takes used chains until there is none, at most twice as many as there can be.
    pub(super) fn collect(&mut self, listener: &mut impl Listener) -> Result<(), Stop> {
        for _ in 0..2 * u32::from(self.run.setup.queue_size.get()) + 8 {
            if !self.take(listener)? {
                break;
            }
        }
        Ok(())
    }

    pub(super) fn read_returned(
        &mut self,
        pick: Pick,
        limit: Amount,
        listener: &mut impl Listener,
    ) -> Result<Option<Skip>, Stop> {
        let run = &mut self.run;
        let Some(position) = pick.of(run.returned.len()) else { return Ok(Some(run.none_taken())) };
        let head = run.returned[position];
        self.read(head, limit, listener)?;
        Ok(None)
    }

    pub(super) fn read(
        &mut self,
        head: u16,
        limit: Amount,
        listener: &mut impl Listener,
    ) -> Result<(), Stop> {
        let room = self.room(head);
        // Asking for a little more than there is must not give more than there is.
        let limit = match limit {
            Amount::Full => room,
            Amount::Bytes(bytes) => room.saturating_add(16).min(bytes.into()),
        };
        // Before the call, which must not change what it hands out.
        self.gather(head, limit);
        self.read_unseen(head, limit, listener)?;
        self.look_after(listener)
    }

    /// Bytes that the device may write to a chain.
    fn room(&self, head: u16) -> u64 {
        let buffers = self.judge.model.descriptors(head).unwrap_or_default().iter();
        buffers.filter(|buffer| buffer.writable).map(|buffer| u64::from(buffer.length)).sum()
    }

    /// Reads a chain of which it is known what stands there. What that did to memory is not looked at.
    fn read_unseen(&mut self, head: u16, limit: u64, listener: &mut impl Listener) -> Result<(), Stop> {
        let standing = std::mem::take(&mut self.scratch.standing);
        let mut out = std::mem::take(&mut self.scratch.out);
        out.clear();
        out.resize(limit as usize, UNTOUCHED);
        let answer = self.call(Call::Read, |subject| subject.read(head, &mut out));
        let run = &mut self.run;
        run.attribute_faults(Call::Read, answer.err());
        run.effective |= answer != Ok(0);
        let bytes = match answer {
            Ok(count) if count > out.len() => WrongAdapter::raise(format!(
                "its `read` says that it copied {count} bytes to where there is room for {}",
                out.len()
            )),
            // Whatever is more than it says was handed out as well.
            Ok(count) if run.can.exact => Ok(&out[..count + touched(&out[count..])]),
            Ok(count) => Ok(&out[..count]),
            Err(refusal) => Err(refusal),
        };
        let told = self
            .judge
            .tell(&Event::Read { head, limit: limit as u32, answer: bytes, in_memory: &standing }, listener);
        (self.scratch.out, self.scratch.standing) = (out, standing);
        told
    }

    /// Keeps what stands in a chain's device-writable buffers, by the chain as it was published.
    fn gather(&mut self, head: u16, limit: u64) {
        let out = &mut self.scratch.standing;
        out.clear();
        for buffer in self.judge.model.descriptors(head).unwrap_or_default() {
            if let (true, Some(place)) = (buffer.writable, buffer.place) {
                let count = u64::from(buffer.length).min(limit - out.len() as u64) as usize;
                let start = out.len();
                out.resize(start + count, 0);
                self.provided.buffers.copy_out(place.offset as usize, &mut out[start..]);
            }
        }
    }

    pub(super) fn free_returned(
        &mut self,
        pick: Pick,
        listener: &mut impl Listener,
    ) -> Result<Option<Skip>, Stop> {
        let run = &mut self.run;
        let Some(position) = pick.of(run.returned.len()) else { return Ok(Some(run.none_taken())) };
        let head = run.returned[position];
        self.free(head, HandleAge::Current, listener)?;
        Ok(None)
    }

    pub(super) fn free(
        &mut self,
        head: u16,
        name: HandleAge,
        listener: &mut impl Listener,
    ) -> Result<(), Stop> {
        self.run.freeing = (name == HandleAge::Current).then_some(head);
        let answer = self.call(Call::Free, |subject| subject.free(head, name));
        self.judge.tell(&Event::Free { head, handle: name, answer }, listener)?;
        let run = &mut self.run;
        if answer.is_ok() {
            let position = run.returned.iter().position(|returned| *returned == head);
            position.and_then(|position| run.returned.remove(position));
        }
        run.effective = true;
        run.attribute_faults(Call::Free, answer.err());
        self.look_after(listener)
    }

    pub(super) fn interrupts(
        &mut self,
        wanted: bool,
        listener: &mut impl Listener,
    ) -> Result<Option<Skip>, Stop> {
        if !self.run.can.interrupts {
            return Ok(Some(Skip::Incapable));
        }
        let waiting = self.call(Call::Interrupts, |subject| subject.interrupts(wanted));
        let device = self.run.device.observer();
        let (flags, used_event) = (device.available_flags(), device.used_event());
        self.judge.tell(&Event::UsedNotifications { wanted, flags, used_event, waiting }, listener)?;
        self.look_after(listener)?;
        self.run.effective = true;
        Ok(None)
    }
}

/// What stands where a driver has not read to.
const UNTOUCHED: u8 = 0xa5;

/// How many bytes there are up to the last one that was touched.
fn touched(bytes: &[u8]) -> usize {
    bytes.iter().rposition(|byte| *byte != UNTOUCHED).map_or(0, |last| last + 1)
}
