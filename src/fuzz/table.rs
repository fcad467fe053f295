//! Calls the descriptor table with arbitrary arguments, while another party writes to its memory.
//!
//! The [oracle](super::table_oracle) knows what each call must return and what memory must contain afterwards.

use super::table_calls::{Address, BUFFERS_AT, Call, Calls, Length, Name, Place, Value};
use super::table_oracle::Oracle;
use super::{input_counts, memory};
use ringstorm_core::{
    DescriptorTable, DeviceAddress, DeviceStopped, Head, Misuse, QueueSize, Region, Segment, SharedMemory,
    WritableBuffers,
};
use ringstorm_sim_device::{WatchedMemory, fill_pattern};
use std::rc::Rc;

/// The device address of the table.
const TABLE_AT: u64 = 0x10_0000;
/// The most regions that the caller registers. Each input creates them again, which takes time.
const REGIONS_MOST: usize = 4;

/// Handles to each memory that exist without a table.
const HANDLES: usize = 2;

/// Makes the calls. Returns whether any chain was created.
///
/// # Panics
/// If a result or the contents of memory differ from the oracle's.
pub fn table(input: &Calls) -> bool {
    let size = QueueSize::new(1 << (input.exponent % 7)).expect("a power of two");
    let buffer_size = u32::from(input.buffer_size % 64) + 1;
    let table = memory(16 * size.as_usize());
    let buffers = memory(buffer_size as usize * size.as_usize());
    let policy = if input.zeroed { WritableBuffers::Zeroed } else { WritableBuffers::Unchanged };
    let at = |memory: &Rc<WatchedMemory>, address| Region::at(Rc::clone(memory), DeviceAddress::new(address));
    let created =
        DescriptorTable::new(size, buffer_size, policy, at(&table, TABLE_AT), at(&buffers, BUFFERS_AT));
    let created = created.expect("a valid setup");
    let mut run = Run {
        oracle: Oracle::new(created.id(), size, buffer_size, input.zeroed),
        table: created,
        table_memory: table,
        regions: vec![(BUFFERS_AT, buffers)],
        patterns: 0,
    };
    for call in &input.calls.0 {
        run.call(call);
        run.oracle.check(&run.table, &run.table_memory, &run.regions);
    }
    let reached = run.end();
    input_counts::count(input.calls.0.len(), reached);
    reached
}

struct Run {
    oracle: Oracle,
    table: DescriptorTable<Rc<WatchedMemory>>,
    table_memory: Rc<WatchedMemory>,
    /// Address and memory of each region in the order of registration. The buffers of the table are the first.
    regions: Vec<(u64, Rc<WatchedMemory>)>,
    patterns: u32,
}

impl Run {
    fn call(&mut self, call: &Call) {
        let lengths = |lengths: &[Length]| lengths.iter().map(|length| length.get()).collect::<Vec<u32>>();
        match call {
            Call::Create { readable, writable } => {
                // Device-readable buffers need payload. Lengths far above the limit would test nothing more.
                let readable: Vec<u32> = lengths(readable).iter().map(|length| length % 100).collect();
                self.create(&readable, &lengths(writable));
            }
            Call::CreateWith { readable, writable, piece, too_much, refused } => {
                self.create_with(&lengths(readable), &lengths(writable), *piece, *too_much, *refused);
            }
            Call::CreateOver { readable, writable } => self.create_over(readable, writable),
            Call::Register { address, length } => self.register(address, *length),
            Call::Buffers(name) => {
                let head = self.head(name);
                let answer = self.table.buffers(head).map(Iterator::collect::<Vec<_>>);
                assert_eq!(answer.as_deref().map_err(|error| *error), self.oracle.buffers(head));
            }
            Call::Contents(name, limit) => {
                let head = self.head(name);
                let mut out = vec![0; usize::from(*limit)];
                let answer = self.table.contents(head, &mut out).map(|count| out[..count].to_vec());
                assert_eq!(answer, self.oracle.contents(head, out.len()));
            }
            Call::Free(name) => {
                let head = self.head(name);
                assert_eq!(self.table.free(head), self.oracle.free(head));
            }
            Call::Tamper { word, value } => {
                let size = self.table.size().get();
                let word = usize::from(*word) % (2 * usize::from(size));
                let value = match *value {
                    Value::Any(value) => value,
                    Value::Shape { length, flags, next } => {
                        let next = u64::from(next) % u64::from(size + 1);
                        u64::from(length) | u64::from(flags & 7) << 32 | next << 48
                    }
                    Value::Zero => 0,
                };
                self.table_memory.store_u64(8 * word, value);
                self.oracle.tamper(word, value);
            }
            Call::Reset => {
                self.table.reset(DeviceStopped::confirmed());
                self.oracle.reset();
            }
        }
    }

    fn head(&self, name: &Name) -> Head {
        match *name {
            Name::Live(pick) => self.oracle.live(pick),
            Name::NotLive(pick) => self.oracle.not_live(pick),
            Name::Any { index, serial } => Head::from_parts(self.table.id(), index, serial.into()),
        }
    }

