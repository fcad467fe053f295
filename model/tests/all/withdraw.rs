//! Taking back a chain that is not published, and chains that never fit.

use crate::support::{
    FOUR, OUT, accepts, and, available, blame, chain, element, free, free_count, index, misuse, no_submit,
    no_take, rejects, stores, submit, take, used, writable,
};
use ringstorm_model::{Answer, Event, Invariant, MisuseKind, Refusal};

const fn withdraw(head: u16, answer: Answer<()>) -> Event<'static> {
    Event::Withdraw { head, answer }
}

const fn no_withdraw(head: u16, kind: MisuseKind) -> Event<'static> {
    withdraw(head, Err(misuse(kind)))
}

/// Three chains that are not published, of a descriptor each.
const PREPARED: [Event<'static>; 6] = [
    submit(&[], &[8], 0),
    chain(0, const { &[writable(0, 8)] }),
    submit(&[], &[8], 1),
    chain(1, const { &[writable(1, 8)] }),
    submit(&[], &[8], 2),
    chain(2, const { &[writable(2, 8)] }),
];

#[test]
fn a_chain_that_is_taken_back_is_free_and_the_others_keep_their_order() {
    for (head, left) in [(0, [1, 2]), (1, [0, 2]), (2, [0, 1])] {
        let back = and(&PREPARED, &[withdraw(head, Ok(()))]);
        accepts(&FOUR, &back, free_count(2));
        rejects(&FOUR, &back, free_count(1), Invariant::FreeCount);
        rejects(&FOUR, &back, index(3), Invariant::AvailableOrder);
        let published = and(&back, &[index(2), available(left[0])]);
        accepts(&FOUR, &published, available(left[1]));
        rejects(&FOUR, &published, available(head), Invariant::AvailableOrder);
        // Its descriptor is anybody's.
        accepts(&FOUR, &back, submit(&[], &[8], head));
        rejects(&FOUR, &back, submit(&[], &[8], left[0]), Invariant::NoDoubleUse);
        accepts(&FOUR, &back, no_withdraw(head, MisuseKind::BadHead));
        rejects(&FOUR, &back, withdraw(head, Ok(())), Invariant::MisuseRefused);
    }
    let none = and(&PREPARED, &[0, 1, 2].map(|head| withdraw(head, Ok(()))));
    accepts(&FOUR, &none, free_count(4));
    accepts(&FOUR, &none, Event::Settled);
    rejects(&FOUR, &none, index(1), Invariant::AvailableOrder);
    // Nobody is to be notified of a chain that is not there.
    let exact = ringstorm_model::ModelSetup { exact_notifications: true, ..FOUR };
    accepts(&exact, &none, Event::Publish { notify: false });
    rejects(&exact, &none, Event::Publish { notify: true }, Invariant::Notified);
}

#[test]
fn a_chain_that_is_not_published_is_taken_back_if_the_queue_is_whole() {
    for kind in [MisuseKind::BadHead, MisuseKind::Published, MisuseKind::Unspecified] {
        rejects(&FOUR, &PREPARED, no_withdraw(0, kind), Invariant::MisuseRefused);
    }
    rejects(&FOUR, &PREPARED, withdraw(0, Err(Refusal::Broken)), Invariant::FairBlame);
    let broken = and(&PREPARED, &[used(1), no_take(blame(false, true, None))]);
    accepts(&FOUR, &broken, withdraw(0, Err(Refusal::Broken)));
    accepts(&FOUR, &broken, withdraw(0, Ok(())));
}

#[test]
fn no_other_chain_is_taken_back() {
    let returned = and(&OUT, &[element(0, 0, 8), used(1), take(0, 8)]);
    for before in [&OUT[..], &returned] {
        rejects(&FOUR, before, withdraw(0, Ok(())), Invariant::MisuseRefused);
        accepts(&FOUR, before, no_withdraw(0, MisuseKind::Published));
        accepts(&FOUR, before, no_withdraw(0, MisuseKind::Unspecified));
        rejects(&FOUR, before, no_withdraw(0, MisuseKind::BadHead), Invariant::MisuseRefused);
        rejects(&FOUR, before, no_withdraw(0, MisuseKind::NotReturned), Invariant::MisuseRefused);
    }
    for head in [1, 4, u16::MAX] {
        rejects(&FOUR, &OUT, withdraw(head, Ok(())), Invariant::MisuseRefused);
        accepts(&FOUR, &OUT, no_withdraw(head, MisuseKind::BadHead));
        rejects(&FOUR, &OUT, no_withdraw(head, MisuseKind::Published), Invariant::MisuseRefused);
    }
    let freed = and(&returned, &[free(0)]);
    accepts(&FOUR, &freed, no_withdraw(0, MisuseKind::BadHead));
    rejects(
        &FOUR,
        &and(&OUT, &[no_withdraw(0, MisuseKind::Published)]),
        stores(1),
        Invariant::FailedUnchanged,
    );
}

#[test]
fn a_chain_that_never_fits_is_refused_as_such_or_as_too_long_for_now() {
    let five: &[u32] = &[1; 5];
    for kind in [MisuseKind::ChainExceedsQueue, MisuseKind::NotEnoughFree, MisuseKind::Unspecified] {
        accepts(&FOUR, &[], no_submit(&[], five, kind));
        accepts(&FOUR, &OUT, no_submit(&[], five, kind));
    }
    rejects(&FOUR, &[], no_submit(&[], five, MisuseKind::EmptyChain), Invariant::MisuseRefused);
    rejects(&FOUR, &[], submit(&[], five, 0), Invariant::MisuseRefused);
    let four: &[u32] = &[1; 4];
    accepts(&FOUR, &OUT, no_submit(&[], four, MisuseKind::NotEnoughFree));
    rejects(&FOUR, &OUT, no_submit(&[], four, MisuseKind::ChainExceedsQueue), Invariant::MisuseRefused);
    rejects(&FOUR, &[], no_submit(&[], four, MisuseKind::ChainExceedsQueue), Invariant::MisuseRefused);
}
