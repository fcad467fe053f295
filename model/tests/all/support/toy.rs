//! A correct driver and a mostly correct device, as small as possible. They have no memory and only track chains.

use ringstorm_model::{
    Completion, DeviceRefusal, Event, HandleAge, MisuseKind, ModelSetup, ObservedDescriptor, Place, Refusal,
};
use std::collections::{BTreeMap, VecDeque};

/// One act: the operation, the chain, a size, and a forged value.
pub type Step = (u8, u8, u8, u8);

const BUFFER: u32 = 16;

#[derive(Debug, Default, Clone)]
struct Chain {
    parts: Vec<ObservedDescriptor>,
    payload: Vec<u8>,
    room: u32,
    answer: Vec<u8>,
    used: u32,
}

pub struct Toy<'s> {
    pub setup: ModelSetup,
    observe: &'s mut dyn FnMut(&Event<'_>),
    free: VecDeque<u16>,
    chains: BTreeMap<u16, Chain>,
    submitted: Vec<u16>,
    available: VecDeque<u16>,
    in_flight: Vec<u16>,
    /// Used elements that the driver has not consumed.
    elements: VecDeque<(u32, u32)>,
    completed: Vec<u16>,
    available_index: u16,
    used_index: u16,
    wanted: bool,
    /// A number that makes payloads differ.
    seed: u8,
}

