//! Judging the driver's answers.

use crate::chains::Progress;
use crate::invariant::require;
use crate::memory::first_difference;
use crate::model::Model;
use crate::used::Claim;
use crate::{Answer, Completion, DeviceRefusal, MisuseKind, Name, Refusal, Violation};

/// Limit of a chain's length in bytes (2.7.5.2).
const CHAIN_BYTES: u64 = 1 << 32;

impl Model {
    pub(crate) fn submit(
        &mut self,
        readable: &[&[u8]],
        writable: &[u32],
        answer: Answer<u16>,
    ) -> Result<(), Violation> {
        self.stores_allowed = if answer.is_ok() { u32::MAX } else { 0 };
        match answer {
            Ok(head) => {
                require!(
                    !self.broken,
                    FailedUnchanged,
                    "submit accepted a chain on a queue that said it is broken"
                );
                if let Some(reason) = self.first_misuse(readable, writable) {
                    require!(false, MisuseRefused, "submit accepted what is {reason:?}");
                }
                self.submissions += 1;
                self.unannounced = self.unannounced.saturating_add(1);
                self.submitting = true;
                self.chains.submitted(head, self.submissions, readable, writable)?;
                self.unpublished.push_back(head);
                let outstanding = self.offered.len() + self.unpublished.len();
                self.overrun |= outstanding > usize::from(self.setup.queue_size);
                Ok(())
            }
            Err(_) if self.halfway => Ok(()),
            Err(Refusal::Misuse(MisuseKind::Unspecified)) => {
                let reason = self.first_misuse(readable, writable);
                require!(reason.is_some(), MisuseRefused, "submit refused a good chain");
                Ok(())
            }
            Err(Refusal::Misuse(kind)) => {
                require!(
                    self.is_misuse(kind, readable, writable),
                    MisuseRefused,
                    "submit refused a chain of {} and {} buffers as {kind:?}, which it is not",
                    readable.len(),
                    writable.len()
                );
                Ok(())
            }
            Err(refusal) => self.other_refusal(refusal, "submit"),
        }
    }

    /// Whether the device did something that could make a careful driver complain.
    fn device_lied(&self) -> bool {
        let jump = u32::from(self.used.claimed()) > self.chains.in_flight;
        let over_long = match self.used.claim(&self.chains) {
            Claim::Nothing => false,
            Claim::Bad => true,
            Claim::Good { head, length } => {
                self.chains.get(head).is_none_or(|chain| u64::from(length) > chain.writable)
            }
        };
        jump || over_long || self.tampered
    }

    pub(crate) fn other_refusal(&mut self, refusal: Refusal, call: &str) -> Result<(), Violation> {
        match refusal {
            Refusal::Broken => {
                require!(
                    self.broken,
                    FairBlame,
                    "{call} says that the queue is broken, which nothing made it"
                );
            }
            Refusal::Device(DeviceRefusal { broken, .. }) => {
                require!(self.device_lied(), FairBlame, "{call} blames the device, which did nothing wrong");
                let jump = u32::from(self.used.claimed()) > self.chains.in_flight;
                if let Some(policies) = self.setup.policies {
                    require!(
                        broken == (jump || !policies.continues_after_fault),
                        FailedUnchanged,
                        "after a device fault the queue is {} against its policy",
                        if broken { "broken" } else { "not broken" }
                    );
                }
                self.broken |= broken;
            }
            Refusal::System => {
                require!(false, FairBlame, "{call} blames the system, which refused nothing");
            }
            Refusal::Misuse(kind) => {
                require!(false, MisuseRefused, "{call} refuses as {kind:?} what is no misuse");
            }
        }
        Ok(())
    }

    pub(crate) fn take(&mut self, answer: Answer<Option<Completion>>) -> Result<(), Violation> {
        self.stores_allowed = match answer {
            Ok(_) => u32::MAX,
            // Consuming an element may move the driver's event.
            Err(Refusal::Device(DeviceRefusal { consumed: true, .. })) => u32::from(self.setup.event_index),
            Err(_) => 0,
        };
        let promise = self.promised(answer);
        match answer {
            // That chains are not forgotten is seen when the queue settles.
            Ok(None) => {}
            Ok(Some(completion)) => self.completion(completion)?,
            Err(_) if self.halfway => {}
            Err(Refusal::Device(refusal)) => {
                self.other_refusal(Refusal::Device(refusal), "take")?;
                self.device_refusal(refusal)?;
            }
            Err(refusal) => self.other_refusal(refusal, "take")?,
        }
        promise
    }

