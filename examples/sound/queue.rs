//! A split queue of which every variant is correct. It shares no code with ringstorm's own queues.

use crate::rings::{Rings, head_of};
use crate::variant::{Bound, Fault, FreeList, Handling, Publishing, Reading, Rearming, Variant};
use ringstorm::scenario::Setup;
use ringstorm::subject::{
    Answer, BufferPool, Completion, DeviceRefusal, Geometry, HandleAge, Lent, MisuseKind, Provided, Refusal,
    Subject,
};
use std::collections::VecDeque;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Submitted,
    InFlight,
    Returned,
}

struct Chain {
    descriptors: Vec<u16>,
    buffers: Lent,
    stage: Stage,
    writable: u64,
    written: u32,
}

/// The queue and its adapter.
pub struct SoundQueue {
    variant: Variant,
    setup: Setup,
    rings: Rings,
    pool: BufferPool,
    provided: Provided,
    /// By head.
    chains: Vec<Option<Chain>>,
    free: VecDeque<u16>,
    unpublished: Vec<u16>,
    in_flight: u16,
    /// The used index as it was last loaded.
    cached: u16,
    /// Answers of `take` that are known already.
    reaped: VecDeque<Answer<Completion>>,
    broken: bool,
}

/// What a used element means.
enum Element {
    Good(Completion),
    OverLong(u16),
    Bad,
}

impl SoundQueue {
    pub fn new(mut variant: Variant, setup: &Setup, provided: &Provided) -> Self {
        let size = setup.queue_size.get();
        if variant.follows_setup {
            variant.fault = if setup.continues_after_fault() { Fault::Reported } else { Fault::Breaks };
            variant.refuses_over_long = setup.refuses_over_long();
        }
        Self {
            variant,
            setup: *setup,
            rings: Rings::new(&variant, setup, provided),
            pool: BufferPool::new(setup, provided),
            provided: provided.clone(),
            chains: (0..size).map(|_| None).collect(),
            free: (0..size).collect(),
            unpublished: Vec::new(),
            in_flight: 0,
            cached: setup.first_index.get(),
            reaped: VecDeque::new(),
            broken: false,
        }
    }

    fn publish_all(&mut self) {
        for head in std::mem::take(&mut self.unpublished) {
            if self.variant.publishing != Publishing::EntryAtOnce {
                self.rings.add_entry(head);
            }
            self.chains[usize::from(head)].as_mut().expect("a submitted chain").stage = Stage::InFlight;
            self.in_flight += 1;
        }
        self.rings.move_available_index();
    }

    fn device_fault(&self, consumed: bool, broken: bool, returned: Option<u16>) -> Refusal {
        Refusal::Device(DeviceRefusal { consumed, broken, returned })
    }

    /// Loads the used index. An index that is too far away breaks the queue.
    fn look(&mut self) -> Answer<()> {
        if self.variant.rearming == Rearming::BeforeLooking {
            self.rings.rearm();
        }
        self.cached = self.rings.used_index();
        let found_none = self.cached == self.rings.used;
        if self.variant.rearming == Rearming::LooksAgain && found_none && self.rings.rearm() {
            self.cached = self.rings.used_index();
        }
        let waiting = self.cached.wrapping_sub(self.rings.used);
        let most = match self.variant.bound {
            Bound::InFlight => self.in_flight,
            Bound::QueueSize => self.rings.place.size,
            Bound::None => u16::MAX,
        };
        if waiting <= most {
            return Ok(());
        }
        self.cached = self.rings.used;
        Err(self.device_fault(false, true, None))
    }

    /// Reads the next element, which the used index covers.
    fn next_element(&mut self) -> Element {
        let (id, length) = self.rings.element();
        let chain = usize::try_from(id).ok().and_then(|head| self.chains.get_mut(head)?.as_mut());
        let Some(chain) = chain.filter(|chain| chain.stage == Stage::InFlight) else {
            if self.variant.fault != Fault::BreaksBefore {
                self.step_over();
            }
            return Element::Bad;
        };
        chain.stage = Stage::Returned;
        let over_long = u64::from(length) > chain.writable;
        chain.written = match over_long {
            true if self.variant.refuses_over_long => 0,
            true => chain.writable as u32,
            false => length,
        };
        let done = Completion { head: id as u16, length: chain.written };
        self.in_flight -= 1;
        self.step_over();
        match over_long && self.variant.refuses_over_long {
            true => Element::OverLong(done.head),
            false => Element::Good(done),
        }
    }

