//! What happened in an execution, step by step, as text.

mod drawing;
mod finding;
mod lines;
mod note_texts;
mod notes;

pub(crate) use finding::{at_fault, blame, paste};
pub use finding::{must_pass, test_of, view};
pub(crate) use lines::drain;

use crate::execution::{CannotRun, Rig};
use crate::outcome::{Expected, Limit, Outcome, Verdict};
use crate::scenario::{Ending, Scenario};
use crate::subject::SubjectKind;
use notes::Annotator;
use serde::{Deserialize, Serialize};
use std::fmt::Write;

/// The columns of an annotated trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Style {
    /// Each step with its notes.
    #[default]
    Brief,
    /// Also the ring indexes, the free descriptors and the live chains after each step.
    Columns,
}

/// An execution as text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AnnotatedTrace {
    /// A line for each step.
    pub steps: String,
    /// The state before and after the failing step. Empty if the scenario passed, or the subject's process ended.
    pub state: String,
}

/// Runs a scenario and returns its annotated trace and its ending as one text. The text contains no address, time or path, so
/// that it can be reviewed and compared.
///
/// # Errors
/// [`CannotRun`] if there is no memory for it, or the subject's adapter is wrong.
pub fn annotate(
    rig: &mut Rig,
    kind: SubjectKind,
    scenario: &Scenario,
) -> Result<(String, Outcome), CannotRun> {
    let (trace, outcome) = annotate_in(Style::Brief, rig, kind, scenario)?;
    Ok((framed(kind, scenario, &trace.steps, &outcome), outcome))
}

/// Runs a scenario and returns the parts of its annotated trace.
///
/// # Errors
/// [`CannotRun`] if there is no memory for it, or the subject's adapter is wrong.
pub fn annotate_in(
    style: Style,
    rig: &mut Rig,
    kind: SubjectKind,
    scenario: &Scenario,
) -> Result<(AnnotatedTrace, Outcome), CannotRun> {
    let mut steps = String::new();
    let (state, outcome) = annotate_to(style, rig, kind, scenario, &mut |lines| steps.push_str(lines))?;
    Ok((AnnotatedTrace { steps, state }, outcome))
}

/// Runs a scenario and passes the line of each step to `sink` when the step is over. Returns the state before and after the
/// last step if the scenario did not pass.
///
/// # Errors
/// [`CannotRun`] if there is no memory for it, or the subject's adapter is wrong.
pub(crate) fn annotate_to(
    style: Style,
    rig: &mut Rig,
    kind: SubjectKind,
    scenario: &Scenario,
    sink: &mut dyn FnMut(&str),
) -> Result<(String, Outcome), CannotRun> {
    let mut annotator = Annotator::new(style, sink);
    let outcome = rig.run(kind, scenario, &mut annotator)?;
    let state = if outcome.is_finding() { annotator.state() } else { String::new() };
    Ok((state, outcome))
}

/// The lines of the steps, between the setup and the ending.
pub(crate) fn framed(kind: SubjectKind, scenario: &Scenario, steps: &str, outcome: &Outcome) -> String {
    let steps = self::steps(kind, steps, scenario, outcome);
    let ending = ending(kind, scenario, outcome, &steps);
    format!("{}\n{steps}\n{ending}", setup_line(kind, scenario))
}

/// How a scenario ends with this subject.
fn ending_of(kind: SubjectKind, scenario: &Scenario) -> Ending {
    kind.negotiate(&scenario.setup).ending
}

/// The queue setup and the subject.
fn setup_line(kind: SubjectKind, scenario: &Scenario) -> String {
    format!("{} on {}", kind.negotiate(&scenario.setup), kind.name())
}

/// The lines of the steps. `>` marks the failing step, the last that began.
fn steps(kind: SubjectKind, recorded: &str, scenario: &Scenario, outcome: &Outcome) -> String {
    let mut text = recorded.to_owned();
    let style = if lines::has_header(recorded) { Style::Columns } else { Style::Brief };
    let known = recorded.lines().count() - usize::from(style == Style::Columns);
    // A process that ended in a step did not send its line. The end has one line or more.
    let step = scenario.steps.get(outcome.step);
    let missing = outcome.steps > known as u64 || outcome.steps > 0 && step.is_none();
    if let Some(how) = last_words(&outcome.verdict).filter(|_| missing) {
        let step = match step {
            None if outcome.steps <= known as u64 => lines::AFTER_DRAIN.to_owned(),
            step => lines::head(outcome.step, step, ending_of(kind, scenario)),
        };
        text.push_str(&lines::line(style, &step, None, how));
    }
    let start = text.trim_end().rfind('\n').map_or(0, |end| end + 1);
    if outcome.is_finding() && text[start..].starts_with(' ') {
        text.replace_range(start..=start, ">");
    }
    text
}

/// The note of a step whose process could not report it.
pub(crate) const fn last_words(verdict: &Verdict) -> Option<&'static str> {
    match verdict {
        Verdict::Died(_) => Some("the process died here"),
        Verdict::Stuck(Limit::Time) => Some("the call did not return"),
        Verdict::Pass | Verdict::Violation(_) | Verdict::Panic(_) | Verdict::Stuck(Limit::Accesses) => None,
    }
}

/// How an execution ended: the violation, where it happened, its rule, and the last fault. `steps` are the lines of the steps.
fn ending(kind: SubjectKind, scenario: &Scenario, outcome: &Outcome, steps: &str) -> String {
    let mut text = String::new();
    let at = match scenario.steps.get(outcome.step) {
        _ if outcome.steps == 0 => "construction of the queue, before any step".to_owned(),
        Some(step) => format!("step {}, {step}", outcome.step),
        None => {
            lines::part_of_end(steps.lines().last().unwrap_or_default(), ending_of(kind, scenario)).to_owned()
        }
    };
    let _ = match &outcome.verdict {
        Verdict::Pass => writeln!(text, "pass"),
        verdict => writeln!(text, "{verdict}\n  at {at}; failing call: {}", outcome.call),
    };
    if let Some(invariant) = Expected::of(&outcome.verdict).invariant() {
        let _ = writeln!(text, "  rule {invariant}: {}", invariant.sentence());
    }
    if let Some(fault) = outcome.last_fault.filter(|_| outcome.is_finding()) {
        let _ = writeln!(text, "  last fault {}: {}", fault.name(), fault.description());
    }
    text
}
