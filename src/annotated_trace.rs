//! What happened in an execution, step by step, as text.

mod drawing;
mod finding;
mod lines;
mod notes;

pub(crate) use finding::{blame, guilty, paste};
pub use finding::{must_pass, test_of, view};
pub(crate) use lines::settling;

use crate::execution::{CannotRun, Rig};
use crate::outcome::{Expected, Limit, Outcome, Verdict};
use crate::scenario::{Ending, Scenario};
use crate::subject::SubjectKind;
use notes::Story;
use serde::{Deserialize, Serialize};
use std::fmt::Write;

/// How steps are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Style {
    /// Each step with what came of it.
    #[default]
    Brief,
    /// Besides, the rings' indexes, the free descriptors and the live chains after each step, in columns.
    Columns,
}

/// What is told of an execution.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Told {
    /// A line for each step.
    pub steps: String,
    /// The state before and after the step that it ended in, if it went wrong and somebody was left to tell.
    pub state: String,
}

/// Runs a scenario and tells its story. The text holds no address, no time and no path, so that it can be
/// reviewed and compared.
///
/// # Errors
/// [`CannotRun`] if there is no memory for it, or the subject's adapter is wrong.
pub fn tell(rig: &mut Rig, kind: SubjectKind, scenario: &Scenario) -> Result<(String, Outcome), CannotRun> {
    let (told, outcome) = tell_in(Style::Brief, rig, kind, scenario)?;
    Ok((framed(kind, scenario, &told.steps, &outcome), outcome))
}

/// Runs a scenario and tells its parts.
///
/// # Errors
/// [`CannotRun`] if there is no memory for it, or the subject's adapter is wrong.
pub fn tell_in(
    style: Style,
    rig: &mut Rig,
    kind: SubjectKind,
    scenario: &Scenario,
) -> Result<(Told, Outcome), CannotRun> {
    let mut steps = String::new();
    let (state, outcome) = tell_to(style, rig, kind, scenario, &mut |lines| steps.push_str(lines))?;
    Ok((Told { steps, state }, outcome))
}

/// Runs a scenario; `sink` hears of each step when it is over. Says what the state was before and after the last one, if it
/// went wrong.
///
/// # Errors
/// [`CannotRun`] if there is no memory for it, or the subject's adapter is wrong.
pub(crate) fn tell_to(
    style: Style,
    rig: &mut Rig,
    kind: SubjectKind,
    scenario: &Scenario,
    sink: &mut dyn FnMut(&str),
) -> Result<(String, Outcome), CannotRun> {
    let mut story = Story::new(style, sink);
    let outcome = rig.run(kind, scenario, &mut story)?;
    let state = if outcome.is_finding() { story.state() } else { String::new() };
    Ok((state, outcome))
}

/// What was told of the steps, between what it is about and how it ended.
pub(crate) fn framed(kind: SubjectKind, scenario: &Scenario, steps: &str, outcome: &Outcome) -> String {
    format!(
        "{}\n{}\n{}",
        setup_line(kind, scenario),
        self::steps(kind, steps, scenario, outcome),
        ending(scenario, outcome)
    )
}

/// How a scenario ends with this kind of subject.
fn ending_of(kind: SubjectKind, scenario: &Scenario) -> Ending {
    kind.negotiate(&scenario.setup).ending
}

/// What a scenario is run with.
fn setup_line(kind: SubjectKind, scenario: &Scenario) -> String {
    format!("{} on {}", kind.negotiate(&scenario.setup), kind.name())
}

/// The steps, with a mark before the one that it went wrong in: the last that was begun.
fn steps(kind: SubjectKind, told: &str, scenario: &Scenario, outcome: &Outcome) -> String {
    let mut text = told.to_owned();
    let style = if lines::has_header(told) { Style::Columns } else { Style::Brief };
    let known = told.lines().count() - usize::from(style == Style::Columns);
    // Whoever died in a step did not live to tell it.
    if let Some(how) = untold(&outcome.verdict).filter(|_| outcome.steps > known as u64) {
        let step = lines::head(outcome.step, scenario.steps.get(outcome.step), ending_of(kind, scenario));
        text.push_str(&lines::line(style, &step, None, how));
    }
    let start = text.trim_end().rfind('\n').map_or(0, |end| end + 1);
    if outcome.is_finding() && text[start..].starts_with(' ') {
        text.replace_range(start..=start, ">");
    }
    text
}

/// What came of a step that nobody was left to tell of.
pub(crate) const fn untold(verdict: &Verdict) -> Option<&'static str> {
    match verdict {
        Verdict::Died(_) => Some("the process died here"),
        Verdict::Stuck(Limit::Time) => Some("the call did not return"),
        Verdict::Pass | Verdict::Violation(_) | Verdict::Panic(_) | Verdict::Stuck(Limit::Accesses) => None,
    }
}

/// How an execution ended: what does not hold, where, and who is to blame.
pub(crate) fn ending(scenario: &Scenario, outcome: &Outcome) -> String {
    let mut text = String::new();
    let at = match scenario.steps.get(outcome.step) {
        _ if outcome.steps == 0 => "the making of the queue, before any step".to_owned(),
        Some(step) => format!("step {}, {step}", outcome.step),
        None => "the settling at the end".to_owned(),
    };
    let _ = match &outcome.verdict {
        Verdict::Pass => writeln!(text, "pass"),
        verdict => writeln!(text, "{verdict}\n  at {at}; guilty call: {}", outcome.call),
    };
    if let Some(invariant) = Expected::of(&outcome.verdict).invariant() {
        let _ = writeln!(text, "  {invariant}: {}", invariant.sentence());
    }
    if let Some(fault) = outcome.last_fault.filter(|_| outcome.is_finding()) {
        let _ = writeln!(text, "  last fault, {}: {}", fault.name(), fault.description());
    }
    text
}
