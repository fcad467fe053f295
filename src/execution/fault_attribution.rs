//! Which faults the driver meets in which call, and how it answers them.

use super::run::Run;
use crate::counts::Answer;
use crate::outcome::Call;
use ringstorm_model::{Completion, DeviceRefusal, Refusal};
use ringstorm_sim_device::{Effect, Fault, Target};

/// A fault that was thrown.
#[derive(Debug, Clone, Copy)]
pub(super) struct Thrown {
    /// The driver's state then.
    state: usize,
    fault: Fault,
    /// The number of the fault in its execution, from 1.
    number: u32,
}

impl Thrown {
    /// Stands where there is none.
    pub(super) const NOTHING: Self = Self { state: 0, fault: Fault::ChangedBetweenReads, number: 0 };
}

/// An element of the used ring that a fault added.
#[derive(Debug, Clone, Copy)]
pub(super) struct Forged {
    thrown: Thrown,
    index: u16,
    /// The length that it claims.
    length: u32,
}

/// Whether a fault adds an element to the used ring at once.
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

/// Whether a driver could come across a fault in a call.
const fn can_meet(call: Call, fault: Fault) -> bool {
    match (fault.target(), call) {
        // Whoever looks for used chains can come across anything.
        (_, Call::Take) | (Target::Table | Target::AvailableRing | Target::Buffers, _) => true,
        (Target::UsedRing, Call::Publish) => matches!(fault, Fault::FlagsGarbage | Fault::EventGarbage),
        (Target::UsedRing | Target::Time, _) => false,
    }
}

/// How the device is blamed, if it is.
const fn blame(refusal: Option<Refusal>) -> Option<Answer> {
    match refusal {
        Some(Refusal::Device(DeviceRefusal { broken: true, .. })) => Some(Answer::Broken),
        Some(Refusal::Device(_)) => Some(Answer::Reported),
        _ => None,
    }
}

impl Run {
    /// The device did something that it should not.
    pub(super) fn throw(&mut self, state: usize, fault: Fault) {
        self.thrown += 1;
        self.counts.fault_mut(fault).thrown += 1;
        (self.last_fault, self.last_answer) = (Some(fault), None);
        let thrown = Thrown { state, fault, number: self.thrown };
        if fault == Fault::ChangedBetweenReads {
            // Nothing has changed yet.
            self.trap_thrown = thrown;
        } else {
            self.unmet.push(thrown);
        }
    }

    /// The last fault added an element to the used ring, as its effects tell.
    pub(super) fn forge(&mut self, effects: &[Effect]) {
        let element = effects.iter().rev().find_map(|effect| match *effect {
            Effect::UsedElement { index, length, .. } => Some((index, length)),
            _ => None,
        });
        if let (Some((index, length)), Some(thrown)) = (element, self.unmet.last().copied()) {
            self.forged.retain(|forged| forged.index != index);
            self.forged.push(Forged { thrown, index, length });
        }
    }

    /// The driver made a call that could meet some of the faults, and was or was not refused.
    #[inline]
    pub(super) fn attribute_faults(&mut self, call: Call, refusal: Option<Refusal>) {
        self.blame = blame(refusal);
        if !self.unmet.is_empty() {
            self.meet_unmet(call);
        }
    }

    fn meet_unmet(&mut self, call: Call) {
        let mut unmet = std::mem::take(&mut self.unmet);
        // Where the device's claims stand is where a driver looks first.
        let is_claim = |thrown: &Thrown| {
            thrown.fault.target() == Target::UsedRing
                && !adds_element(thrown.fault)
                && can_meet(call, thrown.fault)
        };
        let to_claims = self.blame.is_some() && unmet.iter().any(is_claim);
        unmet.retain(|thrown| {
            let met = can_meet(call, thrown.fault);
            if met {
                self.coverage.reach(thrown.state, thrown.fault);
                if !adds_element(thrown.fault) {
                    let blame = self.blame.filter(|_| !to_claims || is_claim(thrown));
                    self.answered(*thrown, blame.unwrap_or(Answer::Ignored));
                }
            }
            !met
        });
        self.unmet = unmet;
    }

    /// The driver took: from one element of the used ring it came to another. Meets all that can be met there.
    #[inline]
    pub(super) fn attribute_take(&mut self, from: u16, to: u16, answer: Result<Option<Completion>, Refusal>) {
        self.blame = blame(answer.err());
        if !self.forged.is_empty() {
            self.meet_forged(from, to.wrapping_sub(from), answer.ok().flatten());
        }
        if !self.unmet.is_empty() {
            self.meet_unmet(Call::Take);
        }
    }

    fn meet_forged(&mut self, from: u16, consumed: u16, done: Option<Completion>) {
        let (blame, tells) = (self.blame, self.can.lengths);
        let ahead = |element: &Forged| element.index.wrapping_sub(from);
        // Who leaves what it refuses may have refused all that is in the ring, up to the next such element.
        let last = match (blame, consumed) {
            (Some(_), 0) => self.forged.iter().map(ahead).min().unwrap_or_default(),
            (_, consumed) => consumed.saturating_sub(1),
        };
        let mut forged = std::mem::take(&mut self.forged);
        forged.retain(|element| {
            let ahead = ahead(element);
            let answered = match (done, blame) {
                (Some(done), _) if tells && ahead == last && done.length < element.length => Answer::Clamped,
                (_, Some(blame)) if ahead == last => {
                    self.blame = None;
                    blame
                }
                _ if ahead < consumed => Answer::Ignored,
                _ => return true,
            };
            self.answered(element.thrown, answered);
            false
        });
        self.forged = forged;
    }

    /// A value that was to change behind a read did.
    pub(super) fn attribute_trap(&mut self) {
        let thrown = self.trap_thrown;
        self.coverage.reach(thrown.state, thrown.fault);
        self.answered(thrown, self.blame.unwrap_or(Answer::Ignored));
    }

    /// The faults are over, whether the driver met them or not.
    pub(super) fn forget_faults(&mut self) {
        self.unmet.clear();
        self.forged.clear();
    }

    fn answered(&mut self, thrown: Thrown, answer: Answer) {
        self.counts.answer(thrown.fault, answer);
        if thrown.number == self.thrown {
            self.last_answer = Some(answer);
        }
    }
}
