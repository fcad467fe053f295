//! A storm.

use super::args::RunArgs;
use super::error::{CliError, Found};
use super::interrupt::interrupt;
use super::progress::RunProgress;
use super::run_folder::RunFolder;
use super::run_recorder::{RunRecorder, lock};
use super::session::Session;
use super::{finding_file, output};
use crate::annotated_trace::{self, Style};
use crate::campaign::{self, Budget, Canary, Hang, Plan, Stopped, Summary};
use crate::isolation::serve;
use crate::report::{Asked, Interval, visible};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::available_parallelism;

/// Where findings go unless said otherwise.
const DEFAULT_OUT: &str = "findings";

pub(super) fn run(session: Session, args: &RunArgs) -> Result<Found, CliError> {
    let (offset, seeds) = args.shard.map_or((0, args.seeds), |shard| shard.of_range(args.seeds));
    let fits = args.time.is_some() || args.from.checked_add(args.seeds).is_some();
    let from = args.from.checked_add(offset).filter(|_| fits);
    let kind = session.subject(args.seed.subject.as_deref())?;
    session.fits(kind, args.seed.queue_size)?;
    let plan = Plan {
        kind,
        draw: args.seed.draw(),
        from: from.ok_or_else(|| CliError::Input(format!("--from: seeds end at {}", u64::MAX)))?,
        extent: args.time.map_or(Budget::Seeds(seeds), Budget::Time),
        jobs: args.jobs.map_or_else(|| available_parallelism().map_or(1, usize::from), usize::from),
        max_findings: args.max_findings as usize,
        masks: args.mask.iter().cloned().collect(),
        patience: args.isolate.patience,
        isolation: if args.isolate.isolate { Some(session.isolation()?) } else { None },
    };
    let all_seeds = Interval { from: args.from, count: args.seeds };
    let asked = Asked::new(&plan, args.time.is_none().then_some(all_seeds));
    let shard = args.shard.map(|shard| shard.to_string());
    let folder = args.out.as_deref().map(RunFolder::open).transpose()?;
    let before = match &folder {
        Some(folder) => folder.progress(&asked, shard.as_deref())?,
        None => None,
    };
    let interrupted = interrupt()?;
    let canary = canary(&plan)?;
    let out = args.out.clone().unwrap_or_else(|| PathBuf::from(DEFAULT_OUT));
    let recorder = Mutex::new(RunRecorder {
        bar: RunProgress::new(&plan, before.as_ref()),
        plan: &plan,
        asked,
        program: session.program(plan.kind),
        shard,
        canary,
        out,
        folder,
        homeless: BTreeSet::new(),
        unwritten: None,
    });
    if let Some(before) = &before {
        output::note(&format!("going on after {} seeds", before.tally.seeds));
        let mut recorder = lock(&recorder);
        before.findings.iter().for_each(|finding| recorder.write(finding));
    }
    let hung = |hang: &Hang, summary: &Summary| end_hung(session, lock(&recorder), args.json, hang, summary);
    let (summary, failure) =
        match campaign::run(&plan, before.unwrap_or_default(), interrupted, &hung, &mut &recorder) {
            Ok(summary) => (summary, None),
            // What it came to until then is not lost.
            Err(Stopped { summary, failure }) => (*summary, Some(failure)),
        };
    let mut recorder = recorder.into_inner().unwrap_or_else(PoisonError::into_inner);
    recorder.bar.clear();
    recorder.end(&summary, failure.is_some());
    if args.json {
        output::emit(&output::json(&recorder.report(&summary)))?;
    } else {
        output::emit(&text(session, args, &recorder, &summary)?)?;
    }
    recorder.told(&summary);
    match failure.map(CliError::from).or(recorder.unwritten) {
        Some(error) => Err(error),
        None if summary.findings.is_empty() => Ok(Found::Nothing),
        None => Ok(Found::Something),
    }
}

