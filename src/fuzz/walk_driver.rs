//! Arbitrary bytes in the used ring and in all other shared memory, which the driver must survive.

use super::walk_queue::{BUFFERS_AT, RINGS_AT, WalkQueue, geometry, overwrite, within};
use super::{Remaining, memory};
use arbitrary::Arbitrary;
use ringstorm_core::{
    AfterFault, Completion, Config, DeviceAddress, DeviceFault, DeviceStopped, Error, Head, Layout, OverLong,
    Policies, Region, RingIndex, SharedMemory, SplitQueue, WritableBuffers,
};
use ringstorm_sim_device::{Geometry, WatchedMemory};
use std::rc::Rc;

const BUFFER: u32 = 16;

#[derive(Debug, Arbitrary)]
pub(super) struct DriverWalk<'a> {
    continues_after_fault: bool,
    refuses: bool,
    zeroed: bool,
    /// The bytes that the device writes over all of the rings' memory at the beginning, the table first.
    bytes: &'a [u8],
    acts: Remaining<Act>,
}

#[derive(Debug, Arbitrary)]
enum Act {
    Submit {
        readable: u8,
        writable: u8,
        length: u8,
        publish: bool,
    },
    Take,
    Collect,
    Read(u8, u8),
    Free(u8),
    Interrupts(bool),
    Verify,
    Reset(u16),
    /// Moves the used index this far ahead of the next element.
    UsedIndex(i8),
    /// Writes a used element, `ahead` elements after the next one.
    Element {
        ahead: u8,
        id: Id,
        length: u32,
    },
    /// Writes any value anywhere.
    Word {
        at: u16,
        value: u32,
    },
}

#[derive(Debug, Arbitrary)]
enum Id {
    Near(u8),
    Any(u32),
}

/// A live chain: created and not freed.
struct Chain {
    head: Head,
    writable: u64,
    stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Created,
    InFlight,
    /// Taken by the driver, with this many bytes written.
    Returned(u32),
}

struct Run {
    queue: SplitQueue<Rc<WatchedMemory>>,
    rings: Rc<WatchedMemory>,
    buffers: Rc<WatchedMemory>,
    geometry: Geometry,
    config: Config,
    chains: Vec<Chain>,
    /// The index of the next used element.
    next: u16,
    read_any: bool,
}

impl DriverWalk<'_> {
    /// The number of acts.
    pub(super) fn acts(&self) -> usize {
        self.acts.0.len()
    }

    pub(super) fn run(&self, parameters: &WalkQueue) -> bool {
        let size = parameters.size();
        let policies = Policies {
            after_fault: if self.continues_after_fault { AfterFault::Continue } else { AfterFault::Broken },
            over_long: if self.refuses { OverLong::Refuse } else { OverLong::Clamp },
            writable: if self.zeroed { WritableBuffers::Zeroed } else { WritableBuffers::Unchanged },
        };
        let (first_index, event_index) = (RingIndex::new(parameters.first_index), parameters.event_index);
        let config = Config { size, buffer_size: BUFFER, first_index, event_index, policies };
        let geometry = geometry(size);
        let rings = memory(Layout::new(size).len());
        let buffers = memory(BUFFER as usize * size.as_usize());
        let region = |memory: &Rc<_>, address| Region::at(Rc::clone(memory), DeviceAddress::new(address));
        let queue = SplitQueue::new(config, region(&rings, RINGS_AT), region(&buffers, BUFFERS_AT));
        let queue = queue.expect("a good setup");
        overwrite(&rings, 0, rings.len(), self.bytes);
        let next = parameters.first_index;
        let mut run =
            Run { queue, rings, buffers, geometry, config, chains: Vec::new(), next, read_any: false };
        for act in &self.acts.0 {
            run.act(act);
            run.check();
        }
        run.end()
    }
}

