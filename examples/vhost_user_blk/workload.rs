//! Reads and writes blocks through either driver, and verifies the data.

use super::Failure;
use super::request::SECTOR;
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use std::collections::HashMap;

/// The interface of a workload to a driver. Requests are submitted, published together, and complete in any order.
pub trait BlockDriver {
    /// Submits a read of one block.
    fn read(&mut self, slot: usize, sector: u64) -> Result<(), Failure>;
    /// Submits a write of one block.
    fn write(&mut self, slot: usize, sector: u64, data: &[u8]) -> Result<(), Failure>;
    /// Submits a flush.
    fn flush(&mut self, slot: usize) -> Result<(), Failure>;
    /// Publishes the submitted requests, and notifies the device if it wants that.
    fn kick(&mut self) -> Result<(), Failure>;
    /// Waits until requests complete, and calls `done` for each.
    fn wait(&mut self, done: &mut Done<'_>) -> Result<(), Failure>;
}

/// The callback for a completed request: its slot, and the data that was read.
pub type Done<'a> = dyn FnMut(usize, &[u8]) -> Result<(), Failure> + 'a;

/// The request of a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// Read a block.
    Read(u64),
    /// Write a block.
    Write(u64),
    /// Flush.
    Flush,
}

/// The expected contents of the disk, and a generator of requests.
pub struct Workload {
    /// How often each block was written. Its contents are computed from this number.
    generations: Vec<u32>,
    /// Blocks with a write in flight, now or when the device died, with the earlier generations that they may still contain.
    uncertain: HashMap<u64, Vec<u32>>,
    random: Xoshiro256PlusPlus,
    block_size: usize,
}

impl Workload {
    /// A disk of `blocks` blocks, all zero.
    pub fn new(blocks: u32, block_size: u32) -> Self {
        Self {
            generations: vec![0; blocks as usize],
            uncertain: HashMap::new(),
            random: Xoshiro256PlusPlus::seed_from_u64(1),
            block_size: block_size as usize,
        }
    }

    /// Bytes of a block.
    pub const fn block_size(&self) -> usize {
        self.block_size
    }

    /// Number of blocks.
    pub fn blocks(&self) -> u64 {
        self.generations.len() as u64
    }

    /// Writes each block, flushes, and reads each, with `depth` requests in flight.
    pub fn write_and_read_all(&mut self, disk: &mut dyn BlockDriver, depth: u16) -> Result<(), Failure> {
        let blocks = self.blocks();
        let mut writes = (0..blocks).map(Task::Write);
        self.run(disk, depth, |_, _| writes.next())?;
        self.flush(disk)?;
        self.read_all(disk, depth)
    }

    /// Reads each block.
    pub fn read_all(&mut self, disk: &mut dyn BlockDriver, depth: u16) -> Result<(), Failure> {
        let mut reads = (0..self.blocks()).map(Task::Read);
        self.run(disk, depth, |_, _| reads.next())
    }

    /// Flushes. Afterwards the image contains all data that was written.
    pub fn flush(&mut self, disk: &mut dyn BlockDriver) -> Result<(), Failure> {
        let mut flush = Some(Task::Flush);
        self.run(disk, 1, |_, _| flush.take())
    }

    /// Runs `count` requests, half of them reads and half writes, anywhere on the disk. One in 256 is a flush. The same seed
    /// gives the same requests.
    pub fn mixed(
        &mut self,
        disk: &mut dyn BlockDriver,
        depth: u16,
        count: u64,
        seed: u64,
    ) -> Result<(), Failure> {
        self.random = Xoshiro256PlusPlus::seed_from_u64(seed);
        // Each block belongs to one slot, so that no two requests in flight access the same block.
        let (mut left, slots) = (count, u64::from(depth));
        let stripe = self.blocks() / slots;
        self.run(disk, depth, |random, slot| {
            left = left.checked_sub(1)?;
            let block = slot as u64 + slots * random.random_range(0..stripe);
            Some(match random.random_range(0..256) {
                0 => Task::Flush,
                1..128 => Task::Write(block),
                _ => Task::Read(block),
            })
        })
    }

    /// Submits the next task of `next` for each free slot, publishes, and waits, until `next` has no more.
    fn run(
        &mut self,
        disk: &mut dyn BlockDriver,
        depth: u16,
        mut next: impl FnMut(&mut Xoshiro256PlusPlus, usize) -> Option<Task>,
    ) -> Result<(), Failure> {
        let mut slots = vec![None; depth.into()];
        let mut free: Vec<usize> = (0..slots.len()).rev().collect();
        let mut data = vec![0; self.block_size];
        loop {
            while let Some(slot) = free.last().copied()
                && let Some(task) = next(&mut self.random, slot)
            {
                self.submit(disk, slot, task, &mut data)?;
                slots[slot] = Some(task);
                free.pop();
            }
            if free.len() == slots.len() {
                return Ok(());
            }
            disk.kick()?;
            disk.wait(&mut |slot, read| {
                let task = slots[slot].take().expect("a request completes once");
                free.push(slot);
                self.done(task, read)
            })?;
        }
    }

    fn submit(
        &mut self,
        disk: &mut dyn BlockDriver,
        slot: usize,
        task: Task,
        data: &mut [u8],
    ) -> Result<(), Failure> {
        let sectors = (self.block_size / SECTOR) as u64;
        match task {
            Task::Read(block) => disk.read(slot, block * sectors),
            Task::Flush => disk.flush(slot),
            Task::Write(block) => {
                let generation = &mut self.generations[block as usize];
                self.uncertain.entry(block).or_default().push(*generation);
                *generation += 1;
                fill(block, *generation, data);
                disk.write(slot, block * sectors, data)
            }
        }
    }

    fn done(&mut self, task: Task, read: &[u8]) -> Result<(), Failure> {
        match task {
            Task::Read(block) => self.check(block, read, "read"),
            Task::Flush => Ok(()),
            Task::Write(block) => {
                self.uncertain.remove(&block);
                Ok(())
            }
        }
    }

    /// Checks the data of a block. After an interrupted write, each sector may be from before or after the write.
    pub fn check(&self, block: u64, data: &[u8], place: &'static str) -> Result<(), Failure> {
        let last = self.generations[block as usize];
        let maybe = self.uncertain.get(&block).map_or(&[][..], Vec::as_slice);
        let good = data.chunks(SECTOR).enumerate().all(|(sector, bytes)| {
            let from = sector * SECTOR / 8;
            std::iter::once(&last).chain(maybe).any(|generation| holds(block, *generation, from, bytes))
        });
        if good { Ok(()) } else { Err(Failure::Data { block, place }) }
    }
}

/// A 64-bit word of a block's contents. All words are zero before the first write.
fn word(block: u64, generation: u32, at: usize) -> u64 {
    if generation == 0 {
        return 0;
    }
    let seed = (block << 32 | u64::from(generation)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (seed ^ at as u64).wrapping_mul(0xbf58_476d_1ce4_e5b9)
}

fn fill(block: u64, generation: u32, data: &mut [u8]) {
    for (at, bytes) in data.chunks_exact_mut(8).enumerate() {
        bytes.copy_from_slice(&word(block, generation, at).to_le_bytes());
    }
}

fn holds(block: u64, generation: u32, from: usize, data: &[u8]) -> bool {
    data.chunks_exact(8)
        .enumerate()
        .all(|(at, bytes)| bytes == word(block, generation, from + at).to_le_bytes())
}
