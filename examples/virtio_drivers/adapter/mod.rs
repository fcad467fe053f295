//! The queues of the crate as subjects, with their capabilities.

mod any_queue;
mod blocking;
mod carried;
mod owning_queue;
mod platform;
mod transport;
mod virt_queue;

use ringstorm::scenario::Setup;
use ringstorm::subject::{Capabilities, External, Provided, QueueSize, Subject};
use virt_queue::Variant;

/// The folder of the findings.
pub const FINDINGS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/virtio_drivers/findings");

/// Bytes that the crate allocates for table and rings: whole pages for the driver's part and for the device's part.
fn rings(size: QueueSize) -> usize {
    let size = size.as_usize();
    let pages = |bytes: usize| bytes.next_multiple_of(virtio_drivers::PAGE_SIZE);
    pages(18 * size + 6) + pages(8 * size + 6)
}

/// All subjects. A caller of a `-spared` subject works around the known findings. These subjects have no other findings.
pub static ALL: [External; 10] = [
    virt_queue("virtio-drivers", virt_queue::CAN, |setup, provided| {
        virt_queue::new(Variant { legacy: false, spared: false }, setup, provided)
    }),
    virt_queue("virtio-drivers-legacy", virt_queue::CAN, |setup, provided| {
        virt_queue::new(Variant { legacy: true, spared: false }, setup, provided)
    }),
    virt_queue("virtio-drivers-carried", CARRIED, |setup, provided| {
        virt_queue::new(Variant { legacy: false, spared: false }, setup, provided)
    }),
    owning_queue("virtio-drivers-owning", owning_queue::CAN, |setup, provided| {
        owning_queue::new(false, setup, provided)
    }),
    blocking("virtio-drivers-blocking", blocking::CAN, |setup, provided| {
        blocking::new(false, setup, provided)
    }),
    virt_queue("virtio-drivers-spared", without_lengths(virt_queue::CAN), |setup, provided| {
        virt_queue::new(Variant { legacy: false, spared: true }, setup, provided)
    }),
    virt_queue("virtio-drivers-legacy-spared", without_lengths(virt_queue::CAN), |setup, provided| {
        virt_queue::new(Variant { legacy: true, spared: true }, setup, provided)
    }),
    virt_queue("virtio-drivers-carried-spared", without_lengths(CARRIED), |setup, provided| {
        virt_queue::new(Variant { legacy: false, spared: true }, setup, provided)
    }),
    owning_queue("virtio-drivers-owning-spared", owning_queue::CAN, |setup, provided| {
        owning_queue::new(true, setup, provided)
    }),
    blocking("virtio-drivers-blocking-spared", without_lengths(blocking::CAN), |setup, provided| {
        blocking::new(true, setup, provided)
    }),
];

/// The capabilities of a queue whose indexes are advanced to the first index of the setup.
const CARRIED: Capabilities = Capabilities { first_index: true, ..virt_queue::CAN };

/// The same capabilities without lengths.
const fn without_lengths(can: Capabilities) -> Capabilities {
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