impl Run {
    fn act(&mut self, act: &Act) {
        match *act {
            Act::Submit { readable, writable, length, publish } => {
                self.submit(readable % 5, writable % 5, length % 18);
                if publish {
                    self.publish();
                }
            }
            Act::Take => {
                self.take();
            }
            Act::Collect => self.collect(),
            Act::Read(pick, limit) => self.read(pick, limit),
            Act::Free(pick) => self.free(pick),
            Act::Interrupts(wanted) => {
                let waiting = self.call(|queue| queue.set_used_notifications(wanted));
                assert_eq!(
                    waiting,
                    self.claimed() != 0,
                    "whether `set_used_notifications` reports waiting used elements"
                );
            }
            Act::Verify => {
                let Self { queue, rings, buffers, config, .. } = self;
                let size = u64::from(config.size.get());
                // In the worst case every chain is a loop through the whole table.
                let found = within(64 + 8 * size * size, [rings, buffers], || queue.verify());
                assert!(found.len() as u64 <= 3 * size, "{} differences", found.len());
            }
            Act::Reset(first_index) => {
                self.call(|queue| queue.reset(DeviceStopped::confirmed(), RingIndex::new(first_index)));
                self.chains.clear();
                self.next = first_index;
                assert!(!self.queue.is_broken(), "broken after a reset");
            }
            Act::UsedIndex(ahead) => {
                let index = self.next.wrapping_add_signed(ahead.into());
                self.rings.store_u16(self.geometry.used + 2, index);
            }
            Act::Element { ahead, ref id, length } => {
                let slot = usize::from(self.next.wrapping_add(ahead.into()) % self.geometry.size);
                let id = match *id {
                    Id::Near(id) => u32::from(id) % u32::from(self.geometry.size),
                    Id::Any(id) => id,
                };
                self.rings.store_u32(self.geometry.used + 4 + 8 * slot, id);
                self.rings.store_u32(self.geometry.used + 8 + 8 * slot, length);
            }
            Act::Word { at, value } => {
                let at = usize::from(at) % (self.rings.len() - 4);
                self.rings.copy_in(at, &value.to_le_bytes());
            }
        }
    }

    /// Makes a call. It may access memory only a few times for each descriptor of the queue.
    fn call<T>(&mut self, call: impl FnOnce(&mut SplitQueue<Rc<WatchedMemory>>) -> T) -> T {
        let Self { queue, rings, buffers, config, .. } = self;
        within(64 + 16 * u64::from(config.size.get()), [rings, buffers], || call(queue))
    }

    fn claimed(&self) -> u16 {
        self.rings.load_u16(self.geometry.used + 2).wrapping_sub(self.next)
    }

    fn in_flight(&self) -> usize {
        self.chains.iter().filter(|chain| chain.stage == Stage::InFlight).count()
    }

    fn submit(&mut self, readable: u8, writable: u8, length: u8) {
        let (payload, lengths) = (vec![7; length.into()], vec![u32::from(length); writable.into()]);
        let slices = vec![payload.as_slice(); readable.into()];
        let good = (1..=BUFFER).contains(&length.into())
            && (1..=self.queue.free_count()).contains(&u16::from(readable + writable));
        let broken = self.queue.is_broken();
        match self.call(|queue| queue.submit(&slices, &lengths)) {
            Ok(head) => {
                assert!(good && !broken, "{head} was created");
                let writable = u64::from(writable) * u64::from(length);
                self.chains.push(Chain { head, writable, stage: Stage::Created });
            }
            Err(Error::Device(DeviceFault::Broken)) => {
                assert!(broken, "the queue reported that it is broken, but it is not")
            }
            Err(error) => assert!(!good && !broken, "{error}"),
        }
    }

    fn publish(&mut self) {
        let _ = self.call(SplitQueue::publish);
        if !self.queue.is_broken() {
            for chain in self.chains.iter_mut().filter(|chain| chain.stage == Stage::Created) {
                chain.stage = Stage::InFlight;
            }
        }
    }

