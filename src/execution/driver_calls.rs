//! Makes the calls of the driver, and emits their answers as events.

use super::{Listener, Rig, Skip, Stop};
use crate::outcome::Call;
use crate::scenario::{Amount, Buffers, Pick};
use crate::subject::WrongAdapter;
use ringstorm_core::SharedMemory;
use ringstorm_model::{Answer, Completion, Event, HandleAge, Refusal};

/// The error in an adapter that promises watched memory but does not use it.
const NOT_WATCHED: &str =
    "its capabilities promise `watched`, but it submitted a chain without a store to the rings' memory";

impl Rig {
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
        let has_publish = can.prepare || can.should_notify;
        // A chain with a token has no head until it is published.
        let later = has_publish && !(can.prepare && can.tokens);
        let lacks = match () {
            () if can.submits_itself => Some("submit (it has submits_itself)"),
            () if in_place && !can.write_in_place => Some("write_in_place"),
            () if !publish && !later && can.prepare => Some("prepare (it has tokens)"),
            () if !publish && !later => Some("prepare"),
            () => None,
        };
        if let Some(capability) = lacks {
            return Ok(Some(Skip::Incapable(capability)));
        }
        run.submissions = run.submissions.wrapping_add(1);
        self.scratch.request.fill(&run.setup, run.submissions, readable, writable, in_place);
        let answer = self.submit_request(in_place);
        let request = std::mem::take(&mut self.scratch.request);
        let (slices, lengths) = (request.readable(), request.writable());
        let result = match answer {
            Ok(token) if can.tokens => self.submitted_by_token(slices, lengths, token, listener),
            _ => self.submitted(slices, lengths, answer, listener),
        };
        self.scratch.request = request;
        result?;
        match answer {
            Ok(_) if can.tokens && can.prepare => {}
            // A subject without `publish` notifies the device within `submit`.
            Ok(_) if !has_publish => self.run.notify_device(),
            Ok(_) if publish => {
                self.publish(listener)?;
            }
            _ => {}
        }
        Ok(None)
    }

    /// Submits the buffers of the request. They stay in it during the call, so that a call that unwinds has nothing to drop.
    #[inline(always)]
    fn submit_request(&mut self, in_place: bool) -> Answer<u16> {
        self.provided.lendings.forget_missing();
        self.begin_call(Call::Submit);
        let Self { run, scratch, .. } = self;
        let subject = run.subject.as_deref_mut().expect("the subject is there until it is released");
        let (slices, lengths) = (scratch.request.readable(), scratch.request.writable());
        // About four pieces for each buffer, and pieces that do not end where a buffer ends.
        let piece = usize::from(run.setup.buffer_size) / 4 + 1;
        let answer = super::subject_panics::in_subject_call(|| match in_place {
            true => subject.write_in_place(slices, lengths, piece),
            false => subject.submit(slices, lengths),
        });
        self.end_call();
        answer
    }

    pub(super) fn submitted(
        &mut self,
        readable: &[&[u8]],
        writable: &[u32],
        answer: Answer<u16>,
        listener: &mut impl Listener,
    ) -> Result<(), Stop> {
        self.check_watched(answer);
        self.emit_submitted(readable, writable, answer, listener)?;
        self.observe_call(listener)
    }

    /// Checks that a subject in watched memory stored the chain there.
    pub(super) fn check_watched(&self, answer: Answer<u16>) {
        if answer.is_ok() && self.run.can.watched && self.scratch.reports[0].stores == 0 {
            WrongAdapter::raise(NOT_WATCHED);
        }
    }

    pub(super) fn emit_submitted(
        &mut self,
        readable: &[&[u8]],
        writable: &[u32],
        answer: Answer<u16>,
        listener: &mut impl Listener,
    ) -> Result<(), Stop> {
        self.sink.emit(&Event::Submit { readable, writable, answer }, listener)?;
        if answer.is_ok() {
            self.check_pool_was_not_empty(readable.len() + writable.len());
        }
        let run = &mut self.run;
        run.effective |= answer != Err(Refusal::Broken);
        run.refused_to_submit = answer.is_err();
        if let Some(chains_started) =
            answer.ok().and_then(|head| run.chains_started.get_mut(usize::from(head)))
        {
            *chains_started += 1;
        }
        run.faults.attribute_call(Call::Submit, answer.err());
        let Ok(head) = answer else { return Ok(()) };
        self.observe_chain(head, listener)?;
        self.check_lendings();
        Ok(())
    }

    pub(super) fn publish(&mut self, listener: &mut impl Listener) -> Result<Option<Skip>, Stop> {
        if !(self.run.can.prepare || self.run.can.should_notify) {
            return Ok(Some(Skip::Incapable("prepare")));
        }
        let notify = self.call(Call::Publish, |subject| subject.publish());
        self.published(notify, listener).map(|()| None)
    }

    /// Emits the answer of `publish`, and what the call did.
    #[inline(always)]
    pub(super) fn published(&mut self, notify: bool, listener: &mut impl Listener) -> Result<(), Stop> {
        let before = self.run.available;
        self.sink.emit(&Event::Publish { notify }, listener)?;
        self.observe_call(listener)?;
        if !notify {
            self.observe_decision(listener)?;
        }
        let run = &mut self.run;
        run.effective |= run.available != before;
        run.faults.attribute_call(Call::Publish, None);
        if notify {
            run.notify_device();
        }
        Ok(())
    }

    /// Takes one used chain. Returns whether another take may return more.
    pub(super) fn take(&mut self, listener: &mut impl Listener) -> Result<bool, Stop> {
        let saved = if self.run.can.free { None } else { self.save_buffers_of_next_used() };
        let from = self.sink.model.next_used();
        let answer = self.call(Call::Take, |subject| subject.take());
        self.observe_seen_trap(listener)?;
        let answer = if self.run.can.tokens { self.taken_by_token(answer)? } else { answer };
        self.sink.emit(&Event::Take { answer }, listener)?;
        let run = &mut self.run;
        run.faults.attribute_take(from, self.sink.model.next_used(), answer);
        let (effective, again) = match answer {
            Ok(Some(Completion { head, .. })) => {
                run.taken.push_back(head);
                (true, true)
            }
            Ok(None) | Err(Refusal::Broken) => (false, false),
            Err(Refusal::Device(refusal)) => {
                run.taken.extend(refusal.returned);
                (true, !refusal.broken)
            }
            Err(Refusal::Misuse(_) | Refusal::System) => (true, false),
        };
        run.effective |= effective;
        if !run.can.free {
            self.read_and_free_taken(answer, saved, listener)?;
        }
        self.check_self_submitted(listener)?;
        self.observe_look(answer == Ok(None), listener)?;
        Ok(again)
    }

    /// Saves the device-writable bytes of the next used chain before the take: a subject without `free` may use the
    /// buffers again as soon as it takes the chain. Returns the head of that chain.
    fn save_buffers_of_next_used(&mut self) -> Option<u16> {
        let head = self.sink.model.next_completion()?;
        self.gather(head, self.room(head));
        Some(head)
    }

    /// For subjects without `free`: reads the taken chain at once, and reports it to the model as freed by the take.
    fn read_and_free_taken(
        &mut self,
        answer: Answer<Option<Completion>>,
        saved: Option<u16>,
        listener: &mut impl Listener,
    ) -> Result<(), Stop> {
        let reports = self.scratch.reports;
        self.run.taken.clear();
        let head = match answer {
            Ok(Some(Completion { head, .. })) => {
                let room = self.room(head);
                if saved != Some(head) {
                    self.gather(head, room);
                }
                self.read_without_observing(head, room, listener)?;
                Some(head)
            }
            Err(Refusal::Device(refusal)) => refusal.returned,
            _ => None,
        };
        // The observation that follows concerns the take; the read only copied data.
        (self.scratch.reports, self.run.call) = (reports, Call::Take);
        match head {
            Some(head) => {
                self.run.tokens.forget(head);
                self.sink.emit(&Event::Free { head, handle: HandleAge::Current, answer: Ok(()) }, listener)
            }
            None => Ok(()),
        }
    }

    /// Takes used chains until none is left. The limit is twice the queue size plus 8.
    pub(super) fn collect(&mut self, listener: &mut impl Listener) -> Result<(), Stop> {
        for _ in 0..2 * u32::from(self.run.setup.queue_size.get()) + 8 {
            if !self.take(listener)? {
                break;
            }
        }
        Ok(())
    }

    pub(super) fn read_taken(
        &mut self,
        pick: Pick,
        limit: Amount,
        listener: &mut impl Listener,
    ) -> Result<Option<Skip>, Stop> {
        let run = &mut self.run;
        let Some(position) = pick.of(run.taken.len()) else { return Ok(Some(run.why_none_taken())) };
        let head = run.taken[position];
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
        // A read with a slightly larger buffer must not return more bytes than the chain has.
        let limit = match limit {
            Amount::Full => room,
            Amount::Bytes(bytes) => room.saturating_add(16).min(bytes.into()),
        };
        // Gather before the call, which must not change the bytes.
        self.gather(head, limit);
        self.read_without_observing(head, limit, listener)?;
        self.observe_call(listener)
    }

    /// How many bytes the device may write to a chain.
    fn room(&self, head: u16) -> u64 {
        let buffers = self.sink.model.descriptors(head).unwrap_or_default().iter();
        buffers.filter(|buffer| buffer.writable).map(|buffer| u64::from(buffer.length)).sum()
    }

    /// Reads a chain whose expected bytes are in the scratch buffer. The memory accesses are not observed.
    fn read_without_observing(
        &mut self,
        head: u16,
        limit: u64,
        listener: &mut impl Listener,
    ) -> Result<(), Stop> {
        let buffer_bytes = std::mem::take(&mut self.scratch.buffer_bytes);
        let mut out = std::mem::take(&mut self.scratch.out);
        out.clear();
        out.resize(limit as usize, UNTOUCHED);
        let name = self.run.name_of(head);
        let answer = self.call(Call::Read, |subject| subject.read(name, &mut out));
        let run = &mut self.run;
        run.faults.attribute_call(Call::Read, answer.err());
        run.effective |= answer != Ok(0);
        let bytes = match answer {
            Ok(count) if count > out.len() => WrongAdapter::raise(format!(
                "its `read` returned a length of {count} for a buffer of length {}",
                out.len()
            )),
            // A subject that wrote more bytes than it returned has handed out those as well.
            Ok(count) if run.can.exact => Ok(&out[..count + touched(&out[count..])]),
            Ok(count) => Ok(&out[..count]),
            Err(refusal) => Err(refusal),
        };
        let result = self.sink.emit(
            &Event::Read { head, limit: limit as u32, answer: bytes, in_memory: &buffer_bytes },
            listener,
        );
        (self.scratch.out, self.scratch.buffer_bytes) = (out, buffer_bytes);
        result
    }

    /// Copies a chain's device-writable bytes to the scratch buffer, by the descriptors that were published.
    fn gather(&mut self, head: u16, limit: u64) {
        let out = &mut self.scratch.buffer_bytes;
        out.clear();
        for buffer in self.sink.model.descriptors(head).unwrap_or_default() {
            if let (true, Some(place)) = (buffer.writable, buffer.place) {
                let count = u64::from(buffer.length).min(limit - out.len() as u64) as usize;
                let start = out.len();
                out.resize(start + count, 0);
                self.provided.buffers.copy_out(place.offset as usize, &mut out[start..]);
            }
        }
    }

    pub(super) fn free_taken(
        &mut self,
        pick: Pick,
        listener: &mut impl Listener,
    ) -> Result<Option<Skip>, Stop> {
        let run = &mut self.run;
        let Some(position) = pick.of(run.taken.len()) else { return Ok(Some(run.why_none_taken())) };
        let head = run.taken[position];
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
        let called = self.run.name_of(head);
        let answer = self.call(Call::Free, |subject| subject.free(called, name));
        self.sink.emit(&Event::Free { head, handle: name, answer }, listener)?;
        let run = &mut self.run;
        if answer.is_ok() {
            run.tokens.forget(head);
            // Most callers free the oldest or the newest chain, and there may be many.
            let is_newest = run.taken.back() == Some(&head);
            let position = match is_newest {
                true => run.taken.len().checked_sub(1),
                false => run.taken.iter().position(|returned| *returned == head),
            };
            position.and_then(|position| run.taken.remove(position));
        }
        run.effective = true;
        run.faults.attribute_call(Call::Free, answer.err());
        self.observe_call(listener)
    }
}

/// The fill byte of read buffers. What the driver did not write keeps it.
const UNTOUCHED: u8 = 0xa5;

/// The number of bytes up to the last one that the driver wrote.
fn touched(bytes: &[u8]) -> usize {
    bytes.iter().rposition(|byte| *byte != UNTOUCHED).map_or(0, |last| last + 1)
}
