//! Withdrawing a chain that was not published.

use crate::support::{Memory, bytes};
use ringstorm_core::{Completion, Head, Misuse, Notification};

/// If any of the unpublished chains are withdrawn, the device gets the others in the order of submission.
#[test]
fn the_other_chains_keep_their_order() {
    const CHAINS: usize = 6;
    for gone in 0..1_u32 << CHAINS {
        let memory = Memory::new(8, 16).starting_at(0xfffd);
        let (mut queue, mut device) = (memory.queue(), memory.device());
        let first = queue.submit(&[b"first"], &[]).unwrap();
        assert_eq!(queue.publish(), Notification::Needed);
        let heads: Vec<Head> = (0..CHAINS).map(|_| queue.submit(&[], &[1]).unwrap()).collect();
        let (withdrawn, kept): (Vec<_>, Vec<_>) =
            heads.iter().enumerate().partition(|(position, _)| gone & 1 << position != 0);
        // In the order of submission if their number is even, otherwise in the reverse order.
        let mut in_turn: Vec<Head> = withdrawn.into_iter().map(|(_, head)| *head).collect();
        if gone.count_ones() % 2 == 1 {
            in_turn.reverse();
        }
        for head in &in_turn {
            assert_eq!(queue.withdraw(*head), Ok(()));
            assert_eq!(queue.withdraw(*head), Err(Misuse::HeadFree(*head)));
        }
        assert_eq!(usize::from(queue.free_count()), 8 - 1 - kept.len());
        let last = queue.submit(&[b"last"], &[]).unwrap();
        assert_eq!((queue.publish(), queue.in_flight()), (Notification::Needed, kept.len() as u16 + 2));
        let expected: Vec<Head> =
            [first].into_iter().chain(kept.into_iter().map(|(_, head)| *head)).chain([last]).collect();
        let polled: Vec<u16> = std::iter::from_fn(|| device.poll()).collect();
        assert_eq!(polled, expected.iter().map(|head| head.index()).collect::<Vec<_>>(), "{gone:b}");
        for head in expected {
            device.return_chain(head.index().into(), 0);
            assert_eq!(queue.take(), Ok(Some(Completion { head, written: 0 })));
            queue.free(head).unwrap();
        }
        assert_eq!((queue.free_count(), queue.take()), (8, Ok(None)));
        assert_eq!(queue.verify(), []);
    }
}

/// The device sees the same as if the chain had never existed, except for bytes of free buffers and unused entries.
#[test]
fn a_withdrawn_chain_is_not_published() {
    let memory = Memory::new(4, 16);
    let (mut queue, mut device) = (memory.queue(), memory.device());
    let table = bytes(&memory.rings)[..64].to_vec();
    let head = queue.submit(&[b"a secret"], &[16]).unwrap();
    queue.withdraw(head).unwrap();
    assert_eq!((queue.free_count(), queue.in_flight(), queue.publish()), (4, 0, Notification::NotNeeded));
    assert_eq!(device.poll(), None);
    // The address stays, as when a chain is freed. With a length of zero it has no effect.
    let lengths_and_flags =
        |table: &[u8]| table.chunks(16).map(|entry| entry[8..].to_vec()).collect::<Vec<_>>();
    assert_eq!(lengths_and_flags(&bytes(&memory.rings)[..64]), lengths_and_flags(&table));
}

#[test]
fn a_chain_that_was_published_cannot_be_withdrawn() {
    let memory = Memory::new(4, 16);
    let (mut queue, mut device) = (memory.queue(), memory.device());
    let head = queue.submit(&[], &[1]).unwrap();
    let _ = queue.publish();
    assert_eq!(queue.withdraw(head), Err(Misuse::Published(head)));
    device.serve(|_| vec![1]);
    assert_eq!(queue.withdraw(head), Err(Misuse::Published(head)));
    queue.take().unwrap().unwrap();
    assert_eq!(queue.withdraw(head), Err(Misuse::Published(head)));
    queue.free(head).unwrap();
    assert_eq!(queue.withdraw(head), Err(Misuse::HeadFree(head)));
}
