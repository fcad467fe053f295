//! Kinds of scenarios.

use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};

/// What kind of scenarios a campaign draws.
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
    /// The device keeps to the specification.
    Honest,
    /// Every fault and every operation, equally likely in all scenarios.
    Hostile,
    /// Each scenario draws its own subset of operations and faults, at very different weights.
    #[default]
    Swarm,
}
