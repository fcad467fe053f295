//! Steps that proptest generates and shrinks, over the descriptor table alone.
//!
//! A run of 96 cases takes about two seconds in a debug build. `PROPTEST_CASES=20000 cargo test --release
//! --test state_machine_table` makes a long run. The test shrinks a failing case, prints it as a scenario, and writes it to a
//! .storm file in `target/tmp`. After a copy to corpus/regressions, this test and the tests of the queue replay it.
//!
//! The test uses a part of the scenario language: submit and prepare create a chain by copying, write creates one in place;
//! free frees any live chain; read asks for buffers and contents; misuse passes bad heads. The test itself performs device
//! return and the faults that corrupt the table on the bytes in memory. All other steps do nothing.
//!
//! The reference knows only the lengths of the chains. The table chooses their descriptors. After each step, the test compares
//! what the table returns with the reference, and with memory word by word.

#[path = "support/failure.rs"]
mod failure;
#[path = "support/quiet.rs"]
mod quiet;
#[path = "support/step_strategy.rs"]
mod step_strategy;
#[path = "support/table_reference.rs"]
mod table_reference;

use failure::{config, fail};
use proptest_state_machine::{StateMachineTest, prop_state_machine};
use quiet::quietly;
use ringstorm::scenario::{Amount, BadHead, Buffers, Document, HeadCall, Pick, Scenario, Setup, Step};
use ringstorm_core::{
    Buffer, DescriptorTable, DeviceAddress, DeviceStopped, Head, HeapMemory, Misuse, Region, RegionId,
    SharedMemory, Tampering, WritableBuffers,
};
use ringstorm_sim_device::{Fault, fill_pattern};
use std::collections::{BTreeMap, HashSet};
use std::rc::Rc;
use step_strategy::lengths_of;
use table_reference::Expected;

/// A descriptor (2.7.5): the address, then length, flags and next in one word.
const DESCRIPTOR_BYTES: usize = 16;
const NEXT: u64 = 1 << 32;
const WRITE: u64 = 2 << 32;
const TABLE_AT: u64 = 0x10_0000;
const BUFFERS_AT: u64 = 0x1_0000_0000;

/// Replays every regression over the table.
const REGRESSION: &str = "to keep this as a regression, copy this file to corpus/regressions";
const REPLAY: &str = "cp PATH corpus/regressions/ && cargo test --test state_machine_table regression";

prop_state_machine! {
    #![proptest_config(config())]
    #[test]
    fn the_table_keeps_its_chains(sequential 1..=64 => TableTest);
}

#[test]
fn the_table_passes_every_regression() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/regressions");
    for entry in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        let Scenario { setup, steps } = text.parse::<Document>().unwrap().scenario;
        let run = || TableTest::test_sequential(config(), Expected::new(setup), steps, None);
        quietly(run).unwrap_or_else(|message| panic!("{message}"));
    }
}

/// A chain that the table made, with the expected bytes of each of its buffers.
struct Made {
    head: Head,
    buffers: Vec<Buffer>,
    bytes: Vec<Vec<u8>>,
}

struct Run {
    setup: Setup,
    table: DescriptorTable<Rc<HeapMemory>>,
    table_memory: Rc<HeapMemory>,
    buffer_memory: Rc<HeapMemory>,
    /// Oldest first, as in [`Expected::live`].
    made: Vec<Made>,
    /// Heads of chains that were freed.
    freed: Vec<Head>,
    /// Descriptors that were used since the table was made or reset. The others must be zero in memory.
    used: HashSet<u16>,
    /// The second word of each descriptor that the device corrupted and the driver has not written since.
    corrupted: BTreeMap<u16, u64>,
    patterns: u32,
}

impl Run {
    fn new(setup: Setup) -> Self {
        let (size, buffer_size) = (setup.queue_size, u32::from(setup.buffer_size));
        let memory = |bytes| Rc::new(HeapMemory::new(bytes * size.as_usize()).expect("there is memory"));
        let (table_memory, buffer_memory) = (memory(DESCRIPTOR_BYTES), memory(setup.buffer_size.into()));
        let table = Region::at(Rc::clone(&table_memory), DeviceAddress::new(TABLE_AT));
        let buffers = Region::at(Rc::clone(&buffer_memory), DeviceAddress::new(BUFFERS_AT));
        let table = DescriptorTable::new(size, buffer_size, setup.policies.writable, table, buffers)
            .expect("a good setup");
        let (made, freed, corrupted) = (Vec::new(), Vec::new(), BTreeMap::new());
        let used = HashSet::new();
        Self { setup, table, table_memory, buffer_memory, made, freed, used, corrupted, patterns: 0 }
    }