    fn completion(&mut self, Completion { head, length }: Completion) -> Result<(), Violation> {
        require!(!self.broken, FailedUnchanged, "chain {head} was taken from a queue that said it is broken");
        let claim = self.used.skip_bad(&self.chains);
        let Claim::Good { head: returned, length: claimed } = claim else {
            require!(false, CompletedOnce, "chain {head} completed, which the device did not return");
            return Ok(());
        };
        require!(
            head == returned,
            CompletedOnce,
            "chain {head} completed where the device returned {returned}"
        );
        let writable = self.chains.get(head).map_or(0, |chain| chain.writable);
        if !self.setup.lengths {
            self.used.consume();
            self.chains.completed(head, u32::try_from(writable).unwrap_or(u32::MAX));
            return Ok(());
        }
        require!(
            u64::from(length) <= writable,
            LengthBound,
            "chain {head} is said to have {length} bytes, but only {writable} are writable"
        );
        require!(
            u64::from(length) == u64::from(claimed).min(writable),
            Response,
            "chain {head} is said to have {length} bytes, the device said {claimed} of {writable}"
        );
        self.used.consume();
        self.chains.completed(head, length);
        Ok(())
    }

    /// What a driver says that became of the element it complains about.
    fn device_refusal(&mut self, refusal: DeviceRefusal) -> Result<(), Violation> {
        if let Some(head) = refusal.returned {
            let claim = self.used.skip_bad(&self.chains);
            require!(
                matches!(claim, Claim::Good { head: returned, .. } if returned == head),
                CompletedOnce,
                "chain {head} came back with a device fault, but the device did not return it"
            );
            self.chains.completed(head, 0);
        }
        if refusal.consumed && self.used.claimed() > 0 {
            self.used.consume();
        }
        Ok(())
    }

    pub(crate) fn read(
        &mut self,
        head: u16,
        limit: u32,
        answer: Answer<&[u8]>,
        standing: &[u8],
    ) -> Result<(), Violation> {
        self.stores_allowed = if answer.is_ok() { u32::MAX } else { 0 };
        if self.halfway {
            return Ok(());
        }
        let used = match self.chains.get(head) {
            Some(chain) if chain.progress == Progress::Completed => Ok(chain.used),
            chain => Err(chain.is_some()),
        };
        match (used, answer) {
            (Ok(used), Ok(bytes)) => {
                let expected = standing.get(..used.min(limit) as usize);
                require!(
                    expected.is_some(),
                    Response,
                    "chain {head} has no room for the {used} bytes it is said to have"
                );
                let expected = expected.unwrap_or_default();
                require!(
                    bytes == expected,
                    Response,
                    "{} bytes of chain {head} were handed out where {} stand; first difference at {}",
                    bytes.len(),
                    expected.len(),
                    first_difference(bytes, expected)
                );
                Ok(())
            }
            (Ok(_), Err(refusal)) => self.other_refusal(refusal, "read"),
            (Err(live), Ok(bytes)) => {
                let what = if live { "which is not back from the device" } else { "which is none" };
                require!(
                    false,
                    MisuseRefused,
                    "read handed out {} bytes of chain {head}, {what}",
                    bytes.len()
                );
                Ok(())
            }
            (Err(live), Err(refusal)) => self.bad_head(Self::not_returned(live), refusal, "read", head),
        }
    }

