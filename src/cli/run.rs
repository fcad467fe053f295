//! `ringstorm run`.

use super::args::RunArgs;
use super::error::{CliError, Found};
use super::interrupt::interrupt;
use super::progress::RunProgress;
use super::run_folder::RunFolder;
use super::run_recorder::{RunRecorder, lock};
use super::session::Session;
use super::{finding_file, output, unfinished};
use crate::annotated_trace::{self, Style};
use crate::campaign::{self, Budget, Canary, Finding, Hang, Plan, Stopped, Summary};
use crate::isolation::serve;
use crate::report::{Interval, RunOptions, counted, visible};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::available_parallelism;

/// The folder of findings without `--out`.
const DEFAULT_OUT: &str = "findings";
/// The most other signatures of a group that are printed.
const MOST_OTHERS: usize = 6;

pub(super) fn run(session: Session, args: &RunArgs) -> Result<Found, CliError> {
    let (offset, seeds) = args.shard.map_or((0, args.seeds), |shard| shard.range_of(args.seeds));
    let fits = args.time.is_some() || args.from.checked_add(args.seeds).is_some();
    let from = args.from.checked_add(offset).filter(|_| fits);
    let kind = session.subject(args.seed.subject.as_deref())?;
    session.fits(kind, args.seed.queue_size)?;
    Session::survives(kind, args.isolate.isolate)?;
    let plan = Plan {
        kind,
        draw: args.seed.draw(),
        from: from.ok_or_else(|| CliError::Input(format!("--from: the last seed is {}", u64::MAX)))?,
        budget: args.time.map_or(Budget::Seeds(seeds), Budget::Time),
        jobs: args.jobs.map_or_else(|| available_parallelism().map_or(1, usize::from), usize::from),
        max_findings: args.max_findings as usize,
        masks: args.mask.iter().cloned().collect(),
        call_timeout: args.isolate.patience,
        isolation: if args.isolate.isolate { Some(session.isolation()?) } else { None },
    };
    let all_seeds = Interval { from: args.from, count: args.seeds };
    let asked = RunOptions::new(&plan, args.time.is_none().then_some(all_seeds));
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
        unsaved: BTreeSet::new(),
        write_error: None,
    });
    if let Some(before) = &before {
        output::note(&format!("continuing after {}", counted(before.tally.seeds, "seed")));
        let mut recorder = lock(&recorder);
        before.reported().for_each(|finding| recorder.write(finding));
    }
    let hung = |hang: &Hang, summary: &Summary| end_hung(session, lock(&recorder), args.json, hang, summary);
    let (summary, failure) =
        match campaign::run(&plan, before.unwrap_or_default(), interrupted, &hung, &mut &recorder) {
            Ok(summary) => (summary, None),
            // Keep the results until the failure.
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
    recorder.printed(&summary);
    match failure.map(CliError::from).or(recorder.write_error) {
        Some(error) => Err(error),
        None if summary.reported().next().is_none() => Ok(Found::Nothing),
        None => Ok(Found::Something),
    }
}

/// Runs scenarios for the parent process.
pub(super) fn isolated(session: Session, pulse: &Path) -> Result<Found, CliError> {
    let file = std::fs::OpenOptions::new().read(true).write(true).open(pulse);
    let file = file.map_err(|error| CliError::Input(format!("{}: {error}", pulse.display())))?;
    serve(file, session.subjects)?;
    Ok(Found::Nothing)
}

/// Catches the canary, or refuses the run.
fn canary(plan: &Plan) -> Result<Canary, CliError> {
    let kind = campaign::canary(&plan.draw);
    let caught = Canary::catch(&mut *plan.executor()?, kind, &plan.draw, plan.from)?;
    caught.map_err(|silent| CliError::Input(silent.to_string()))
}

/// The results as text.
fn text(
    session: Session,
    args: &RunArgs,
    recorder: &RunRecorder<'_>,
    summary: &Summary,
) -> Result<String, CliError> {
    // Several groups can have one cause. The shortest finding shows it best, and one without faults before others.
    let plainest = |(_, finding): &(usize, &Finding)| {
        (finding.signature.last_fault.is_some(), finding.shrunk.steps.len())
    };
    let shown = summary.reported().enumerate().min_by_key(plainest);
    let mut text = recorder.report(summary).brief_text(shown.map(|(number, _)| number));
    if summary.reported().any(|finding| recorder.file(finding).is_some()) {
        let folder = recorder.out.display();
        text.push_str(&format!(
            "the shrunk scenarios are in {folder}, in files named after the signatures\n"
        ));
    }
    if args.coverage {
        text.push_str(&format!("\n{}", summary.tally.reach_counts.coverage()));
    }
    if let Some((_, finding)) = shown {
        let plan = recorder.plan;
        let (trace, outcome) = plan.executor()?.annotated_trace(Style::Brief, plan.kind, &finding.shrunk)?;
        text.push_str(&format!(
            "\n{}",
            visible(&annotated_trace::view(plan.kind, &finding.shrunk, &trace, &outcome))
        ));
        if !outcome.is_finding() {
            text.push_str(&visible(&format!("\nthe finding was: {}\n", finding.detail)));
        }
        let mut others: Vec<String> =
            finding.also.keys().take(MOST_OTHERS).map(|signature| format!("  {signature}\n")).collect();
        if let more @ 1.. = finding.also.len().saturating_sub(MOST_OTHERS) {
            others.push(format!("  and {more} more\n"));
        }
        if !others.is_empty() {
            text.push_str(&visible(&format!("\nthe group is also seen as:\n{}", others.concat())));
        }
        let isolate = if plan.isolation.is_some() { " --isolate" } else { "" };
        match recorder.file(finding) {
            Some(file) => text.push_str(&format!(
                "\nas a test:\n{}\nreplay it with:\n{}{isolate}\n",
                annotated_trace::test_of(plan.kind, &outcome, &finding.shrunk, Some(&file)),
                session.replay_command(&file, plan.kind),
            )),
            None => {
                let replay = finding_file::replay_seed(plan, finding.shrunk_seed, plan.isolation.is_some());
                let command = session.command_line(&replay);
                text.push_str(&format!("\nreplay it, before shrinking, with:\n{command}\n"));
            }
        }
    }
    Ok(text)
}

/// Prints and writes the results, and ends this process, in which a call of the subject does not return. Does not write the
/// progress, since the run can be in the middle of a block.
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
    let shrunk = if *shrinking { ", while its finding was shrunk" } else { "" };
    let message = format!(
        "{subject} is stuck: {call} did not return within {seconds:.1} s, in step {step} of seed {seed}{shrunk}\n\
         run with --isolate to continue after such a call; replay it with:\n\
         {}\n",
        session.command_line(&finding_file::replay_seed(recorder.plan, &seed, true))
    );
    recorder.bar.clear();
    summary.reported().for_each(|finding| recorder.write(finding));
    recorder.write_missing(summary);
    let report = recorder.report(summary);
    recorder.write_report(&report);
    let printed = match json {
        true => {
            output::note(message.trim_end());
            output::emit(&output::json(&report))
        }
        false => output::emit(&format!("{}\n{message}", report.text())),
    };
    match printed.err().or(recorder.write_error.take()) {
        Some(error) => {
            output::note(&format!("error: {error}"));
            unfinished::exit(2)
        }
        // The finding is masked, but the run is incomplete.
        None if summary.reported().next().is_none() => unfinished::exit(2),
        None => unfinished::exit(1),
    }
}
