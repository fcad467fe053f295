//! The tables of operations and of faults with the answers of the driver.

use crate::counts::{Answers, Counts, CountsReport};
use crate::report::grouped;
use crate::scenario::Op;
use ringstorm_sim_device::Fault;
use strum::VariantArray;

/// A fault and its answers.
pub(super) struct AnswerRow {
    pub(super) name: &'static str,
    pub(super) description: &'static str,
    pub(super) thrown: String,
    pub(super) parts: Vec<Part>,
}

/// One kind of answer.
pub(super) struct Part {
    pub(super) class: &'static str,
    pub(super) count: String,
    /// Its start and its width in the bar, in percent.
    pub(super) from: String,
    pub(super) share: String,
    pub(super) is_none: bool,
}

/// An operation and its steps.
pub(super) struct StepRow {
    pub(super) name: &'static str,
    pub(super) description: &'static str,
    pub(super) begun: String,
    pub(super) effective: String,
    pub(super) share: String,
}

fn read(report: &CountsReport) -> Counts {
    // `merge` has already checked the report.
    report.clone().try_into().unwrap_or_default()
}

pub(super) fn answers(report: &CountsReport) -> Vec<AnswerRow> {
    let counts = read(report);
    let thrown = Fault::VARIANTS.iter().map(|fault| (*fault, *counts.fault(*fault)));
    thrown.filter(|(_, answers)| answers.thrown > 0).map(|(fault, answers)| row(fault, &answers)).collect()
}

fn row(fault: Fault, answers: &Answers) -> AnswerRow {
    let kinds = [
        ("reported", answers.reported),
        ("clamped", answers.clamped),
        ("ignored", answers.ignored),
        ("broken", answers.broken),
        ("violated", answers.violated),
        ("unmet", answers.unanswered()),
    ];
    let all: f64 = kinds.iter().map(|(_, count)| *count as f64).sum();
    let mut from = 0.0;
    let part = |(class, count): (&'static str, u64)| {
        let share = 100.0 * count as f64 / all.max(1.0);
        let begin = from;
        from += share;
        let (from, share) = (format!("{begin:.2}"), format!("{share:.2}"));
        Part { class, count: grouped(count), from, share, is_none: count == 0 }
    };
    AnswerRow {
        name: fault.name(),
        description: fault.description(),
        thrown: grouped(answers.thrown),
        parts: kinds.into_iter().map(part).collect(),
    }
}

pub(super) fn steps(report: &CountsReport) -> Vec<StepRow> {
    let counts = read(report);
    let begun = Op::VARIANTS.iter().map(|op| (*op, *counts.operation(*op)));
    let row = |(op, steps): (Op, crate::counts::Steps)| StepRow {
        name: op.name(),
        description: op.description(),
        begun: grouped(steps.begun),
        effective: grouped(steps.effective),
        share: format!("{:.0} %", 100.0 * steps.effective as f64 / (steps.begun as f64).max(1.0)),
    };
    begun.filter(|(_, steps)| steps.begun > 0).map(row).collect()
}
