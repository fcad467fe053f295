//! The limits of each check of the table, the available ring, and what the device reads.

use crate::support::{
    FOUR, IN_FLIGHT, accepting, accepts, and, at, available, chain, device_fault, device_took, element,
    flawed, free, index, read, readable, rejects, submit, take, take_refused, used, writable,
};
use ringstorm_model::{ChainFlaw, Event, Invariant, Model, ModelSetup};

const BROKEN: [Event<'static>; 2] = [used(9), take_refused(device_fault(false, true, None))];

#[test]
fn the_available_index_moves_by_the_number_of_submitted_chains() {
    for first in [0, 65_534] {
        let setup = ModelSetup { first_index: first, ..FOUR };
        let two = [submit(&[], &[1], 2), submit(&[], &[1], 0)];
        for (before, added) in [(&[][..], 0), (&two[..1], 1), (&two, 2)] {
            for moved in [0, 1, 2, 3, 32_768, 65_534, 65_535] {
                let event = index(first.wrapping_add(moved));
                match moved == added {
                    true => accepts(&setup, before, event),
                    false => rejects(&setup, before, event, Invariant::AvailableOrder),
                }
            }
        }
        let published = and(&two, &[index(first.wrapping_add(2)), available(2)]);
        rejects(&setup, &published, index(first.wrapping_add(2)), Invariant::AvailableOrder);
        let published = and(&published, &[available(0)]);
        accepts(&setup, &published, index(first.wrapping_add(2)));
    }
}

#[test]
fn a_broken_queue_does_not_publish_submitted_chains() {
    let before = and(&[submit(&[], &[1], 0), submit(&[], &[1], 1)], &BROKEN);
    accepts(&FOUR, &before, index(0));
    rejects(&FOUR, &before, index(2), Invariant::AvailableOrder);
    rejects(&FOUR, &before, index(1), Invariant::AvailableOrder);
    accepts(&FOUR, &before, Event::Publish { notify: false });
    accepts(&FOUR, &before, Event::Drained);
    let reset = and(&before, &[Event::Reset { first_index: 0 }, submit(&[], &[1], 0)]);
    rejects(&FOUR, &reset, index(0), Invariant::AvailableOrder);
}

#[test]
fn an_entry_must_be_covered_by_the_available_index() {
    let two = [submit(&[], &[1], 0), submit(&[], &[1], 1)];
    let first = available(0);
    rejects(&FOUR, &two, first, Invariant::AvailableOrder);
    rejects(&FOUR, &[], first, Invariant::AvailableOrder);
    rejects(&FOUR, &and(&two[..1], &[index(1), first]), first, Invariant::AvailableOrder);
    let seen = and(&two[..1], &[index(1), first, two[1]]);
    rejects(&FOUR, &seen, available(1), Invariant::AvailableOrder);
    rejects(&FOUR, &and(&two, &[index(2)]), available(1), Invariant::AvailableOrder);
    rejects(&FOUR, &and(&two, &[index(2), first]), first, Invariant::AvailableOrder);
    accepts(&FOUR, &and(&two, &[index(2), first]), available(1));
    let reset = and(&two[..1], &[index(1), Event::Reset { first_index: 1 }]);
    rejects(&FOUR, &reset, first, Invariant::AvailableOrder);
}

/// 2.7.10: the device uses `flags` to ask for notifications.
#[test]
fn a_wanted_notification_of_new_entries_is_sent() {
    let wanted = |wanted| Event::AvailableNotifications { wanted };
    let one = submit(&[], &[1], 0);
    let silent = Event::Publish { notify: false };
    rejects(&FOUR, &[wanted(false), one, wanted(true)], silent, Invariant::Notified);
    rejects(&FOUR, &[wanted(false), Event::Reset { first_index: 0 }, one], silent, Invariant::Notified);
    accepts(&FOUR, &[wanted(true), one, wanted(false)], silent);
    accepts(&FOUR, &[], silent);
    let announced = [one, Event::Publish { notify: true }, index(1), available(0)];
    accepts(&FOUR, &announced, silent);
    for notify in [&[wanted(false), one][..], &[one], &[]] {
        accepts(&FOUR, notify, Event::Publish { notify: true });
    }
}

/// A wrong notification may only be the consequence of what was published.
#[test]
fn what_a_call_published_is_judged_before_its_notification() {
    let exact = ModelSetup { exact_notifications: true, ..FOUR };
    let announced = and(&IN_FLIGHT, &[Event::Publish { notify: true }, index(1)]);
    // The same chain is published again, and nothing else is to be published.
    for answer in [true, false] {
        let again = and(&announced, &[Event::Publish { notify: answer }]);
        rejects(&exact, &again, index(2), Invariant::AvailableOrder);
    }
    let one = [submit(&[], &[1], 0), Event::Publish { notify: false }];
    rejects(&FOUR, &one, index(2), Invariant::AvailableOrder);
    rejects(&FOUR, &one, index(0), Invariant::AvailableOrder);
    rejects(&FOUR, &and(&one, &[index(1)]), available(1), Invariant::AvailableOrder);
    rejects(&FOUR, &and(&one, &[index(1)]), available(0), Invariant::Notified);
    rejects(&exact, &and(&announced, &[Event::Publish { notify: true }]), index(1), Invariant::Notified);
}

#[test]
fn a_chain_has_exactly_the_submitted_lengths() {
    let asked = [submit(&[b"abc", b"de"], &[8, 4], 0)];
    let parts = |there, more, back, least| {
        [readable(0, there), readable(1, more), writable(2, back), writable(3, least)]
    };
    accepts(&FOUR, &asked, chain(0, &parts(3, 2, 8, 4)));
    accepts(&FOUR, &asked, chain(0, &parts(4, 1, 6, 6)));
    for (there, more, back, least) in [(3, 1, 8, 4), (3, 3, 8, 4), (3, 2, 9, 4), (3, 2, 8, 3), (3, 4, 8, 2)] {
        rejects(&FOUR, &asked, chain(0, &parts(there, more, back, least)), Invariant::Payload);
    }
    rejects(&FOUR, &asked, chain(0, &[]), Invariant::WellFormed);
    for (flaw, invariant) in [
        (ChainFlaw::Loop, Invariant::Acyclic),
        (ChainFlaw::NextOutOfRange(0), Invariant::WellFormed),
        (ChainFlaw::Unregistered(0), Invariant::BuffersRegistered),
    ] {
        rejects(&FOUR, &asked, flawed(0, &parts(3, 2, 8, 4), flaw), invariant);
    }
}

#[test]
fn no_descriptor_is_in_two_live_chains() {
    let first = [submit(&[], &[1, 1], 0), chain(0, const { &[writable(0, 1), writable(2, 1)] })];
    let before = and(&first, &[submit(&[], &[1, 1], 1)]);
    rejects(&FOUR, &before, chain(1, const { &[writable(1, 1), writable(2, 1)] }), Invariant::NoDoubleUse);
    rejects(&FOUR, &before, chain(1, const { &[writable(1, 1), writable(1, 1)] }), Invariant::NoDoubleUse);
    accepts(&FOUR, &before, chain(1, const { &[writable(1, 1), writable(3, 1)] }));
}

#[test]
fn bytes_of_an_earlier_chain_matter_only_if_zeroing_is_promised() {
    let not_zeroed = Event::Chain { head: 0, descriptors: &[writable(0, 8)], flaw: None, not_zeroed: true };
    accepts(&FOUR, &IN_FLIGHT[..1], not_zeroed);
    let zeroed = ModelSetup { zeroes_buffers: true, ..FOUR };
    rejects(&zeroed, &IN_FLIGHT[..1], not_zeroed, Invariant::Response);
    accepts(&zeroed, &IN_FLIGHT[..1], IN_FLIGHT[1]);
}

#[test]
fn the_device_finds_the_published_chain() {
    let parts = [readable(0, 3), writable(1, 8)];
    let before = [submit(&[b"abc"], &[8], 0), chain(0, &parts), index(1), available(0)];
    accepts(&FOUR, &before, device_took(0, &parts, b"abc"));
    for payload in [&b"ab"[..], b"abcd", b"bbc", b""] {
        rejects(&FOUR, &before, device_took(0, &parts, payload), Invariant::Payload);
    }
    let other = |change: fn(&mut [ringstorm_model::ObservedDescriptor; 2])| {
        let mut other = parts;
        change(&mut other);
        other
    };
    for found in [
        other(|parts| parts[0].index = 2),
        other(|parts| parts[0].place = None),
        other(|parts| parts[1].length = 7),
        other(|parts| parts[1].writable = false),
    ] {
        rejects(&FOUR, &before, device_took(0, &found, b"abc"), Invariant::Payload);
    }
    rejects(&FOUR, &before, device_took(0, &parts[..1], b"abc"), Invariant::Payload);
    let changed = Event::DeviceTook { head: 0, whole: false, descriptors: &parts, payload: b"abc" };
    rejects(&FOUR, &before, changed, Invariant::Payload);
    for excused in [0, 1] {
        accepts(&FOUR, &and(&before, &[Event::DescriptorCorrupted { descriptor: excused }]), changed);
    }
    for other in [2, 3, 4, u16::MAX] {
        rejects(
            &FOUR,
            &and(&before, &[Event::DescriptorCorrupted { descriptor: other }]),
            changed,
            Invariant::Payload,
        );
    }
}

/// The device returns chains that it never took. Once more chains were published than the ring has entries, one entry
/// was overwritten, and the device may find another chain than the one that was published first.
#[test]
fn an_entry_that_was_overwritten_before_the_device_took_it_is_excused() {
    let room = [writable(0, 8)];
    let untaken = |count: u16| -> Vec<Event<'_>> {
        let out = |turn| [submit(&[], &[8], 0), chain(0, &room), index(turn + 1), available(0)];
        let back = |turn| [element(turn, 0, 8), used(turn + 1), take(0, 8), free(0)];
        (0..count).flat_map(|turn| and(&out(turn), &back(turn))).chain([submit(&[], &[8], 0)]).collect()
    };
    let other = device_took(1, &[], b"");
    for count in [0, 1, 2, 3] {
        rejects(&FOUR, &untaken(count), other, Invariant::AvailableOrder);
    }
    for count in [4, 5, 6] {
        accepts(&FOUR, &untaken(count), other);
        let reset = and(&untaken(count), &[Event::Reset { first_index: 0 }]);
        rejects(&FOUR, &reset, other, Invariant::AvailableOrder);
    }
}

