//! The page of a run: one HTML file without other files.
//!
//! The templates are in `templates/`. The modules here prepare the content of each part. The text of a report is untrusted:
//! [`plain`] makes every character visible, and the templates escape it.

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

/// The most characters of one text.
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
    /// The signatures of findings that are not shown in full, and the number of findings that are not shown at all.
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

/// A number of the summary, and its description.
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

/// The page of a run. `calibration` is the result of `calibrate --json`.
///
/// # Errors
/// A message if a picture cannot be drawn.
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
        masked: report
            .masked
            .iter()
            .map(|(name, count)| (plain(name), numbers::counted(*count, "seed")))
            .collect(),
        heat: HeatView::new(&report.coverage),
        missed: numbers::counted(report.coverage.missed.len() as u64, "coverage cell"),
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

/// Untrusted text for display: [`visible`], and cut if it is very long.
pub(super) fn plain(text: &str) -> String {
    match text.char_indices().nth(MOST_TEXT) {
        Some((end, _)) => format!("{} ... (cut)", visible(&text[..end])),
        None => visible(text),
    }
}

/// A whole text, with invisible characters and those that change the direction of writing escaped. Commands use it, since a
/// cut command would be another command.
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

/// The result of the run, as a CSS class and in words.
fn verdict(report: &RunReport) -> (&'static str, String) {
    match report.findings.len() {
        0 if report.complete => ("good", "Nothing found".to_owned()),
        0 => ("unsure", "Nothing found so far".to_owned()),
        groups => ("bad", format!("{} of findings", numbers::counted(groups as u64, "group"))),
    }
}

/// The notes on an incomplete run.
fn notes(report: &RunReport) -> Vec<String> {
    let mut notes = Vec::new();
    for (what, shards) in [("are missing", &report.missing), ("ended early", &report.ended_early)] {
        if !shards.is_empty() {
            notes.push(format!("Shards {what}: {}", plain(&shards.join(", "))));
        }
    }
    if report.enough_found {
        notes.push("The run stopped at its limit of findings (--max-findings)".to_owned());
    } else if !report.complete && notes.is_empty() {
        notes.push("Incomplete: the run ended early, so defects may be left that it did not find".to_owned());
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
            "coverage cells (driver state and fault)".to_owned(),
        ),
        (numbers::seconds(report.seconds), format!("with {}", numbers::counted(report.jobs as u64, "job"))),
    ];
    if let Some(depth) = &report.depth {
        let number = format!("{} of {}", depth.filled(), depth.in_flight.len());
        figures.push((number, "queue sizes filled with chains in flight".to_owned()));
    }
    if let Some(canary) = &report.canary {
        let what = format!("until the run caught the canary {}", plain(&canary.subject));
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
            // A calibration has fewer rows than this.
            rows: specimens.iter().take(1_000).map(row).collect(),
        }
    }
}
