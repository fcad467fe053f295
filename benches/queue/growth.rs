//! Times that depend on the queue size, and times that must not.

use crate::measure::{Subject, Times};
use crate::ours::Over;
use crate::peer::Peer;
use crate::table::{Construction, RefusedHandle};
use ringstorm_core::{Layout, QueueSize};

pub fn all() {
    chains();
    refusals();
    construction();
}

/// Either few chains are in flight, so that the work moves through the rings and uses the same descriptors again and
/// again; or as many as fit, so that each round accesses all of the memory.
fn chains() {
    println!("\nsmall and large queues: 1 + 1, ns per chain\n");
    println!("in flight |  over at 256 | over at 32768 | grows by | peer grows by");
    println!("----------|-------------:|--------------:|---------:|-------------:");
    grown("1", [1, 1]);
    grown("32", [32, 32]);
    grown("all", [128, 16384]);
}

fn grown(name: &str, batches: [usize; 2]) {
    let (mut small, mut large) = (Over::<1, 1>::new(256), Over::<1, 1>::new(32768));
    let mut small_peer = Peer::<256, 1, 1>::new(batches[0]);
    let mut large_peer = Peer::<32768, 1, 1>::new(batches[1]);
    let times = Times::take(&mut [
        (&mut small, batches[0]),
        (&mut large, batches[1]),
        (&mut small_peer, batches[0]),
        (&mut large_peer, batches[1]),
    ]);
    let (ours, theirs) = (times.ratio(1, 0), times.ratio(3, 2));
    let (small, large) = (times.of(0), times.of(1));
    println!("{name:<9} | {small:>12.1} | {large:>13.1} | {ours:>8.2} | {theirs:>13.2}");
}

/// Refusing a handle is a lookup by its index.
fn refusals() {
    println!("\nrefusing a handle, ns\n");
    println!("what              |  at 16 | at 32768 | grows by");
    println!("------------------|-------:|---------:|--------:");
    for (what, refusing) in [
        ("double free", RefusedHandle::double_free as fn(usize) -> RefusedHandle),
        ("inside a chain", RefusedHandle::inside_a_chain),
        ("outside the table", RefusedHandle::outside),
    ] {
        let (mut small, mut large) = (refusing(16), refusing(32768));
        let times = Times::take(&mut [(&mut small, 1), (&mut large, 1)]);
        assert!(small.is_idle() && large.is_idle());
        let (small, large, ratio) = (times.of(0), times.of(1), times.ratio(1, 0));
        println!("{what:<17} | {small:>6.1} | {large:>8.1} | {ratio:>8.2}");
    }
}

/// Making a queue writes every descriptor once. The shared memory is allocated before.
fn construction() {
    println!("\nmaking a queue: time and memory per descriptor\n");
    println!(" size | ns per descriptor | bytes private | bytes shared, rings | buffers");
    println!("-----:|------------------:|--------------:|--------------------:|--------:");
    for size in [16, 256, 4096, 32768] {
        let mut made = Construction::new(size);
        let times = Times::take(&mut [(&mut made, 1)]);
        let each = times.of(0) / size as f64;
        let private = made.private_bytes() as f64 / size as f64;
        let shared = Layout::new(QueueSize::new(size as u32).expect("the size is a power of two")).len()
            as f64
            / size as f64;
        println!("{size:>5} | {each:>17.2} | {private:>13.1} | {shared:>19.1} | buffer_size");
    }
}
