//! Assigns each answer of the driver to the fault that it answers.

use crate::counts::{Answer, Counts};
use crate::coverage::Coverage;
use crate::outcome::{Call, FaultSet};
use ringstorm_model::{Completion, DeviceRefusal, Refusal};
use ringstorm_sim_device::{Effect, Fault, Target};

/// A fault that the device has committed.
#[derive(Debug, Clone, Copy)]
struct Committed {
    /// The number of the driver's state at that time.
    state: usize,
    fault: Fault,
    /// The number of the fault in its execution, from 1.
    number: u32,
}

impl Committed {
    /// A placeholder, used before any trap is set.
    const NONE: Self = Self { state: 0, fault: Fault::ChangedBetweenReads, number: 0 };
}

/// A used element that a fault added.
#[derive(Debug, Clone, Copy)]
struct ForgedElement {
    committed: Committed,
    index: u16,
    /// The length in the element, in bytes.
    length: u32,
}

/// Whether a fault adds a used element as soon as it is committed.
pub(super) const fn adds_element(fault: Fault) -> bool {
    match fault {
        Fault::IdOutOfRange
        | Fault::TruncatedId
        | Fault::MidChainId
        | Fault::DuplicateId
        | Fault::LengthTooLong
        | Fault::FreeId
        | Fault::StaleId
        | Fault::LengthForReadable
        | Fault::LengthUnwritten => true,
        Fault::IndexJump
        | Fault::NextToHead
        | Fault::NextToMiddle
        | Fault::LengthScribbled
        | Fault::NeverReturned
        | Fault::NextOutOfRange
        | Fault::IndexBackwards
        | Fault::IndexBeforeElement
        | Fault::FlagsGarbage
        | Fault::EventGarbage
        | Fault::NextToSelf
        | Fault::NextToFree
        | Fault::NextSet
        | Fault::NextCleared
        | Fault::WriteFlipped
        | Fault::IndirectFlipped
        | Fault::LengthGrown
        | Fault::LengthZeroed
        | Fault::AddressOfAnother
        | Fault::AddressOutside
        | Fault::AddressZero
        | Fault::AvailableIndexOverwritten
        | Fault::AvailableEntryOverwritten
        | Fault::ReadableWritten
        | Fault::WrittenAfterReturn
        | Fault::SpuriousNotification
        | Fault::LostNotification
        | Fault::ChangedBetweenReads
        | Fault::StopsAnswering
        | Fault::NeedsReset => false,
    }
}

/// Whether a call of the driver can encounter a fault.
const fn can_encounter(call: Call, fault: Fault) -> bool {
    match (fault.target(), call) {
        // A take reads the rings and the table, so it can encounter every fault.
        (_, Call::Take) | (Target::Table | Target::AvailableRing | Target::Buffers, _) => true,
        (Target::UsedRing, Call::Publish) => matches!(fault, Fault::FlagsGarbage | Fault::EventGarbage),
        (Target::UsedRing | Target::Time, _) => false,
    }
}

/// How the refusal blames the device; `None` if it does not.
const fn blame(refusal: Option<Refusal>) -> Option<Answer> {
    match refusal {
        Some(Refusal::Device(DeviceRefusal { broken: true, .. })) => Some(Answer::Broken),
        Some(Refusal::Device(_)) => Some(Answer::Reported),
        _ => None,
    }
}

/// The faults of an execution, and how the driver answered them.
///
/// [`Answers`](crate::counts::Answers) has the rules.
pub(super) struct FaultAttribution {
    /// The last fault that the device committed.
    pub(super) last_fault: Option<Fault>,
    /// The number of the last fault plus 1, or 0 without a fault: so it is reported at each call.
    pub(super) last_fault_code: u8,
    /// All faults that the device committed.
    pub(super) faults: FaultSet,
    /// The coverage cells that were reached.
    pub(super) coverage: Coverage,
    /// Counts over all executions since they were last taken.
    pub(super) counts: Counts,
    /// How many faults the device has committed.
    committed: u32,
    /// Faults that no call of the driver could encounter so far.
    pending: Vec<Committed>,
    /// Forged elements that the driver has neither consumed nor refused.
    forged: Vec<ForgedElement>,
    /// The fault that set the current trap.
    trap: Committed,
    /// How the driver answered the last fault.
    last_answer: Option<Answer>,
    /// How the current call blamed the device.
    blame: Option<Answer>,
    /// Whether the subject reports the length of a used element.
    reports_lengths: bool,
}

impl Default for FaultAttribution {
    fn default() -> Self {
        Self {
            last_fault: None,
            last_fault_code: 0,
            faults: FaultSet::default(),
            coverage: Coverage::default(),
            counts: Counts::default(),
            committed: 0,
            pending: Vec::new(),
            forged: Vec::new(),
            trap: Committed::NONE,
            last_answer: None,
            blame: None,
            reports_lengths: false,
        }
    }
}

impl FaultAttribution {
    /// Starts a new execution. The counts continue.
    pub(super) fn begin(&mut self, reports_lengths: bool) {
        let Self {
            last_fault,
            last_fault_code,
            faults,
            coverage,
            counts: _,
            committed,
            pending,
            forged,
            trap,
            last_answer,
            blame,
            reports_lengths: own_reports_lengths,
        } = self;
        (*last_fault, *last_answer, *blame) = (None, None, None);
        (*last_fault_code, *committed, *trap) = (0, 0, Committed::NONE);
        (*faults, *coverage) = (FaultSet::default(), Coverage::default());
        *own_reports_lengths = reports_lengths;
        pending.clear();
        forged.clear();
    }

