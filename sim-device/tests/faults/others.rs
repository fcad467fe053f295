//! Faults in the available ring, in buffers, and in the device's timing.

use crate::scenes::{
    Case, Expected, answered, effect_only, full, headless, idle, last, malformed, single, waiting, word,
    wrote,
};
use ringstorm_sim_device::{Effect, Fault};

fn available_index(index: u16) -> Expected {
    word(66, index, Effect::AvailableIndex(index))
}

fn entry(index: u16, head: u16) -> Expected {
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
            // Values just outside the table and far from it, but never an index of the table.
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
            (malformed, 0, 0, None),
            (headless, 0, 0, None),
            (answered, 0, 0, None),
            (full, 0, 9, Some(wrote(48, 5, 1))),
            (full, 1, 0, Some(wrote(0, 3, 1))),
            (single, 5, 0, Some(wrote(48, 5, 1))),
        ],
        Fault::WrittenAfterReturn => vec![
            (idle, 0, 0, None),
            (full, 0, 0, None),
            // Two patterns were written before.
            (answered, 0, 9, Some(wrote(16, 8, 3))),
        ],
        _ => Vec::new(),
    }
}

pub fn in_time(fault: Fault) -> Vec<Case> {
    match fault {
        Fault::NeverReturned => vec![
            (idle, 0, 0, None),
            (headless, 0, 0, Some(effect_only(Effect::Withheld { head: 700 }))),
            (full, 0, 0, Some(effect_only(Effect::Withheld { head: 1 }))),
            (full, 1, 0, Some(effect_only(Effect::Withheld { head: 2 }))),
        ],
        Fault::SpuriousNotification => {
            vec![
                (idle, 0, 0, Some(effect_only(Effect::SpuriousNotification))),
                (full, 1, 9, Some(effect_only(Effect::SpuriousNotification))),
            ]
        }
        Fault::LostNotification | Fault::StopsAnswering | Fault::NeedsReset => {
            vec![
                (idle, 0, 0, Some(effect_only(Effect::Silent))),
                (full, 1, 9, Some(effect_only(Effect::Silent))),
            ]
        }
        _ => Vec::new(),
    }
}
