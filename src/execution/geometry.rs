//! Whether table and rings can stand where an adapter says that they do.

use crate::subject::WrongAdapter;
use ringstorm_core::QueueSize;
use ringstorm_sim_device::Geometry;

/// Checks what an adapter says of a queue of `size` descriptors in a memory of `length` bytes (2.7).
///
/// # Panics
/// With [`WrongAdapter`] if that cannot be.
pub(super) fn check(geometry: &Geometry, size: QueueSize, length: usize) {
    let Geometry { size: said, table, available, used } = *geometry;
    if said != size.get() {
        WrongAdapter::raise(format!(
            "its geometry is that of a queue of {said}, and the setup's is one of {size}"
        ));
    }
    let count = size.as_usize();
    let parts = [
        ("descriptor table", table, 16, 16 * count),
        ("available ring", available, 2, 6 + 2 * count),
        ("used ring", used, 4, geometry.used_bytes()),
    ];
    for (name, start, alignment, bytes) in parts {
        if !start.is_multiple_of(alignment) {
            WrongAdapter::raise(format!(
                "its geometry puts the {name} at {start}, which is no multiple of {alignment} (2.7)"
            ));
        }
        if start.checked_add(bytes).is_none_or(|end| end > length) {
            WrongAdapter::raise(format!(
                "its geometry puts the {name} at {start}, but {bytes} bytes from there are not inside the {length} \
                 provided for table and rings"
            ));
        }
    }
    for (at, (name, start, _, bytes)) in parts.iter().enumerate() {
        for (other, from, _, length) in &parts[..at] {
            if start < &(from + length) && from < &(start + bytes) {
                WrongAdapter::raise(format!(
                    "its geometry puts the {name} at {start}, where the {other} is, which begins at {from}"
                ));
            }
        }
    }
}
