//! Faults in the used ring.

use crate::scenes::{
    Case, Expected, answered, both, effect_only, element, element_at, full, headless, idle, jump, last,
    malformed, single, word, wrote,
};
use ringstorm_sim_device::{Change, Effect, Fault, Trap};

fn trap(offset: usize, width: usize, value: u64, then: Change) -> Expected {
    effect_only(Effect::Trap { trap: Trap { offset, width, value }, then })
}

fn index_trap(index: u16) -> Expected {
    trap(82, 2, index.into(), Change::UsedIndex(index))
}

fn element_trap(offset: usize, value: u64, index: u16) -> Expected {
    trap(offset, 4, value, Change::UsedElement { index })
}

fn descriptor_trap(index: u16, shape: u64) -> Expected {
    trap(16 * usize::from(index) + 8, 8, shape, Change::Descriptor { index })
}

pub fn cases(fault: Fault) -> Vec<Case> {
    match fault {
        Fault::IdOutOfRange => vec![
            (idle, 0, 0, Some(element(4, 0))),
            (idle, 9, 1, Some(element(5, 0))),
            (full, 0, u32::MAX - 4, Some(element(u32::MAX, 0))),
            (full, 0, u32::MAX - 3, Some(element(u32::MAX, 0))),
            (idle, 0, u32::MAX, Some(element(u32::MAX, 0))),
        ],
        Fault::TruncatedId => vec![
            (headless, 0, 0, None),
            (idle, 0, 0, None),
            (malformed, 0, 0, None),
            (full, 0, 0, Some(element(0x1_0001, 0))),
            (full, 1, 0, Some(element(0x1_0002, 0))),
            (full, 2, 0xfffe, Some(element(0xffff_0001, 0))),
            (full, 1, 0xffff, Some(element(0x1_0002, 0))),
        ],
        Fault::MidChainId => vec![
            (headless, 0, 0, None),
            (idle, 0, 0, None),
            (single, 0, 0, None),
            (single, 1, 7, None),
            (full, 1, 0, Some(element(0, 0))),
            (full, 1, 1, Some(element(3, 0))),
            (full, 3, 2, Some(element(0, 0))),
        ],
        Fault::DuplicateId => {
            vec![(idle, 0, 0, None), (full, 0, 9, None), (answered, 0, 9, Some(element_at(2, 2, 9)))]
        }
        Fault::StaleId => vec![
            (idle, 0, 0, None),
            (full, 0, 9, None),
            (answered, 0, 9, Some(element_at(2, 1, 9))),
            (answered, 255, 0, Some(element_at(2, 1, 0))),
        ],
        Fault::FreeId => vec![
            (full, 0, 0, None),
            (idle, 0, 0, Some(element(0, 0))),
            (idle, 0, 7, Some(element(3, 0))),
            (single, 0, 1, Some(element(2, 0))),
            (single, 0, 0, Some(element(0, 0))),
            (last, 0, 3, Some(element(0, 0))),
        ],
        Fault::LengthTooLong => vec![
            (headless, 0, 0, None),
            (idle, 0, 1, None),
            (malformed, 0, 1, None),
            (full, 1, 0, Some(element(2, 13))),
            (full, 1, 1, Some(element(2, 13))),
            (full, 1, 100, Some(element(2, 112))),
            (full, 1, u32::MAX, Some(element(2, u32::MAX))),
            (full, 0, 0, Some(element(1, 1))),
            (single, 0, u32::MAX, Some(element(1, u32::MAX))),
        ],
        Fault::LengthForReadable => vec![
            (headless, 0, 0, None),
            (idle, 0, 1, None),
            (full, 1, 9, None),
            (malformed, 0, 9, None),
            (full, 0, 0, Some(element(1, 1))),
            (full, 0, 9, Some(element(1, 9))),
            (full, 2, u32::MAX, Some(element(1, u32::MAX))),
        ],
        Fault::LengthUnwritten => vec![
            (headless, 0, 0, None),
            (idle, 0, 0, None),
            (full, 0, 3, None),
            (malformed, 0, 3, None),
            (full, 1, 12, Some(element(2, 12))),
            (full, 1, 3, Some(both(wrote(16, 3, 1), element(2, 12)))),
            (full, 1, 22, Some(both(both(wrote(16, 8, 1), wrote(32, 2, 4)), element(2, 12)))),
        ],
        Fault::IndexJump => vec![
            (idle, 0, 0, Some(jump(1))),
            (full, 0, 4, Some(jump(5))),
            (idle, 0, 0x7ffe, Some(jump(0x7fff))),
            (idle, 0, 0x7fff, Some(jump(1))),
        ],
        Fault::IndexBackwards => vec![
            (idle, 0, 0, Some(jump(0xffff))),
            (answered, 0, 0, Some(jump(1))),
            (answered, 0, 4, Some(jump(0xfffd))),
            (idle, 0, 0x7ffe, Some(jump(0x8001))),
            (idle, 0, 0x7fff, Some(jump(0xffff))),
        ],
        Fault::IndexBeforeElement => vec![
            (headless, 0, 0, None),
            (idle, 0, 0, None),
            (malformed, 0, 0, None),
            (full, 0, 0, Some(jump(1))),
            (full, 1, 9, Some(jump(1))),
        ],
        Fault::FlagsGarbage => vec![
            (idle, 0, 0, None),
            (idle, 0, 0x1_0000, None),
            (idle, 0, 0x1_8003, Some(word(80, 0x8003, Effect::UsedFlags(0x8003)))),
        ],
        Fault::EventGarbage => vec![
            (idle, 0, 0, None),
            (full, 0, 0x1_0203, Some(word(116, 0x203, Effect::AvailableEvent(0x203)))),
        ],
        Fault::ChangedBetweenReads => vec![
            (idle, 0, 0, Some(index_trap(1))),
            (idle, 4, 0x7ffe, Some(index_trap(0x7fff))),
            (idle, 0, 0x7fff, Some(index_trap(1))),
            (answered, 252, 6, Some(index_trap(9))),
            // The last element.
            (idle, 1, 0, Some(element_trap(108, 1, 0xffff))),
            (idle, 2, 7, Some(element_trap(112, 7, 0xffff))),
            (answered, 1, 9, Some(element_trap(92, 2 ^ 9, 1))),
            (answered, 1, 0, Some(element_trap(92, 2 ^ 1, 1))),
            (answered, 2, 9, Some(element_trap(96, 12 ^ 9, 1))),
            (answered, 6, 0, Some(element_trap(96, 12 ^ 1, 1))),
            // A quarter of `pick` chooses the descriptor.
            (full, 3, 0, Some(descriptor_trap(1, 5 ^ 1))),
            (full, 11, 6, Some(descriptor_trap(3, (2 << 32 | 4) ^ 6))),
            (full, 7, u32::MAX, Some(descriptor_trap(0, 3 << 48 | 3 << 32 | (8 ^ 0xffff_ffff)))),
            (answered, 3, 9, Some(descriptor_trap(0, 3 << 48 | 3 << 32 | (8 ^ 9)))),
        ],
        _ => Vec::new(),
    }
}
