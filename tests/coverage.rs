//! Coverage cells: a cell that counts as unreachable is never reached, and the stated reason holds for all such cells.

use ringstorm::coverage::{Coverage, reachable_pairs, unreachable_because};
use ringstorm::execution::Rig;
use ringstorm::scenario::{Profile, generate};
use ringstorm::subject::SubjectKind;
use ringstorm_model::{DriverState, Occupancy};
use ringstorm_sim_device::Fault;
use std::collections::HashSet;
use strum::VariantArray;

fn all_pairs() -> impl Iterator<Item = (DriverState, Fault)> {
    let states = (0..DriverState::COUNT).map(DriverState::from_number);
    states.flat_map(|state| Fault::VARIANTS.iter().map(move |fault| (state, *fault)))
}

#[test]
fn an_unreachable_cell_is_never_reached() {
    let mut rig = Rig::new().expect("there is memory");
    let mut reached = Coverage::default();
    for profile in [Profile::Swarm, Profile::Hostile] {
        for seed in 0..2_000 {
            let outcome =
                rig.run(SubjectKind::Core, &generate(seed, profile, 128), &mut ()).expect("there is memory");
            reached.merge(&outcome.coverage);
        }
    }
    for (state, fault) in all_pairs() {
        if let Some(reason) = unreachable_because(state, fault) {
            assert!(!reached.has(state, fault), "{state} x {} was reached: {reason}", fault.name());
        }
    }
    let (hit, total) = (reached.pairs_hit(), Coverage::pairs_total());
    assert!(hit > total * 8 / 10, "the storm reached only {hit} of {total} coverage cells");
}

/// The only reason why a cell is unreachable: a queue without live chains is not fragmented.
#[test]
fn only_an_empty_queue_is_never_fragmented() {
    let reachable: HashSet<(usize, Fault)> =
        reachable_pairs().map(|(state, fault)| (state.number(), fault)).collect();
    for (state, fault) in all_pairs() {
        let impossible = state.occupancy == Occupancy::Empty && state.fragmented;
        assert_eq!(unreachable_because(state, fault).is_some(), impossible);
        assert_eq!(reachable.contains(&(state.number(), fault)), !impossible);
    }
    assert_eq!(reachable.len(), 20 * Fault::VARIANTS.len());
}

#[test]
fn missed_cells_are_the_reachable_ones_that_were_not_reached() {
    let mut coverage = Coverage::default();
    assert_eq!(coverage.missed().count() as u32, Coverage::pairs_total());
    let (state, fault) = reachable_pairs().nth(100).expect("there are more");
    coverage.reach(state.number(), fault);
    assert_eq!(coverage.pairs_hit(), 1);
    assert!(!coverage.missed().any(|pair| pair == (state, fault)));
    assert_eq!(coverage.missed().count() as u32, Coverage::pairs_total() - 1);
}
