//! Frees and withdraws chains.

use super::Defect;
use super::chain::{Chain, Descriptor, Stage};
use super::shared::TAMPERED;
use super::table::Table;
use ringstorm_model::{Answer, MisuseKind, Refusal};

impl Table {
    /// The chain at `head`, if the driver has taken it.
    pub(super) fn returned(&self, head: u16) -> Answer<&Chain> {
        let last = if self.has(Defect::HeadAtSize) { self.size } else { self.size - 1 };
        if head > last {
            return Err(Refusal::Misuse(MisuseKind::BadHead));
        }
        let chain = &self.chains[usize::from(head)];
        match chain.stage {
            Stage::Returned => Ok(chain),
            Stage::Submitted | Stage::Published => Err(Refusal::Misuse(MisuseKind::NotReturned)),
            Stage::Free => Err(Refusal::Misuse(MisuseKind::BadHead)),
        }
    }

    pub(super) fn free(&mut self, head: u16) -> Answer<()> {
        if self.has(Defect::MidChainFreed) && self.free_tail(head).is_some() {
            return Ok(());
        }
        let accepted = self.returned(head).map(|_| ()).or_else(|refusal| {
            let chain = self.chains.get(usize::from(head)).ok_or(refusal)?;
            let wrongly_accepted = match self.defect {
                Some(Defect::FreedInFlight) => chain.stage == Stage::Published,
                Some(Defect::FreedTwice) => chain.was_freed(),
                _ => false,
            };
            if wrongly_accepted { Ok(()) } else { Err(refusal) }
        });
        accepted?;
        for index in self.descriptors_to_free(head)? {
            self.clear(index);
            self.descriptors[usize::from(index)] = Descriptor::default();
            self.first_free = index;
            self.free.push(index);
        }
        self.chains[usize::from(head)].stage = Stage::Free;
        Ok(())
    }

    /// Withdraws a chain that is not published.
    pub(super) fn withdraw(&mut self, head: u16) -> Answer<()> {
        let chain = self.chains.get(usize::from(head)).ok_or(Refusal::Misuse(MisuseKind::BadHead))?;
        match chain.stage {
            Stage::Submitted => {}
            Stage::Published if self.has(Defect::WithdrawTakesPublished) => {}
            Stage::Published | Stage::Returned => return Err(Refusal::Misuse(MisuseKind::Published)),
            Stage::Free => return Err(Refusal::Misuse(MisuseKind::BadHead)),
        }
        for index in chain.indexes.clone() {
            self.clear(index);
            self.descriptors[usize::from(index)] = Descriptor::default();
            self.first_free = index;
            self.free.push(index);
        }
        self.chains[usize::from(head)].stage = Stage::Free;
        Ok(())
    }

    /// The indexes of the descriptors to free for the chain at `head`.
    fn descriptors_to_free(&self, head: u16) -> Answer<Vec<u16>> {
        let chain = &self.chains[usize::from(head)];
        let mut indexes = chain.indexes.clone();
        match self.defect {
            Some(Defect::LoopDetectedAtHeadOnly | Defect::NextUnchecked) => {
                let followed = self.follow(head, chain)?;
                assert!(
                    followed.len() <= self.size.into(),
                    "chain {head} has more descriptors than the queue"
                );
            }
            Some(Defect::FreeMutatesBeforeCheck) => {
                let followed = self.follow(head, chain)?;
                followed.iter().for_each(|index| self.clear(*index));
                if followed.len() > 1 && followed.last() == Some(&head) {
                    return Err(TAMPERED);
                }
            }
            Some(Defect::FreeFollowsTable) => indexes = self.follow_blindly(head),
            Some(Defect::LinksReadBack) => indexes = self.follow_links(head, indexes.len()),
            Some(Defect::HeadAloneFreed) => indexes.truncate(1),
            Some(Defect::RingSlotFreed) => indexes[0] = chain.slot,
            Some(Defect::NeighboursFreed) => {
                let count = indexes.len() as u16;
                indexes = (0..count).map(|step| head.wrapping_add(step) % self.size).collect();
            }
            _ => {}
        }
        Ok(indexes)
    }

    /// Frees the descriptors of a chain from `index` to its end, and keeps the chain. `None` if `index` is not inside
    /// a chain.
    fn free_tail(&mut self, index: u16) -> Option<()> {
        let head = self.descriptors.get(usize::from(index))?.owner.filter(|head| *head != index)?;
        let indexes = &self.chains[usize::from(head)].indexes;
        let tail = indexes.iter().copied().skip_while(|inside| *inside != index);
        self.free.extend(tail);
        Some(())
    }
}
