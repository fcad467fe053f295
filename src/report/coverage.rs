//! Which pairs of driver state and fault were reached, as JSON.

use crate::coverage::{Coverage, ReachCounts, pair_name};
use ringstorm_model::DriverState;
use ringstorm_sim_device::Fault;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use strum::VariantArray;

/// Which pairs of driver state and fault were reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct CoverageReport {
    /// How many were.
    pub pairs_hit: u32,
    /// How many can be.
    pub pairs_total: u32,
    /// Those that were not.
    pub missed: Vec<String>,
    /// The driver's states, in the order of the numbers below.
    pub states: Vec<String>,
    /// By fault: how many seeds reached it in each state.
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

    /// What was reached.
    ///
    /// # Errors
    /// A word on what makes no sense in it.
    pub(super) fn read(&self) -> Result<ReachCounts, String> {
        let mut heat = ReachCounts::default();
        for (name, seeds) in &self.seeds {
            let fault = name.parse::<Fault>().map_err(|_| format!("{name:?} is no fault"))?;
            if seeds.len() != DriverState::COUNT {
                return Err(format!("expected {} numbers of {name}", DriverState::COUNT));
            }
            states().zip(seeds).for_each(|(state, seeds)| heat.set(state, fault, *seeds));
        }
        if Self::new(&heat) == *self { Ok(heat) } else { Err("its parts do not agree".to_owned()) }
    }
}
