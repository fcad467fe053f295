//! Decides which findings are one group.
//!
//! Masks do not change the groups. A group is masked if a mask matches one of its signatures.

use super::{Finding, Summary};
use crate::outcome::Signature;

/// A signature, and the one that its group has now.
type Renamed = (Signature, Signature);

impl Summary {
    /// The signature of the group that this one became, or itself.
    pub fn resolve<'a>(&'a self, signature: &'a Signature) -> &'a Signature {
        self.aliases.get(signature).unwrap_or(signature)
    }

    /// The group with this signature.
    pub(super) fn group(&mut self, signature: &Signature) -> Option<&mut Finding> {
        self.findings.iter_mut().find(|group| group.signature == *signature)
    }

    /// Puts a shrunk finding in the place of the group with this number, which has its signature before shrinking. It
    /// becomes one group with the shrunk groups that are likely to have its cause. Returns the signatures that changed.
    pub(super) fn settle(&mut self, number: usize, mut finding: Finding) -> Vec<Renamed> {
        let Finding { signature: before, count, .. } = self.findings.remove(number);
        finding.count = count;
        self.join(number, finding, Some(before))
    }

    /// Counts seeds as masked by this signature, which they had before shrinking, unless their whole group is masked.
    pub(super) fn mask_seeds(&mut self, mask: &Signature, seeds: u64) {
        let name = self.resolve(mask).clone();
        if let Some(group) = self.group(&name).filter(|group| !group.masked) {
            group.count -= seeds.min(group.count);
            *self.masked.entry(mask.to_string()).or_default() += seeds;
        }
    }

    /// Adds the groups of the next shard of this run.
    pub(crate) fn append_groups(&mut self, part: Self) {
        // Each name leads to a group of this or of the next shard. Joining them makes it lead to the group of both.
        for (before, after) in part.aliases {
            if self.group(&before).is_none() {
                self.aliases.entry(before).or_insert(after);
            }
        }
        for (before, after) in part.seen_as {
            self.seen_as.entry(before).or_insert(after);
        }
        for (signature, count) in part.masked {
            *self.masked.entry(signature).or_default() += count;
        }
        for finding in part.findings {
            let signature = self.resolve(&finding.signature).clone();
            let count = finding.count;
            match self.group(&signature) {
                Some(group) if finding.unshrunk => group.count += count,
                _ => {
                    self.join(self.findings.len(), finding, None);
                }
            }
        }
    }

    /// Adds a shrunk finding at this place, and to it the groups that are likely to have its cause. Its seeds had the
    /// signature `before`. Returns the signatures that changed.
    fn join(&mut self, place: usize, mut finding: Finding, before: Option<Signature>) -> Vec<Renamed> {
        let mut place = place.min(self.findings.len());
        let known = self.resolve(&finding.signature).clone();
        // In the first pass the shrunk groups, in the second the unshrunk ones that have a signature of the group. Those
        // were found later, by a run that was then interrupted.
        for unshrunk in [false, true] {
            let mut at = 0;
            while at < self.findings.len() {
                let group = &self.findings[at];
                let joins = group.unshrunk == unshrunk
                    && match unshrunk {
                        false => group.signature == known || group.has_cause_of(&finding),
                        true => finding.is_named(&group.signature),
                    };
                if joins {
                    place = place.min(at);
                    finding = self.findings.remove(at).with(finding);
                } else {
                    at += 1;
                }
            }
        }
        let signature = finding.signature.clone();
        let names: Vec<Signature> = before.into_iter().chain(finding.also.keys().cloned()).collect();
        self.findings.insert(place, finding);
        names.into_iter().filter_map(|name| self.rename(name, &signature)).collect()
    }

    /// Records that seeds with the first signature belong to the group with the second one.
    fn rename(&mut self, before: Signature, after: &Signature) -> Option<Renamed> {
        self.aliases.remove(after);
        if before == *after || self.aliases.get(&before) == Some(after) {
            return None;
        }
        let names = self.aliases.values_mut().chain(self.seen_as.values_mut());
        names.filter(|name| **name == before).for_each(|name| name.clone_from(after));
        self.aliases.insert(before.clone(), after.clone());
        Some((before, after.clone()))
    }
}
