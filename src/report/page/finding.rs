//! The findings, each with its picture, up to the size limit of the page.

use super::lanes::{LanesView, last};
use super::{numbers, plain, visible};
use crate::annotated_trace::{at_fault, paste};
use crate::outcome::{FaultSet, Signature};
use crate::report::repeat::{replay_command, seed_command};
use crate::report::{FindingReport, RunReport};
use crate::scenario::Document;
use crate::subject::SubjectKind;
use crate::timeline::Moment;
use askama::Template;
use ringstorm_model::Invariant;
use ringstorm_sim_device::Fault;

/// The most bytes of findings in full, and of all findings.
const ROOM: usize = 3_000_000;
const ALL_ROOM: usize = 3_600_000;
/// The most lines and bytes of a scenario.
const MOST_LINES: usize = 100;
const MOST_BYTES: usize = 8_000;

/// The findings of a run, as the page shows them.
pub(super) struct Shown {
    pub(super) full: Vec<FindingView>,
    /// The signatures of further findings.
    pub(super) named: Vec<String>,
    /// The number of findings that are not shown.
    pub(super) left_out: usize,
}

/// A finding.
pub(super) struct FindingView {
    pub(super) number: usize,
    /// The signature, without the subject.
    pub(super) what: String,
    pub(super) count: String,
    pub(super) steps: String,
    /// The HTML of the finding.
    pub(super) html: String,
}

#[derive(Template)]
#[template(path = "finding.html")]
struct FindingPart {
    number: usize,
    kind: &'static str,
    invariant: String,
    sentence: &'static str,
    call: String,
    fault: Option<(&'static str, &'static str)>,
    blame: String,
    signature: String,
    /// The other signatures of the group.
    also: Option<String>,
    detail: String,
    count: String,
    seed: u64,
    step: usize,
    steps_after: String,
    lanes: Option<LanesView>,
    moments: Vec<MomentLine>,
    scenario: String,
    scenario_cut: bool,
    /// The finding as a test, if it can be one.
    test: Option<String>,
    replay: String,
    seed_command: String,
}

struct MomentLine {
    number: u64,
    step: String,
    note: String,
    fault: bool,
    last: bool,
}

/// The findings, up to the size limit.
///
/// # Errors
/// A message if a finding cannot be rendered.
pub(super) fn shown(report: &RunReport) -> Result<Shown, String> {
    let mut shown = Shown { full: Vec::new(), named: Vec::new(), left_out: 0 };
    let mut room = 0;
    for (place, finding) in report.findings.iter().enumerate() {
        if room < ROOM {
            let part = FindingPart::new(report, finding, place + 1);
            let html = part.render().map_err(|error| format!("a finding: {error}"))?;
            room += html.len() + 256;
            if room < ALL_ROOM {
                let FindingPart { number, count, steps_after: steps, .. } = part;
                let fault = part.fault.map_or(String::new(), |(name, _)| format!(" after {name}"));
                let what = format!("{} in {}{fault}", part.invariant, part.call);
                shown.full.push(FindingView { number, what, count, steps, html });
                continue;
            }
        }
        let name = plain(&finding.signature.to_string());
        room += name.len() + 64;
        if room < ALL_ROOM {
            shown.named.push(name);
        } else {
            shown.left_out += 1;
        }
    }
    Ok(shown)
}

impl FindingPart {
    fn new(report: &RunReport, finding: &FindingReport, number: usize) -> Self {
        let Signature { expected, call, last_fault, .. } = &finding.signature;
        let invariant = expected.invariant();
        let (scenario, scenario_cut) = beginning(&finding.scenario);
        let timeline = finding.timeline.as_ref();
        let (before, moments) = timeline.map_or((0, &[][..]), last);
        let line = |(place, moment): (usize, &Moment)| MomentLine {
            number: before.saturating_add(place as u64),
            step: plain(&moment.step),
            note: plain(&moment.note),
            fault: moment.fault.is_some(),
            last: place + 1 == moments.len(),
        };
        Self {
            kind: expected.kind(),
            invariant: invariant.map_or("none", Invariant::name).to_owned(),
            sentence: invariant.map_or("", Invariant::sentence),
            call: call.to_string(),
            fault: last_fault.map(|fault: Fault| (fault.name(), fault.description())),
            blame: at_fault(faults(finding)),
            signature: plain(&finding.signature.to_string()),
            also: finding.also_seen_as().map(|also| plain(&also)),
            detail: plain(&finding.detail),
            number,
            count: numbers::counted(finding.count, "seed"),
            seed: finding.seed,
            step: finding.step,
            steps_after: numbers::counted(finding.steps_after_shrinking as u64, "step"),
            lanes: timeline.and_then(LanesView::new),
            moments: moments.iter().enumerate().map(line).collect(),
            scenario,
            scenario_cut,
            test: test(finding).map(|test| visible(&test)),
            replay: visible(&replay_command(report, finding)),
            seed_command: visible(&seed_command(report, finding)),
        }
    }
}

/// The faults that took effect in the shrunk scenario. Without a timeline, only the one in the signature is known.
fn faults(finding: &FindingReport) -> FaultSet {
    let moments = finding.timeline.iter().flat_map(|timeline| &timeline.moments);
    let named = moments.filter_map(|moment| moment.fault.as_deref()?.parse().ok());
    named.chain(finding.signature.last_fault).collect()
}

/// A finding as a test to paste. None if its scenario cannot be parsed, or if it would end the process of the test or never
/// return.
fn test(finding: &FindingReport) -> Option<String> {
    let FindingReport { signature, scenario, file, detail, .. } = finding;
    let document: Document = scenario.parse().ok().filter(|_| !signature.expected.is_deadly(detail))?;
    let file = Some(file.as_str()).filter(|file| !file.is_empty());
    paste(SubjectKind::by_name(&signature.subject), signature, &document.scenario, file)
}

/// The beginning of a scenario, and whether it was cut.
fn beginning(scenario: &str) -> (String, bool) {
    let mut text = String::new();
    for (place, line) in scenario.lines().enumerate() {
        if place >= MOST_LINES || text.len() + line.len() > MOST_BYTES {
            return (text, true);
        }
        text.push_str(&plain(line));
        text.push('\n');
    }
    (text, false)
}
