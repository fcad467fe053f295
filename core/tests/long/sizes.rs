//! All sixteen queue sizes: filled, emptied in several orders, and filled again.

use crate::support::{Memory, SIZES, Table, descriptors, drain};
use ringstorm_core::{Head, Misuse};

/// The orders in which chains are freed.
const ORDERS: [fn(&mut Vec<Head>); 4] = [
    |_| {},
    |heads| heads.reverse(),
    |heads| {
        let half = heads.len() / 2;
        heads.rotate_left(half);
    },
    |heads| {
        // Odd positions first, so that every freed chain has live neighbours.
        let (even, odd): (Vec<_>, Vec<_>) = heads.iter().enumerate().partition(|(at, _)| at % 2 == 0);
        *heads = odd.into_iter().chain(even).map(|(_, head)| *head).collect();
    },
];

/// Fills the table with chains of `length` descriptors each.
fn fill(table: &mut Table<'_>, length: usize) -> Vec<Head> {
    let writable = vec![1; length];
    let count = usize::from(table.free_count()) / length;
    (0..count).map(|_| table.create(&[], &writable).unwrap()).collect()
}

fn assert_every_descriptor_once(mut seen: Vec<u16>, size: u32) {
    seen.sort_unstable();
    assert!(seen.iter().copied().map(u32::from).eq(0..size), "size {size}");
}

#[test]
fn one_chain_can_use_every_descriptor() {
    for size in SIZES {
        let memory = Memory::new(size, 1);
        let mut table = memory.table();
        for _ in 0..3 {
            let head = table.create(&[], &vec![1; size as usize]).unwrap();
            assert_eq!(table.free_count(), 0);
            assert_eq!(u32::from(table.live_count()), size);
            assert_eq!(table.create(&[b"x"], &[]), Err(Misuse::NotEnoughFree { needed: 1, free: 0 }));
            assert_every_descriptor_once(descriptors(&table, head).unwrap(), size);
            assert_eq!(memory.device().chain(head.index()).len(), size as usize);
            assert_eq!(table.verify(), []);
            table.free(head).unwrap();
            assert_eq!(u32::from(table.free_count()), size);
        }
        let needed = size as usize + 1;
        let refused = Err(Misuse::ChainExceedsQueue { needed, size: memory.config.size });
        assert_eq!(table.create(&[b"x"], &vec![1; size as usize]), refused);
    }
}

#[test]
fn chains_are_freed_in_any_order_without_loss() {
    for size in SIZES {
        let memory = Memory::new(size, 1);
        let mut table = memory.table();
        for order in ORDERS {
            for length in [1, 2, 4].into_iter().filter(|length| *length <= size as usize) {
                let mut heads = fill(&mut table, length);
                let mut seen: Vec<u16> =
                    heads.iter().flat_map(|head| descriptors(&table, *head).unwrap()).collect();
                assert_eq!(table.free_count(), 0);
                assert_every_descriptor_once(std::mem::take(&mut seen), size);
                order(&mut heads);
                for (done, head) in heads.iter().enumerate() {
                    assert_eq!(usize::from(table.free_count()), done * length);
                    table.free(*head).unwrap();
                }
                assert_eq!(u32::from(table.free_count()), size);
            }
        }
        assert_eq!(table.verify(), []);
        assert_every_descriptor_once(drain(&mut table), size);
    }
}

#[test]
fn a_half_emptied_table_fills_up_again() {
    for size in SIZES.into_iter().skip(1) {
        let memory = Memory::new(size, 1);
        let mut table = memory.table();
        let heads = fill(&mut table, 1);
        let kept: Vec<u16> = heads.iter().skip(1).step_by(2).map(|head| head.index()).collect();
        for head in heads.iter().step_by(2) {
            table.free(*head).unwrap();
        }
        assert_eq!(u32::from(table.free_count()), size / 2);
        let head = table.create(&[], &vec![1; size as usize / 2]).unwrap();
        let mut all = descriptors(&table, head).unwrap();
        all.extend(kept);
        assert_every_descriptor_once(all, size);
        assert_eq!(table.verify(), []);
    }
}
