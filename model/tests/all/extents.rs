//! Buffers of live chains must not overlap, unless both are device-readable.

use crate::support::{self, FOUR, at, free};
use proptest::prelude::*;
use ringstorm_model::{Event, Invariant, Model, ModelSetup, ObservedDescriptor, Violation};

const MANY: ModelSetup = ModelSetup { queue_size: 16, ..FOUR };

/// A model, and the number of chains that it has seen.
struct Scene {
    model: Model,
    published: u16,
    returned: u16,
}

impl Scene {
    fn new() -> Self {
        let mut model = Model::new();
        model.begin(&MANY);
        Self { model, published: 0, returned: 0 }
    }

    /// Submits and publishes a chain of these buffers.
    fn add(&mut self, buffers: &[ObservedDescriptor]) -> Result<(), Violation> {
        // A driver may merge buffers, so a descriptor's buffer can be longer than the buffer size.
        let pieces = |writable: bool| {
            let parts = buffers.iter().filter(move |part| part.writable == writable);
            parts.flat_map(|part| (0..part.length).step_by(64).map(|start| (part.length - start).min(64)))
        };
        let there: Vec<Vec<u8>> = pieces(false).map(|length| vec![0; length as usize]).collect();
        let there: Vec<&[u8]> = there.iter().map(Vec::as_slice).collect();
        let back: Vec<u32> = pieces(true).collect();
        let head = buffers[0].index;
        self.published += 1;
        self.model.observe(&support::submit(&there, &back, head)).unwrap();
        self.model.observe(&support::chain(head, buffers))?;
        self.model.observe(&support::index(self.published)).unwrap();
        self.model.observe(&support::available(head))
    }

    fn remove(&mut self, head: u16) {
        let place = self.returned;
        self.returned += 1;
        for event in [
            support::element(place, head.into(), 0),
            support::used(self.returned),
            support::take(head, 0),
            free(head),
        ] {
            self.model.observe(&event).unwrap();
        }
    }
}

/// A buffer in region 0.
const fn from(index: u16, offset: u64, length: u32, writable: bool) -> ObservedDescriptor {
    at(index, 0, offset, length, writable)
}

#[track_caller]
fn overlap(first: ObservedDescriptor, second: ObservedDescriptor) -> bool {
    let mut scene = Scene::new();
    assert_eq!(scene.add(&[first]), Ok(()));
    match scene.add(&[second]) {
        Ok(()) => false,
        Err(violation) => {
            assert_eq!(violation.invariant, Invariant::BuffersDisjoint, "{violation}");
            true
        }
    }
}

#[test]
fn adjacent_buffers_do_not_overlap_and_a_shared_byte_does() {
    for base in [0, 1, 63, 64, 1000] {
        let first = from(0, base + 100, 20, true);
        for (offset, length, expected) in [
            (base + 90, 10, false),
            (base + 90, 11, true),
            (base + 120, 10, false),
            (base + 119, 10, true),
            (base + 100, 20, true),
            (base + 105, 1, true),
            (base + 90, 40, true),
        ] {
            let second = from(1, offset, length, true);
            assert_eq!(overlap(first, second), expected, "{first:?} {second:?}");
            assert_eq!(overlap(second, first), expected, "{second:?} {first:?}");
        }
    }
}

#[test]
fn only_readable_buffers_may_overlap() {
    for (one, other) in [(false, false), (false, true), (true, false), (true, true)] {
        let expected = one || other;
        assert_eq!(overlap(from(0, 10, 10, one), from(1, 15, 10, other)), expected, "{one} {other}");
    }
}

#[test]
fn buffers_in_different_regions_do_not_overlap() {
    assert!(!overlap(at(0, 0, 0, 64, true), at(1, 1, 0, 64, true)));
    assert!(overlap(at(0, 1, 0, 64, true), at(1, 1, 0, 64, true)));
    assert!(!overlap(at(0, 7, 0, 64, true), at(1, 6, 0, 64, true)));
}

#[test]
fn a_chain_does_not_overlap_itself() {
    let answer = Scene::new().add(&[from(0, 0, 8, false), from(1, 7, 8, true)]);
    assert_eq!(answer.unwrap_err().invariant, Invariant::BuffersDisjoint);
    assert_eq!(Scene::new().add(&[from(0, 0, 8, false), from(1, 0, 8, false), from(2, 8, 8, true)]), Ok(()));
}

#[test]
fn a_long_buffer_is_found_at_each_of_its_bytes() {
    let long = from(0, 60, 200, true);
    for (offset, expected) in
        [(59, false), (60, true), (63, true), (64, true), (127, true), (128, true), (200, true)]
    {
        assert_eq!(overlap(long, from(1, offset, 1, true)), expected, "{offset}");
        assert_eq!(overlap(from(0, offset, 1, true), from(1, 60, 200, true)), expected, "{offset}");
    }
    assert!(overlap(long, from(1, 259, 1, true)));
    assert!(!overlap(long, from(1, 260, 1, true)));
}

