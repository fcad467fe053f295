//! The complete input of one execution.
//!
//! A scenario is a [`Setup`] and a list of [`Step`]s. It has three forms, none of which loses anything:
//! values (this module), bytes ([`Scenario::decode`], [`Scenario::encode`]: any byte string is a scenario), and
//! text ([`Document`]: what people read and edit). [`generate`] makes one from a seed.

mod bytes;
mod choices;
mod draw;
mod draw_chain;
mod draw_setup;
mod fresh;
mod guess;
mod parse;
mod print;
mod profile;
mod step;
mod tour;
mod words;

pub use bytes::{HEADER_BYTES, STEP_BYTES};
pub use draw::{Draw, GENERATOR, generate};
pub(crate) use fresh::Fresh;
pub use parse::ParseError;
pub use profile::Profile;
pub use step::{Amount, BadHead, Buffers, HeadCall, Lengths, Op, Pick, Step};

use crate::outcome::Expected;
use ringstorm_core::{AfterFault, OverLong, Policies, QueueSize, RingIndex, WritableBuffers};

/// The most buffer memory that a scenario may ask for, in bytes: queue size times buffer size.
pub const BUFFER_BYTES_MAX: u64 = 1 << 27;

/// How the queue goes away at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Ending {
    /// The device is stopped, then the queue is released.
    #[default]
    Released,
    /// The caller drops the queue while the device is running; a subject that [does not promise to keep its
    /// memory](crate::subject::Capabilities::keeps_memory) is released.
    Dropped,
}

/// What the queue is made from, and how it goes away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setup {
    /// Number of descriptors.
    pub queue_size: QueueSize,
    /// Bytes in each buffer, at least 1.
    pub buffer_size: u16,
    /// Where both rings begin.
    pub first_index: RingIndex,
    /// Whether `VIRTIO_F_EVENT_IDX` is offered; a subject that does not know it does without.
    pub event_index: bool,
    /// The policies of the queue, for subjects that have them.
    pub policies: Policies,
    /// How the queue goes away at the end.
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
    /// Whether the buffers stay within [`BUFFER_BYTES_MAX`].
    pub fn fits(&self) -> bool {
        self.buffer_size > 0
            && u64::from(self.buffer_size) * u64::from(self.queue_size.get()) <= BUFFER_BYTES_MAX
    }

    pub(crate) fn continues_after_fault(&self) -> bool {
        self.policies.after_fault == AfterFault::Continue
    }

    pub(crate) fn refuses_over_long(&self) -> bool {
        self.policies.over_long == OverLong::Refuse
    }

    pub(crate) fn is_dropped(&self) -> bool {
        self.ending == Ending::Dropped
    }

    pub(crate) fn zeroes(&self) -> bool {
        self.policies.writable == WritableBuffers::Zeroed
    }
}

/// A setup and what happens to the queue made from it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scenario {
    /// The setup.
    pub setup: Setup,
    /// The steps, in order. After the last one, every execution settles.
    pub steps: Vec<Step>,
}

/// A scenario as it stands in a file: with what is expected of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Document {
    /// Comment lines from the top of the file, without their `#`.
    pub comments: Vec<String>,
    /// The scenario.
    pub scenario: Scenario,
    /// By subject name: the outcome that a replay must have. Where nothing is said, core must pass.
    pub expectations: Vec<(String, Expected)>,
}