impl<'s> Toy<'s> {
    /// Runs the steps, and then continues until no chain is live. Calls `observe` with each event.
    pub fn run(setup: ModelSetup, steps: &[Step], observe: &'s mut dyn FnMut(&Event<'_>)) {
        let mut toy = Toy {
            setup,
            observe,
            free: (0..setup.queue_size).collect(),
            chains: BTreeMap::new(),
            submitted: Vec::new(),
            available: VecDeque::new(),
            in_flight: Vec::new(),
            elements: VecDeque::new(),
            completed: Vec::new(),
            available_index: setup.first_index,
            used_index: setup.first_index,
            wanted: true,
            seed: 0,
        };
        steps.iter().for_each(|step| toy.step(*step));
        toy.drain();
    }

    fn emit(&mut self, event: Event<'_>) {
        (self.observe)(&event);
    }

    fn count(&mut self) {
        self.emit(Event::FreeCount { count: self.free.len() as u32 });
    }

    fn step(&mut self, (operation, pick, shape, forged): Step) {
        match operation % 12 {
            0 | 1 => self.submit(usize::from(shape % 3), usize::from(shape / 3 % 3)),
            2 => self.publish(),
            3 | 4 => self.device_takes(),
            5 | 6 => self.return_chain(pick, shape, forged),
            7 | 8 => self.take(),
            9 => self.free(pick),
            10 => self.misuse(pick),
            _ => match shape {
                0..8 => self.reset(forged),
                _ => {
                    self.wanted = shape % 2 == 0;
                    self.emit(Event::AvailableNotifications { wanted: self.wanted });
                }
            },
        }
    }

    fn submit(&mut self, there: usize, back: usize) {
        self.seed = self.seed.wrapping_add(1);
        let seed = self.seed;
        let payload: Vec<Vec<u8>> = (0..there).map(|part| vec![seed; 1 + (part + 5) % 16]).collect();
        let payload: Vec<&[u8]> = payload.iter().map(Vec::as_slice).collect();
        let room: Vec<u32> = (0..back).map(|part| 1 + u32::from(seed) * (part as u32 + 3) % BUFFER).collect();
        let refusal = match there + back {
            0 => Some(MisuseKind::EmptyChain),
            count if count > self.free.len() => Some(MisuseKind::NotEnoughFree),
            _ => None,
        };
        let answer = match refusal {
            Some(kind) => Err(Refusal::Misuse(kind)),
            None => Ok(self.free[0]),
        };
        self.emit(Event::Submit { readable: &payload, writable: &room, answer });
        self.emit(Event::Stores { count: 3 * answer.is_ok() as u32, to_device_area: false });
        if let Ok(head) = answer {
            let lengths = payload.iter().map(|bytes| (bytes.len() as u32, false));
            let parts = lengths.chain(room.iter().map(|length| (*length, true))).map(|(length, writable)| {
                let index = self.free.pop_front().expect("counted");
                let place = Place { region: 1, offset: u64::from(u32::from(index) * BUFFER) };
                ObservedDescriptor { index, place: Some(place), length, writable }
            });
            let parts: Vec<ObservedDescriptor> = parts.collect();
            self.emit(Event::Chain { head, descriptors: &parts, flaw: None, not_zeroed: false });
            let chain =
                Chain { parts, payload: payload.concat(), room: room.iter().sum(), ..Chain::default() };
            self.chains.insert(head, chain);
            self.submitted.push(head);
        }
        self.count();
    }

    fn publish(&mut self) {
        self.emit(Event::Publish { notify: self.wanted && !self.submitted.is_empty() });
        self.emit(Event::Stores { count: 1, to_device_area: false });
        self.available_index = self.available_index.wrapping_add(self.submitted.len() as u16);
        self.emit(Event::AvailableIndex { index: self.available_index });
        for head in std::mem::take(&mut self.submitted) {
            self.emit(Event::Available { head });
            self.available.push_back(head);
        }
    }

    fn device_takes(&mut self) {
        let Some(head) = self.available.pop_front() else { return };
        let Chain { parts, payload, .. } = self.chains[&head].clone();
        self.emit(Event::DeviceTook { head, whole: true, descriptors: &parts, payload: &payload });
        self.in_flight.push(head);
    }

    fn add(&mut self, id: u32, length: u32) {
        self.emit(Event::UsedElement { index: self.used_index, id, length });
        self.used_index = self.used_index.wrapping_add(1);
        self.emit(Event::UsedIndex { index: self.used_index });
        self.elements.push_back((id, length));
    }

    /// Returns a chain in any order, sometimes with a length that is too long, or adds an element with a bad id.
    fn return_chain(&mut self, pick: u8, shape: u8, forged: u8) {
        // More elements than the ring has would overwrite unconsumed ones.
        if self.in_flight.is_empty() || self.elements.len() + 1 >= usize::from(self.setup.queue_size) {
            return;
        }
        if forged > 250 {
            return self.add(1000 + u32::from(shape), 0);
        }
        let head = self.in_flight.remove(usize::from(pick) % self.in_flight.len());
        let chain = self.chains.get_mut(&head).expect("in_flight");
        let written = u32::from(shape) % (chain.room + 1);
        chain.answer = vec![self.seed; chain.room as usize];
        let parts = chain.parts.clone();
        let length = if forged > 240 && chain.room > 0 { chain.room + u32::from(shape) } else { written };
        for ObservedDescriptor { place, length, .. } in parts.into_iter().filter(|part| part.writable) {
            self.emit(Event::DeviceWrote { place: place.expect("given"), length });
        }
        self.add(head.into(), length);
    }

    /// Reports and consumes a bad id, and clamps a length that is too long.
    fn take(&mut self) {
        let Some((id, length)) = self.elements.pop_front() else {
            self.emit(Event::Take { answer: Ok(None) });
            return self.count();
        };
        if id >= 1000 {
            let refusal = DeviceRefusal { consumed: true, ..DeviceRefusal::default() };
            self.emit(Event::Take { answer: Err(Refusal::Device(refusal)) });
            self.emit(Event::Stores { count: 0, to_device_area: false });
            return self.count();
        }
        let head = id as u16;
        let chain = self.chains.get_mut(&head).expect("in flight");
        chain.used = length.min(chain.room);
        let length = chain.used;
        self.emit(Event::Take { answer: Ok(Some(Completion { head, length })) });
        self.completed.push(head);
        self.count();
    }

    fn free(&mut self, pick: u8) {
        if self.completed.is_empty() {
            return;
        }
        let head = self.completed.remove(usize::from(pick) % self.completed.len());
        let chain = self.chains.remove(&head).expect("completed");
        let limit = u32::from(pick % 8) * 8;
        let bytes = &chain.answer[..chain.used.min(limit) as usize];
        self.emit(Event::Read { head, limit, answer: Ok(bytes), in_memory: &chain.answer });
        self.emit(Event::Free { head, handle: HandleAge::Current, answer: Ok(()) });
        self.free.extend(chain.parts.iter().map(|part| part.index));
        self.count();
    }

    fn misuse(&mut self, pick: u8) {
        let head = u16::from(pick) % (self.setup.queue_size + 1);
        let kind = match self.chains.contains_key(&head) {
            true if self.completed.contains(&head) => return,
            true => MisuseKind::NotReturned,
            false => MisuseKind::BadHead,
        };
        let refusal = Refusal::Misuse(kind);
        self.emit(Event::Read { head, limit: 1, answer: Err(refusal), in_memory: &[] });
        self.emit(Event::Free { head, handle: HandleAge::Current, answer: Err(refusal) });
        self.emit(Event::Stores { count: 0, to_device_area: false });
        self.count();
    }

    fn reset(&mut self, forged: u8) {
        self.free = (0..self.setup.queue_size).collect();
        self.chains.clear();
        (self.available, self.elements) = Default::default();
        (self.submitted, self.in_flight, self.completed) = Default::default();
        let first_index = u16::from(forged).wrapping_sub(128);
        (self.available_index, self.used_index, self.wanted) = (first_index, first_index, true);
        self.emit(Event::Reset { first_index });
        self.count();
        self.emit(Event::AvailableIndex { index: first_index });
    }

    fn drain(&mut self) {
        self.publish();
        while !self.chains.is_empty() {
            self.device_takes();
            self.return_chain(1, 5, 0);
            self.take();
            self.free(255);
        }
        self.emit(Event::Drained);
        self.emit(Event::Released { left: 0 });
    }
}
