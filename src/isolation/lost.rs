//! A child process that ended or did not answer: what it was doing, and what that says about the subject.

use crate::execution::ExecutionPosition;
use crate::outcome::{Call, Limit, Outcome, Verdict};
use ringstorm_model::TraceHash;
use std::ops::Range;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

/// Signals that other processes send: SIGHUP, SIGINT, SIGKILL and SIGTERM.
const SENT: [i32; 4] = [1, 2, 9, 15];
/// The exit statuses of ringstorm's own errors: a refusal and a panic.
const OWN_ERRORS: [i32; 2] = [2, 101];
/// How many ranges of seeds are printed.
const RANGES: usize = 8;

/// A child that ended or did not answer, and its last position.
#[derive(Debug)]
pub(super) struct LostChild {
    pub(super) verdict: Verdict,
    pub(super) position: ExecutionPosition,
    /// The seeds that the process had started since its own start.
    pub(super) seeds: Seeds,
    /// Whether the subject can have ended the process even if no call was in progress. Otherwise the cause may be
    /// another process, or an error of ringstorm.
    by_subject: bool,
}

impl LostChild {
    /// A child that ended.
    pub(super) fn ended(status: ExitStatus, position: ExecutionPosition) -> Self {
        let how = match status.signal() {
            // Whether there is a core dump depends on the machine.
            Some(_) => status.to_string().replace(" (core dumped)", ""),
            None => status.to_string(),
        };
        let sent = status.signal().is_some_and(|signal| SENT.contains(&signal));
        let own = status.code().is_some_and(|code| OWN_ERRORS.contains(&code));
        Self { verdict: Verdict::Died(how), position, seeds: Seeds::default(), by_subject: !sent && !own }
    }

    /// A child that did not answer.
    pub(super) fn silent(position: ExecutionPosition) -> Self {
        let verdict = Verdict::Stuck(Limit::Time);
        Self { verdict, position, seeds: Seeds::default(), by_subject: false }
    }

    /// Whether it had not started the request.
    pub(super) const fn was_idle(&self) -> bool {
        self.position.seed.is_none() && self.position.call.is_none()
    }

    /// Whether the process ended outside of a call, most likely because the subject damaged its memory.
    pub(super) const fn is_damage(&self) -> bool {
        self.by_subject && self.position.call.is_none()
    }

    /// The same, with the seeds that its process had started. One of them may be the cause.
    pub(super) fn not_repeated(mut self) -> Self {
        if let Verdict::Died(how) = &mut self.verdict {
            let (outside, seeds) = (self.position.call.is_none(), &self.seeds);
            how.push_str(if outside { ", outside of a call" } else { ", but not when it was run again" });
            if self.by_subject && !seeds.0.is_empty() {
                how.push_str(&format!("; an earlier call may have damaged memory: its process ran {seeds}"));
            }
        }
        self
    }

    /// The outcome of an execution that its process did not survive.
    pub(super) fn outcome(self) -> Outcome {
        let ExecutionPosition { steps, call, last_fault, faults, .. } = self.position;
        // Outside of a call, the last call was the one that ended an execution.
        let call = call.unwrap_or(Call::Release);
        let mut hash = TraceHash::default();
        hash.number(u64::from(steps));
        hash.number(call as u64);
        Outcome {
            verdict: self.verdict,
            step: steps.saturating_sub(1) as usize,
            steps: steps.into(),
            effective_steps: 0,
            skipped_steps: 0,
            trace_hash: hash.get(),
            call,
            last_fault,
            faults,
            unwound: None,
            coverage: Default::default(),
        }
    }
}

/// Seeds in the order in which a process ran them.
#[derive(Debug, Clone, Default)]
pub(super) struct Seeds(Vec<Range<u64>>);

impl Seeds {
    /// Adds the next seeds.
    pub(super) fn add(&mut self, first: u64, count: u64) {
        let end = first.wrapping_add(count);
        match self.0.last_mut().filter(|last| last.end == first) {
            Some(last) => last.end = end,
            None if count > 0 => self.0.push(first..end),
            None => {}
        }
    }

    /// The last seed.
    pub(super) fn last(&self) -> Option<u64> {
        self.0.last().map(|last| last.end.wrapping_sub(1))
    }
}

impl std::fmt::Display for Seeds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let earlier = self.0.len().saturating_sub(RANGES);
        f.write_str("the seeds ")?;
        if earlier > 0 {
            f.write_str("..., ")?;
        }
        for (number, Range { start, end }) in self.0[earlier..].iter().enumerate() {
            let last = end.wrapping_sub(1);
            f.write_str(if number > 0 { ", " } else { "" })?;
            if *start == last { write!(f, "{start}")? } else { write!(f, "{start} to {last}")? }
        }
        Ok(())
    }
}
