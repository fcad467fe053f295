//! The page: one file of HTML that needs nothing else, for whoever looks at a run.
//!
//! Templates stand in `templates/`; what they show is made ready here, a file for each part. Whatever comes from a report is
//! text of strangers: [`plain`] makes it visible as it is, and the templates escape it.

mod answers;
mod finding;
mod heat;
mod lanes;
mod numbers;
mod speed;

use super::repeat::run_command;
use super::{CalibrationReport, RunReport, grouped};
use answers::{AnswerRow, StepRow};
use askama::Template;
use finding::FindingView;
use heat::HeatView;

/// As many characters of one text are shown.
const MOST_TEXT: usize = 2_000;

#[derive(Template)]
#[template(path = "page.html")]
struct Page<'a> {
    report: &'a RunReport,
    subject: String,
    profile: &'static str,
    verdict: &'static str,
    verdict_word: String,
    notes: Vec<String>,
    figures: Vec<Figure>,
    findings: Vec<FindingView>,
    /// Findings of which only the signature is shown, and how many are not shown at all.
    more: Vec<String>,
    left_out: usize,
    masked: Vec<(String, String)>,
    heat: HeatView,
    missed: String,
    answers: Vec<AnswerRow>,
    steps: Vec<StepRow>,
    speed: Option<String>,
    calibration: Option<CalibrationView>,
    command: String,
    generator: String,
    trace_hash: String,
}

/// A number that matters, and what it is.
struct Figure {
    number: String,
    what: String,
}

struct CalibrationView {
    caught: usize,
    of: usize,
    generator: String,
    rows: Vec<[String; 7]>,
}

/// The page of a run. `calibration` is what `calibrate --json` said of the same storm.
///
/// # Errors
/// A word on what cannot be drawn.
pub fn page(report: &RunReport, calibration: Option<&CalibrationReport>) -> Result<String, String> {
    let shown = finding::shown(report)?;
    let (verdict, verdict_word) = verdict(report);
    let page = Page {
        subject: plain(&report.asked.subject),
        profile: report.asked.profile.into(),
        verdict,
        verdict_word,
        notes: notes(report),
        figures: figures(report),
        findings: shown.full,
        more: shown.named,
        left_out: shown.left_out,
        masked: report.masked.iter().map(|(name, count)| (plain(name), grouped(*count))).collect(),
        heat: HeatView::new(&report.coverage),
        missed: numbers::counted(report.coverage.missed.len() as u64, "pair"),
        answers: answers::answers(&report.counts),
        steps: answers::steps(&report.counts),
        speed: speed::plot(&report.pace)?,
        calibration: calibration.map(CalibrationView::new),
        command: visible(&run_command(report)),
        generator: plain(&report.asked.generator),
        trace_hash: plain(&report.trace_hash),
        report,
    };
    page.render().map_err(|error| error.to_string())
}

/// Text of strangers as it can be shown: [`visible`], and what is very long is cut.
pub(super) fn plain(text: &str) -> String {
    match text.char_indices().nth(MOST_TEXT) {
        Some((end, _)) => format!("{} ... (cut)", visible(&text[..end])),
        None => visible(text),
    }
}

/// All of a text: characters that would not be seen, or would turn around what stands beside them, are written out. For
/// commands, of which a part is another command.
pub(crate) fn visible(text: &str) -> String {
    let mut shown = String::new();
    for character in text.chars() {
        let unseen = character.is_control() && character != '\n'
            || matches!(character, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}');
        if unseen {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// What the run came to, as a class and in words.
fn verdict(report: &RunReport) -> (&'static str, String) {
    match report.findings.len() {
        0 if report.complete => ("good", "Nothing found".to_owned()),
        0 => ("unsure", "Nothing found so far".to_owned()),
        groups => ("bad", format!("{} of findings", numbers::counted(groups as u64, "group"))),
    }
}

/// What must not be overlooked.
fn notes(report: &RunReport) -> Vec<String> {
    let mut notes = Vec::new();
    for (what, shards) in [("are missing", &report.missing), ("ended early", &report.ended_early)] {
        if !shards.is_empty() {
            notes.push(format!("Shards {what}: {}", plain(&shards.join(", "))));
        }
    }
    if report.enough_found {
        notes.push("The run stopped as it had found as many groups as it was asked for".to_owned());
    } else if !report.complete && notes.is_empty() {
        notes.push("The run ended early: silence of a part is no silence".to_owned());
    }
    notes
}

fn figures(report: &RunReport) -> Vec<Figure> {
    let share = 100.0 * report.effective_steps as f64 / (report.steps as f64).max(1.0);
    let mut figures = vec![
        (grouped(report.seeds), format!("seeds from {}", report.from)),
        (numbers::short(report.effective_steps as f64), format!("effective steps, {share:.0} % of all")),
        (numbers::short(report.steps_per_second_per_core), "effective steps per second and core".to_owned()),
        (
            format!("{} of {}", report.coverage.pairs_hit, report.coverage.pairs_total),
            "pairs of driver state and fault".to_owned(),
        ),
        (numbers::seconds(report.seconds), format!("with {}", numbers::counted(report.jobs as u64, "job"))),
    ];
    if let Some(canary) = &report.canary {
        let what = format!("until the canary {} was caught", plain(&canary.subject));
        figures.push((numbers::counted(canary.seeds, "seed"), what));
    }
    figures.into_iter().map(|(number, what)| Figure { number, what }).collect()
}

impl CalibrationView {
    fn new(report: &CalibrationReport) -> Self {
        let or_none = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        let seeds = |seeds: Option<u64>| or_none(seeds.map(grouped));
        let seconds = |seconds: Option<f64>| or_none(seconds.map(|seconds| format!("{seconds:.4}")));
        let row = |caught: &crate::calibrate::Caught| {
            let by = match (&caught.invariant, caught.found) {
                (Some(invariant), true) => plain(invariant),
                (Some(_), false) => "not always".to_owned(),
                (None, _) => "NOT CAUGHT".to_owned(),
            };
            [
                plain(&caught.name),
                by,
                seeds(caught.median_seeds),
                seeds(caught.worst_seeds),
                seconds(caught.median_seconds),
                seconds(caught.worst_seconds),
                or_none(caught.steps_after_shrinking.map(|steps| grouped(steps as u64))),
            ]
        };
        let specimens = &report.specimens;
        Self {
            caught: specimens.iter().filter(|caught| caught.found).count(),
            of: specimens.len(),
            generator: plain(&report.generator),
            // A table with more rows is no calibration of ours.
            rows: specimens.iter().take(1_000).map(row).collect(),
        }
    }
}
