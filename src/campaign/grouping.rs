//! Decides which findings are one group.

use super::{Finding, Summary};
use crate::outcome::Signature;

/// A signature, and the one that its group has now.
type Renamed = (Signature, Signature);

impl Summary {
    /// The signature of the group that this one became, or itself.
    pub fn resolve<'a>(&'a self, mut signature: &'a Signature) -> &'a Signature {
        // A group is renamed only to a group that is not renamed, so this ends.
        while let Some(next) = self.aliases.get(signature) {
            signature = next;
        }
        signature
    }

    /// Counts more seeds of this signature. Returns `false` if there is no such group.
    pub fn count(&mut self, signature: &Signature, seeds: u64) -> bool {
        let group = self.findings.iter_mut().find(|group| group.signature == *signature);
        group.map(|group| group.count += seeds).is_some()
    }

    /// Puts a shrunk finding in the place of the group with this number, which has its signature before shrinking. It
    /// becomes one group with the shrunk groups that are likely to have its cause. Returns the signatures that changed.
    pub(super) fn settle(
        &mut self,
        number: usize,
        mut finding: Finding,
        is_masked: &dyn Fn(&Signature) -> bool,
    ) -> Vec<Renamed> {
        let Finding { signature: before, count, .. } = self.findings.remove(number);
        finding.count = count;
        let own = finding.signature.clone();
        if own != before {
            finding.signature = self.resolve(&own).clone();
        }
        let mut renamed = Vec::new();
        let after = if finding.signature != own && self.settled_count(&finding.signature, count) {
            finding.signature
        } else {
            self.join(number, finding, is_masked, &mut renamed)
        };
        if after != before {
            renamed.push((before, after));
        }
        self.rename(&renamed);
        renamed
    }

    /// Hides the groups that are likely to have the cause of this finding, whose seed is already counted as masked.
    /// Returns the signatures that changed.
    pub(super) fn learn_masked(
        &mut self,
        finding: Finding,
        is_masked: &dyn Fn(&Signature) -> bool,
    ) -> Vec<Renamed> {
        let mut renamed = Vec::new();
        // An old mask can name a fault that the finding does not need. It does not hide the whole group.
        if is_masked(&finding.signature) {
            self.join(self.findings.len(), Finding { count: 0, ..finding }, is_masked, &mut renamed);
        }
        self.rename(&renamed);
        renamed
    }

    /// Adds the groups of the next shard of this run.
    pub(crate) fn append_groups(&mut self, part: Self, is_masked: &dyn Fn(&Signature) -> bool) {
        for (before, after) in part.aliases {
            let is_group = self.findings.iter().any(|group| group.signature == before);
            if !is_group && !self.aliases.contains_key(&before) {
                let after = self.resolve(&after).clone();
                self.aliases.insert(before, after);
            }
        }
        for (before, after) in part.seen_as {
            let after = self.resolve(&after).clone();
            self.seen_as.entry(before).or_insert(after);
        }
        for (signature, count) in part.masked {
            *self.masked.entry(signature).or_default() += count;
        }
        for finding in part.hidden {
            self.learn_masked(finding, is_masked);
        }
        for mut finding in part.findings {
            let signature = self.resolve(&finding.signature).clone();
            let count = finding.count;
            if (finding.unshrunk || signature != finding.signature) && self.count(&signature, count) {
                continue;
            }
            finding.signature = signature;
            let mut renamed = Vec::new();
            self.join(self.findings.len(), finding, is_masked, &mut renamed);
            self.rename(&renamed);
        }
    }

    /// Counts seeds in a group that is shrunk.
    fn settled_count(&mut self, signature: &Signature, seeds: u64) -> bool {
        let group = self.findings.iter_mut().find(|group| group.signature == *signature && !group.unshrunk);
        group.map(|group| group.count += seeds).is_some()
    }

    /// Records that groups have other signatures now.
    fn rename(&mut self, renamed: &[Renamed]) {
        for (before, after) in renamed {
            self.aliases.insert(before.clone(), after.clone());
            let names = self.aliases.values_mut().chain(self.seen_as.values_mut());
            names.filter(|name| *name == before).for_each(|name| name.clone_from(after));
        }
    }

    /// Adds a shrunk finding at this place, and to it the groups that are likely to have its cause. If a mask matches
    /// one of them, all are hidden. An unshrunk group with its signature was found later, by a run that was then
    /// interrupted. Returns the signature of the group.
    fn join(
        &mut self,
        mut place: usize,
        mut finding: Finding,
        is_masked: &dyn Fn(&Signature) -> bool,
        renamed: &mut Vec<Renamed>,
    ) -> Signature {
        let before = finding.signature.clone();
        let mut at = 0;
        while at < self.findings.len() {
            let group = &self.findings[at];
            let joins = match group.unshrunk {
                true => group.signature == finding.signature,
                false => group.has_cause_of(&finding),
            };
            if joins {
                place = place.min(at);
                finding = self.findings.remove(at).with(finding);
            } else {
                at += 1;
            }
        }
        let is_new = finding.also.is_empty() && finding.signature == before;
        let hidden = self.hidden.iter().position(|group| group.has_cause_of(&finding));
        let of_hidden = hidden.map(|number| &self.hidden[number].signature);
        let mask = finding.members().map(|(name, _)| name).find(|name| is_masked(name)).or(of_hidden);
        let mask = mask.or_else(|| finding.within.iter().find(|part| is_new && is_masked(part))).cloned();
        let signature = mask.as_ref().unwrap_or(&finding.signature).clone();
        let others = finding.members().map(|(name, _)| name).filter(|name| **name != signature);
        renamed.extend(others.map(|name| (name.clone(), signature.clone())));
        if mask.is_none() {
            self.findings.insert(place.min(self.findings.len()), finding);
            return signature;
        }
        if finding.count > 0 {
            *self.masked.entry(signature.to_string()).or_default() += finding.count;
        }
        // A hidden group is known by the signature that the mask names.
        let members: Vec<(Signature, String)> =
            finding.members().map(|(name, detail)| (name.clone(), detail.to_owned())).collect();
        if let Some(detail) = finding.also.remove(&signature) {
            finding.detail = detail;
        }
        finding.signature.clone_from(&signature);
        let number = hidden.unwrap_or(self.hidden.len());
        if hidden.is_none() {
            self.hidden.push(finding);
        }
        self.hidden[number].also.extend(members.into_iter().filter(|(name, _)| *name != signature));
        signature
    }
}
