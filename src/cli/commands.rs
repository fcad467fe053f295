//! `replay`, `show`, `shrink`, `calibrate`, `scenario` and `completions`.

use super::args::{CalibrateArgs, IsolateArgs, ReplayArgs, ShowArgs, ShrinkArgs};
use super::error::{CliError, Found};
use super::interrupt::interrupt;
use super::session::Session;
use super::{help, input, names, output};
use crate::annotated_trace::{self, Style};
use crate::execution::Rig;
use crate::executor::Executor;
use crate::isolation::Child;
use crate::outcome::{Expected, Verdict};
use crate::report::{self, CalibrationReport, counted};
use crate::scenario::{Document, GENERATOR};
use crate::shrink::{Limits, Shrunk, shrink_while};
use crate::subject::SubjectKind;
use clap_complete::Shell;
use std::path::Path;
use std::sync::atomic::Ordering;

/// Runs scenarios: in a child process with `--isolate` or if it is `needed`, otherwise in this process.
fn executor(session: Session, args: &IsolateArgs, needed: bool) -> Result<Box<dyn Executor>, CliError> {
    Ok(if args.isolate || needed {
        Box::new(Child::new(session.isolation()?, args.patience)?)
    } else {
        Box::new(Rig::new()?)
    })
}

pub(super) fn replay(session: Session, args: &ReplayArgs) -> Result<Found, CliError> {
    // Read all inputs first, so that nothing runs if one is invalid.
    let documents: Vec<Document> =
        args.inputs.iter().map(|input| input::read(session, input, &args.seed)).collect::<Result<_, _>>()?;
    let mut runs = Vec::new();
    for (input, document) in args.inputs.iter().zip(&documents) {
        for (kind, expected) in expectations(session, input, document, args.seed.subject.as_deref())? {
            Session::survives(kind, args.isolate.isolate || needs_child(expected))?;
            runs.push((input, document, kind, expected));
        }
    }
    let mut found = Found::Nothing;
    for (input, document, kind, expected) in runs {
        let mut executor = executor(session, &args.isolate, needs_child(expected))?;
        let style = if args.verbose { Style::Columns } else { Style::Brief };
        let (trace, outcome) = executor.annotated_trace(style, kind, &document.scenario)?;
        let mut text = annotated_trace::framed(kind, &document.scenario, &trace.steps, &outcome);
        let as_expected = Expected::of(&outcome.verdict) == expected;
        let finding = outcome.is_finding() && !as_expected;
        if finding {
            text.push_str(&annotated_trace::blame(&outcome));
        }
        if args.verbose && !trace.state.is_empty() {
            text.push_str(&format!("\n{}", trace.state));
        }
        let note = match (as_expected, expected) {
            (true, Expected::Pass) => String::new(),
            (true, expected) => format!("as expected: {expected}\n"),
            (false, Expected::Pass) => String::new(),
            (false, expected) => format!("NOT as expected, which is: {expected}\n"),
        };
        text.push_str(&note);
        if finding && args.verbose {
            let file = Some(input.as_str()).filter(|input| input.ends_with(".storm"));
            let test = annotated_trace::test_of(kind, &outcome, &document.scenario, file);
            text.push_str(&format!("\nas a test:\n{test}"));
        } else if finding {
            text.push_str("  --verbose adds the state at the failing step and a test to paste\n");
        }
        output::emit(&report::visible(&format!("== {input}: {text}\n")))?;
        if let (Verdict::Died(_), Some(words)) = (&outcome.verdict, executor.last_output()) {
            output::note(&format!("{input}: the output of its process: {words}"));
        }
        if !as_expected {
            found = Found::Something;
        }
    }
    Ok(found)
}

/// Whether a scenario is expected to end its process.
const fn needs_child(expected: Expected) -> bool {
    matches!(expected, Expected::Died | Expected::Stuck)
}

/// The subjects to run a document over, each with the expected outcome.
fn expectations(
    session: Session,
    input: &str,
    document: &Document,
    subject: Option<&str>,
) -> Result<Vec<(SubjectKind, Expected)>, CliError> {
    let mut known = Vec::new();
    for (name, expected) in &document.expectations {
        let kind = session
            .subjects
            .by_name(name)
            .ok_or_else(|| CliError::Input(format!("{input}: expect: unknown subject {name:?}")))?;
        known.push((kind, *expected));
    }
    Ok(match subject.map(|name| session.subject(Some(name))).transpose()? {
        Some(kind) => {
            let expected = known.iter().find(|(known, _)| *known == kind).map_or(Expected::Pass, |(_, e)| *e);
            vec![(kind, expected)]
        }
        None if known.is_empty() => vec![(session.subject_of(input, document)?, Expected::Pass)],
        None => known,
    })
}

