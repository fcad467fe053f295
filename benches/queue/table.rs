//! The descriptor table alone: creating and freeing chains, refusing handles, and making a queue.

use crate::measure::Subject;
use crate::ours::payload;
use crate::rings::buffers;
use crate::shape::BUFFER;
use ringstorm_core::{
    Config, DescriptorTable, Head, Layout, QueueSize, RawMemory, Region, SplitQueue, WritableBuffers,
};
use std::hint::black_box;

fn new(size: usize) -> DescriptorTable<RawMemory> {
    let queue_size = QueueSize::new(size as u32).expect("the size is a power of two");
    let (table, own) = (Region::new(buffers(16 * size)), Region::new(buffers(BUFFER * size)));
    DescriptorTable::new(queue_size, BUFFER as u32, WritableBuffers::Unchanged, table, own)
        .expect("making a table")
}

/// Creates chains with their copy, and frees them.
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
            let head = table.create(readable, writable).expect("descriptors are free");
            table.free(head).expect("the chain is live");
        }
        0
    }

    fn is_idle(&self) -> bool {
        self.table.live_count() == 0
    }
}

/// A table with one live chain of two descriptors, and a handle that it refuses.
pub struct RefusedHandle {
    table: DescriptorTable<RawMemory>,
    handle: Head,
}

impl RefusedHandle {
    /// The handle of a freed chain. Its descriptor is in a long free list.
    pub fn double_free(size: usize) -> Self {
        let mut table = new(size);
        let handle = table.create(&[b"freed"], &[]).expect("descriptors are free");
        table.create(&[b"live"], &[1]).expect("descriptors are free");
        table.free(handle).expect("the chain is live");
        Self { table, handle }
    }

    /// A handle with the index of the live chain's second descriptor.
    pub fn inside_a_chain(size: usize) -> Self {
        let mut table = new(size);
        let live = table.create(&[b"live"], &[1]).expect("descriptors are free");
        let inside = table
            .buffers(live)
            .expect("the chain is live")
            .last()
            .expect("the chain has a buffer")
            .descriptor;
        let handle = Head::from_parts(table.id(), inside, 1);
        Self { table, handle }
    }

    pub fn outside(size: usize) -> Self {
        let table = new(size);
        Self { handle: Head::from_parts(table.id(), u16::MAX, 1), table }
    }
}

impl Subject for RefusedHandle {
    #[inline(never)]
    fn run(&mut self, batch: usize, rounds: usize) -> u64 {
        for _ in 0..batch * rounds {
            black_box(self.table.free(black_box(self.handle)).expect_err("the handle is refused"));
        }
        0
    }

    fn is_idle(&self) -> bool {
        self.table.live_count() <= 2
    }
}

/// Makes and drops queues over memory that is allocated before.
pub struct Construction {
    config: Config,
    rings: RawMemory,
    buffers: RawMemory,
}

impl Construction {
    pub fn new(size: usize) -> Self {
        let config = Config {
            buffer_size: BUFFER as u32,
            ..Config::new(QueueSize::new(size as u32).expect("the size is a power of two"))
        };
        Self { config, rings: buffers(Layout::new(config.size).len()), buffers: buffers(BUFFER * size) }
    }

    fn make(&self) -> SplitQueue<&RawMemory> {
        SplitQueue::new(self.config, Region::new(&self.rings), Region::new(&self.buffers))
            .expect("making a queue")
    }

    /// The number of bytes that a queue allocates for its private copy.
    pub fn private_bytes(&self) -> u64 {
        allocation_counter::measure(|| drop(self.make())).bytes_max
    }
}

impl Subject for Construction {
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
