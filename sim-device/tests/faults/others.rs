//! Faults in the available ring, in buffers, and in time.

use crate::scenes::{
    Case, Deed, answered, full, headless, idle, last, senseless, single, told, waiting, word, wrote,
};
use ringstorm_sim_device::{Effect, Fault};

fn available_index(index: u16) -> Deed {
    word(66, index, Effect::AvailableIndex(index))
}

fn entry(index: u16, head: u16) -> Deed {
    word(68 + 2 * usize::from(index % 4), head, Effect::AvailableEntry { index, head })
}

pub fn in_available_ring(fault: Fault) -> Vec<Case> {
    match fault {
        Fault::AvailableIndexOverwritten => vec![
            (idle, 0, 0, Some(available_index(0x4000))),
            (idle, 9, 0x4000, Some(available_index(0x4000))),
            (full, 0, 0x3fff, Some(available_index(0x8001))),
            (waiting, 0, 1, Some(available_index(0x4003))),
        ],
        Fault::AvailableEntryOverwritten => vec![
            (idle, 0, 9, None),
            (full, 0, 9, None),
            // Near misses and others, but never an index of the table.
            (waiting, 0, 0, Some(entry(0, 4))),
            (waiting, 1, 0x1_0203, Some(entry(1, 0x20b))),
            (waiting, 2, 0xfffb, Some(entry(0, 0xffff))),
            (waiting, 3, 0xfffc, Some(entry(1, 4))),
        ],
        _ => Vec::new(),
    }
}

pub fn in_buffers(fault: Fault) -> Vec<Case> {
    match fault {
        Fault::ReadableWritten => vec![
            (idle, 0, 0, None),
            (last, 0, 0, None),
            (senseless, 0, 0, None),
            (headless, 0, 0, None),
            (answered, 0, 0, None),
            (full, 0, 9, Some(wrote(48, 5, 1))),
            (full, 1, 0, Some(wrote(0, 3, 1))),
            (single, 5, 0, Some(wrote(48, 5, 1))),
        ],
        Fault::WrittenAfterReturn => vec![
            (idle, 0, 0, None),
            (full, 0, 0, None),
            // Two replies came before.
            (answered, 0, 9, Some(wrote(16, 8, 3))),
        ],
        _ => Vec::new(),
    }
}

pub fn in_time(fault: Fault) -> Vec<Case> {
    match fault {
        Fault::NeverReturned => vec![
            (idle, 0, 0, None),
            (headless, 0, 0, Some(told(Effect::Withheld { head: 700 }))),
            (full, 0, 0, Some(told(Effect::Withheld { head: 1 }))),
            (full, 1, 0, Some(told(Effect::Withheld { head: 2 }))),
        ],
        Fault::SpuriousNotification => {
            vec![
                (idle, 0, 0, Some(told(Effect::SpuriousNotification))),
                (full, 1, 9, Some(told(Effect::SpuriousNotification))),
            ]
        }
        Fault::LostNotification | Fault::StopsAnswering | Fault::NeedsReset => {
            vec![(idle, 0, 0, Some(told(Effect::Silent))), (full, 1, 9, Some(told(Effect::Silent)))]
        }
        _ => Vec::new(),
    }
}
