//! Your own queue under the storm: a queue, its adapter, and the whole command over it.
//!
//! `cargo run --release --example own_queue` finds defects in this queue. `-- help` lists the other commands.

use ringstorm::scenario::Setup;
use ringstorm::subject::{
    Answer, BufferPool, Capabilities, Completion, External, Geometry, Lent, OrderedLoad, OrderedStore,
    Provided, Refusal, SharedMemory, Subject, WatchedMemory,
};
use std::rc::Rc;

/// The queue. It trusts the device and checks nothing.
struct Trusting {
    memory: Rc<WatchedMemory>,
    place: Geometry,
    free: Vec<u16>,
    available: u16,
    used: u16,
}

impl Trusting {
    fn new(memory: Rc<WatchedMemory>, size: u16) -> Self {
        let (available, end) = (16 * usize::from(size), 18 * usize::from(size) + 6);
        let place = Geometry { size, table: 0, available, used: end.next_multiple_of(4) };
        Self { memory, place, free: (0..size).rev().collect(), available: 0, used: 0 }
    }

    /// Submits a chain of buffers (address, length, whether the device writes to it) and publishes it.
    fn add(&mut self, buffers: &[(u64, u32, bool)]) -> Option<Vec<u16>> {
        let first = self.free.len().checked_sub(buffers.len())?;
        let chain: Vec<u16> = self.free.drain(first..).rev().collect();
        for (at, (address, length, write)) in buffers.iter().enumerate() {
            let next = chain.get(at + 1);
            let flags = u64::from(next.is_some()) | u64::from(*write) << 1;
            let rest = u64::from(*length) | flags << 32 | u64::from(next.copied().unwrap_or(0)) << 48;
            self.memory.store_u64(self.place.table + 16 * usize::from(chain[at]), *address);
            self.memory.store_u64(self.place.table + 16 * usize::from(chain[at]) + 8, rest);
        }
        let slot = usize::from(self.available % self.place.size);
        self.memory.store_u16(self.place.available + 4 + 2 * slot, chain[0]);
        self.available = self.available.wrapping_add(1);
        self.memory.store_ordered(OrderedStore::AvailableIndex, self.place.available + 2, self.available);
        Some(chain)
    }

    /// Takes the next used element: id and length.
    fn poll(&mut self) -> Option<(u32, u32)> {
        let index = self.memory.load_ordered(OrderedLoad::UsedIndex, self.place.used + 2);
        if index == self.used {
            return None;
        }
        let element = self.place.used + 4 + 8 * usize::from(self.used % self.place.size);
        self.used = self.used.wrapping_add(1);
        Some((self.memory.load_u32(element), self.memory.load_u32(element + 4)))
    }
}

/// The adapter. For each head it keeps the descriptors of the chain, its buffers, and the length from the used element.
struct Adapter {
    queue: Trusting,
    pool: BufferPool,
    chains: Vec<Option<(Vec<u16>, Lent, u32)>>,
}

impl Subject for Adapter {
    fn geometry(&self) -> Geometry {
        self.queue.place
    }

    fn submit(&mut self, readable: &[&[u8]], writable: &[u32]) -> Answer<u16> {
        let lent = self.pool.lend(readable, writable).map_err(Refusal::Misuse)?;
        let reads = lent.readable.iter().map(|buffer| (buffer.address.get(), buffer.length, false));
        let writes = lent.writable.iter().map(|buffer| (buffer.address.get(), buffer.length, true));
        let Some(chain) = self.queue.add(&reads.chain(writes).collect::<Vec<_>>()) else {
            self.pool.take_back(lent);
            return Err(Refusal::Misuse(ringstorm::subject::MisuseKind::NotEnoughFree));
        };
        let head = chain[0];
        self.chains[usize::from(head)] = Some((chain, lent, 0));
        Ok(head)
    }

    fn take(&mut self) -> Answer<Option<Completion>> {
        let Some((id, length)) = self.queue.poll() else { return Ok(None) };
        let (_, _, used) = self.chains[id as usize].as_mut().expect("the device returns what it was given");
        *used = length;
        Ok(Some(Completion { head: id as u16, length }))
    }

    fn read(&mut self, head: u16, out: &mut [u8]) -> Answer<usize> {
        let (_, lent, used) =
            self.chains[usize::from(head)].as_ref().expect("the harness reads what it took");
        Ok(self.pool.read(lent, *used, out))
    }

    fn free(&mut self, head: u16, _: ringstorm::subject::HandleAge) -> Answer<()> {
        let (chain, lent, _) = self.chains[usize::from(head)].take().expect("the harness frees what it took");
        self.queue.free.extend(chain.iter().rev());
        self.pool.take_back(lent);
        Ok(())
    }

    fn free_count(&self) -> u32 {
        self.queue.free.len() as u32
    }

    fn release(self: Box<Self>) {}
}

/// The capabilities of the subject. The storm skips steps that need others.
const CAN: Capabilities =
    Capabilities { free: true, lengths: true, free_count: true, watched: true, ..Capabilities::NONE };

/// The subject: its name, its capabilities, and a function that makes one.
pub const OWN: External = External::new("trusting", CAN, |setup: &Setup, provided: &Provided| {
    let size = setup.queue_size.get();
    Box::new(Adapter {
        queue: Trusting::new(Rc::clone(&provided.rings), size),
        pool: BufferPool::new(setup, provided),
        chains: (0..size).map(|_| None).collect(),
    })
});

#[allow(dead_code, reason = "a test that includes this file does not run the command")]
fn main() -> std::process::ExitCode {
    ringstorm::cli::main_with(&[OWN])
}
