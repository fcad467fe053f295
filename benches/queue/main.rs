//! The time per chain, compared with `virtio-drivers` and with the floor.
//!
//! `cargo bench --bench queue`
//!
//! All subjects do the same work: submit, a [device](device::Device) that returns the chain at once, take, free. They
//! run in turns, a thousand rounds each. The reported time is the one that nine of ten rounds exceed. The benchmark
//! fails if the work was not done; no time makes it fail.
//!
//! - *peer* is `virtio-drivers`. It copies no payload, records only the descriptors, and trusts the device.
//! - *over* is `ringstorm-core` over the caller's buffers, which is comparable to *peer*.
//! - *copy* is `ringstorm-core` with the device-readable bytes copied into its own buffers.
//! - *floor* is the necessary reads and writes, without a check.

mod copies;
mod device;
mod floor;
mod growth;
mod measure;
mod ours;
mod peer;
mod rings;
mod shape;
mod table;

use floor::Floor;
use measure::{Subject, Times};
use ours::{Copied, Over};
use peer::Peer;
use shape::Shape;
use table::Table;

const BATCHES: [usize; 2] = [1, 32];

fn main() {
    // `virtio-drivers` stores its private copy in the queue, which is a value of a megabyte at size 32768.
    let large = std::thread::Builder::new().stack_size(64 << 20).spawn(all).expect("starting a thread");
    large.join().expect("the benchmark does not panic");
}

fn all() {
    println!("ns per chain\n");
    println!(
        "readable + writable |  size | batch |  peer |  over |  copy | floor | over/peer | copy/peer | floor/peer"
    );
    println!(
        "--------------------|------:|------:|------:|------:|------:|------:|----------:|----------:|----------:"
    );
    sizes::<1, 0>();
    sizes::<1, 1>();
    sizes::<2, 2>();
    sizes::<8, 8>();
    table_alone();
    growth::all();
    copies::all();
}

fn sizes<const R: usize, const W: usize>() {
    compare::<8, R, W>();
    compare::<256, R, W>();
    compare::<32768, R, W>();
}

fn compare<const SIZE: usize, const R: usize, const W: usize>() {
    let shape = Shape::new(R, W);
    for batch in BATCHES {
        let fitting = shape.fitting(SIZE, batch);
        if fitting == 0 {
            println!("{:<19} | {SIZE:>5} | does not fit", shape.to_string());
            return;
        }
        let mut peer = Peer::<SIZE, R, W>::new(fitting);
        let mut over = Over::<R, W>::new(SIZE);
        let mut copied = Copied::<R, W>::new(SIZE);
        let mut floor = Floor::<R, W>::new(SIZE);
        let mut subjects: [&mut dyn Subject; 4] = [&mut peer, &mut over, &mut copied, &mut floor];
        for subject in &mut subjects {
            assert_work_is_done(*subject, shape, fitting);
        }
        let times = Times::take(&mut subjects.map(|subject| (subject, fitting)));
        let [peer, over, copy, floor] = [0, 1, 2, 3].map(|subject| times.of(subject));
        let [over_ratio, copy_ratio, floor_ratio] = [1, 2, 3].map(|subject| times.ratio(subject, 0));
        println!(
            "{:<19} | {SIZE:>5} | {fitting:>5} | {peer:>5.1} | {over:>5.1} | {copy:>5.1} | {floor:>5.1} | \
             {over_ratio:>9.2} | {copy_ratio:>9.2} | {floor_ratio:>10.2}",
            shape.to_string()
        );
    }
}

/// Checks that every chain is used, returned with the length that the device reported, and freed.
fn assert_work_is_done(subject: &mut dyn Subject, shape: Shape, batch: usize) {
    for rounds in 1..=3 {
        let notifications = subject.notifications();
        let written = subject.run(batch, rounds);
        assert_eq!(written, (batch * rounds) as u64 * u64::from(shape.written()));
        assert_eq!(subject.notifications() - notifications, rounds as u64);
        assert!(subject.is_idle());
    }
}

/// The descriptor table alone, including the copy that `virtio-drivers` does not make, against the whole round of
/// *peer*.
fn table_alone() {
    println!("\nthe table alone: create with a copy of 64 bytes, and free; 1 + 1, batch 1\n");
    println!(" size |  peer | table | table/peer");
    println!("-----:|------:|------:|----------:");
    against_table::<8>();
    against_table::<256>();
    against_table::<32768>();
}

fn against_table<const SIZE: usize>() {
    let (mut peer, mut table) = (Peer::<SIZE, 1, 1>::new(1), Table::<1, 1>::new(SIZE));
    let times = Times::take(&mut [(&mut peer, 1), (&mut table, 1)]);
    assert!(peer.is_idle() && table.is_idle());
    let (peer, table, ratio) = (times.of(0), times.of(1), times.ratio(1, 0));
    println!("{SIZE:>5} | {peer:>5.1} | {table:>5.1} | {ratio:>10.2}");
}