    /// Takes one used element. Returns whether there may be another one.
    fn take(&mut self) -> bool {
        let (broken, claimed, before) = (self.queue.is_broken(), self.claimed(), self.in_flight());
        let answer = self.call(SplitQueue::take);
        let steps_over = !broken && claimed != 0 && usize::from(claimed) <= before;
        self.next = self.next.wrapping_add(steps_over.into());
        self.read_any |= steps_over;
        match answer {
            Ok(Some(Completion { head, written })) => {
                assert!(
                    steps_over,
                    "took {head}, with a used index {claimed} elements ahead and {before} chains in flight"
                );
                self.record_taken(head, Some(written));
            }
            Err(DeviceFault::LengthTooLong { head, .. }) => {
                assert!(steps_over && self.config.policies.over_long == OverLong::Refuse);
                self.record_taken(head, None);
            }
            Ok(None) => assert!(
                !broken && claimed == 0,
                "`take` returned nothing, but the used index is {claimed} elements ahead"
            ),
            Err(DeviceFault::Broken) => {
                assert!(broken, "the queue reported that it is broken, but it is not")
            }
            Err(fault @ DeviceFault::IndexJump { .. }) => {
                assert!(!broken && usize::from(claimed) > before, "{fault}");
                assert!(self.queue.is_broken(), "the queue is not broken after {fault}");
            }
            Err(fault) => {
                assert!(steps_over, "{fault}");
                let continues_after_fault = self.config.policies.after_fault == AfterFault::Continue;
                assert_ne!(self.queue.is_broken(), continues_after_fault, "after {fault}");
            }
        }
        !matches!(answer, Ok(None) | Err(DeviceFault::Broken))
    }

    /// Records that a chain was taken. It must have been in flight, and cannot contain more bytes than it has room
    /// for.
    fn record_taken(&mut self, head: Head, written: Option<u32>) {
        let chain = self.chains.iter_mut().find(|chain| chain.head == head).expect("a chain that is live");
        assert_eq!(chain.stage, Stage::InFlight, "the stage of {head} when it was taken");
        assert!(
            written.is_none_or(|written| u64::from(written) <= chain.writable),
            "{head} was taken with more bytes than it has room for"
        );
        chain.stage = Stage::Returned(written.unwrap_or(0));
    }

    fn collect(&mut self) {
        // The queue accepts at most as many elements as it has chains in flight. One more call finds no element, or
        // an index that jumped, after which the queue is broken.
        let most = self.in_flight() + 2;
        assert!((0..=most).any(|_| !self.take()), "`take` returned more than {most} results");
    }

    fn read(&mut self, pick: u8, limit: u8) {
        let Some(position) = self.pick(pick) else { return };
        let Chain { head, stage, .. } = self.chains[position];
        let mut out = vec![0; limit.into()];
        let answer = self.call(|queue| queue.read(head, &mut out));
        match stage {
            Stage::Returned(written) => assert_eq!(answer, Ok(out.len().min(written as usize))),
            Stage::Created | Stage::InFlight => assert!(answer.is_err(), "{head} was read"),
        }
    }

    fn free(&mut self, pick: u8) {
        let Some(position) = self.pick(pick) else { return };
        let Chain { head, stage, .. } = self.chains[position];
        let answer = self.call(|queue| queue.free(head));
        assert_eq!(
            answer.is_ok(),
            matches!(stage, Stage::Returned(_)),
            "the answer of `free` for {head}: {answer:?}"
        );
        if answer.is_ok() {
            self.chains.remove(position);
            assert!(self.call(|queue| queue.free(head)).is_err(), "{head} was freed twice");
        }
    }

    fn pick(&self, pick: u8) -> Option<usize> {
        usize::from(pick).checked_rem(self.chains.len())
    }

    fn check(&self) {
        assert_eq!(usize::from(self.queue.in_flight()), self.in_flight(), "chains in flight");
        let buffers = |chain: &Chain| self.queue.buffers(chain.head).expect("the chain is live").len();
        let live: usize = self.chains.iter().map(buffers).sum();
        assert_eq!(usize::from(self.queue.free_count()) + live, self.config.size.as_usize(), "descriptors");
    }

    fn end(mut self) -> bool {
        self.act(&Act::Collect);
        self.act(&Act::Verify);
        self.act(&Act::Reset(0));
        assert_eq!(self.queue.free_count(), self.config.size.get(), "free after a reset");
        self.queue.release(DeviceStopped::confirmed());
        self.read_any
    }
}
