//! The complete input of one execution.
//!
//! A scenario is a [`Setup`] and a list of [`Step`]s. It has three equivalent forms: values (this module), bytes
//! ([`Scenario::decode`] and [`Scenario::encode`]: every byte string is a scenario), and text ([`Document`], to read
//! and edit). [`generate`] makes a scenario from a seed.

mod bytes;
mod choices;
mod deep;
mod draw;
mod draw_chain;
mod draw_setup;
mod guess;
mod misuse;
mod offered;
mod parse;
mod print;
mod profile;
mod step;
mod step_drawer;
mod subject_line;
mod tour;
mod words;

pub use bytes::{HEADER_BYTES, STEP_BYTES};
pub use deep::JOURNEYS;
pub use draw::{Draw, GENERATOR, generate};
pub use misuse::{BadHead, HeadCall};
pub use offered::OfferedCalls;
pub use profile::Profile;
pub use step::{Amount, Buffers, Lengths, Op, Pick, Step};
pub(crate) use step_drawer::StepDrawer;
pub use words::ParseError;

use crate::outcome::Expected;
use ringstorm_core::{AfterFault, OverLong, Policies, QueueSize, RingIndex, WritableBuffers};

/// The most buffer memory of a scenario in bytes: queue size times buffer size.
const BUFFER_BYTES_MAX: u64 = 1 << 27;

/// How the queue ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Ending {
    /// The device is stopped, then the caller releases the queue.
    #[default]
    Released,
    /// The caller drops the queue while the device is running. A subject without the capability
    /// [`keeps_memory`](crate::subject::Capabilities::keeps_memory) is released instead.
    Dropped,
}

/// The parameters of the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setup {
    /// The number of descriptors.
    pub queue_size: QueueSize,
    /// The length of each buffer in bytes, at least 1.
    pub buffer_size: u16,
    /// The first index of both rings.
    pub first_index: RingIndex,
    /// Whether the device offers `VIRTIO_F_EVENT_IDX`. A subject that does not support it works without.
    pub event_index: bool,
    /// The policies of the queue. Subjects without policies ignore them.
    pub policies: Policies,
    /// How the queue ends.
    pub ending: Ending,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            queue_size: QueueSize::new(8).expect("a power of two"),
            buffer_size: 64,
            first_index: RingIndex::new(0),
            event_index: false,
            policies: Policies::default(),
            ending: Ending::Released,
        }
    }
}

impl Setup {
    /// Whether the buffers are not empty and need at most 2^27 bytes (128 MiB) of memory.
    pub fn fits(&self) -> bool {
        self.buffer_size > 0
            && u64::from(self.buffer_size) * u64::from(self.queue_size.get()) <= BUFFER_BYTES_MAX
    }

    /// Whether the queue continues after a bad used element. Otherwise it is broken.
    pub fn continues_after_fault(&self) -> bool {
        self.policies.after_fault == AfterFault::Continue
    }

    /// Whether the queue refuses a length that is too long. Otherwise it clamps the length.
    pub fn refuses_over_long(&self) -> bool {
        self.policies.over_long == OverLong::Refuse
    }

    pub(crate) fn is_dropped(&self) -> bool {
        self.ending == Ending::Dropped
    }

    pub(crate) fn zeroes(&self) -> bool {
        self.policies.writable == WritableBuffers::Zeroed
    }
}

/// A setup, and the steps that are run on a queue made from it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scenario {
    /// The setup.
    pub setup: Setup,
    /// The steps in order. Every execution drains the queue after the last one (see [`Op::Settle`]).
    pub steps: Vec<Step>,
}

/// A scenario file: a scenario and its expected outcomes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Document {
    /// The comment lines before the setup, without their `#`.
    pub comments: Vec<String>,
    /// The scenario.
    pub scenario: Scenario,
    /// The outcome that a replay must have, by subject name. Without an entry, core must pass.
    pub expectations: Vec<(String, Expected)>,
}
