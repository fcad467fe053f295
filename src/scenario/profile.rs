//! The kinds of scenarios.

use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};

/// The kind of scenarios that a storm draws.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Default,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
    clap::ValueEnum,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Profile {
    /// The device follows the specification.
    Honest,
    /// Every fault and every operation is equally likely.
    Hostile,
    /// Each scenario draws its own subset of operations and faults, with very different weights.
    #[default]
    Swarm,
}
