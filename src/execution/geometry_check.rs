//! Checks where an adapter places the descriptor table and the rings.

use crate::subject::WrongAdapter;
use ringstorm_core::QueueSize;
use ringstorm_sim_device::Geometry;

/// Checks that the table and the rings of a queue of `size` descriptors fit in a memory of `length` bytes.
///
/// # Panics
/// With [`WrongAdapter`] if they do not fit.
pub(super) fn check_room(size: QueueSize, length: usize) {
    let packed = ringstorm_core::Layout::new(size).len();
    if length < packed {
        WrongAdapter::raise(format!(
            "its `with_rings` asks for {length} bytes, but the table and rings of a queue of size {size} need {packed} bytes (2.7)"
        ));
    }
}

/// Checks that a queue that can start at indexes other than 0 has stored the first index where the device reads it.
/// `available` and `used` are the indexes in memory.
///
/// # Panics
/// With [`WrongAdapter`] if it has not.
pub(super) fn check_first_index(first: u16, available: u16, used: u16) {
    for (ring, index) in [("available", available), ("used", used)] {
        if index != first {
            WrongAdapter::raise(format!(
                "its capabilities promise `first_index`, but the {ring} index is {index} after construction; expected {first}"
            ));
        }
    }
}

/// Checks an adapter's geometry for a queue of `size` descriptors in a memory of `length` bytes (2.7). If the queue
/// `computes` it, returns whether alignment and places are right.
///
/// # Panics
/// With [`WrongAdapter`] if the geometry is invalid for another reason, or the queue does not compute it.
pub(super) fn check(geometry: &Geometry, size: QueueSize, length: usize, computes: bool) -> bool {
    let Geometry { size: size_of_adapter, table, available, used } = *geometry;
    if size_of_adapter != size.get() {
        WrongAdapter::raise(format!(
            "its geometry has queue size {size_of_adapter}, but the setup has queue size {size}"
        ));
    }
    let count = size.as_usize();
    let parts = [
        ("descriptor table", table, 16, 16 * count),
        ("available ring", available, 2, 6 + 2 * count),
        ("used ring", used, 4, geometry.used_bytes()),
    ];
    let mut right = true;
    for (name, start, alignment, bytes) in parts {
        if !start.is_multiple_of(alignment) && computes {
            right = false;
        } else if !start.is_multiple_of(alignment) {
            WrongAdapter::raise(format!(
                "its geometry puts the {name} at {start}, which is not a multiple of {alignment} (2.7)"
            ));
        }
        if start.checked_add(bytes).is_none_or(|end| end > length) {
            WrongAdapter::raise(format!(
                "its geometry puts the {name} at {start}, but its {bytes} bytes do not fit in the {length} bytes \
                 provided for table and rings"
            ));
        }
    }
    for (at, (name, start, _, bytes)) in parts.iter().enumerate() {
        for (other, from, _, length) in &parts[..at] {
            let overlap = start < &(from + length) && from < &(start + bytes);
            right &= !overlap;
            if overlap && !computes {
                WrongAdapter::raise(format!(
                    "its geometry puts the {name} at {start}, where it overlaps the {other} at {from}"
                ));
            }
        }
    }
    right
}