    fn pattern(&mut self, length: u32) -> Vec<u8> {
        self.patterns += 1;
        let mut bytes = vec![0; length as usize];
        fill_pattern(&mut bytes, self.patterns);
        bytes
    }

    fn create(&mut self, readable: &[u32], writable: &[u32]) {
        let payload: Vec<Vec<u8>> = readable.iter().map(|length| self.pattern(*length)).collect();
        let slices: Vec<&[u8]> = payload.iter().map(Vec::as_slice).collect();
        let answer = self.table.create(&slices, writable);
        if self.is_created(answer, self.oracle.refusal(readable, writable)) {
            self.oracle.created(&self.table, answer, &payload.concat());
        }
    }

    fn create_with(&mut self, readable: &[u32], writable: &[u32], piece: u8, too_much: bool, refused: bool) {
        let refusal = self.oracle.refusal(readable, writable);
        let room: u64 = readable.iter().map(|length| u64::from(*length)).sum();
        // The last quarter is not written and must be zero.
        let written = if refusal.is_none() { self.pattern(room as u32 / 4 * 3) } else { Vec::new() };
        let own = Misuse::TooManyRegions;
        let answer = self.table.create_with(readable, writable, |writer| {
            for bytes in written.chunks(usize::from(piece) + 1) {
                writer.write(bytes)?;
            }
            assert_eq!(writer.left(), room - written.len() as u64);
            if too_much {
                writer.write(&vec![1; writer.left() as usize + 1])?;
            }
            if refused { Err(own) } else { Ok(()) }
        });
        let left = room - written.len() as u64;
        let too_long = Misuse::PayloadTooLong { length: left as usize + 1, left };
        let from_fill = if too_much { Some(too_long) } else { refused.then_some(own) };
        let expected = refusal.or(from_fill);
        if self.is_created(answer, expected) {
            let mut payload = written;
            payload.resize(room as usize, 0);
            self.oracle.created(&self.table, answer, &payload);
        } else {
            self.oracle.writing_was_refused(&self.regions[0].1);
        }
    }

    fn create_over(&mut self, readable: &[Place], writable: &[Place]) {
        let ids = self.oracle.ids();
        let segments = |places: &[Place]| -> Vec<Segment> {
            let segment = |place: &Place| Segment {
                region: ids[usize::from(place.region) % ids.len()],
                offset: place.offset.get() as usize,
                length: place.length.get(),
            };
            places.iter().map(segment).collect()
        };
        let (readable, writable) = (segments(readable), segments(writable));
        let expected = self.oracle.refusal_over(&readable, &writable);
        let answer = self.table.create_over(&readable, &writable);
        if self.is_created(answer, expected) {
            self.oracle.created_over(&self.table, answer, &readable, &writable);
        }
    }

    fn register(&mut self, address: &Address, length: u8) {
        if self.regions.len() > REGIONS_MOST {
            return;
        }
        let address = match *address {
            Address::Page(page) => BUFFERS_AT + 4096 * u64::from(page),
            Address::Any(address) => address,
        };
        let memory = memory(usize::from(length) + 1);
        let region = Region::at(Rc::clone(&memory), DeviceAddress::new(address));
        let others = self.regions.iter().map(|(base, memory)| (*base, memory.len() as u64));
        let all: Vec<(u64, u64)> = others.chain([(TABLE_AT, self.table_memory.len() as u64)]).collect();
        let last = address.checked_add(memory.len() as u64);
        let overlaps = |end: u64| all.iter().any(|(base, length)| *base < end && address < base + length);
        match self.table.register(region) {
            Ok(id) => {
                assert!(last.is_some_and(|end| !overlaps(end)), "{address:#x} was registered");
                assert_eq!(usize::from(id.get()), self.regions.len());
                self.oracle.registered(id, address, memory.len());
                self.regions.push((address, memory));
            }
            Err(error) => assert!(last.is_none_or(overlaps), "{address:#x}: {error}"),
        }
    }

    /// Checks that creating a chain failed with `refusal`, or succeeded if there is none. Returns whether it
    /// succeeded.
    fn is_created(&self, answer: Result<Head, Misuse>, refusal: Option<Misuse>) -> bool {
        assert_eq!(answer.err(), refusal, "the answer to a new chain");
        answer.is_ok()
    }

    fn end(self) -> bool {
        let Self { oracle, table, table_memory, regions, .. } = self;
        let live = oracle.live_descriptors();
        match table.release() {
            Ok(()) => assert_eq!(live, 0, "released with live chains"),
            Err(refused) => {
                assert_eq!(refused.value.live_count(), live, "live descriptors after a refused release");
                assert_ne!(live, 0, "refused without live chains");
                refused.value.release_stopped(DeviceStopped::confirmed());
            }
        }
        assert_eq!(Rc::strong_count(&table_memory), HANDLES, "the table kept a handle to its memory");
        assert!(
            regions.iter().all(|(_, memory)| Rc::strong_count(memory) == HANDLES),
            "the table kept a handle to a region"
        );
        oracle.created_any()
    }
}