/// Runs scenarios for the process that started this one.
pub(super) fn isolated(session: Session, pulse: &Path) -> Result<Found, CliError> {
    let file = std::fs::OpenOptions::new().read(true).write(true).open(pulse);
    let file = file.map_err(|error| CliError::Input(format!("{}: {error}", pulse.display())))?;
    serve(file, session.subjects)?;
    Ok(Found::Nothing)
}

/// Catches the canary of these scenarios.
fn canary(plan: &Plan) -> Result<Canary, CliError> {
    let kind = campaign::canary(&plan.draw);
    let caught = Canary::catch(&mut *plan.executor()?, kind, &plan.draw, plan.from)?;
    caught.map_err(|silent| CliError::Input(silent.to_string()))
}

/// What a run came to, for people.
fn text(
    session: Session,
    args: &RunArgs,
    recorder: &RunRecorder<'_>,
    summary: &Summary,
) -> Result<String, CliError> {
    let mut text = recorder.report(summary).brief_text();
    let written = summary.findings.iter().filter(|finding| recorder.file(finding).is_some()).count();
    if written > 0 {
        let which = if written == summary.findings.len() { "each" } else { "each of the others" };
        text.push_str(&format!("{which} is in a file of its name in {}\n", recorder.out.display()));
    }
    if args.coverage {
        text.push_str(&format!("\n{}", summary.tally.heat.coverage()));
    }
    // Several groups are often one defect; the shortest says most plainly what it is.
    if let Some(finding) = summary.findings.iter().min_by_key(|finding| finding.shrunk.steps.len()) {
        let plan = recorder.plan;
        let (told, outcome) = plan.executor()?.tell(Style::Brief, plan.kind, &finding.shrunk)?;
        text.push_str(&format!(
            "\n{}",
            visible(&annotated_trace::view(plan.kind, &finding.shrunk, &told, &outcome))
        ));
        let isolate = if plan.isolation.is_some() { " --isolate" } else { "" };
        match recorder.file(finding) {
            Some(file) => text.push_str(&format!(
                "\nas a test:\n{}\nreplay it with:\n{}{isolate}\n",
                annotated_trace::test_of(plan.kind, &outcome, &finding.shrunk, Some(&file)),
                session.replay_command(&file, plan.kind),
            )),
            None => {
                let replay = finding_file::replay_seed(plan, finding.seed, plan.isolation.is_some());
                let command = session.command_line(&replay);
                text.push_str(&format!("\nreplay it, as it was before shrinking, with:\n{command}\n"));
            }
        }
    }
    Ok(text)
}

/// Ends this process, in which the subject does not return from a call. (The progress stays what it was: the run may be in the
/// middle of a block.)
fn end_hung(
    session: Session,
    mut recorder: MutexGuard<'_, RunRecorder<'_>>,
    json: bool,
    hang: &Hang,
    summary: &Summary,
) -> ! {
    let Hang { seed, shrinking, step, call, waited, .. } = hang;
    let (subject, seconds) = (recorder.plan.kind.name(), waited.as_secs_f64());
    let seed = seed.map_or("?".to_owned(), |seed| seed.to_string());
    let shrunk = if *shrinking { ", while what was found there was shrunk" } else { "" };
    let told = format!(
        "{subject} is stuck: {call} did not return within {seconds:.1} s, in step {step} of seed {seed}{shrunk}\n\
         in child processes a run goes on after that (--isolate); replay it with:\n\
         {}\n",
        session.command_line(&finding_file::replay_seed(recorder.plan, &seed, true))
    );
    recorder.bar.clear();
    summary.findings.iter().for_each(|finding| recorder.write(finding));
    recorder.settle(summary);
    let report = recorder.report(summary);
    recorder.keep_report(&report);
    let printed = match json {
        true => {
            output::note(told.trim_end());
            output::emit(&output::json(&report))
        }
        false => output::emit(&format!("{}\n{told}", report.text())),
    };
    match printed.err().or(recorder.unwritten.take()) {
        Some(error) => {
            output::note(&format!("error: {error}"));
            std::process::exit(2)
        }
        // Masked, it is no finding, and yet the run could not go on.
        None if summary.findings.is_empty() => std::process::exit(2),
        None => std::process::exit(1),
    }
}
