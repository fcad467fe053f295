//! A finding on a screen, and as a test.

use super::{Told, ending, ending_of, lines, setup_line, steps, tell, untold};
use crate::execution::Rig;
use crate::outcome::{Outcome, Signature};
use crate::scenario::{Document, Scenario};
use crate::subject::SubjectKind;
use ringstorm_sim_device::Fault;
use std::fmt::Write;
use std::path::Path;

/// As many steps stand in a test to paste; of more, the file is named.
const FEW_STEPS: usize = 16;

/// As many steps are shown of a finding: the last ones.
const SHOWN_STEPS: usize = 12;

/// A finding on a screen: what does not hold, how it comes to that, what changed in the guilty step, and who is to blame.
pub fn view(kind: SubjectKind, scenario: &Scenario, told: &Told, outcome: &Outcome) -> String {
    // Somebody else may have ended the process the first time.
    let blame = if outcome.is_finding() {
        blame(outcome)
    } else {
        "  nothing went wrong when it was told\n".to_owned()
    };
    let mut text = format!("{}{blame}", ending(scenario, outcome));
    let steps = steps(kind, &told.steps, scenario, outcome);
    let all: Vec<&str> = steps.lines().collect();
    let _ = writeln!(text, "\n{}", setup_line(kind, scenario));
    let skipped = if all.len() > SHOWN_STEPS + 1 { all.len() - SHOWN_STEPS } else { 0 };
    if skipped > 0 {
        let _ = writeln!(text, "      ... {skipped} steps before these");
    }
    text.push_str(&lines::on_screen(
        &all[skipped..],
        skipped,
        &scenario.steps,
        ending_of(kind, scenario),
        outcome.is_finding(),
    ));
    if !told.state.is_empty() {
        let _ = write!(text, "\n{}", told.state);
    }
    text
}

/// Who is to blame, as a line below how an execution ended.
pub(crate) fn blame(outcome: &Outcome) -> String {
    format!("  to blame is {}\n", guilty(outcome.last_fault))
}

/// Who is to blame: the driver, which has to stand whatever a device does.
pub(crate) fn guilty(last_fault: Option<Fault>) -> String {
    match last_fault {
        None => "the driver: the device has kept to the specification".to_owned(),
        Some(fault) if !fault.breaks_specification() => {
            format!("the driver: the device did nothing before that it may not ({})", fault.name())
        }
        Some(fault) => format!(
            "the driver: the device broke the specification before ({}), which a driver must stand",
            fault.name()
        ),
    }
}

/// Runs a scenario, written as text, over a subject that must stand it.
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
/// A subject that ends its process ends the test's: such a one is replayed in a child process, by `replay --isolate`.
///
/// # Panics
/// With its story if the subject does not, or in words if the text is no scenario or cannot be run.
#[track_caller]
pub fn must_pass(kind: SubjectKind, scenario: &str) {
    let document: Document = scenario.parse().unwrap_or_else(|error| panic!("{error}"));
    let told = Rig::new().map_err(Into::into).and_then(|mut rig| tell(&mut rig, kind, &document.scenario));
    let (story, outcome) = told.unwrap_or_else(|unfit| panic!("{unfit}"));
    assert!(!outcome.is_finding(), "\n{story}");
}

/// A finding as a test to paste: it fails until the queue is mended. The scenario is in `file` too, if there is one. Where no
/// test can be made of it, why.
pub fn test_of(kind: SubjectKind, outcome: &Outcome, scenario: &Scenario, file: Option<&str>) -> String {
    let signature = outcome.signature(&kind.name());
    if !outcome.is_finding() {
        return "// None: nothing went wrong when it was told.\n".to_owned();
    }
    if untold(&outcome.verdict).is_some() {
        let (name, file) = (signature.subject, file.unwrap_or("FILE"));
        return format!(
            "// None: it would end the process of all tests, or keep it for ever. It needs a child process:\n\
             // replay {file} --subject {name} --isolate\n"
        );
    }
    paste(Some(kind), &signature, scenario, file).unwrap_or_else(|| {
        format!("// None: {} steps are too many to paste; `shrink` makes them few.\n", scenario.steps.len())
    })
}

/// The test itself, unless there are too many steps to paste and no file that has them. Without a kind that is known here, the
/// subject is somebody's own.
pub(crate) fn paste(
    kind: Option<SubjectKind>,
    signature: &Signature,
    scenario: &Scenario,
    file: Option<&str>,
) -> Option<String> {
    // What stands in a comment must not end it.
    let one_line = |text: &str| text.replace(['\n', '\r'], " ");
    let name = signature.to_string().replace(|letter: char| !letter.is_ascii_alphanumeric(), "_");
    let kind = match kind {
        Some(SubjectKind::Core) => "SubjectKind::Core".to_owned(),
        Some(SubjectKind::External(_)) | None => "SubjectKind::External(&OWN)".to_owned(),
        Some(kind) => format!("SubjectKind::by_name({:?}).unwrap()", kind.name()),
    };
    let mut text =
        String::from("use ringstorm::{annotated_trace::must_pass, subject::SubjectKind};\n\n#[test]\n");
    let _ = writeln!(text, "fn {}() {{", name.to_lowercase());
    if kind.contains("OWN") {
        let _ = writeln!(
            text,
            "    // OWN is the constant that names the subject, {}.",
            one_line(&signature.subject)
        );
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