#[test]
fn a_violation_gives_the_position_of_the_first_difference() {
    let parts = [readable(0, 3), writable(1, 8)];
    let before = [submit(&[b"abc"], &[8], 0), chain(0, &parts), index(1), available(0)];
    let detail = |before: &[Event<'_>], last| accepting(&FOUR, before).observe(&last).unwrap_err().detail;
    for (payload, place) in [(&b"abd"[..], 2), (b"xxc", 0), (b"ab", 2), (b"abcd", 3)] {
        let detail = detail(&before, device_took(0, &parts, payload));
        assert!(detail.ends_with(&format!("first difference is at byte {place}")), "{detail}");
    }
    let back = and(&before, &[element(0, 0, 3), used(1), take(0, 3)]);
    for (bytes, place) in [(&b"hix"[..], 2), (b"xxy", 0), (b"hi", 2), (b"hi!!", 3)] {
        let detail = detail(&back, read(0, 64, bytes, b"hi!"));
        assert!(detail.ends_with(&format!("first difference is at byte {place}")), "{detail}");
    }
}

/// A chain is in the table before it is in the ring. A device can overwrite it then, although 2.7.5.1 forbids it.
#[test]
fn a_chain_that_is_corrupted_before_it_is_published_is_excused() {
    let parts = [readable(0, 3), writable(1, 8)];
    let changed = Event::DeviceTook { head: 0, whole: false, descriptors: &[], payload: b"" };
    let before = [submit(&[b"abc"], &[8], 0), chain(0, &parts), Event::DescriptorCorrupted { descriptor: 1 }];
    accepts(&FOUR, &and(&before, &[index(1), available(0)]), changed);
    let early = [Event::DescriptorCorrupted { descriptor: 1 }, before[0], before[1], index(1), available(0)];
    rejects(&FOUR, &early, changed, Invariant::Payload);
}

/// If the device overwrites a payload before it reads it, the driver is not at fault.
#[test]
fn a_payload_that_the_device_overwrote_is_excused() {
    // Bytes 10 to 12 are device-readable, bytes 20 to 27 device-writable. Both buffers are in one granule.
    let parts = [at(0, 0, 10, 3, false), at(1, 0, 20, 8, true)];
    let before = [submit(&[b"abc"], &[8], 0), chain(0, &parts), index(1), available(0)];
    let other = device_took(0, &parts, b"abd");
    for (region, offset, length, excused) in [
        (0, 10, 1, true),
        (0, 12, 1, true),
        (0, 0, 11, true),
        (0, 12, 100, true),
        (0, 0, 10, false),
        (0, 13, 9, false),
        (0, 20, 8, false),
        (0, 11, 0, false),
        (1, 10, 3, false),
        (9, 10, 3, false),
    ] {
        let place = ringstorm_model::Place { region, offset };
        let wrote = and(&before, &[Event::DeviceWrote { place, length }]);
        match excused {
            true => accepts(&FOUR, &wrote, other),
            false => rejects(&FOUR, &wrote, other, Invariant::Payload),
        }
        accepts(&FOUR, &wrote, device_took(0, &parts, b"abc"));
    }
    let place = ringstorm_model::Place { region: 0, offset: 10 };
    let gone = and(&before, &[element(0, 0, 0), used(1), take(0, 0), free(0)]);
    let again =
        and(&gone, &[Event::DeviceWrote { place, length: 3 }, before[0], before[1], index(2), available(0)]);
    rejects(&FOUR, &again, other, Invariant::Payload);
}

/// A corrupted chain is excused until another chain uses its descriptors.
#[test]
fn a_new_chain_is_not_excused_for_an_old_one() {
    let again = and(
        &IN_FLIGHT,
        &[Event::DescriptorCorrupted { descriptor: 0 }, element(0, 0, 0), used(1), take(0, 0), free(0)],
    );
    let again =
        and(&again, &[submit(&[], &[8], 0), chain(0, const { &[writable(0, 8)] }), index(2), available(0)]);
    rejects(&FOUR, &again, device_took(0, &[writable(0, 7)], b""), Invariant::Payload);
    rejects(&FOUR, &again, device_took(1, &[writable(1, 7)], b""), Invariant::AvailableOrder);
}

#[test]
fn a_chain_that_is_live_at_the_end_violates_drains() {
    accepts(&FOUR, &[], Event::Drained);
    rejects(&FOUR, &IN_FLIGHT[..1], Event::Drained, Invariant::Drains);
    let back = and(&IN_FLIGHT, &[element(0, 0, 0), used(1), take(0, 0)]);
    rejects(&FOUR, &back, Event::Drained, Invariant::Drains);
    accepts(&FOUR, &and(&back, &[free(0)]), Event::Drained);
    accepts(
        &FOUR,
        &and(&IN_FLIGHT, &[Event::Withheld { head: 0 }, Event::Reset { first_index: 0 }]),
        Event::Drained,
    );
    rejects(&FOUR, &and(&IN_FLIGHT, &[Event::Withheld { head: 0 }]), Event::Drained, Invariant::Drains);
    rejects(&FOUR, &[], Event::Released { left: u32::MAX }, Invariant::Released);
}

#[test]
fn the_model_knows_the_owner_of_each_descriptor() {
    let parts = [writable(2, 1), at(0, 1, 0, 1, true)];
    let mut model = accepting(&FOUR, &[submit(&[], &[1, 1], 2)]);
    assert_eq!((model.live_chains(), model.owner(2), model.descriptors(2)), (1, None, Some(&[][..])));
    model.observe(&chain(2, &parts)).unwrap();
    assert!(!model.is_in_flight(2));
    [index(1), available(2)].iter().for_each(|event| model.observe(event).unwrap());
    assert!(model.is_in_flight(2) && !model.is_in_flight(0) && !model.is_in_flight(9));
    assert_eq!([0, 1, 2, 3, 4].map(|index| model.owner(index)), [Some(2), None, Some(2), None, None]);
    assert_eq!(model.descriptors(2), Some(&parts[..]));
    assert_eq!((model.descriptors(0), model.descriptors(9)), (None, None));
    for event in [element(0, 2, 0), used(1), take(2, 0)] {
        model.observe(&event).unwrap();
    }
    assert!(!model.is_in_flight(2));
    model.observe(&free(2)).unwrap();
    assert_eq!((model.live_chains(), model.owner(2), model.descriptors(2)), (0, None, None));
}

#[test]
fn a_queue_size_that_is_not_a_power_of_two_panics() {
    for queue_size in [0, 3, 6] {
        let begun = || Model::new().begin(&ModelSetup { queue_size, ..FOUR });
        assert!(std::panic::catch_unwind(begun).is_err(), "{queue_size}");
    }
}
