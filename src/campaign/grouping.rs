//! Decides which findings are one group.

use super::{Finding, Summary};
use crate::outcome::Signature;

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

    /// Puts a shrunk finding in the place of the group with this number, which has its signature before shrinking. If it
    /// is a known finding, its seeds are counted there. Groups that turn out to be the same become one. Returns the
    /// signatures that changed.
    pub(super) fn settle(
        &mut self,
        number: usize,
        mut finding: Finding,
        is_masked: &dyn Fn(&Signature) -> bool,
    ) -> Vec<(Signature, Signature)> {
        let mut renamed = Vec::new();
        let Finding { signature: before, count, .. } = self.findings.remove(number);
        finding.count = count;
        if finding.signature != before {
            finding.signature = self.resolve(&finding.signature).clone();
        }
        let settled = |known: &&Finding| !known.unshrunk;
        let same = self.findings.iter().filter(settled).find(|known| known.signature == finding.signature);
        let part =
            self.findings.iter().filter(settled).find(|known| finding.within.contains(&known.signature));
        let masked = || finding.within.iter().find(|part| is_masked(part));
        let known = same.or(part).map(|known| &known.signature);
        if let Some(signature) = known.or_else(masked) {
            finding.signature = signature.clone();
        }
        if finding.signature != before {
            renamed.push((before, finding.signature.clone()));
        }
        if is_masked(&finding.signature) {
            *self.masked.entry(finding.signature.to_string()).or_default() += finding.count;
        } else if !self.settled_count(&finding.signature, finding.count) {
            self.absorb(number, finding, &mut renamed);
        }
        for (before, after) in &renamed {
            self.aliases.insert(before.clone(), after.clone());
            self.seen_as.values_mut().filter(|seen| *seen == before).for_each(|seen| seen.clone_from(after));
        }
        renamed
    }

    /// Counts seeds in a group that is shrunk.
    fn settled_count(&mut self, signature: &Signature, seeds: u64) -> bool {
        let group = self.findings.iter_mut().find(|group| group.signature == *signature && !group.unshrunk);
        group.map(|group| group.count += seeds).is_some()
    }

    /// Adds a new group at this place, and to it the groups that show it without some of their steps. An unshrunk group
    /// with its signature was found later, by a run that was then interrupted.
    fn absorb(&mut self, mut place: usize, mut finding: Finding, renamed: &mut Vec<(Signature, Signature)>) {
        let mut at = 0;
        while at < self.findings.len() {
            let Finding { signature, within, .. } = &self.findings[at];
            let shows = within.contains(&finding.signature);
            if !shows && *signature != finding.signature {
                at += 1;
                continue;
            }
            let absorbed = self.findings.remove(at);
            finding.count += absorbed.count;
            if at < place {
                place -= 1;
            }
            if shows {
                place = place.min(at);
                renamed.push((absorbed.signature, finding.signature.clone()));
                if absorbed.seed < finding.seed {
                    (finding.seed, finding.step) = (absorbed.seed, absorbed.step);
                }
            }
        }
        self.findings.insert(place, finding);
    }
}