    pub(crate) fn free(&mut self, head: u16, name: Name, answer: Answer<()>) -> Result<(), Violation> {
        self.stores_allowed = if answer.is_ok() { u32::MAX } else { 0 };
        let live = name == Name::Current && self.chains.get(head).is_some();
        let returned =
            live && self.chains.get(head).is_some_and(|chain| chain.progress == Progress::Completed);
        match answer {
            _ if self.halfway && !(answer.is_ok() && returned) => Ok(()),
            Ok(()) => {
                let what = if live { "not back from the device" } else { "none, by that name" };
                require!(returned, MisuseRefused, "free accepted chain {head}, which is {what}");
                self.gone(head);
                Ok(())
            }
            Err(refusal) if returned => self.other_refusal(refusal, "free"),
            Err(refusal) => self.bad_head(Self::not_returned(live), refusal, "free", head),
        }
    }

    /// The chain at `head` is none any more.
    pub(crate) fn gone(&mut self, head: u16) {
        let serial = self.chains.freed(head);
        self.fragmented |= serial != self.free_next;
        self.free_next += 1;
        if self.chains.live == 0 {
            (self.free_next, self.fragmented) = (self.submissions + 1, false);
        }
    }

    /// A refusal of a head that deserves one, for the right reason.
    pub(crate) fn bad_head(
        &mut self,
        right: MisuseKind,
        refusal: Refusal,
        call: &str,
        head: u16,
    ) -> Result<(), Violation> {
        match refusal {
            Refusal::Misuse(MisuseKind::Unspecified) => {}
            Refusal::Misuse(kind) => {
                require!(
                    kind == right,
                    MisuseRefused,
                    "{call} of {head} is refused as {kind:?}, not {right:?}"
                );
            }
            Refusal::Broken => return self.other_refusal(refusal, call),
            Refusal::Device(_) | Refusal::System => {
                require!(false, MisuseRefused, "{call} of {head} blames somebody else than the caller");
            }
        }
        Ok(())
    }

    /// Why a call that wants a returned chain refuses one that is live, or none.
    const fn not_returned(live: bool) -> MisuseKind {
        if live { MisuseKind::NotReturned } else { MisuseKind::BadHead }
    }

    /// The first reason to refuse a chain, if there is one.
    fn first_misuse(&self, readable: &[&[u8]], writable: &[u32]) -> Option<MisuseKind> {
        use MisuseKind::{BufferTooLarge, ChainTooLong, EmptyBuffer, EmptyChain, NotEnoughFree};
        if let Some(kind) =
            [EmptyChain, NotEnoughFree].into_iter().find(|kind| self.is_misuse(*kind, readable, writable))
        {
            return Some(kind);
        }
        // Few enough to be looked at, once for all reasons.
        let (mut least, mut most, mut total) = (u64::MAX, 0, 0_u64);
        let lengths = readable.iter().map(|bytes| bytes.len() as u64);
        for length in lengths.chain(writable.iter().map(|length| u64::from(*length))) {
            (least, most, total) = (least.min(length), most.max(length), total + length);
        }
        match () {
            () if least == 0 => Some(EmptyBuffer),
            () if most > self.setup.buffer_size.into() => Some(BufferTooLarge),
            () if total > CHAIN_BYTES => Some(ChainTooLong),
            () => None,
        }
    }

    /// Whether a chain is misuse of this kind.
    fn is_misuse(&self, kind: MisuseKind, readable: &[&[u8]], writable: &[u32]) -> bool {
        let count = readable.len() as u64 + writable.len() as u64;
        let mut lengths = readable
            .iter()
            .map(|bytes| bytes.len() as u64)
            .chain(writable.iter().map(|length| u64::from(*length)));
        match kind {
            MisuseKind::EmptyChain => count == 0,
            MisuseKind::NotEnoughFree => {
                count > u64::from(self.setup.queue_size).saturating_sub(self.chains.live_descriptors.into())
            }
            MisuseKind::EmptyBuffer => lengths.any(|length| length == 0),
            MisuseKind::BufferTooLarge => lengths.any(|length| length > self.setup.buffer_size.into()),
            MisuseKind::ChainTooLong => lengths.sum::<u64>() > CHAIN_BYTES,
            MisuseKind::ChainExceedsQueue => count > self.setup.queue_size.into(),
            MisuseKind::BadHead
            | MisuseKind::NotReturned
            | MisuseKind::Published
            | MisuseKind::Unspecified => false,
        }
    }
}
