//! The texts of violations name what is wrong: which descriptor, which slot.

use crate::support::{
    FOUR, IN_FLIGHT, accepting, and, available, chain, flawed, freed, index, misuse, submit, writable,
};
use ringstorm_model::{ChainFlaw, Event, HandleAge, MisuseKind, ObservedDescriptor};

const TWO: [ObservedDescriptor; 2] = [writable(2, 8), writable(1, 8)];

/// The text of the violation by the last event.
fn text(before: &[Event<'_>], last: Event<'_>) -> String {
    let violation = accepting(&FOUR, before).observe(&last).expect_err("a violation");
    violation.detail
}

#[test]
fn a_flaw_of_a_chain_names_the_descriptor() {
    let before = [submit(&[], &[8, 8], 2)];
    for (flaw, expected) in [
        (ChainFlaw::Loop, "chain 2 has a loop: it does not end within 4 descriptors"),
        (
            ChainFlaw::NextOutOfRange(1),
            "descriptor 1 of chain 2 links to a descriptor outside of the table, which has 4 descriptors",
        ),
        (
            ChainFlaw::Unregistered(1),
            "the buffer of descriptor 1 in chain 2 is outside every registered region",
        ),
        (
            ChainFlaw::ReadableAfterWritable(1),
            "descriptor 1 of chain 2 is device-readable, but follows a device-writable one; expected all device-readable descriptors first",
        ),
        (
            ChainFlaw::Indirect(1),
            "descriptor 1 of chain 2 refers to an indirect table, but the feature was not negotiated",
        ),
        (ChainFlaw::TooLong, "the buffers of chain 2 have more than 2^32 bytes in total"),
        (ChainFlaw::HeadOutOfRange, "chain 2 begins outside of the table, which has 4 descriptors"),
    ] {
        assert_eq!(text(&before, flawed(2, &TWO, flaw)), expected);
    }
}

#[test]
fn a_wrong_refusal_of_a_stale_handle_names_the_handle() {
    let refused = freed(0, HandleAge::Stale, Err(misuse(MisuseKind::NotReturned)));
    let expected = "free of a stale handle of head 0 reported a chain that was not taken from the used ring; expected a head that no live chain has, or a stale handle";
    assert_eq!(text(&IN_FLIGHT, refused), expected);
}

#[test]
fn a_wrong_entry_names_its_slot() {
    let published = [submit(&[], &[1], 0), submit(&[], &[1], 1), index(2)];
    let slot = |slot: u16, head: u16, right: u16| {
        format!(
            "the new entry in slot {slot} of the available ring names chain {head}; expected chain {right}, which was submitted next"
        )
    };
    assert_eq!(text(&published, available(3)), slot(0, 3, 0));
    assert_eq!(text(&and(&published, &[available(0)]), available(3)), slot(1, 3, 1));
    let third = and(
        &published,
        &[available(0), available(1), submit(&[], &[8], 2), chain(2, const { &[writable(2, 8)] }), index(3)],
    );
    assert_eq!(text(&third, available(0)), slot(2, 0, 2));
}

#[test]
fn a_handle_that_cannot_be_used_is_named_with_the_reason() {
    let accepted = |head| freed(head, HandleAge::Current, Ok(()));
    let text_of = |head| text(&IN_FLIGHT, accepted(head));
    assert_eq!(text_of(0), "free accepted chain 0, which was not taken from the used ring");
    assert_eq!(text_of(3), "free accepted head 3, but no live chain has this head");
}

#[test]
fn the_next_entry_of_the_available_ring_is_the_first_that_was_not_accepted() {
    let published = [submit(&[], &[1], 0), submit(&[], &[1], 1), index(2)];
    assert_eq!(accepting(&FOUR, &published).next_available(), 0);
    assert_eq!(accepting(&FOUR, &and(&published, &[available(0)])).next_available(), 1);
    assert_eq!(accepting(&FOUR, &and(&published, &[available(0), available(1)])).next_available(), 2);
}
