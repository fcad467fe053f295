//! What was done in executions, and how the driver answered.

use crate::scenario::Op;
use ringstorm_sim_device::Fault;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use strum::VariantArray;

const OPERATIONS: usize = Op::VARIANTS.len();
const FAULTS: usize = Fault::VARIANTS.len();

/// By the number of an operation: its place among the operations.
const PLACES: [u8; 256] = {
    let mut places = [0; 256];
    let mut place = 0;
    while place < OPERATIONS {
        places[Op::VARIANTS[place] as usize] = place as u8;
        place += 1;
    }
    places
};

/// The steps of one operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Steps {
    /// Steps that were begun.
    pub begun: u64,
    /// Those that changed a ring, the table, a buffer or a driver's answer.
    pub effective: u64,
}

/// How a driver answers a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The call blamed the device, and the queue goes on.
    Reported,
    /// The call handed the chain back, with a smaller length than the device claimed.
    Clamped,
    /// The call went on as if there were nothing.
    Ignored,
    /// The call blamed the device, and the queue is broken until its reset.
    Broken,
}

/// How drivers answered the faults of one kind.
///
/// Each fault that was thrown has one answer, that of one call:
/// - if it adds an element to the used ring: the take that came to this element, or refused the ring with it in it;
/// - if it changes a value behind a read: the call that read the value, once it was changed;
/// - else: the first call that could meet it, which is where [coverage](crate::coverage::Coverage) counts it.
///
/// A call that blames the device is laid to the element that it came to, if a fault added that; else to the faults that it
/// met in the used ring; else to all that it met. If the execution ended in a finding whose signature names the fault, the
/// fault was answered by that and by nothing else. A fault has no answer if no such call was made before the faults
/// stopped, the queue was reset or the execution ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Answers {
    /// How often it was thrown, and did something.
    pub thrown: u64,
    /// [`Answer::Reported`].
    pub reported: u64,
    /// [`Answer::Clamped`].
    pub clamped: u64,
    /// [`Answer::Ignored`].
    pub ignored: u64,
    /// [`Answer::Broken`].
    pub broken: u64,
    /// A finding.
    pub violated: u64,
}

impl Answers {
    /// Those that have an answer.
    pub const fn answered(&self) -> u64 {
        let Self { thrown: _, reported, clamped, ignored, broken, violated } = *self;
        let answered = reported.saturating_add(clamped).saturating_add(ignored);
        answered.saturating_add(broken).saturating_add(violated)
    }

    /// Those that have none.
    pub const fn unanswered(&self) -> u64 {
        self.thrown.saturating_sub(self.answered())
    }

    const fn of(&mut self, answer: Answer) -> &mut u64 {
        match answer {
            Answer::Reported => &mut self.reported,
            Answer::Clamped => &mut self.clamped,
            Answer::Ignored => &mut self.ignored,
            Answer::Broken => &mut self.broken,
        }
    }

    const fn add(&mut self, other: &Self) {
        let Self { thrown, reported, clamped, ignored, broken, violated } = *other;
        self.thrown = self.thrown.saturating_add(thrown);
        self.reported = self.reported.saturating_add(reported);
        self.clamped = self.clamped.saturating_add(clamped);
        self.ignored = self.ignored.saturating_add(ignored);
        self.broken = self.broken.saturating_add(broken);
        self.violated = self.violated.saturating_add(violated);
    }
}

/// A step that was begun.
#[derive(Debug, Clone, Copy)]
pub struct Begun(u8);

/// What was done in executions, and how the driver answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "CountsReport", into = "CountsReport")]
pub struct Counts {
    operations: [Steps; OPERATIONS],
    faults: [Answers; FAULTS],
}

impl Default for Counts {
    fn default() -> Self {
        Self { operations: [Steps::default(); OPERATIONS], faults: [Answers::default(); FAULTS] }
    }
}

impl Counts {
    /// The steps of an operation.
    pub const fn operation(&self, op: Op) -> &Steps {
        &self.operations[PLACES[op as usize] as usize]
    }

    /// A step of this operation was begun; what is given back says which it is to [`took_effect`](Self::took_effect).
    pub const fn begin(&mut self, op: Op) -> Begun {
        let begun = Begun(PLACES[op as usize]);
        self.operations[begun.0 as usize].begun += 1;
        begun
    }

    /// The step changed something, or did not.
    pub const fn took_effect(&mut self, begun: Begun, effective: bool) {
        self.operations[begun.0 as usize].effective += effective as u64;
    }

    /// How a fault was answered.
    pub const fn fault(&self, fault: Fault) -> &Answers {
        &self.faults[fault as usize]
    }

    /// The same, to be counted in.
    pub const fn fault_mut(&mut self, fault: Fault) -> &mut Answers {
        &mut self.faults[fault as usize]
    }

    /// A fault was answered.
    pub const fn answer(&mut self, fault: Fault, answer: Answer) {
        *self.fault_mut(fault).of(answer) += 1;
    }

    /// A fault was answered by a finding, whatever had been counted as its answer before.
    pub const fn violate(&mut self, fault: Fault, before: Option<Answer>) {
        let answers = self.fault_mut(fault);
        if let Some(before) = before {
            *answers.of(before) -= 1;
        }
        answers.violated += 1;
    }

    /// Adds what was counted elsewhere.
    pub fn add(&mut self, other: &Self) {
        for (mine, Steps { begun, effective }) in self.operations.iter_mut().zip(&other.operations) {
            mine.begun = mine.begun.saturating_add(*begun);
            mine.effective = mine.effective.saturating_add(*effective);
        }
        for (mine, theirs) in self.faults.iter_mut().zip(&other.faults) {
            mine.add(theirs);
        }
    }
}

/// [`Counts`] by name, those that are none left out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CountsReport {
    /// By operation.
    pub operations: BTreeMap<String, Steps>,
    /// By fault.
    pub faults: BTreeMap<String, Answers>,
}

impl CountsReport {
    /// The highest number that is the number of some steps.
    pub fn highest(&self) -> u64 {
        let operations = self.operations.values().map(|steps| steps.begun.max(steps.effective));
        let faults = self.faults.values().map(|answers| answers.thrown.max(answers.answered()));
        operations.chain(faults).max().unwrap_or_default()
    }
}

impl From<Counts> for CountsReport {
    fn from(counts: Counts) -> Self {
        let operations = Op::VARIANTS.iter().map(|op| (op.name().to_owned(), *counts.operation(*op)));
        let faults = Fault::VARIANTS.iter().map(|fault| (fault.name().to_owned(), *counts.fault(*fault)));
        Self {
            operations: operations.filter(|(_, steps)| *steps != Steps::default()).collect(),
            faults: faults.filter(|(_, answers)| *answers != Answers::default()).collect(),
        }
    }
}

impl TryFrom<CountsReport> for Counts {
    type Error = String;

    fn try_from(report: CountsReport) -> Result<Self, String> {
        let mut counts = Self::default();
        for (name, steps) in report.operations {
            let op = name.parse::<Op>().map_err(|_| format!("{name:?} is no operation"))?;
            counts.operations[usize::from(PLACES[op as usize])] = steps;
        }
        for (name, answers) in report.faults {
            let fault = name.parse::<Fault>().map_err(|_| format!("{name:?} is no fault"))?;
            *counts.fault_mut(fault) = answers;
        }
        Ok(counts)
    }
}
