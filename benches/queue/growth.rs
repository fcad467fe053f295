//! What grows with the queue size, and what does not.

use crate::measure::{Subject, Times};
use crate::ours::Over;
use crate::peer::Peer;
use crate::table::{Made, Refusing};
use ringstorm_core::{Layout, QueueSize};

pub fn all() {
    chains();
    refusals();
    construction();
}

/// Either few chains in flight, so that the rings are gone through and the same descriptors are used again and again,
/// or as many as fit, so that all of the memory is touched in each round.
fn chains() {
    println!("\nsize against size: 1 + 1, ns per chain\n");
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

/// A name that is refused is looked up by its index.
fn refusals() {
    println!("\nrefusing a name, ns\n");
    println!("what              |  at 16 | at 32768 | grows by");
    println!("------------------|-------:|---------:|--------:");
    for (what, refusing) in [
        ("double free", Refusing::double_free as fn(usize) -> Refusing),
        ("inside a chain", Refusing::inside_a_chain),
        ("outside the table", Refusing::outside),
    ] {
        let (mut small, mut large) = (refusing(16), refusing(32768));
        let times = Times::take(&mut [(&mut small, 1), (&mut large, 1)]);
        assert!(small.is_idle() && large.is_idle());
        let (small, large, ratio) = (times.of(0), times.of(1), times.ratio(1, 0));
        println!("{what:<17} | {small:>6.1} | {large:>8.1} | {ratio:>8.2}");
    }
}

/// Making a queue writes every descriptor once. The memory that is shared is there already.
fn construction() {
    println!("\nmaking a queue, and what it takes for each descriptor\n");
    println!(" size | ns per descriptor | bytes private | bytes shared, rings | buffers");
    println!("-----:|------------------:|--------------:|--------------------:|--------:");
    for size in [16, 256, 4096, 32768] {
        let mut made = Made::new(size);
        let times = Times::take(&mut [(&mut made, 1)]);
        let each = times.of(0) / size as f64;
        let private = made.private_bytes() as f64 / size as f64;
        let shared = Layout::new(QueueSize::new(size as u32).expect("a size")).len() as f64 / size as f64;
        println!("{size:>5} | {each:>17.2} | {private:>13.1} | {shared:>19.1} | buffer_size");
    }
}