    /// The second word of each descriptor as the driver must have written it.
    fn written(&self) -> Vec<u64> {
        let mut words = vec![0; self.setup.queue_size.as_usize()];
        for Made { buffers, .. } in &self.made {
            for (position, buffer) in buffers.iter().enumerate() {
                let link = |next: &Buffer| NEXT | u64::from(next.descriptor) << 48;
                let write = if buffer.writable { WRITE } else { 0 };
                words[usize::from(buffer.descriptor)] =
                    u64::from(buffer.length) | write | buffers.get(position + 1).map_or(0, link);
            }
        }
        words
    }

    fn pattern(&mut self, length: u32) -> Vec<u8> {
        self.patterns += 1;
        let mut bytes = vec![0; length as usize];
        fill_pattern(&mut bytes, self.patterns);
        bytes
    }

    fn standing(&self, buffer: &Buffer) -> Vec<u8> {
        let mut bytes = vec![0; buffer.length as usize];
        self.buffer_memory.copy_out(buffer.offset, &mut bytes);
        bytes
    }

    fn create(&mut self, readable: Buffers, writable: Buffers, in_place: bool, expected: bool) {
        let setup = self.setup;
        let writable: Vec<u32> = lengths_of(writable, &setup, u32::MAX).collect();
        let huge = u32::from(setup.buffer_size) + 4096;
        let lengths: Vec<u32> = lengths_of(readable, &setup, huge).collect();
        // In a chain with too many buffers, all buffers may have the same bytes.
        let distinct = if lengths.len() > setup.queue_size.as_usize() { 1 } else { lengths.len() };
        let mut payload: Vec<Vec<u8>> =
            lengths.iter().take(distinct).map(|length| self.pattern(*length)).collect();
        let answer = if in_place {
            self.table.create_with(&lengths, &writable, |writer| {
                let all = payload.concat();
                // The last byte is left unwritten, and must be zero.
                for piece in all[..all.len().saturating_sub(1)].chunks(5) {
                    writer.write(piece)?;
                }
                assert!(writer.write(&[1, 1]).is_err(), "a write beyond the end of the buffer must fail");
                Ok(())
            })
        } else {
            let slices: Vec<&[u8]> = payload.iter().cycle().take(lengths.len()).map(Vec::as_slice).collect();
            self.table.create(&slices, &writable)
        };
        assert_eq!(answer.is_ok(), expected, "the answer to a new chain is {answer:?}");
        let Ok(head) = answer else { return };
        if let (true, Some(last)) = (in_place, payload.last_mut().and_then(|bytes| bytes.last_mut())) {
            *last = 0;
        }
        let buffers: Vec<Buffer> = self.table.buffers(head).expect("a live chain").collect();
        assert_eq!(buffers[0].descriptor, head.index(), "a chain begins at its head");
        let zeroed = self.setup.policies.writable == WritableBuffers::Zeroed;
        for buffer in &buffers[payload.len()..] {
            let standing = self.standing(buffer);
            assert!(!zeroed || standing.iter().all(|byte| *byte == 0), "not zero in {buffer:?}");
            payload.push(standing);
        }
        self.rewritten(&buffers);
        self.used.extend(buffers.iter().map(|buffer| buffer.descriptor));
        self.made.push(Made { head, buffers, bytes: payload });
    }

    fn free(&mut self, pick: Pick) {
        let Some(position) = pick.of(self.made.len()) else { return };
        let Made { head, buffers, .. } = self.made.remove(position);
        assert_eq!(self.table.free(head), Ok(()));
        self.rewritten(&buffers);
        self.freed.push(head);
    }

    fn rewritten(&mut self, buffers: &[Buffer]) {
        for buffer in buffers {
            self.corrupted.remove(&buffer.descriptor);
        }
    }

    fn reset(&mut self) {
        self.table.reset(DeviceStopped::confirmed());
        self.corrupted.clear();
        self.used.clear();
        self.freed.extend(self.made.drain(..).map(|made| made.head));
    }

    fn read(&self, pick: Pick, limit: Amount) {
        let Some(position) = pick.of(self.made.len()) else { return };
        let Made { head, buffers, bytes } = &self.made[position];
        let all = bytes.concat();
        let limit = match limit {
            Amount::Full => all.len(),
            Amount::Bytes(bytes) => (bytes as usize).min(all.len() + 16),
        };
        let mut out = vec![0; limit];
        let answer = self.table.contents(*head, &mut out).map(|count| &out[..count]);
        let readable = buffers.iter().any(|buffer| !buffer.writable);
        let contents = &all[..all.len().min(limit)];
        assert_eq!(answer, if readable { Err(Misuse::ReadableInChain(*head)) } else { Ok(contents) });
    }

