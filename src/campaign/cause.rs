//! Decides whether two shrunk findings are likely to have one cause.

use super::Finding;
use crate::outcome::{Expected, Signature};
use crate::shrink::severity;
use ringstorm_model::Invariant;
use std::collections::BTreeMap;

impl Finding {
    /// Whether both are likely to have one cause: they fail alike, or one shows the other if a part of it is missing.
    pub(super) fn has_cause_of(&self, other: &Self) -> bool {
        self.within.iter().any(|part| other.is_named(part))
            || other.within.iter().any(|part| self.is_named(part))
            || self.members().any(|one| other.members().any(|two| fail_alike(one, two)))
    }

    /// One group with the seeds of both. It shows the scenario that shows the cause better.
    pub(super) fn with(self, other: Self) -> Self {
        let count = self.count + other.count;
        let (seed, step) = (self.seed, self.step).min((other.seed, other.step));
        let members = self.members().chain(other.members());
        let mut also: BTreeMap<Signature, String> =
            members.map(|(signature, detail)| (signature.clone(), detail.to_owned())).collect();
        let other_is_better = self.unshrunk || !other.unshrunk && other.rank() < self.rank();
        let better = if other_is_better { other } else { self };
        also.remove(&better.signature);
        Self { count, seed, step, also, ..better }
    }

    /// The signatures of the group, each with what happened.
    pub(super) fn members(&self) -> impl Iterator<Item = (&Signature, &str)> {
        let also = self.also.iter().map(|(signature, detail)| (signature, detail.as_str()));
        [(&self.signature, self.detail.as_str())].into_iter().chain(also)
    }

    /// Whether this is a signature of the group.
    fn is_named(&self, signature: &Signature) -> bool {
        self.signature == *signature || self.also.contains_key(signature)
    }

    /// Which of two findings shows their cause better: the lower one. A finding without a fault is lower than one with
    /// a fault, then a fault that the specification permits, then the shorter scenario.
    fn rank(&self) -> (Option<(bool, u8)>, usize) {
        (self.signature.last_fault.map(severity), self.shrunk.steps.len())
    }
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
        _ => *call == other.call && without_numbers(detail) == without_numbers(other_detail),
    }
}

/// Whether a violation of [`Invariant::Payload`] is about the descriptors of a chain, not the bytes in its buffers.
fn is_about_descriptors(detail: &str) -> bool {
    !detail.contains("the device read ")
}

/// What a message says was expected, without its numbers.
fn expectation(detail: &str) -> Option<String> {
    detail.split_once("; expected ").map(|(_, expected)| without_numbers(expected))
}

/// A message with each number replaced, its words in the singular, and without what stands in parentheses.
fn without_numbers(text: &str) -> String {
    let mut depth = 0_usize;
    let outside = |letter: &char| {
        depth += usize::from(*letter == '(');
        let is_outside = depth == 0;
        depth = depth.saturating_sub(usize::from(*letter == ')'));
        is_outside
    };
    let text: String = text.chars().filter(outside).collect();
    let singular = |word: &str| match word {
        _ if word.contains(|letter: char| letter.is_ascii_digit()) => "#".to_owned(),
        "are" => "i".to_owned(),
        "were" => "wa".to_owned(),
        "have" => "ha".to_owned(),
        _ => word.trim_end_matches([';', ',', ':']).trim_end_matches('s').to_owned(),
    };
    text.split_whitespace().map(singular).collect::<Vec<String>>().join(" ")
}