#[test]
fn an_empty_buffer_overlaps_nothing() {
    let mut scene = Scene::new();
    assert_eq!(scene.add(&[from(0, 0, 8, true)]), Ok(()));
    assert_eq!(scene.add(&[from(1, 8, 8, true), from(2, 4, 0, true), from(3, 0, 0, true)]), Ok(()));
    scene.remove(1);
    assert!(scene.add(&[from(1, 4, 1, true)]).is_err());
}

#[test]
fn freeing_a_buffer_frees_only_its_own_bytes() {
    // Three buffers in one granule of 64 bytes, freed in every order.
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        for gone in 1..=3 {
            let scene = || {
                let mut scene = Scene::new();
                for index in 0..3 {
                    assert_eq!(scene.add(&[from(index, 10 * u64::from(index), 10, true)]), Ok(()));
                }
                order[..gone].iter().for_each(|head| scene.remove(*head));
                scene
            };
            for index in 0..3 {
                let freed = order[..gone].contains(&index);
                let added = scene().add(&[from(9, 10 * u64::from(index), 10, true)]);
                assert_eq!(added.is_ok(), freed, "{index} after {:?}", &order[..gone]);
            }
        }
    }
}

/// Two readable buffers begin at the same position. Freeing one leaves the other.
#[test]
fn shared_bytes_are_free_when_all_their_chains_are_freed() {
    for (gone, at_17) in [(0, false), (1, true)] {
        let scene = || {
            let mut scene = Scene::new();
            scene.add(&[from(0, 10, 5, false)]).unwrap();
            scene.add(&[from(1, 10, 10, false)]).unwrap();
            scene.remove(gone);
            scene
        };
        assert_eq!(scene().add(&[from(9, 17, 1, true)]).is_ok(), at_17, "after {gone}");
        assert!(scene().add(&[from(9, 12, 1, true)]).is_err(), "after {gone}");
        let mut empty = scene();
        empty.remove(1 - gone);
        assert_eq!(empty.add(&[from(9, 10, 10, true)]), Ok(()));
    }
}

#[test]
fn a_reset_frees_all_buffers() {
    let mut scene = Scene::new();
    scene.add(&[from(0, 60, 200, true)]).unwrap();
    scene.model.observe(&Event::Reset { first_index: scene.published }).unwrap();
    assert_eq!(scene.add(&[from(1, 60, 200, true)]), Ok(()));
}

#[test]
fn a_new_queue_begins_without_buffers_and_with_its_own_buffer_size() {
    let mut scene = Scene::new();
    scene.add(&[from(0, 0, 64, true), from(1, 1000, 64, true)]).unwrap();
    for buffer_size in [1, 7, 4096] {
        scene.model.begin(&ModelSetup { buffer_size, ..MANY });
        scene.model.observe(&support::submit(&[], &[1, 1], 2)).unwrap();
        let buffers = [from(2, 0, 1, true), from(3, 1000, 1, true)];
        assert_eq!(scene.model.observe(&support::chain(2, &buffers)), Ok(()));
    }
}

proptest! {
    /// The simple way: compare with all other buffers.
    #[test]
    fn any_buffers_are_judged_as_by_comparing_all(
        steps in prop::collection::vec((0..16u16, 0..2u16, 0..300u64, 1..150u32, any::<bool>(), 0..20u8), 1..200),
    ) {
        let mut scene = Scene::new();
        let mut live: Vec<ObservedDescriptor> = Vec::new();
        for (index, region, offset, length, writable, stop) in steps {
            if let Some(position) = live.iter().position(|other| other.index == index) {
                live.swap_remove(position);
                scene.remove(index);
                continue;
            }
            let buffer = at(index, region, offset, length, writable);
            let bytes: std::ops::Range<u64> = offset..offset + u64::from(length);
            let pieces: u32 = live.iter().chain([&buffer]).map(|part| part.length.div_ceil(64)).sum();
            if pieces > 16 {
                continue;
            }
            let overlaps = live.iter().any(|other| {
                let place = other.place.unwrap();
                let shared = bytes.clone().any(|byte| {
                    (place.offset..place.offset + u64::from(other.length)).contains(&byte)
                });
                place.region == region && shared && (writable || other.writable)
            });
            // A model cannot be used after a violation, so most overlaps are avoided.
            if overlaps && stop > 0 {
                continue;
            }
            prop_assert_eq!(scene.add(&[buffer]).is_err(), overlaps, "{:?} with {:?}", buffer, live);
            if overlaps {
                break;
            }
            live.push(buffer);
        }
    }
}