    /// The device writes to all writable buffers of a chain.
    fn write(&mut self, pick: Pick) {
        let Some(position) = pick.of(self.made.len()) else { return };
        for at in 0..self.made[position].buffers.len() {
            let buffer = self.made[position].buffers[at];
            if buffer.writable {
                let bytes = self.pattern(buffer.length);
                self.buffer_memory.copy_in(buffer.offset, &bytes);
                self.made[position].bytes[at] = bytes;
            }
        }
    }

    fn misuse(&mut self, call: HeadCall, bad: BadHead, pick: Pick) {
        let size = self.setup.queue_size.get();
        let heads: HashSet<u16> = self.made.iter().map(|made| made.head.index()).collect();
        let buffers = self.made.iter().flat_map(|made| &made.buffers);
        let owned: HashSet<u16> = buffers.map(|buffer| buffer.descriptor).collect();
        let mut around = (0..size).map(|step| u16::from(pick.0).wrapping_add(step) % size);
        let index = match bad {
            BadHead::OutOfRange => Some(size),
            BadHead::Far => Some(u16::MAX),
            BadHead::FreeDescriptor => around.find(|index| !owned.contains(index)),
            BadHead::MidChain => around.find(|index| owned.contains(index) && !heads.contains(index)),
            // The table does not know which chains are in flight. Use a live head with a wrong serial number.
            BadHead::InFlight => around.find(|index| heads.contains(index)),
            // The table does not know which chains the device returned.
            BadHead::Returned | BadHead::Stale => None,
        };
        let stale = || pick.of(self.freed.len()).map(|position| self.freed[position]);
        let head = if bad == BadHead::Stale {
            stale()
        } else {
            index.map(|i| Head::from_parts(self.table.id(), i, u64::MAX))
        };
        let Some(head) = head else { return };
        let refusal = match head.index() {
            index if index >= size => Misuse::HeadOutOfRange(head),
            index if heads.contains(&index) => Misuse::HeadStale(head),
            index if owned.contains(&index) => Misuse::HeadInsideChain(head),
            _ => Misuse::HeadFree(head),
        };
        match call {
            // A table frees any live chain, in flight or not.
            HeadCall::Free | HeadCall::Withdraw => assert_eq!(self.table.free(head), Err(refusal)),
            HeadCall::Read => {
                assert_eq!(self.table.buffers(head).map(|_| ()), Err(refusal));
                assert_eq!(self.table.contents(head, &mut [0; 8]), Err(refusal));
            }
        }
    }

    /// Corrupts the table in memory, if the fault is one that does.
    fn tamper(&mut self, fault: Fault, pick: Pick, value: u32) {
        let size = u32::from(self.setup.queue_size.get());
        let chain = pick.of(self.made.len()).map(|position| &self.made[position].buffers[..]);
        let anywhere = (u32::from(pick.0) % size) as u16;
        let linked = |word: u64, next: u16| word & (u64::MAX >> 16) | NEXT | u64::from(next) << 48;
        let target = match (fault, chain) {
            (Fault::NextToHead | Fault::NextToMiddle, Some([.., last])) => last.descriptor,
            (Fault::LengthScribbled | Fault::NextOutOfRange, _) => anywhere,
            _ => return,
        };
        let now = self.table_memory.load_u64(DESCRIPTOR_BYTES * usize::from(target) + 8);
        let word = match (fault, chain) {
            (Fault::NextToHead, Some([first, ..])) => linked(now, first.descriptor),
            (Fault::NextToMiddle, Some([_, second, ..])) => linked(now, second.descriptor),
            (Fault::LengthScribbled, _) => now >> 32 << 32 | u64::from(value),
            (Fault::NextOutOfRange, _) => linked(now, (size + value % (0x1_0000 - size)) as u16),
            _ => return,
        };
        self.table_memory.store_u64(DESCRIPTOR_BYTES * usize::from(target) + 8, word);
        self.corrupted.insert(target, word);
    }

    /// Whether the links in these second words form a loop that is reached from a head.
    fn loops(&self, words: &[u64], head: Head) -> bool {
        let (mut index, mut seen) = (head.index(), HashSet::new());
        while seen.insert(index) {
            let word = words[usize::from(index)];
            index = (word >> 48) as u16;
            if word & NEXT == 0 || index >= self.setup.queue_size.get() {
                return false;
            }
        }
        true
    }

