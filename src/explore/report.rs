//! Reports of explorations, as text and as JSON.

use super::{Alphabet, Explored, Scope, StopReason};
use crate::report::{JSON_VERSION, as_regression, grouped};
use crate::scenario::Document;
use ringstorm_model::Invariant;
use serde::Serialize;
use std::fmt::Write;

/// The output of `explore --json`.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct ExploreReport {
    #[schemars(extend("const" = JSON_VERSION))]
    version: u32,
    subject: String,
    faults: u32,
    jobs: usize,
    scopes: Vec<ScopeReport>,
    /// The finding with the fewest steps.
    finding: Option<FindingReport>,
}

#[derive(Debug, Serialize, schemars::JsonSchema)]
struct ScopeReport {
    queue_size: u16,
    /// The requested depth.
    depth: usize,
    /// The depth up to which every scenario was explored.
    complete_depth: Option<usize>,
    exhausted: bool,
    ending: &'static str,
    setups: usize,
    letters: usize,
    states: u64,
    transitions: u64,
    /// New states by the number of steps.
    levels: Vec<u64>,
    seconds: f64,
    transitions_per_second: f64,
}

#[derive(Debug, Serialize, schemars::JsonSchema)]
struct FindingReport {
    signature: String,
    invariant: Option<&'static str>,
    detail: String,
    queue_size: u16,
    steps: usize,
    scenario: String,
    file: Option<String>,
}

impl StopReason {
    /// The name in JSON reports.
    const fn name(self) -> &'static str {
        match self {
            Self::Exhausted => "exhausted",
            Self::NoNewStates => "closed",
            Self::Found => "found",
            Self::TooLarge { .. } => "refused",
            Self::StateLimit => "max-states",
            Self::TimeLimit => "time",
            Self::Interrupted => "interrupted",
        }
    }
}

impl ExploreReport {
    /// Creates the report. `file` is the file to which the finding was written.
    pub(crate) fn new(explored: &[(Scope, Explored)], file: Option<String>) -> Option<Self> {
        let (scope, _) = explored.first()?;
        Some(Self {
            version: JSON_VERSION,
            subject: scope.kind.name(),
            faults: scope.faults,
            jobs: scope.jobs,
            scopes: explored.iter().map(|(scope, explored)| ScopeReport::new(scope, explored)).collect(),
            finding: shortest(explored).map(|document| {
                let (scope, found) = document;
                let signature = found.outcome.signature(&scope.kind.name());
                FindingReport {
                    invariant: signature.expected.invariant().map(Invariant::name),
                    signature: signature.to_string(),
                    detail: found.outcome.verdict.to_string(),
                    queue_size: scope.queue_size.get(),
                    steps: found.scenario.steps.len(),
                    scenario: counterexample(explored)
                        .map(|document| document.to_string())
                        .unwrap_or_default(),
                    file,
                }
            }),
        })
    }
}

impl ScopeReport {
    fn new(scope: &Scope, explored: &Explored) -> Self {
        let alphabet = Alphabet::new(scope.queue_size, scope.faults > 0).offering(scope.kind.offered_calls());
        let seconds = explored.elapsed.as_secs_f64();
        Self {
            queue_size: scope.queue_size.get(),
            depth: scope.depth,
            complete_depth: explored.depth,
            exhausted: explored.ending.is_exhaustive(),
            ending: explored.ending.name(),
            setups: alphabet.setups.len(),
            letters: alphabet.actions.len(),
            states: explored.states(),
            transitions: explored.transitions,
            levels: explored.levels.clone(),
            seconds,
            transitions_per_second: explored.transitions as f64 / seconds.max(1e-9),
        }
    }
}

/// The finding with the fewest steps.
fn shortest(explored: &[(Scope, Explored)]) -> Option<(&Scope, &super::Counterexample)> {
    let found = explored.iter().filter_map(|(scope, explored)| Some((scope, explored.found.as_ref()?)));
    found.min_by_key(|(_, found)| found.scenario.steps.len())
}

/// The finding with the fewest steps, as a scenario file.
pub(crate) fn counterexample(explored: &[(Scope, Explored)]) -> Option<Document> {
    let (scope, found) = shortest(explored)?;
    let signature = found.outcome.signature(&scope.kind.name());
    let mut document = Document {
        comments: vec![
            format!(" {signature}"),
            format!(" {}", found.outcome.verdict.to_string().replace(['\n', '\r'], " ")),
            " the finding with the fewest steps in a small scope".to_owned(),
            format!(" {}", as_regression(&signature.subject, signature.expected)),
        ],
        scenario: found.scenario.clone(),
        expectations: Vec::new(),
    };
    document.set_subject(&signature.subject);
    Some(document)
}

/// The first line of the output.
pub(crate) fn header(scope: &Scope) -> String {
    format!("{}, every scenario of a small scope: {}", scope.kind.name(), bound(scope.faults))
}

fn bound(faults: u32) -> String {
    match faults {
        0 => "no fault".to_owned(),
        1 => "at most one fault in an execution".to_owned(),
        faults => format!("at most {faults} faults in an execution"),
    }
}

/// The result of a scope in one line.
pub(crate) fn line(scope: &Scope, explored: &Explored) -> String {
    let mut text = format!("  queue size {:<3} ", scope.queue_size.get());
    let complete = match explored.depth {
        Some(depth) => format!("complete to depth {depth}"),
        None => "no depth complete".to_owned(),
    };
    let depth = scope.depth;
    let _ = match explored.ending {
        StopReason::Exhausted => write!(text, "exhausted to depth {depth}"),
        StopReason::NoNewStates => {
            write!(text, "exhausted at any depth: no new states after {} steps", explored.levels.len() - 1)
        }
        StopReason::Found => write!(text, "FOUND a failing scenario, {complete}"),
        StopReason::TooLarge { .. } => write!(text, "not explored"),
        StopReason::StateLimit => {
            write!(text, "not exhausted, {complete}: stopped at the limit of states")
        }
        StopReason::TimeLimit => write!(text, "not exhausted, {complete}: stopped at the time limit"),
        StopReason::Interrupted => write!(text, "not exhausted, {complete}: interrupted"),
    };
    let seconds = explored.elapsed.as_secs_f64();
    let _ = write!(
        text,
        "; {} states, {} transitions, {seconds:.1} s",
        grouped(explored.states()),
        grouped(explored.transitions),
    );
    text
}

/// Explains why a scope is not explored.
pub(crate) fn refusal(scope: &Scope, expected: u64, fits: usize) -> String {
    format!(
        "queue size {}: about {} states are expected up to depth {} with {}, but the limit is {}; --depth {fits} should \
         fit; --max-states raises the limit, and --time explores as deep as the time allows",
        scope.queue_size,
        grouped(expected),
        scope.depth,
        bound(scope.faults),
        grouped(scope.max_states),
    )
}
