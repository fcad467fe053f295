//! How an execution ended.

use ringstorm_model::{Invariant, Violation};
use ringstorm_sim_device::Fault;
use serde::{Deserialize, Serialize, de};
use std::fmt;
use std::str::FromStr;
use strum::{EnumString, FromRepr, IntoStaticStr};

/// The calls of a driver, to say which one was guilty.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    EnumString,
    FromRepr,
    IntoStaticStr,
    Serialize,
    Deserialize,
)]
#[strum(serialize_all = "kebab-case")]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
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
    /// Dropping it while the device is running.
    Drop,
    /// Taking back a chain that is not published.
    Withdraw,
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
    /// A call of the subject did not return. (Settling that brings nothing home within its rounds is a violation of
    /// [`Invariant::Drains`].)
    Stuck(Limit),
    /// The subject ended its process, in this way.
    Died(String),
}

/// How it was seen that a call does not return.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// It made more accesses to watched memory than any call needs.
    Accesses,
    /// It took longer than a call may, on the clock.
    Time,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pass => f.write_str("pass"),
            Self::Violation(violation) => write!(f, "violation of {violation}"),
            Self::Panic(message) => write!(f, "panic: {message}"),
            Self::Stuck(Limit::Accesses) => {
                f.write_str("stuck: the call accessed memory over and over and did not return")
            }
            Self::Stuck(Limit::Time) => f.write_str("stuck: the call did not return in time"),
            Self::Died(how) => write!(f, "died: {how}"),
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
    /// [`Verdict::Died`], likewise.
    Died,
}

impl Expected {
    /// How it is written.
    pub const SYNTAX: &'static str = "one of pass, violation INVARIANT, panic, stuck, died";

    /// Whether what ended so, told in these words, ends the process or keeps it for ever, so that a child has to run it.
    pub fn is_deadly(self, detail: &str) -> bool {
        match self {
            Self::Died => true,
            Self::Stuck => detail.starts_with(&Verdict::Stuck(Limit::Time).to_string()),
            Self::Pass | Self::Violation(_) | Self::Panic => false,
        }
    }

    /// What of a verdict can be asked for.
    pub const fn of(verdict: &Verdict) -> Self {
        match verdict {
            Verdict::Pass => Self::Pass,
            Verdict::Violation(violation) => Self::Violation(violation.invariant),
            Verdict::Panic(_) => Self::Panic,
            Verdict::Stuck(_) => Self::Stuck,
            Verdict::Died(_) => Self::Died,
        }
    }

    /// What kind of outcome it is, in a word.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Violation(_) => "violation",
            Self::Panic => "panic",
            Self::Stuck => "stuck",
            Self::Died => "died",
        }
    }

    /// The invariant that does not hold, if one does not.
    pub const fn invariant(self) -> Option<Invariant> {
        match self {
            Self::Pass => None,
            Self::Violation(invariant) => Some(invariant),
            Self::Panic | Self::Stuck | Self::Died => Some(Invariant::NoPanic),
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
            Self::Died => f.write_str("died"),
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
        let kind = expected.kind();
        write!(f, "{subject}/{kind}/{invariant}/{call}/{}", last_fault.map_or("no-fault", Fault::name))
    }
}

/// Reads what [`Display`](fmt::Display) writes.
impl FromStr for Signature {
    type Err = InvalidSignature;

    fn from_str(text: &str) -> Result<Self, InvalidSignature> {
        // The name of a subject may hold anything; the rest are names of ours.
        let mut parts = text.rsplitn(5, '/');
        let mut next = || parts.next().ok_or(InvalidSignature);
        let (fault, call, invariant, kind, subject) = (next()?, next()?, next()?, next()?, next()?);
        let invariant: Invariant = invariant.parse().map_err(|_| InvalidSignature)?;
        let expected = match kind {
            "violation" => Expected::Violation(invariant),
            "panic" => Expected::Panic,
            "stuck" => Expected::Stuck,
            "died" => Expected::Died,
            _ => return Err(InvalidSignature),
        };
        let last_fault = match fault {
            "no-fault" => None,
            name => Some(name.parse().map_err(|_| InvalidSignature)?),
        };
        let signature = Self {
            subject: subject.to_owned(),
            expected,
            call: call.parse().map_err(|_| InvalidSignature)?,
            last_fault,
        };
        if expected.invariant() == Some(invariant) { Ok(signature) } else { Err(InvalidSignature) }
    }
}

/// A text is no signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a signature: SUBJECT/KIND/INVARIANT/CALL/FAULT")]
pub struct InvalidSignature;

impl<'de> Deserialize<'de> for Signature {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl Serialize for Signature {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
