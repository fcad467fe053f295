//! The coverage cells that were reached, as JSON.

use crate::coverage::{Coverage, ReachCounts, pair_name};
use ringstorm_model::DriverState;
use ringstorm_sim_device::Fault;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use strum::VariantArray;

/// The coverage cells: pairs of driver state and fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct CoverageReport {
    /// The number of cells that were reached.
    pub pairs_hit: u32,
    /// The number of cells that can be reached.
    pub pairs_total: u32,
    /// The cells that can be reached and were not.
    pub missed: Vec<String>,
    /// The states of the driver, in the order of the numbers in `seeds`.
    pub states: Vec<String>,
    /// By fault: the number of seeds that reached it in each state.
    pub seeds: BTreeMap<String, Vec<u64>>,
}

fn states() -> impl Iterator<Item = DriverState> {
    (0..DriverState::COUNT).map(DriverState::from_number)
}

impl CoverageReport {
    pub(super) fn new(heat: &ReachCounts) -> Self {
        let coverage = heat.coverage();
        let seeds = |fault: Fault| states().map(|state| heat.of(state, fault)).collect();
        Self {
            pairs_hit: coverage.pairs_hit(),
            pairs_total: Coverage::pairs_total(),
            missed: coverage.missed().map(pair_name).collect(),
            states: states().map(|state| state.to_string()).collect(),
            seeds: Fault::VARIANTS.iter().map(|fault| (fault.name().to_owned(), seeds(*fault))).collect(),
        }
    }

    /// The counts of the cells.
    ///
    /// # Errors
    /// A message if the report is inconsistent.
    pub(super) fn read(&self) -> Result<ReachCounts, String> {
        let mut heat = ReachCounts::default();
        for (name, seeds) in &self.seeds {
            let fault =
                name.parse::<Fault>().map_err(|_| format!("expected the name of a fault, found {name:?}"))?;
            if seeds.len() != DriverState::COUNT {
                return Err(format!(
                    "{name}: expected {} numbers, found {}",
                    DriverState::COUNT,
                    seeds.len()
                ));
            }
            states().zip(seeds).for_each(|(state, seeds)| heat.set(state, fault, *seeds));
        }
        if Self::new(&heat) == *self { Ok(heat) } else { Err("its numbers contradict each other".to_owned()) }
    }
}
