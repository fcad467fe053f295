//! Refusing a bad head takes the same at every queue size: the private copy knows heads by index, where a
//! free list that must be walked takes longer the larger the queue.
//!
//! `cargo bench --bench refusals`

use divan::{Bencher, black_box};
use ringstorm_core::{DescriptorTable, Head, HeapMemory, QueueSize, Region, WritableBuffers};

const SIZES: [u32; 3] = [16, 1024, 32768];

fn main() {
    divan::main();
}

/// A table with one live chain of two descriptors, and the name of one that was freed: the whole free list
/// lies behind it.
fn table(size: u32) -> (DescriptorTable<HeapMemory>, Head, Head) {
    let heap = |bytes: u32| Region::new(HeapMemory::new(bytes as usize).unwrap());
    let queue_size = QueueSize::new(size).unwrap();
    let mut table =
        DescriptorTable::new(queue_size, 64, WritableBuffers::AsTheyAre, heap(16 * size), heap(64 * size))
            .unwrap();
    let freed = table.create(&[b"freed"], &[]).unwrap();
    let live = table.create(&[b"live"], &[64]).unwrap();
    table.free(freed).unwrap();
    (table, freed, live)
}

#[divan::bench(args = SIZES)]
fn double_free(bencher: Bencher<'_, '_>, size: u32) {
    let (mut table, freed, _) = table(size);
    bencher.bench_local(|| table.free(black_box(freed)).unwrap_err());
}

#[divan::bench(args = SIZES)]
fn mid_chain_index(bencher: Bencher<'_, '_>, size: u32) {
    let (mut table, _, live) = table(size);
    let inside = table.buffers(live).unwrap().last().unwrap().descriptor;
    bencher.bench_local(|| table.free(black_box(Head::from_parts(inside, 1))).unwrap_err());
}

#[divan::bench(args = SIZES)]
fn out_of_range(bencher: Bencher<'_, '_>, size: u32) {
    let (mut table, ..) = table(size);
    bencher.bench_local(|| table.free(black_box(Head::from_parts(u16::MAX, 1))).unwrap_err());
}
