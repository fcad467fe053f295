//! The queues of the crate as subjects: which there are, and what is asked of them.

mod any_queue;
mod blocking;
mod carried;
mod owning_queue;
mod platform;
mod transport;
mod virt_queue;

use ringstorm::scenario::Setup;
use ringstorm::subject::{Capabilities, External, Provided, QueueSize, Subject};
use virt_queue::Kind;

/// Where the scenarios are that show what was found.
pub const FINDINGS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/virtio_drivers/findings");

/// Bytes that the crate allocates for table and rings: pages for what the driver writes, and pages for what the device
/// writes.
fn rings(size: QueueSize) -> usize {
    let size = size.as_usize();
    let pages = |bytes: usize| bytes.next_multiple_of(virtio_drivers::PAGE_SIZE);
    pages(18 * size + 6) + pages(8 * size + 6)
}

/// All of them. Those that are spared what was found have no other findings, or they would be told here.
pub static ALL: [External; 10] = [
    virt_queue("virtio-drivers", virt_queue::CAN, |setup, provided| {
        virt_queue::new(Kind { legacy: false, spared: false }, setup, provided)
    }),
    virt_queue("virtio-drivers-legacy", virt_queue::CAN, |setup, provided| {
        virt_queue::new(Kind { legacy: true, spared: false }, setup, provided)
    }),
    virt_queue("virtio-drivers-carried", CARRIED, |setup, provided| {
        virt_queue::new(Kind { legacy: false, spared: false }, setup, provided)
    }),
    owning_queue("virtio-drivers-owning", owning_queue::CAN, |setup, provided| {
        owning_queue::new(false, setup, provided)
    }),
    blocking("virtio-drivers-blocking", blocking::CAN, |setup, provided| {
        blocking::new(false, setup, provided)
    }),
    virt_queue("virtio-drivers-spared", unmeasured(virt_queue::CAN), |setup, provided| {
        virt_queue::new(Kind { legacy: false, spared: true }, setup, provided)
    }),
    virt_queue("virtio-drivers-legacy-spared", unmeasured(virt_queue::CAN), |setup, provided| {
        virt_queue::new(Kind { legacy: true, spared: true }, setup, provided)
    }),
    virt_queue("virtio-drivers-carried-spared", unmeasured(CARRIED), |setup, provided| {
        virt_queue::new(Kind { legacy: false, spared: true }, setup, provided)
    }),
    owning_queue("virtio-drivers-owning-spared", owning_queue::CAN, |setup, provided| {
        owning_queue::new(true, setup, provided)
    }),
    blocking("virtio-drivers-blocking-spared", unmeasured(blocking::CAN), |setup, provided| {
        blocking::new(true, setup, provided)
    }),
];

/// What a queue can do that is carried to where it begins.
const CARRIED: Capabilities = Capabilities { first_index: true, ..virt_queue::CAN };

/// The same, but for what it tells of lengths.
const fn unmeasured(can: Capabilities) -> Capabilities {
    Capabilities { lengths: false, ..can }
}

type Build = fn(&Setup, &Provided) -> Box<dyn Subject>;

const fn virt_queue(name: &'static str, can: Capabilities, build: Build) -> External {
    External::new(name, can, build).with_rings(rings).with_largest(any_queue::LARGEST)
}

const fn owning_queue(name: &'static str, can: Capabilities, build: Build) -> External {
    External::new(name, can, build).with_rings(rings).with_largest(owning_queue::LARGEST)
}

const fn blocking(name: &'static str, can: Capabilities, build: Build) -> External {
    External::new(name, can, build).with_rings(rings).with_largest(1)
}
