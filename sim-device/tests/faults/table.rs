//! Faults in the descriptor table.

use crate::scenes::{Case, Expected, full, headless, idle, last, malformed, single};
use crate::support::{BUFFERS, INDIRECT, NEXT, WRITE};
use ringstorm_sim_device::{Effect, Fault};

/// Length, flags and next of a descriptor.
fn shape_changed(index: u16, length: u32, flags: u16, next: u16) -> Expected {
    let mut rest = length.to_le_bytes().to_vec();
    rest.extend([flags.to_le_bytes(), next.to_le_bytes()].concat());
    (vec![(16 * usize::from(index) + 8, rest)], vec![Effect::Descriptor { index }])
}

fn address_changed(index: u16, address: u64) -> Expected {
    (vec![(16 * usize::from(index), address.to_le_bytes().to_vec())], vec![Effect::Descriptor { index }])
}

pub fn cases(fault: Fault) -> Vec<Case> {
    match fault {
        Fault::NextToHead => vec![
            (headless, 0, 0, None),
            (idle, 0, 0, None),
            (full, 1, 0, Some(shape_changed(3, 4, NEXT | WRITE, 2))),
            (full, 0, 0, Some(shape_changed(1, 5, NEXT, 1))),
        ],
        Fault::NextToMiddle => vec![
            (headless, 0, 0, None),
            (idle, 0, 0, None),
            (single, 0, 0, None),
            (full, 1, 0, Some(shape_changed(3, 4, NEXT | WRITE, 0))),
        ],
        Fault::NextToSelf => vec![
            (full, 0, 0, Some(shape_changed(1, 5, NEXT, 1))),
            (full, 2, 9, Some(shape_changed(3, 4, NEXT | WRITE, 3))),
            (full, 1, 0, Some(shape_changed(0, 8, NEXT | WRITE, 0))),
            (idle, 4, 0, Some(shape_changed(2, 0, NEXT, 2))),
        ],
        Fault::NextToFree => vec![
            (headless, 0, 0, None),
            (idle, 0, 0, None),
            (full, 0, 0, None),
            (single, 0, 0, Some(shape_changed(1, 5, NEXT, 0))),
            (single, 0, 1, Some(shape_changed(1, 5, NEXT, 2))),
            (single, 0, 7, Some(shape_changed(1, 5, NEXT, 3))),
            (last, 0, 3, Some(shape_changed(3, 6, NEXT | WRITE, 0))),
        ],
        Fault::NextSet => vec![
            (headless, 0, 0, None),
            (idle, 0, 0, None),
            (full, 0, 0, Some(shape_changed(1, 5, NEXT, 0))),
            (full, 1, 9, Some(shape_changed(3, 4, NEXT | WRITE, 0))),
            (last, 0, 0, Some(shape_changed(3, 6, NEXT | WRITE, 2))),
        ],
        Fault::NextCleared => vec![
            (headless, 0, 0, None),
            (idle, 0, 0, None),
            (single, 0, 0, None),
            (full, 0, 0, None),
            (full, 1, 9, Some(shape_changed(2, 3, 0, 0))),
            (malformed, 0, 0, Some(shape_changed(0, 8, WRITE, 1))),
        ],
        Fault::NextOutOfRange => vec![
            (full, 2, 0, Some(shape_changed(3, 4, NEXT | WRITE, 4))),
            (full, 1, 1, Some(shape_changed(0, 8, NEXT | WRITE, 5))),
            (idle, 1, 0xfffb, Some(shape_changed(0, 0, NEXT, 0xffff))),
            (idle, 1, 0xfffc, Some(shape_changed(0, 0, NEXT, 4))),
        ],
        Fault::WriteFlipped => vec![
            (full, 0, 9, Some(shape_changed(1, 5, WRITE, 0))),
            (full, 1, 0, Some(shape_changed(0, 8, NEXT, 3))),
            (idle, 5, 0, Some(shape_changed(2, 0, WRITE, 0))),
        ],
        Fault::IndirectFlipped => vec![
            (full, 0, 9, Some(shape_changed(1, 5, INDIRECT, 0))),
            (full, 1, 0, Some(shape_changed(0, 8, NEXT | WRITE | INDIRECT, 3))),
        ],
        Fault::LengthScribbled => vec![
            // Even picks: the last descriptor of a chain in flight, or any descriptor if there is none.
            (full, 0, 77, Some(shape_changed(1, 77, 0, 0))),
            (full, 2, 77, Some(shape_changed(3, 77, WRITE, 0))),
            (full, 2, 4, None),
            (idle, 4, u32::MAX, Some(shape_changed(2, u32::MAX, 0, 0))),
            (idle, 4, 0, None),
            // Odd picks: any descriptor.
            (full, 1, 77, Some(shape_changed(0, 77, NEXT | WRITE, 3))),
            (full, 15, 77, Some(shape_changed(3, 77, WRITE, 0))),
            (full, 5, 3, None),
            (headless, 4, 77, Some(shape_changed(2, 77, 0, 0))),
        ],
        Fault::LengthGrown => vec![
            (full, 0, 0, Some(shape_changed(1, 6, 0, 0))),
            (full, 0, 1, Some(shape_changed(1, 6, 0, 0))),
            (full, 2, 9, Some(shape_changed(3, 13, WRITE, 0))),
            (full, 1, u32::MAX - 3, Some(shape_changed(0, u32::MAX, NEXT | WRITE, 3))),
        ],
        Fault::LengthZeroed => vec![
            (idle, 1, 9, None),
            (full, 0, 9, Some(shape_changed(1, 0, 0, 0))),
            (full, 1, 0, Some(shape_changed(0, 0, NEXT | WRITE, 3))),
        ],
        Fault::AddressOfAnother => vec![
            (idle, 0, 0, None),
            (full, 0, 0, Some(address_changed(1, BUFFERS))),
            (full, 0, 1, Some(address_changed(1, BUFFERS + 32))),
            (full, 0, 2, Some(address_changed(1, BUFFERS + 16))),
            (full, 0, 3, None),
            (full, 1, 4, Some(address_changed(0, BUFFERS + 48))),
            (full, 2, u32::MAX, None),
        ],
        Fault::AddressOutside => vec![
            (full, 0, 7, Some(address_changed(1, 0xdead_0000_0000_0007))),
            (idle, 4, u32::MAX, Some(address_changed(2, 0xdead_0000_ffff_ffff))),
        ],
        Fault::AddressZero => {
            vec![
                (idle, 0, 9, None),
                (full, 0, 9, Some(address_changed(1, 0))),
                (full, 1, 0, Some(address_changed(0, 0))),
            ]
        }
        _ => Vec::new(),
    }
}