    fn step_over(&mut self) {
        let last = self.rings.used.wrapping_add(1) == self.cached;
        let rearm = match self.variant.rearming {
            Rearming::EachElement => self.variant.reading != Reading::Reaps || last,
            Rearming::LastKnown => last,
            Rearming::BeforeLooking | Rearming::LooksAgain => false,
        };
        self.rings.step_over(rearm);
    }

    /// The answer that an element causes; `None` if it is skipped.
    fn answer(&mut self, element: Element) -> Option<Answer<Completion>> {
        let fault = self.variant.fault;
        match element {
            Element::Good(done) => Some(Ok(done)),
            Element::OverLong(head) => {
                let breaks = !matches!(fault, Fault::Reported | Fault::Skipped);
                Some(Err(self.device_fault(true, breaks, Some(head))))
            }
            Element::Bad => match fault {
                Fault::Reported => Some(Err(self.device_fault(true, false, None))),
                Fault::Skipped => None,
                Fault::Breaks => Some(Err(self.device_fault(true, true, None))),
                Fault::BreaksBefore => Some(Err(self.device_fault(false, true, None))),
                Fault::BreaksSilently => Some(Err(Refusal::Broken)),
            },
        }
    }

    /// The answer of the next element that is not skipped. The used index is loaded at most once.
    fn next_answer(&mut self) -> Option<Answer<Completion>> {
        let mut looked = false;
        loop {
            if let Some(answer) = self.reaped.pop_front() {
                return Some(answer);
            }
            if self.variant.handling == Handling::DrainsAlone {
                return None;
            }
            let reload = match self.variant.reading {
                Reading::Reloads => !looked,
                Reading::Caches | Reading::Reaps => self.cached == self.rings.used,
            };
            if reload {
                if looked {
                    return None;
                }
                looked = true;
                if let Err(refusal) = self.look() {
                    return Some(Err(refusal));
                }
            }
            if self.cached == self.rings.used {
                return None;
            }
            if self.variant.reading != Reading::Reaps {
                let element = self.next_element();
                if let Some(answer) = self.answer(element) {
                    return Some(answer);
                }
                continue;
            }
            self.reap();
        }
    }

    /// Reads the elements that the used index covered when it was last loaded.
    fn reap(&mut self) {
        while self.cached != self.rings.used {
            let element = self.next_element();
            let answer = self.answer(element);
            self.reaped.extend(answer);
        }
    }

    /// Reads used elements until there are no more.
    fn drain(&mut self) {
        loop {
            if let Err(refusal) = self.look() {
                self.reaped.push_back(Err(refusal));
                return;
            }
            if self.cached == self.rings.used {
                return;
            }
            self.reap();
        }
    }

    fn taken(&self, head: u16) -> Answer<&Chain> {
        let chain = self.chains.get(usize::from(head)).and_then(Option::as_ref);
        let chain = chain.ok_or(Refusal::Misuse(MisuseKind::BadHead))?;
        match chain.stage {
            Stage::Returned if !self.is_reaped(head) => Ok(chain),
            _ => Err(Refusal::Misuse(MisuseKind::NotReturned)),
        }
    }

    /// Whether `take` has still to return this chain.
    fn is_reaped(&self, head: u16) -> bool {
        self.reaped.iter().any(|answer| head_of(answer) == Some(head))
    }

    /// Frees the descriptors and the buffers of a chain that the device no longer uses.
    fn end(&mut self, head: u16) {
        let chain = self.chains[usize::from(head)].take().expect("a live chain");
        self.in_flight -= u16::from(chain.stage == Stage::InFlight);
        for descriptor in chain.descriptors.iter().rev() {
            if self.variant.clears {
                self.rings.clear_descriptor(*descriptor);
            }
            match self.variant.free_list {
                FreeList::Lifo => self.free.push_front(*descriptor),
                FreeList::Fifo => self.free.push_back(*descriptor),
            }
        }
        self.pool.take_back(chain.buffers);
    }
}

impl Subject for SoundQueue {
    fn geometry(&self) -> Geometry {
        self.rings.place
    }

