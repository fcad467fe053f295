//! The outcome of an execution, and the signature that groups findings.

mod fault_set;

pub use fault_set::FaultSet;

use ringstorm_model::{Invariant, Violation};
use ringstorm_sim_device::Fault;
use serde::{Deserialize, Serialize, de};
use std::fmt;
use std::str::FromStr;
use strum::{EnumString, FromRepr, IntoStaticStr};

/// The calls of a driver.
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
    /// Constructing the queue.
    Construct,
    /// Submitting a chain, with payload copied or written in place.
    Submit,
    /// Publishing the submitted chains.
    Publish,
    /// Taking a used chain.
    Take,
    /// Reading what the device wrote.
    Read,
    /// Freeing a chain.
    Free,
    /// Asking for the number of free descriptors.
    FreeCount,
    /// Enabling or disabling used-buffer notifications.
    Interrupts,
    /// Resetting the queue.
    Reset,
    /// Releasing the queue.
    Release,
    /// Dropping the queue while the device is running.
    Drop,
    /// Withdrawing a chain that is not published.
    Withdraw,
    /// Taking back a chain that the device has not returned.
    TakeBack,
    /// Enabling used-buffer notifications that may be delayed.
    DelayInterrupts,
    /// Handling a used-buffer notification.
    InterruptArrived,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.into())
    }
}

/// The result of an execution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// No error was found.
    Pass,
    /// An invariant is violated.
    Violation(Violation),
    /// The subject panicked with this message.
    Panic(String),
    /// A call of the subject did not return. (If the queue does not drain, this is a violation of [`Invariant::Drains`]
    /// instead.)
    Stuck(Limit),
    /// The subject ended its process in this way.
    Died(String),
}

/// How the harness noticed that a call does not return.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// The call made more accesses to watched memory than any call needs.
    Accesses,
    /// The call took longer than the call timeout.
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

/// All results of an execution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The verdict.
    pub verdict: Verdict,
    /// The failing step, from 0. The number of steps if the drain at the end fails, or if nothing fails.
    pub step: usize,
    /// Steps that were started, including the drain at the end.
    pub steps: u64,
    /// Steps that changed a ring, the descriptor table, a buffer or the driver's answer.
    pub effective_steps: u64,
    /// Steps for which the subject lacks the capability.
    pub skipped_steps: u64,
    /// The hash of all events, in order.
    pub trace_hash: u64,
    /// The driver's last call.
    pub call: Call,
    /// The last fault that took effect.
    pub last_fault: Option<Fault>,
    /// All faults that took effect.
    pub faults: FaultSet,
    /// The call that unwound because a memory access failed. The last one, if there are several.
    pub unwound: Option<Call>,
    /// The coverage cells that were reached.
    pub coverage: crate::coverage::Coverage,
}

impl Outcome {
    /// Whether the verdict is not `pass`.
    pub const fn is_finding(&self) -> bool {
        !matches!(self.verdict, Verdict::Pass)
    }

    /// The signature of this finding.
    pub fn signature(&self, subject: &str) -> Signature {
        Signature {
            subject: subject.to_owned(),
            expected: Expected::of(&self.verdict),
            call: self.call,
            last_fault: self.last_fault,
        }
    }
}

/// A verdict without its details, as a scenario file can expect it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Expected {
    /// [`Verdict::Pass`].
    Pass,
    /// [`Verdict::Violation`] of this invariant.
    Violation(Invariant),
    /// [`Verdict::Panic`], which violates [`Invariant::NoPanic`].
    Panic,
    /// [`Verdict::Stuck`], which violates [`Invariant::NoPanic`].
    Stuck,
    /// [`Verdict::Died`], which violates [`Invariant::NoPanic`].
    Died,
}

impl Expected {
    /// The syntax, for error messages.
    pub(crate) const SYNTAX: &'static str = "one of pass, violation INVARIANT, panic, stuck, died";

    /// Whether such an outcome, with this verdict as text, ends the process or never returns, so that it needs a child
    /// process.
    pub(crate) fn is_deadly(self, detail: &str) -> bool {
        match self {
            Self::Died => true,
            Self::Stuck => detail.starts_with(&Verdict::Stuck(Limit::Time).to_string()),
            Self::Pass | Self::Violation(_) | Self::Panic => false,
        }
    }

    /// The verdict without its details.
    pub const fn of(verdict: &Verdict) -> Self {
        match verdict {
            Verdict::Pass => Self::Pass,
            Verdict::Violation(violation) => Self::Violation(violation.invariant),
            Verdict::Panic(_) => Self::Panic,
            Verdict::Stuck(_) => Self::Stuck,
            Verdict::Died(_) => Self::Died,
        }
    }

    /// The kind of the verdict, as one word.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Violation(_) => "violation",
            Self::Panic => "panic",
            Self::Stuck => "stuck",
            Self::Died => "died",
        }
    }

    /// The violated invariant; `None` for `pass`.
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

/// Groups findings: equal signatures belong to one group.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Signature {
    /// The subject's name.
    pub subject: String,
    /// The verdict without its details.
    pub expected: Expected,
    /// The failing call.
    pub call: Call,
    /// The last fault before the failing call. A group of findings has the one that is left after shrinking.
    pub last_fault: Option<Fault>,
}

impl Signature {
    /// Whether verdict and failing call are the same. The last fault does not matter: the finding may not need it.
    pub fn is_same_failure(&self, other: &Self) -> bool {
        let failure = |signature: &Self| (signature.subject.clone(), signature.expected, signature.call);
        failure(self) == failure(other)
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { subject, expected, call, last_fault } = self;
        let invariant = expected.invariant().map_or("none", Invariant::name);
        let kind = expected.kind();
        write!(f, "{subject}/{kind}/{invariant}/{call}/{}", last_fault.map_or("no-fault", Fault::name))
    }
}

/// Parses the output of [`Display`](fmt::Display).
impl FromStr for Signature {
    type Err = InvalidSignature;

    fn from_str(text: &str) -> Result<Self, InvalidSignature> {
        // The name of a subject may contain slashes; the other parts contain none.
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

/// A text that is not a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a signature: SUBJECT/OUTCOME/INVARIANT/CALL/FAULT")]
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