pub(super) fn show(session: Session, args: &ShowArgs) -> Result<Found, CliError> {
    let document = input::read(session, &args.input, &args.seed)?;
    let bytes = match args.bytes {
        true => document.scenario.encode(),
        false => document.to_string().into_bytes(),
    };
    match &args.output {
        Some(path) => output::write_file(path, &bytes)?,
        None => output::emit_bytes(&bytes)?,
    }
    Ok(Found::Nothing)
}

/// Prints the example of the text form.
pub(super) fn example() -> Result<Found, CliError> {
    output::emit(help::EXAMPLE)?;
    Ok(Found::Nothing)
}

pub(super) fn shrink(session: Session, args: &ShrinkArgs) -> Result<Found, CliError> {
    let document = input::read(session, &args.input, &args.seed)?;
    let expectations = expectations(session, &args.input, &document, args.seed.subject.as_deref())?;
    let kinds: Vec<SubjectKind> = expectations.iter().map(|(kind, _)| *kind).collect();
    kinds.iter().try_for_each(|kind| Session::survives(*kind, args.isolate.isolate))?;
    let mut executor = executor(session, &args.isolate, false)?;
    let interrupted = interrupt()?;
    for kind in kinds {
        let outcome = executor.run(kind, &document.scenario)?;
        if outcome.verdict == Verdict::Pass {
            continue;
        }
        let signature = outcome.signature(&kind.name());
        let mut go_on = |_: &_| !interrupted.load(Ordering::Relaxed);
        let Shrunk { scenario, signature, .. } = shrink_while(
            &mut *executor,
            kind,
            &signature,
            &document.scenario,
            Limits::default(),
            &mut go_on,
        )?;
        if interrupted.load(Ordering::Relaxed) {
            output::note("interrupted; this is the smallest scenario so far");
        }
        let (after, before) = (scenario.steps.len(), document.scenario.steps.len());
        output::note(&format!(
            "{signature}: shrunk from {} to {}",
            counted(before as u64, "step"),
            counted(after as u64, "step")
        ));
        let own = [signature.to_string(), report::as_regression(&signature.subject, signature.expected)]
            .map(|line| format!(" {line}"));
        let comments = if document.comments.is_empty() { own.into() } else { document.comments };
        let mut shrunk = Document { comments, scenario, expectations: document.expectations };
        if shrunk.expectations.is_empty() {
            shrunk.set_subject(&signature.subject);
        }
        match &args.output {
            Some(path) => {
                output::write_file(path, shrunk.to_string().as_bytes())?;
                let isolate = if args.isolate.isolate { " --isolate" } else { "" };
                output::note(&format!(
                    "replay it with:\n{}{isolate}",
                    session.replay_command(&path.display().to_string(), kind)
                ));
            }
            None => output::emit(&shrunk.to_string())?,
        }
        return Ok(Found::Something);
    }
    output::note(&format!("{}: nothing to shrink, this scenario passes", args.input));
    Ok(Found::Nothing)
}

pub(super) fn calibrate(session: Session, args: &CalibrateArgs) -> Result<Found, CliError> {
    let kinds = match args.subject.as_slice() {
        [] => crate::calibrate::specimens(),
        names => names.iter().map(|name| calibrated(session, name)).collect::<Result<_, _>>()?,
    };
    let what = if args.subject.is_empty() { "specimens" } else { "subjects" };
    if !args.json {
        output::emit(&format!("{}\n", report::CALIBRATION_HEADER))?;
    }
    let mut failed = None;
    let specimens = crate::calibrate::calibrate_all(&kinds, args.steps as usize, |caught| {
        if !args.json && failed.is_none() {
            failed = output::emit(&format!("{}\n", report::calibration_line(caught))).err();
        }
    })?;
    if let Some(refusal) = failed {
        return Err(refusal);
    }
    let (caught, all) = (specimens.iter().filter(|specimen| specimen.found).count(), specimens.len());
    if args.json {
        let (version, generator) = (report::JSON_VERSION, GENERATOR.to_owned());
        let report = CalibrationReport { version, generator, specimens };
        let json = serde_json::to_string_pretty(&report).expect("a report has only string keys");
        output::emit(&format!("{json}\n"))?;
    } else {
        output::emit(&format!("{caught} of {all} {what} were caught from every start\n"))?;
    }
    // A defect that the storm does not catch is the finding of a calibration.
    Ok(if caught == all { Found::Nothing } else { Found::Something })
}

/// A subject to calibrate.
fn calibrated(session: Session, name: &str) -> Result<SubjectKind, CliError> {
    let kind = session.subject(Some(name))?;
    Session::needs_no_child(kind, "calibrate")?;
    Ok(kind)
}

/// Prints the completions for the name of this program.
pub(super) fn completions(session: Session, shell: Shell) -> Result<Found, CliError> {
    let own = std::env::args_os().next().unwrap_or_default();
    let name = Path::new(&own).file_stem().and_then(|name| name.to_str()).unwrap_or("ringstorm");
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut names::command(session.subjects), name, &mut script);
    output::emit_bytes(&script)?;
    Ok(Found::Nothing)
}
