//! Withdrawing a chain that is not published, and chains that never fit.

use crate::support::{
    FOUR, IN_FLIGHT, accepts, and, available, chain, device_fault, element, free, free_count, index, misuse,
    rejects, stores, submit, submit_refused, take, take_refused, used, writable,
};
use ringstorm_model::{Answer, Event, Invariant, MisuseKind, Refusal};

const fn withdraw(head: u16, answer: Answer<()>) -> Event<'static> {
    Event::Withdraw { head, answer }
}

const fn no_withdraw(head: u16, kind: MisuseKind) -> Event<'static> {
    withdraw(head, Err(misuse(kind)))
}

/// Three chains of one descriptor each that are not published.
const PREPARED: [Event<'static>; 6] = [
    submit(&[], &[8], 0),
    chain(0, const { &[writable(0, 8)] }),
    submit(&[], &[8], 1),
    chain(1, const { &[writable(1, 8)] }),
    submit(&[], &[8], 2),
    chain(2, const { &[writable(2, 8)] }),
];

#[test]
fn withdrawing_a_chain_frees_it_and_keeps_the_order_of_the_others() {
    for (head, left) in [(0, [1, 2]), (1, [0, 2]), (2, [0, 1])] {
        let back = and(&PREPARED, &[withdraw(head, Ok(()))]);
        accepts(&FOUR, &back, free_count(2));
        rejects(&FOUR, &back, free_count(1), Invariant::FreeCount);
        rejects(&FOUR, &back, index(3), Invariant::AvailableOrder);
        let published = and(&back, &[index(2), available(left[0])]);
        accepts(&FOUR, &published, available(left[1]));
        rejects(&FOUR, &published, available(head), Invariant::AvailableOrder);
        // Another chain may use its descriptor.
        accepts(&FOUR, &back, submit(&[], &[8], head));
        rejects(&FOUR, &back, submit(&[], &[8], left[0]), Invariant::NoDoubleUse);
        accepts(&FOUR, &back, no_withdraw(head, MisuseKind::BadHead));
        rejects(&FOUR, &back, withdraw(head, Ok(())), Invariant::MisuseRefused);
    }
    let none = and(&PREPARED, &[0, 1, 2].map(|head| withdraw(head, Ok(()))));
    accepts(&FOUR, &none, free_count(4));
    accepts(&FOUR, &none, Event::Drained);
    rejects(&FOUR, &none, index(1), Invariant::AvailableOrder);
    // A withdrawn chain needs no notification.
    let exact = ringstorm_model::ModelSetup { exact_notifications: true, ..FOUR };
    accepts(&exact, &none, Event::Publish { notify: false });
    rejects(&exact, &none, Event::Publish { notify: true }, Invariant::Notified);
}

#[test]
fn a_chain_that_is_not_published_can_be_withdrawn_unless_the_queue_is_broken() {
    for kind in [MisuseKind::BadHead, MisuseKind::Published, MisuseKind::Unspecified] {
        rejects(&FOUR, &PREPARED, no_withdraw(0, kind), Invariant::MisuseRefused);
    }
    rejects(&FOUR, &PREPARED, withdraw(0, Err(Refusal::Broken)), Invariant::FairBlame);
    let broken = and(&PREPARED, &[used(1), take_refused(device_fault(false, true, None))]);
    accepts(&FOUR, &broken, withdraw(0, Err(Refusal::Broken)));
    accepts(&FOUR, &broken, withdraw(0, Ok(())));
}

#[test]
fn no_other_chain_can_be_withdrawn() {
    let returned = and(&IN_FLIGHT, &[element(0, 0, 8), used(1), take(0, 8)]);
    for before in [&IN_FLIGHT[..], &returned] {
        rejects(&FOUR, before, withdraw(0, Ok(())), Invariant::MisuseRefused);
        accepts(&FOUR, before, no_withdraw(0, MisuseKind::Published));
        accepts(&FOUR, before, no_withdraw(0, MisuseKind::Unspecified));
        rejects(&FOUR, before, no_withdraw(0, MisuseKind::BadHead), Invariant::MisuseRefused);
        rejects(&FOUR, before, no_withdraw(0, MisuseKind::NotReturned), Invariant::MisuseRefused);
    }
    for head in [1, 4, u16::MAX] {
        rejects(&FOUR, &IN_FLIGHT, withdraw(head, Ok(())), Invariant::MisuseRefused);
        accepts(&FOUR, &IN_FLIGHT, no_withdraw(head, MisuseKind::BadHead));
        rejects(&FOUR, &IN_FLIGHT, no_withdraw(head, MisuseKind::Published), Invariant::MisuseRefused);
    }
    let freed = and(&returned, &[free(0)]);
    accepts(&FOUR, &freed, no_withdraw(0, MisuseKind::BadHead));
    rejects(
        &FOUR,
        &and(&IN_FLIGHT, &[no_withdraw(0, MisuseKind::Published)]),
        stores(1),
        Invariant::FailedUnchanged,
    );
}

#[test]
fn a_chain_that_never_fits_is_refused_as_such_or_for_lack_of_free_descriptors() {
    let five: &[u32] = &[1; 5];
    for kind in [MisuseKind::ChainExceedsQueue, MisuseKind::NotEnoughFree, MisuseKind::Unspecified] {
        accepts(&FOUR, &[], submit_refused(&[], five, kind));
        accepts(&FOUR, &IN_FLIGHT, submit_refused(&[], five, kind));
    }
    rejects(&FOUR, &[], submit_refused(&[], five, MisuseKind::EmptyChain), Invariant::MisuseRefused);
    rejects(&FOUR, &[], submit(&[], five, 0), Invariant::MisuseRefused);
    let four: &[u32] = &[1; 4];
    accepts(&FOUR, &IN_FLIGHT, submit_refused(&[], four, MisuseKind::NotEnoughFree));
    rejects(
        &FOUR,
        &IN_FLIGHT,
        submit_refused(&[], four, MisuseKind::ChainExceedsQueue),
        Invariant::MisuseRefused,
    );
    rejects(&FOUR, &[], submit_refused(&[], four, MisuseKind::ChainExceedsQueue), Invariant::MisuseRefused);
}