    fn submit(&mut self, readable: &[&[u8]], writable: &[u32]) -> Answer<u16> {
        if self.broken {
            return Err(Refusal::Broken);
        }
        let count = readable.len() + writable.len();
        if count > self.free.len() {
            return Err(Refusal::Misuse(MisuseKind::NotEnoughFree));
        }
        let buffers = self.pool.lend(readable, writable).map_err(Refusal::Misuse)?;
        let descriptors: Vec<u16> = self.free.drain(..count).collect();
        self.rings.write_chain(&descriptors, &buffers);
        let head = descriptors[0];
        let writable = writable.iter().map(|length| u64::from(*length)).sum();
        let chain = Chain { descriptors, buffers, stage: Stage::Submitted, writable, written: 0 };
        self.chains[usize::from(head)] = Some(chain);
        self.unpublished.push(head);
        match self.variant.publishing {
            Publishing::Later | Publishing::OneByOne => {}
            Publishing::EntryAtOnce => self.rings.add_entry(head),
            Publishing::AtOnce | Publishing::Notifying => self.publish_all(),
        }
        Ok(head)
    }

    fn publish(&mut self) -> bool {
        if self.broken {
            return false;
        }
        if self.variant.publishing == Publishing::OneByOne {
            let heads = std::mem::take(&mut self.unpublished);
            return heads.into_iter().fold(false, |notify, head| {
                self.unpublished.push(head);
                self.publish_all();
                self.rings.must_notify() || notify
            });
        }
        if !self.unpublished.is_empty() {
            self.publish_all();
        }
        self.variant.always_notifies || self.rings.must_notify()
    }

    fn take(&mut self) -> Answer<Option<Completion>> {
        if self.broken {
            return Err(Refusal::Broken);
        }
        let answer = self.next_answer().transpose();
        match answer {
            Err(Refusal::Broken) => self.broken = true,
            Err(Refusal::Device(refusal)) => self.broken = refusal.broken,
            _ => {}
        }
        answer
    }

    fn read(&mut self, head: u16, out: &mut [u8]) -> Answer<usize> {
        let chain = self.taken(head)?;
        Ok(self.pool.read(&chain.buffers, chain.written, out))
    }

    fn free(&mut self, head: u16, _: HandleAge) -> Answer<()> {
        self.taken(head)?;
        self.end(head);
        Ok(())
    }

    fn take_back(&mut self, stopped: bool) -> Option<u16> {
        let waits = |chain: &Chain, head| match chain.stage {
            Stage::Submitted => true,
            Stage::InFlight => stopped,
            Stage::Returned => stopped && self.is_reaped(head),
        };
        let found = (0..)
            .zip(&self.chains)
            .find(|(head, chain)| chain.as_ref().is_some_and(|chain| waits(chain, *head)));
        let head = found?.0;
        self.reaped.retain(|answer| head_of(answer) != Some(head));
        self.unpublished.retain(|unpublished| *unpublished != head);
        self.end(head);
        Some(head)
    }

    fn free_count(&self) -> u32 {
        self.free.len() as u32
    }

    fn set_used_notifications(&mut self, wanted: bool) -> Option<bool> {
        self.rings.ask_for_notifications(wanted);
        if !wanted || self.broken {
            return None;
        }
        let alone = self.variant.handling == Handling::DrainsAlone;
        if alone || self.variant.fault != Fault::Skipped && self.variant.reading != Reading::Reaps {
            return Some(!self.reaped.is_empty() || self.rings.used_index() != self.rings.used);
        }
        // A chain is waiting, or an error. The caller learns which from `take`.
        let next = self.next_answer();
        let waiting = next.is_some();
        if let Some(answer) = next {
            self.reaped.push_front(answer);
        }
        Some(waiting)
    }

    fn delay_used_notifications(&mut self) -> Option<bool> {
        let waiting = self.rings.delay();
        (!self.broken).then_some(waiting || !self.reaped.is_empty())
    }

    fn used_notification_arrived(&mut self) -> Option<bool> {
        if self.broken {
            return None;
        }
        let on = match self.variant.handling {
            Handling::None | Handling::Notes => return None,
            Handling::Disables => false,
            Handling::Rearms | Handling::Drains | Handling::DrainsAlone => true,
        };
        self.rings.ask_for_notifications(on);
        // After the request, so that no element is missed.
        if matches!(self.variant.handling, Handling::Drains | Handling::DrainsAlone) {
            self.drain();
        }
        Some(on)
    }

    fn reset(&mut self, first_index: u16) {
        let (variant, wanted) = (self.variant, self.rings.wanted);
        *self = Self::new(variant, &self.setup, &self.provided);
        self.rings.restart(first_index, wanted);
        self.cached = first_index;
    }

    fn release(self: Box<Self>) {}
}
