//! The descriptor table alone: making chains and freeing them, refusing names, and making a queue.

use crate::measure::Subject;
use crate::ours::payload;
use crate::rings::buffers;
use crate::shape::BUFFER;
use ringstorm_core::{
    Config, DescriptorTable, Head, Layout, QueueSize, RawMemory, Region, SplitQueue, WritableBuffers,
};
use std::hint::black_box;

fn new(size: usize) -> DescriptorTable<RawMemory> {
    let queue_size = QueueSize::new(size as u32).expect("a size");
    let (table, own) = (Region::new(buffers(16 * size)), Region::new(buffers(BUFFER * size)));
    DescriptorTable::new(queue_size, BUFFER as u32, WritableBuffers::Unchanged, table, own).expect("a table")
}

/// Chains are made, with their copy, and freed.
pub struct Table<const R: usize, const W: usize> {
    table: DescriptorTable<RawMemory>,
    readable: [&'static [u8]; R],
    writable: [u32; W],
}

impl<const R: usize, const W: usize> Table<R, W> {
    pub fn new(size: usize) -> Self {
        Self { table: new(size), readable: payload(), writable: [BUFFER as u32; W] }
    }
}

impl<const R: usize, const W: usize> Subject for Table<R, W> {
    #[inline(never)]
    fn run(&mut self, batch: usize, rounds: usize) -> u64 {
        let Self { table, readable, writable } = self;
        for _ in 0..batch * rounds {
            let head = table.create(readable, writable).expect("room");
            table.free(head).expect("a live chain");
        }
        0
    }

    fn is_idle(&self) -> bool {
        self.table.live_count() == 0
    }
}

/// A table with one live chain of two descriptors, and a name that it refuses.
pub struct Refusing {
    table: DescriptorTable<RawMemory>,
    name: Head,
}

impl Refusing {
    /// The name of a chain that was freed: the whole free list lies behind it.
    pub fn double_free(size: usize) -> Self {
        let mut table = new(size);
        let name = table.create(&[b"freed"], &[]).expect("room");
        table.create(&[b"live"], &[1]).expect("room");
        table.free(name).expect("a live chain");
        Self { table, name }
    }

    /// The index of the live chain's second descriptor.
    pub fn inside_a_chain(size: usize) -> Self {
        let mut table = new(size);
        let live = table.create(&[b"live"], &[1]).expect("room");
        let inside = table.buffers(live).expect("a live chain").last().expect("a buffer").descriptor;
        let name = Head::from_parts(table.id(), inside, 1);
        Self { table, name }
    }

    pub fn outside(size: usize) -> Self {
        let table = new(size);
        Self { name: Head::from_parts(table.id(), u16::MAX, 1), table }
    }
}

impl Subject for Refusing {
    #[inline(never)]
    fn run(&mut self, batch: usize, rounds: usize) -> u64 {
        for _ in 0..batch * rounds {
            black_box(self.table.free(black_box(self.name)).expect_err("a refusal"));
        }
        0
    }

    fn is_idle(&self) -> bool {
        self.table.live_count() <= 2
    }
}

/// Queues that are made, over memory that is there already, and dropped.
pub struct Made {
    config: Config,
    rings: RawMemory,
    buffers: RawMemory,
}

impl Made {
    pub fn new(size: usize) -> Self {
        let config = Config {
            buffer_size: BUFFER as u32,
            ..Config::new(QueueSize::new(size as u32).expect("a size"))
        };
        Self { config, rings: buffers(Layout::new(config.size).len()), buffers: buffers(BUFFER * size) }
    }

    fn make(&self) -> SplitQueue<&RawMemory> {
        SplitQueue::new(self.config, Region::new(&self.rings), Region::new(&self.buffers)).expect("a queue")
    }

    /// What a queue allocates for itself.
    pub fn private_bytes(&self) -> u64 {
        allocation_counter::measure(|| drop(self.make())).bytes_max
    }
}

impl Subject for Made {
    #[inline(never)]
    fn run(&mut self, batch: usize, rounds: usize) -> u64 {
        for _ in 0..batch * rounds {
            drop(black_box(self.make()));
        }
        0
    }

    fn is_idle(&self) -> bool {
        true
    }
}
