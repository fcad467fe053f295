//! How an execution ended.

use ringstorm_model::{Invariant, Violation};
use ringstorm_sim_device::Fault;
use serde::Serialize;
use std::fmt;
use strum::IntoStaticStr;

/// The calls of a driver, to say which one was guilty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Call {
    /// Making it.
    Construct,
    /// Submitting, by copy or in place.
    Submit,
    /// Publishing.
    Publish,
    /// Taking a used chain.
    Take,
    /// Reading what a device wrote.
    Read,
    /// Freeing a chain.
    Free,
    /// Asking for the free count.
    FreeCount,
    /// Asking for notifications, or for none.
    Interrupts,
    /// Resetting.
    Reset,
    /// Releasing.
    Release,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.into())
    }
}

/// What an execution came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing wrong was seen.
    Pass,
    /// An invariant does not hold.
    Violation(Violation),
    /// The subject panicked, with this message.
    Panic(String),
    /// A call of the subject did not return within its number of accesses. (Settling that brings nothing home within
    /// its rounds is a violation of [`Invariant::Drains`].)
    Stuck,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pass => f.write_str("pass"),
            Self::Violation(violation) => write!(f, "violation of {violation}"),
            Self::Panic(message) => write!(f, "panic: {message}"),
            Self::Stuck => f.write_str("stuck: the call accessed memory over and over and did not return"),
        }
    }
}

/// Everything that is known of an execution when it is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What it came to.
    pub verdict: Verdict,
    /// The step during which it ended, from 0; the number of steps if while settling at the end.
    pub step: usize,
    /// Steps that were begun, the settling at the end among them.
    pub steps: u64,
    /// Steps that changed a ring, the table, a buffer or a driver's answer.
    pub effective_steps: u64,
    /// Steps that the subject cannot do.
    pub skipped_steps: u64,
    /// A hash over all events, in order.
    pub trace_hash: u64,
    /// The driver's last call.
    pub call: Call,
    /// The last fault that did something.
    pub last_fault: Option<Fault>,
    /// The pairs of driver state and fault that were reached.
    pub coverage: crate::coverage::Coverage,
}

impl Outcome {
    /// Whether something wrong was seen.
    pub const fn is_finding(&self) -> bool {
        !matches!(self.verdict, Verdict::Pass)
    }

    /// What tells this finding from others.
    pub fn signature(&self, subject: &str) -> Signature {
        Signature {
            subject: subject.to_owned(),
            expected: Expected::of(&self.verdict),
            call: self.call,
            last_fault: self.last_fault,
        }
    }
}

/// An outcome as far as it can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Expected {
    /// [`Verdict::Pass`].
    Pass,
    /// [`Verdict::Violation`] of this invariant.
    Violation(Invariant),
    /// [`Verdict::Panic`], which violates [`Invariant::NoPanic`].
    Panic,
    /// [`Verdict::Stuck`], likewise.
    Stuck,
}

impl Expected {
    /// How it is written.
    pub const SYNTAX: &'static str = "one of pass, violation INVARIANT, panic, stuck";

    /// What of a verdict can be asked for.
    pub const fn of(verdict: &Verdict) -> Self {
        match verdict {
            Verdict::Pass => Self::Pass,
            Verdict::Violation(violation) => Self::Violation(violation.invariant),
            Verdict::Panic(_) => Self::Panic,
            Verdict::Stuck => Self::Stuck,
        }
    }

    /// The invariant that does not hold, if one does not.
    pub const fn invariant(self) -> Option<Invariant> {
        match self {
            Self::Pass => None,
            Self::Violation(invariant) => Some(invariant),
            Self::Panic | Self::Stuck => Some(Invariant::NoPanic),
        }
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pass => f.write_str("pass"),
            Self::Violation(invariant) => write!(f, "violation {invariant}"),
            Self::Panic => f.write_str("panic"),
            Self::Stuck => f.write_str("stuck"),
        }
    }
}

/// What findings are grouped by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Signature {
    /// The subject's name.
    pub subject: String,
    /// The outcome.
    pub expected: Expected,
    /// The guilty call.
    pub call: Call,
    /// The last fault before it.
    pub last_fault: Option<Fault>,
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { subject, expected, call, last_fault } = self;
        let invariant = expected.invariant().map_or("none", Invariant::name);
        let kind = match expected {
            Expected::Pass => "pass",
            Expected::Violation(_) => "violation",
            Expected::Panic => "panic",
            Expected::Stuck => "stuck",
        };
        write!(f, "{subject}/{kind}/{invariant}/{call}/{}", last_fault.map_or("no-fault", Fault::name))
    }
}

impl Serialize for Signature {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
