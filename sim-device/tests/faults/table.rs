//! Faults in the descriptor table.

use crate::scenes::{Case, Deed, full, headless, idle, last, senseless, single};
use crate::support::{BUFFERS, INDIRECT, NEXT, WRITE};
use ringstorm_sim_device::{Effect, Fault};

/// Length, flags and next of a descriptor.
fn scribbled(index: u16, length: u32, flags: u16, next: u16) -> Deed {
    let mut rest = length.to_le_bytes().to_vec();
    rest.extend([flags.to_le_bytes(), next.to_le_bytes()].concat());
    (vec![(16 * usize::from(index) + 8, rest)], vec![Effect::Descriptor { index }])
}

fn moved(index: u16, address: u64) -> Deed {
    (vec![(16 * usize::from(index), address.to_le_bytes().to_vec())], vec![Effect::Descriptor { index }])
}

pub fn cases(fault: Fault) -> Vec<Case> {
    match fault {
        Fault::NextToHead => vec![
            (headless, 0, 0, None),
            (idle, 0, 0, None),
            (full, 1, 0, Some(scribbled(3, 4, NEXT | WRITE, 2))),
            (full, 0, 0, Some(scribbled(1, 5, NEXT, 1))),
        ],
        Fault::NextToMiddle => vec![
            (headless, 0, 0, None),
            (idle, 0, 0, None),
            (single, 0, 0, None),
            (full, 1, 0, Some(scribbled(3, 4, NEXT | WRITE, 0))),
        ],
        Fault::NextToSelf => vec![
            (full, 0, 0, Some(scribbled(1, 5, NEXT, 1))),
            (full, 2, 9, Some(scribbled(3, 4, NEXT | WRITE, 3))),
            (full, 1, 0, Some(scribbled(0, 8, NEXT | WRITE, 0))),
            (idle, 4, 0, Some(scribbled(2, 0, NEXT, 2))),
        ],
        Fault::NextToFree => vec![
            (headless, 0, 0, None),
            (idle, 0, 0, None),
            (full, 0, 0, None),
            (single, 0, 0, Some(scribbled(1, 5, NEXT, 0))),
            (single, 0, 1, Some(scribbled(1, 5, NEXT, 2))),
            (single, 0, 7, Some(scribbled(1, 5, NEXT, 3))),
            (last, 0, 3, Some(scribbled(3, 6, NEXT | WRITE, 0))),
        ],
        Fault::NextSet => vec![
            (headless, 0, 0, None),
            (idle, 0, 0, None),
            (full, 0, 0, Some(scribbled(1, 5, NEXT, 0))),
            (full, 1, 9, Some(scribbled(3, 4, NEXT | WRITE, 0))),
            (last, 0, 0, Some(scribbled(3, 6, NEXT | WRITE, 2))),
        ],
        Fault::NextCleared => vec![
            (headless, 0, 0, None),
            (idle, 0, 0, None),
            (single, 0, 0, None),
            (full, 0, 0, None),
            (full, 1, 9, Some(scribbled(2, 3, 0, 0))),
            (senseless, 0, 0, Some(scribbled(0, 8, WRITE, 1))),
        ],
        Fault::NextOutOfRange => vec![
            (full, 2, 0, Some(scribbled(3, 4, NEXT | WRITE, 4))),
            (full, 1, 1, Some(scribbled(0, 8, NEXT | WRITE, 5))),
            (idle, 1, 0xfffb, Some(scribbled(0, 0, NEXT, 0xffff))),
            (idle, 1, 0xfffc, Some(scribbled(0, 0, NEXT, 4))),
        ],
        Fault::WriteFlipped => vec![
            (full, 0, 9, Some(scribbled(1, 5, WRITE, 0))),
            (full, 1, 0, Some(scribbled(0, 8, NEXT, 3))),
            (idle, 5, 0, Some(scribbled(2, 0, WRITE, 0))),
        ],
        Fault::IndirectFlipped => vec![
            (full, 0, 9, Some(scribbled(1, 5, INDIRECT, 0))),
            (full, 1, 0, Some(scribbled(0, 8, NEXT | WRITE | INDIRECT, 3))),
        ],
        Fault::LengthScribbled => vec![
            // Even choices: the end of a held chain, or anywhere if there is none.
            (full, 0, 77, Some(scribbled(1, 77, 0, 0))),
            (full, 2, 77, Some(scribbled(3, 77, WRITE, 0))),
            (full, 2, 4, None),
            (idle, 4, u32::MAX, Some(scribbled(2, u32::MAX, 0, 0))),
            (idle, 4, 0, None),
            // Odd ones: anywhere.
            (full, 1, 77, Some(scribbled(0, 77, NEXT | WRITE, 3))),
            (full, 15, 77, Some(scribbled(3, 77, WRITE, 0))),
            (full, 5, 3, None),
            (headless, 4, 77, Some(scribbled(2, 77, 0, 0))),
        ],
        Fault::LengthGrown => vec![
            (full, 0, 0, Some(scribbled(1, 6, 0, 0))),
            (full, 0, 1, Some(scribbled(1, 6, 0, 0))),
            (full, 2, 9, Some(scribbled(3, 13, WRITE, 0))),
            (full, 1, u32::MAX - 3, Some(scribbled(0, u32::MAX, NEXT | WRITE, 3))),
        ],
        Fault::LengthZeroed => vec![
            (idle, 1, 9, None),
            (full, 0, 9, Some(scribbled(1, 0, 0, 0))),
            (full, 1, 0, Some(scribbled(0, 0, NEXT | WRITE, 3))),
        ],
        Fault::AddressOfAnother => vec![
            (idle, 0, 0, None),
            (full, 0, 0, Some(moved(1, BUFFERS))),
            (full, 0, 1, Some(moved(1, BUFFERS + 32))),
            (full, 0, 2, Some(moved(1, BUFFERS + 16))),
            (full, 0, 3, None),
            (full, 1, 4, Some(moved(0, BUFFERS + 48))),
            (full, 2, u32::MAX, None),
        ],
        Fault::AddressOutside => vec![
            (full, 0, 7, Some(moved(1, 0xdead_0000_0000_0007))),
            (idle, 4, u32::MAX, Some(moved(2, 0xdead_0000_ffff_ffff))),
        ],
        Fault::AddressZero => {
            vec![(idle, 0, 9, None), (full, 0, 9, Some(moved(1, 0))), (full, 1, 0, Some(moved(0, 0)))]
        }
        _ => Vec::new(),
    }
}