    /// Starts a call of the driver.
    #[inline(always)]
    pub(super) const fn begin_call(&mut self) {
        self.blame = None;
    }

    /// Records a fault that the device committed while the driver was in this state.
    pub(super) fn fault_committed(&mut self, state: usize, fault: Fault) {
        self.committed += 1;
        self.counts.fault_mut(fault).thrown += 1;
        (self.last_fault, self.last_answer) = (Some(fault), None);
        self.last_fault_code = fault as u8 + 1;
        self.faults.insert(fault);
        let committed = Committed { state, fault, number: self.committed };
        if fault == Fault::ChangedBetweenReads {
            // The trap has not changed anything yet.
            self.trap = committed;
        } else {
            self.pending.push(committed);
        }
    }

    /// Records the used element that the last fault added; `effects` are the effects of that fault.
    pub(super) fn element_forged(&mut self, effects: &[Effect]) {
        let element = effects.iter().rev().find_map(|effect| match *effect {
            Effect::UsedElement { index, length, .. } => Some((index, length)),
            _ => None,
        });
        if let (Some((index, length)), Some(committed)) = (element, self.pending.last().copied()) {
            self.forged.retain(|forged| forged.index != index);
            self.forged.push(ForgedElement { committed, index, length });
        }
    }

    /// Attributes the answer of a call that is not a take; `refusal` is the call's error.
    #[inline]
    pub(super) fn attribute_call(&mut self, call: Call, refusal: Option<Refusal>) {
        self.blame = blame(refusal);
        if !self.pending.is_empty() {
            self.attribute_pending(call);
        }
    }

    fn attribute_pending(&mut self, call: Call) {
        let mut pending = std::mem::take(&mut self.pending);
        // A driver checks the device's values in the used ring first, so these faults are blamed before others.
        let is_in_used_ring = |committed: &Committed| {
            committed.fault.target() == Target::UsedRing
                && !adds_element(committed.fault)
                && can_encounter(call, committed.fault)
        };
        let blames_used_ring = self.blame.is_some() && pending.iter().any(is_in_used_ring);
        pending.retain(|committed| {
            let encountered = can_encounter(call, committed.fault);
            if encountered {
                self.coverage.reach(committed.state, committed.fault);
                if !adds_element(committed.fault) {
                    let blame = self.blame.filter(|_| !blames_used_ring || is_in_used_ring(committed));
                    self.answered(*committed, blame.unwrap_or(Answer::Ignored));
                }
            }
            !encountered
        });
        self.pending = pending;
    }

    /// Attributes the answer of a take, which advanced the driver's position in the used ring from `from` to `to`.
    #[inline]
    pub(super) fn attribute_take(&mut self, from: u16, to: u16, answer: Result<Option<Completion>, Refusal>) {
        self.blame = blame(answer.err());
        if !self.forged.is_empty() {
            self.attribute_forged(from, to.wrapping_sub(from), answer.ok().flatten());
        }
        if !self.pending.is_empty() {
            self.attribute_pending(Call::Take);
        }
    }

    fn attribute_forged(&mut self, from: u16, consumed: u16, done: Option<Completion>) {
        let (blame, reports_lengths) = (self.blame, self.reports_lengths);
        let ahead = |element: &ForgedElement| element.index.wrapping_sub(from);
        // A driver that blames the device and consumes nothing may have refused any element up to the next forged one.
        let last = match (blame, consumed) {
            (Some(_), 0) => self.forged.iter().map(ahead).min().unwrap_or_default(),
            (_, consumed) => consumed.saturating_sub(1),
        };
        let mut forged = std::mem::take(&mut self.forged);
        forged.retain(|element| {
            let ahead = ahead(element);
            let answer = match (done, blame) {
                (Some(done), _) if reports_lengths && ahead == last && done.length < element.length => {
                    Answer::Clamped
                }
                (_, Some(blame)) if ahead == last => {
                    self.blame = None;
                    blame
                }
                _ if ahead < consumed => Answer::Ignored,
                _ => return true,
            };
            self.answered(element.committed, answer);
            false
        });
        self.forged = forged;
    }

    /// Attributes the current call to the trap, which has changed its value between two reads.
    pub(super) fn attribute_trap(&mut self) {
        let committed = self.trap;
        self.coverage.reach(committed.state, committed.fault);
        self.answered(committed, self.blame.unwrap_or(Answer::Ignored));
    }

    /// Drops the faults that have no answer yet.
    pub(super) fn forget_faults(&mut self) {
        self.pending.clear();
        self.forged.clear();
    }

    /// Counts the finding that ends the execution as the answer to the last fault.
    pub(super) const fn attribute_finding(&mut self) {
        if let Some(fault) = self.last_fault {
            self.counts.violate(fault, self.last_answer);
        }
    }

    fn answered(&mut self, committed: Committed, answer: Answer) {
        self.counts.answer(committed.fault, answer);
        if committed.number == self.committed {
            self.last_answer = Some(answer);
        }
    }
}
