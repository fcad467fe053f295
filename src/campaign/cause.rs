//! Decides whether two shrunk findings are likely to have one cause.

use super::Finding;
use crate::outcome::{Expected, Signature};
use crate::shrink::severity;
use ringstorm_model::Invariant;
use ringstorm_sim_device::Fault;
use std::collections::BTreeMap;

impl Finding {
    /// Whether both are likely to have one cause: they fail alike, both need that the same call unwinds, or one shows the
    /// other if a part of it is missing.
    pub(super) fn has_cause_of(&self, other: &Self) -> bool {
        let shows = |one: &Self, other: &Self| {
            let likely = one.within.iter().filter(|part| may_share_cause(part, &one.signature));
            likely.into_iter().any(|part| other.is_named(part))
        };
        let unwinds_alike = self.unwound.is_some() && self.unwound == other.unwound;
        (unwinds_alike && self.signature.subject == other.signature.subject)
            || shows(self, other)
            || shows(other, self)
            || self.members().any(|one| other.members().any(|two| fail_alike(one, two)))
    }

    /// One group with the seeds of both. It shows the scenario that shows the cause better.
    pub(super) fn with(self, other: Self) -> Self {
        let count = self.count + other.count;
        let (seed, step) = (self.seed, self.step).min((other.seed, other.step));
        let members = self.members().chain(other.members());
        let mut also: BTreeMap<Signature, String> =
            members.map(|(signature, detail)| (signature.clone(), detail.to_owned())).collect();
        let masked = self.masked || other.masked;
        let unwound = self.unwound.or(other.unwound);
        let other_is_better = self.unshrunk || !other.unshrunk && other.rank() < self.rank();
        let better = if other_is_better { other } else { self };
        also.remove(&better.signature);
        Self { count, seed, step, also, masked, unwound, ..better }
    }

    /// The signatures of the group.
    pub fn signatures(&self) -> impl Iterator<Item = &Signature> {
        [&self.signature].into_iter().chain(self.also.keys())
    }

    /// The signatures of the group, each with what happened.
    pub(super) fn members(&self) -> impl Iterator<Item = (&Signature, &str)> {
        let also = self.also.iter().map(|(signature, detail)| (signature, detail.as_str()));
        [(&self.signature, self.detail.as_str())].into_iter().chain(also)
    }

    /// Whether this is a signature of the group.
    pub(super) fn is_named(&self, signature: &Signature) -> bool {
        self.signature == *signature || self.also.contains_key(signature)
    }

    /// Which of two findings shows their cause better: the lower one. A finding without a fault is lower than one with
    /// a fault, then a fault that the specification permits, then the shorter scenario.
    fn rank(&self) -> (Option<(bool, u8)>, usize) {
        (self.signature.last_fault.map(severity), self.shrunk.steps.len())
    }
}

/// Whether two findings can have one cause, if the scenario of one shows the other when a part of it is missing. A queue
/// that often decides wrongly about notifications does so in most parts of a scenario that shows another defect, and a
/// defect that needs no fault shows in most parts of a scenario that needs one.
fn may_share_cause(one: &Signature, other: &Signature) -> bool {
    let kind = |signature: &Signature| match signature.expected.invariant() {
        Some(Invariant::Notified | Invariant::AccessOrder) => 1,
        Some(Invariant::MisuseRefused | Invariant::FailedUnchanged) => 2,
        _ => 3,
    };
    let needs_fault = |signature: &Signature| signature.last_fault.is_some_and(Fault::breaks_specification);
    kind(one) == kind(other) && needs_fault(one) == needs_fault(other)
}

/// Whether the same went wrong, perhaps after different faults. Each finding has a signature, and what happened.
fn fail_alike(one: (&Signature, &str), other: (&Signature, &str)) -> bool {
    let ((signature, detail), (other, other_detail)) = (one, other);
    let Signature { subject, expected, call, .. } = signature;
    if (subject, expected) != (&other.subject, &other.expected) {
        return false;
    }
    if signature == other {
        return true;
    }
    match expected {
        // The call in which a changed descriptor is noticed depends on the device.
        Expected::Violation(Invariant::Payload) if is_about_descriptors(detail) => {
            is_about_descriptors(other_detail)
        }
        // The calls that take a handle check it alike.
        Expected::Violation(Invariant::MisuseRefused) if expectation(detail).is_some() => {
            expectation(detail) == expectation(other_detail)
        }
        // The text of a panic is the subject's. What stands in parentheses tells its panics apart.
        Expected::Panic | Expected::Died => *call == other.call && same_words(detail, other_detail),
        _ => *call == other.call && same_words(&without_remarks(detail), &without_remarks(other_detail)),
    }
}

/// Whether a violation of [`Invariant::Payload`] is a change of the descriptors of a chain in flight.
fn is_about_descriptors(detail: &str) -> bool {
    detail.contains("changed")
}

/// What a message says was expected, without its numbers.
fn expectation(detail: &str) -> Option<String> {
    detail.split_once("; expected ").map(|(_, expected)| without_numbers(expected))
}

/// Whether two messages are equal, except for their numbers.
fn same_words(one: &str, other: &str) -> bool {
    without_numbers(one) == without_numbers(other)
}

/// A message without what stands in parentheses.
fn without_remarks(text: &str) -> String {
    let mut depth = 0_usize;
    let outside = |letter: &char| {
        depth += usize::from(*letter == '(');
        let is_outside = depth == 0;
        depth = depth.saturating_sub(usize::from(*letter == ')'));
        is_outside
    };
    text.chars().filter(outside).collect()
}

/// A message with each number replaced, and its words in the singular.
fn without_numbers(text: &str) -> String {
    let singular = |word: &str| match word {
        _ if word.contains(|letter: char| letter.is_ascii_digit()) => "#".to_owned(),
        "are" => "i".to_owned(),
        "were" => "wa".to_owned(),
        "have" => "ha".to_owned(),
        _ => word.trim_end_matches([';', ',', ':']).trim_end_matches('s').to_owned(),
    };
    text.split_whitespace().map(singular).collect::<Vec<String>>().join(" ")
}
