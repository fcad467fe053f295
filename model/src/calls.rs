//! Checks the driver's answers to its caller.

use crate::chains::Progress;
use crate::invariant::require;
use crate::memory::first_difference;
use crate::model::Model;
use crate::used::Claim;
use crate::wording::{Count, bytes, misuse};
use crate::{Answer, DeviceRefusal, HandleAge, MisuseKind, Refusal, Violation};

/// The longest chain in bytes (2.7.5.2).
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
                    "submit accepted a chain, although the queue had reported that it is broken"
                );
                if let Some(reason) = self.first_misuse(readable, writable) {
                    require!(false, MisuseRefused, "submit accepted {}", misuse(reason));
                }
                self.submitted_chains += 1;
                self.submitted_since_publish = self.submitted_since_publish.saturating_add(1);
                self.submitting = true;
                self.chains.add(head, self.submitted_chains, readable, writable)?;
                self.unpublished.push_back(head);
                let outstanding = self.awaiting_device.len() + self.unpublished.len();
                self.overrun |= outstanding > usize::from(self.setup.queue_size);
                Ok(())
            }
            Err(_) if self.state_unknown => Ok(()),
            Err(Refusal::Misuse(MisuseKind::Unspecified)) => {
                let reason = self.first_misuse(readable, writable);
                require!(reason.is_some(), MisuseRefused, "submit refused a valid chain");
                Ok(())
            }
            Err(Refusal::Misuse(kind)) => {
                require!(
                    self.is_misuse(kind, readable, writable),
                    MisuseRefused,
                    "submit refused a chain of {} and {} as {}, which it is not",
                    Count(readable.len() as u64, "device-readable buffer"),
                    Count(writable.len() as u64, "device-writable buffer"),
                    misuse(kind)
                );
                Ok(())
            }
            Err(refusal) => self.check_refusal(refusal, "submit"),
        }
    }

    /// Whether the device did something that a driver may report as a device fault.
    fn device_misbehaved(&self) -> bool {
        if self.may_act_on_lies() {
            return true;
        }
        let jump = u32::from(self.used.claimed()) > self.chains.in_flight;
        let over_long = match self.used.claim(&self.chains) {
            Claim::Nothing => false,
            Claim::Bad => true,
            Claim::Good { head, length } => {
                self.chains.get(head).is_none_or(|chain| u64::from(length) > chain.writable)
            }
        };
        jump || over_long || self.driver_part_corrupted
    }

    /// Checks a refusal of a call in which the caller made no mistake.
    pub(crate) fn check_refusal(&mut self, refusal: Refusal, call: &str) -> Result<(), Violation> {
        match refusal {
            Refusal::Broken => {
                // A driver that does not promise to report each fault may break silently.
                let silently = !self.setup.policies.reports_bad_elements && self.device_misbehaved();
                require!(
                    self.broken || silently,
                    FairBlame,
                    "{call} reported that the queue is broken, but no earlier call had reported a fault that broke it"
                );
                self.broken = true;
            }
            Refusal::Device(DeviceRefusal { consumed, broken, .. }) => {
                require!(
                    self.device_misbehaved(),
                    FairBlame,
                    "{call} reported a device fault, but the device had done nothing wrong"
                );
                if let Some(should) = self.should_break(consumed) {
                    require!(
                        broken == should,
                        FailedUnchanged,
                        "{call} reported a device fault, and the queue is {} afterwards; by its policy it should {}",
                        if broken { "broken" } else { "not broken" },
                        if broken { "continue" } else { "be broken" }
                    );
                }
                self.broken |= broken;
            }
            Refusal::System => {
                require!(
                    false,
                    FairBlame,
                    "{call} reported a failure of the operating system, but there was none"
                );
            }
            Refusal::Misuse(kind) => {
                require!(false, MisuseRefused, "{call} reported {}, but the call was valid", misuse(kind));
            }
        }
        Ok(())
    }

    /// Whether the driver promises that a fault that it reports now breaks the queue. `None`: it promises neither.
    fn should_break(&self, consumed: bool) -> Option<bool> {
        let policies = self.setup.policies;
        let jump = u32::from(self.used.claimed()) > self.chains.in_flight;
        if policies.reloads_used_index && jump {
            return policies.refuses_index_jumps.then_some(true);
        }
        // A driver that keeps an old used index may report a jump at any time, and then it consumes nothing.
        let continues = policies.continues_after_fault.filter(|_| policies.reloads_used_index || consumed);
        continues.map(|continues| !continues)
    }

    pub(crate) fn read(
        &mut self,
        head: u16,
        limit: u32,
        answer: Answer<&[u8]>,
        in_memory: &[u8],
    ) -> Result<(), Violation> {
        self.stores_allowed = if answer.is_ok() { u32::MAX } else { 0 };
        if self.state_unknown {
            return Ok(());
        }
        let used = match self.chains.get(head) {
            Some(chain) if chain.progress == Progress::Completed => Ok(chain.used),
            chain => Err(chain.is_some()),
        };
        match (used, answer) {
            (Ok(used), Ok(content)) => {
                let expected = in_memory.get(..used.min(limit) as usize);
                require!(
                    expected.is_some(),
                    Response,
                    "chain {head} completed with {}, but its device-writable buffers have only {}",
                    bytes(used),
                    bytes(in_memory.len())
                );
                let expected = expected.unwrap_or_default();
                require!(
                    content == expected,
                    Response,
                    "read returned {} of chain {head}; expected the {} in its device-writable buffers; the first difference is at byte {}",
                    bytes(content.len()),
                    bytes(expected.len()),
                    first_difference(content, expected)
                );
                Ok(())
            }
            (Ok(_), Err(refusal)) => self.check_refusal(refusal, "read"),
            (Err(live), Ok(content)) => {
                require!(
                    false,
                    MisuseRefused,
                    "read returned {} of {}",
                    bytes(content.len()),
                    not_readable(head, live)
                );
                Ok(())
            }
            (Err(live), Err(refusal)) => self.check_bad_head(Self::not_returned(live), refusal, "read", head),
        }
    }

    pub(crate) fn free(&mut self, head: u16, handle: HandleAge, answer: Answer<()>) -> Result<(), Violation> {
        self.stores_allowed = if answer.is_ok() { u32::MAX } else { 0 };
        let live = handle == HandleAge::Current && self.chains.get(head).is_some();
        let returned =
            live && self.chains.get(head).is_some_and(|chain| chain.progress == Progress::Completed);
        match answer {
            _ if self.state_unknown && !(answer.is_ok() && returned) => Ok(()),
            Ok(()) => {
                require!(
                    returned || handle == HandleAge::Current,
                    MisuseRefused,
                    "free accepted a stale handle of head {head}: its chain was freed before"
                );
                require!(returned, MisuseRefused, "free accepted {}", not_readable(head, live));
                self.free_descriptors(head);
                Ok(())
            }
            Err(refusal) if returned => self.check_refusal(refusal, "free"),
            Err(refusal) => {
                let call = if handle == HandleAge::Stale { "free of a stale handle" } else { "free" };
                self.check_bad_head(Self::not_returned(live), refusal, call, head)
            }
        }
    }

    /// Frees the descriptors of the chain at `head`.
    pub(crate) fn free_descriptors(&mut self, head: u16) {
        let serial = self.chains.remove(head);
        self.fragmented |= serial != self.next_serial_to_free;
        self.next_serial_to_free += 1;
        if self.chains.live == 0 {
            (self.next_serial_to_free, self.fragmented) = (self.submitted_chains + 1, false);
        }
    }

    /// Checks the reason of a refusal: the call must be refused because of its head, as `right` states.
    pub(crate) fn check_bad_head(
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
                    "{call} of head {head} reported {}; expected {}",
                    misuse(kind),
                    misuse(right)
                );
            }
            Refusal::Broken => return self.check_refusal(refusal, call),
            Refusal::Device(_) | Refusal::System => {
                let other = if refusal == Refusal::System { "operating system" } else { "device" };
                require!(
                    false,
                    MisuseRefused,
                    "{call} of head {head} reported a fault of the {other}; expected a mistake of the caller: {}",
                    misuse(right)
                );
            }
        }
        Ok(())
    }

    /// Why a call must refuse a head without a completed chain.
    const fn not_returned(live: bool) -> MisuseKind {
        if live { MisuseKind::NotReturned } else { MisuseKind::BadHead }
    }

    /// The first reason to refuse a chain; `None` if the chain is valid.
    fn first_misuse(&self, readable: &[&[u8]], writable: &[u32]) -> Option<MisuseKind> {
        use MisuseKind::{BufferTooLarge, ChainTooLong, EmptyBuffer, EmptyChain, NotEnoughFree};
        if let Some(kind) =
            [EmptyChain, NotEnoughFree].into_iter().find(|kind| self.is_misuse(*kind, readable, writable))
        {
            return Some(kind);
        }
        // There are at most as many buffers as descriptors here. One pass finds all the other reasons.
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

    /// Whether a chain has this mistake.
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

/// A head of which nothing can be read and which cannot be freed, with the reason.
fn not_readable(head: u16, live: bool) -> String {
    match live {
        true => format!("chain {head}, which was not taken from the used ring"),
        false => format!("head {head}, but no live chain has this head"),
    }
}
