//! A finding in the size of a screen, and as a test to paste.

use super::{AnnotatedTrace, annotate, ending, ending_of, last_words, lines, setup_line, steps};
use crate::execution::Rig;
use crate::outcome::{FaultSet, Outcome, Signature};
use crate::scenario::{Document, Scenario};
use crate::subject::SubjectKind;
use ringstorm_sim_device::Fault;
use std::fmt::Write;
use std::path::Path;

/// The most steps that a test contains. With more, it includes the finding's file.
const FEW_STEPS: usize = 16;

/// The most steps that a finding shows: the last ones.
const SHOWN_STEPS: usize = 12;

/// A finding in the size of a screen: the violation, its rule, who is at fault, the last steps, and what the failing step
/// changed.
pub fn view(kind: SubjectKind, scenario: &Scenario, trace: &AnnotatedTrace, outcome: &Outcome) -> String {
    // Another process may have ended the child the first time.
    let blame = if outcome.is_finding() {
        blame(outcome)
    } else {
        "  the finding did not happen again when the scenario was replayed\n".to_owned()
    };
    let steps = steps(kind, &trace.steps, scenario, outcome);
    let mut text = format!("{}{blame}", ending(kind, scenario, outcome, &steps));
    let all: Vec<&str> = steps.lines().collect();
    let _ = writeln!(text, "\n{}", setup_line(kind, scenario));
    let skipped = if all.len() > SHOWN_STEPS + 1 { all.len() - SHOWN_STEPS } else { 0 };
    if skipped > 0 {
        let _ = writeln!(text, "      ... {skipped} earlier steps");
    }
    text.push_str(&lines::on_screen(
        &all[skipped..],
        skipped,
        &scenario.steps,
        ending_of(kind, scenario),
        outcome.is_finding(),
    ));
    if !trace.state.is_empty() {
        let _ = write!(text, "\n{}", trace.state);
    }
    text
}

/// Who is at fault, as the last line of the ending.
pub(crate) fn blame(outcome: &Outcome) -> String {
    format!("  {}\n", at_fault(outcome.faults))
}

/// The most faults that the line about the party at fault names.
const NAMED_FAULTS: usize = 3;

/// Who is at fault: always the driver, since it must withstand every device. All faults that took effect count, not only the
/// last one.
pub(crate) fn at_fault(faults: FaultSet) -> String {
    let (broke, permitted): (Vec<Fault>, Vec<Fault>) =
        faults.iter().partition(|fault| fault.breaks_specification());
    match (broke.is_empty(), permitted.is_empty()) {
        (true, true) => "The driver is at fault: the device followed the specification.".to_owned(),
        (true, false) => format!(
            "The driver is at fault: the device followed the specification (which permits {}).",
            names(&permitted)
        ),
        (false, _) => format!(
            "The driver is at fault: the device broke the specification earlier ({}), which a driver must withstand.",
            names(&broke)
        ),
    }
}

/// The names of some faults.
fn names(faults: &[Fault]) -> String {
    let shown: Vec<&str> = faults.iter().take(NAMED_FAULTS).map(|fault| fault.name()).collect();
    match faults.len().saturating_sub(NAMED_FAULTS) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// Runs a scenario, given as text, over a subject that must pass it.
///
/// ```
/// use ringstorm::{annotated_trace::must_pass, subject::SubjectKind};
///
/// let scenario = "\
///     ringstorm scenario 1\n\
///     queue size=4 buffer=64\n\
///     driver submit readable=1x8 writable=2x8\n\
///     driver misuse free mid-chain newest\n\
/// ";
/// must_pass(SubjectKind::Core, scenario);
/// ```
///
/// A subject that ends its process ends the test's process. Replay such a scenario in a child process, with
/// `replay --isolate`.
///
/// # Panics
/// With the annotated trace if the subject does not pass. With an error message if the text is not a scenario or cannot be run.
#[track_caller]
pub fn must_pass(kind: SubjectKind, scenario: &str) {
    let document: Document = scenario.parse().unwrap_or_else(|error| panic!("{error}"));
    let run = Rig::new().map_err(Into::into).and_then(|mut rig| annotate(&mut rig, kind, &document.scenario));
    let (trace, outcome) = run.unwrap_or_else(|cannot_run| panic!("{cannot_run}"));
    assert!(!outcome.is_finding(), "\n{trace}");
}

/// A finding as a test to paste, which fails until the queue is repaired. `file` also has the scenario. If no test can be made of
/// the finding, a comment that gives the reason.
pub fn test_of(kind: SubjectKind, outcome: &Outcome, scenario: &Scenario, file: Option<&str>) -> String {
    let signature = outcome.signature(&kind.name());
    if !outcome.is_finding() {
        return "// No test: the finding did not happen again when the scenario was replayed.\n".to_owned();
    }
    if last_words(&outcome.verdict).is_some() {
        let (name, file) = (signature.subject, file.unwrap_or("FILE"));
        return format!(
            "// No test: it would end the process of all tests, or never return. Replay it in a child process:\n\
             // replay {file} --subject {name} --isolate\n"
        );
    }
    paste(Some(kind), &signature, scenario, file).unwrap_or_else(|| {
        format!("// No test: {} steps are too many to paste. Run `shrink` first.\n", scenario.steps.len())
    })
}

/// The test; none if the scenario has too many steps to paste and there is no file to include. Without `kind`, the subject
/// belongs to another program.
pub(crate) fn paste(
    kind: Option<SubjectKind>,
    signature: &Signature,
    scenario: &Scenario,
    file: Option<&str>,
) -> Option<String> {
    // A line break would end the comment.
    let one_line = |text: &str| text.replace(['\n', '\r'], " ");
    let name = signature.to_string().replace(|character: char| !character.is_ascii_alphanumeric(), "_");
    let kind = match kind {
        Some(SubjectKind::Core) => "SubjectKind::Core".to_owned(),
        Some(SubjectKind::External(_)) | None => "SubjectKind::External(&MINE)".to_owned(),
        Some(kind) => format!("SubjectKind::by_name({:?}).unwrap()", kind.name()),
    };
    let mut text =
        String::from("use ringstorm::{annotated_trace::must_pass, subject::SubjectKind};\n\n#[test]\n");
    let _ = writeln!(text, "fn {}() {{", name.to_lowercase());
    if kind.contains("MINE") {
        let _ =
            writeln!(text, "    // MINE is the constant of your subject, {}.", one_line(&signature.subject));
    }
    if scenario.steps.len() > FEW_STEPS {
        let file = file?;
        let name = Path::new(file).file_name().unwrap_or_default().to_string_lossy();
        let _ = writeln!(text, "    // A copy of {}, beside this test.", one_line(file));
        let _ = writeln!(text, "    must_pass({kind}, include_str!({name:?}));\n}}");
        return Some(text);
    }
    let document = Document { scenario: scenario.clone(), ..Document::default() }.to_string();
    let _ = writeln!(text, "    let scenario = \"\\");
    for line in document.lines() {
        let _ = writeln!(text, "        {line}\\n\\");
    }
    let _ = writeln!(text, "    \";\n    must_pass({kind}, scenario);\n}}");
    Some(text)
}