    fn check(&self, expected: &Expected) {
        assert_eq!(u32::from(self.table.free_count()), expected.free(), "free descriptors");
        assert_eq!(self.made.len(), expected.live.len(), "live chains");
        let place = |index: u16| u64::from(index) * u64::from(self.setup.buffer_size);
        let mut taken = HashSet::new();
        for (made, shape) in self.made.iter().zip(&expected.live) {
            let buffers = self.table.buffers(made.head).expect("a live chain");
            assert_eq!(buffers.len(), shape.len(), "buffers of {}", made.head);
            for (position, buffer) in buffers.enumerate() {
                assert_eq!(buffer, made.buffers[position], "a live chain changed");
                assert!(taken.insert(buffer.descriptor), "in two chains: {buffer:?}");
                assert_eq!((buffer.length, buffer.writable), shape[position], "length and direction");
                let offset = place(buffer.descriptor);
                let address = DeviceAddress::new(BUFFERS_AT + offset);
                let found = (buffer.region, buffer.offset as u64, buffer.address);
                assert_eq!(found, (RegionId::BUFFERS, offset, address), "place of {buffer:?}");
                assert_eq!(self.standing(&buffer), made.bytes[position], "bytes of {buffer:?}");
            }
        }
        let mut words = self.written();
        let mut tampering = HashSet::new();
        for (&descriptor, &found) in &self.corrupted {
            let expected = std::mem::replace(&mut words[usize::from(descriptor)], found);
            if found != expected {
                tampering.insert(Tampering::Shape { descriptor, expected, found });
            }
        }
        for (index, word) in (0..).zip(&words) {
            let at = DESCRIPTOR_BYTES * usize::from(index);
            let found = [self.table_memory.load_u64(at), self.table_memory.load_u64(at + 8)];
            let address = if self.used.contains(&index) { BUFFERS_AT + place(index) } else { 0 };
            assert_eq!(found, [address, *word], "descriptor {index} in the table");
        }
        let heads = self.made.iter().map(|made| made.head).filter(|head| self.loops(&words, *head));
        tampering.extend(heads.map(|head| Tampering::Loop { head }));
        let found = self.table.verify();
        assert_eq!(found.len(), tampering.len(), "verify finds {found:?}, not {tampering:?}");
        assert_eq!(found.into_iter().collect::<HashSet<_>>(), tampering, "what verify finds");
    }
}

struct TableTest;

impl StateMachineTest for TableTest {
    type SystemUnderTest = Run;
    type Reference = Expected;

    fn init_test(expected: &Expected) -> Run {
        guard(expected, || Run::new(expected.setup))
    }

    fn apply(mut run: Run, expected: &Expected, step: Step) -> Run {
        let made = expected.live.len() > run.made.len();
        guard(expected, || match step {
            Step::Submit { readable, writable } | Step::Prepare { readable, writable } => {
                run.create(readable, writable, false, made);
            }
            Step::Write { readable, writable } => run.create(readable, writable, true, made),
            Step::Free { pick } => run.free(pick),
            Step::Read { pick, limit } => run.read(pick, limit),
            Step::DeviceReturn { pick, .. } => run.write(pick),
            Step::Misuse { call, head, pick } => run.misuse(call, head, pick),
            Step::Fault { fault, pick, value } => run.tamper(fault, pick, value),
            Step::Reset => run.reset(),
            _ => {}
        });
        run
    }

    fn check_invariants(run: &Run, expected: &Expected) {
        guard(expected, || run.check(expected));
    }

    fn teardown(run: Run, expected: Expected) {
        guard(&expected, || {
            let Run { table, table_memory, buffer_memory, .. } = run;
            let released = table.release();
            assert_eq!(released.is_ok(), expected.live.is_empty(), "released without live chains only");
            if let Err(refused) = released {
                assert_eq!(u32::from(refused.value.free_count()), expected.free(), "it changed");
                refused.value.release_stopped(DeviceStopped::confirmed());
            }
            let handles = [Rc::strong_count(&table_memory), Rc::strong_count(&buffer_memory)];
            assert_eq!(handles, [1, 1], "handles on the memory");
        });
    }
}

/// Calls `act`, and reports the scenario if `act` panics.
fn guard<T>(expected: &Expected, act: impl FnOnce() -> T) -> T {
    quietly(act).unwrap_or_else(|what| {
        let scenario = Scenario { setup: expected.setup, steps: expected.steps.clone() };
        fail("state_machine_table", &scenario, &what, REGRESSION, REPLAY)
    })
}
