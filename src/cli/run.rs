//! A storm.

use super::args::{DEFAULT_STEPS, RunArgs};
use super::folder::{self, Folder};
use super::progress::RunProgress;
use super::session::Session;
use super::{Found, Refusal, output};
use crate::campaign::{
    self, Canary, Ending, Extent, Finding, Hang, Observer, Plan, Stopped, Summary, is_masked,
};
use crate::isolation::serve;
use crate::report::{Asked, Interval, RunReport, visible};
use crate::scenario::{Draw, Profile};
use crate::story::{self, Style};
use std::path::{Path, PathBuf};
use std::thread::available_parallelism;

/// Where findings go unless said otherwise.
const DEFAULT_OUT: &str = "findings";

pub(super) fn run(session: Session, args: &RunArgs) -> Result<Found, Refusal> {
    let (offset, seeds) = args.shard.map_or((0, args.seeds), |shard| shard.of_range(args.seeds));
    let fits = args.time.is_some() || args.from.checked_add(args.seeds).is_some();
    let from = args.from.checked_add(offset).filter(|_| fits);
    let kind = session.subject(args.seed.subject.as_deref())?;
    session.fits(kind, args.seed.queue_size)?;
    let plan = Plan {
        kind,
        draw: args.seed.draw(),
        from: from.ok_or_else(|| Refusal::Input(format!("--from: seeds end at {}", u64::MAX)))?,
        extent: args.time.map_or(Extent::Seeds(seeds), Extent::Time),
        jobs: args.jobs.map_or_else(|| available_parallelism().map_or(1, usize::from), usize::from),
        max_findings: args.max_findings as usize,
        masks: args.mask.iter().cloned().collect(),
        patience: args.isolate.patience,
        isolation: if args.isolate.isolate { Some(session.isolation()?) } else { None },
    };
    let all_seeds = Interval { from: args.from, count: args.seeds };
    let asked = Asked::new(&plan, args.time.is_none().then_some(all_seeds));
    let shard = args.shard.map(|shard| shard.to_string());
    let folder = args.out.as_deref().map(Folder::open).transpose()?;
    let before = match &folder {
        Some(folder) => folder.progress(&asked, shard.as_deref())?,
        None => None,
    };
    let interrupted = super::interrupt()?;
    let canary = canary(&plan)?;
    let out = args.out.clone().unwrap_or_else(|| PathBuf::from(DEFAULT_OUT));
    let mut keeper = Keeper {
        bar: RunProgress::new(&plan, before.as_ref()),
        plan: &plan,
        asked,
        program: session.program(plan.kind),
        shard,
        canary,
        out,
        folder,
        unwritten: None,
    };
    if let Some(before) = &before {
        output::note(&format!("going on after {} seeds", before.tally.seeds));
        before.findings.iter().for_each(|finding| keeper.write(finding));
    }
    let hung = |hang: &Hang| end_hung(session, &plan, args.json, hang);
    let (summary, failure) =
        match campaign::run(&plan, before.unwrap_or_default(), interrupted, &hung, &mut keeper) {
            Ok(summary) => (summary, None),
            // What it came to until then is not lost.
            Err(Stopped { summary, failure }) => (*summary, Some(failure)),
        };
    keeper.bar.clear();
    keeper.end(&summary, failure.is_some());
    if args.json {
        output::emit(&folder::json(&keeper.report(&summary)))?;
    } else {
        output::emit(&text(session, args, &keeper, &summary)?)?;
    }
    keeper.told(&summary);
    match failure.map(Refusal::from).or(keeper.unwritten) {
        Some(error) => Err(error),
        None if summary.findings.is_empty() => Ok(Found::Nothing),
        None => Ok(Found::Something),
    }
}

/// Runs scenarios for the process that started this one.
pub(super) fn isolated(session: Session, pulse: &Path) -> Result<Found, Refusal> {
    let file = std::fs::OpenOptions::new().read(true).write(true).open(pulse);
    let file = file.map_err(|error| Refusal::Input(format!("{}: {error}", pulse.display())))?;
    serve(file, session.subjects)?;
    Ok(Found::Nothing)
}

/// Catches the canary of these scenarios.
fn canary(plan: &Plan) -> Result<Canary, Refusal> {
    let kind = campaign::canary(&plan.draw);
    let caught = Canary::catch(&mut *plan.executor()?, kind, &plan.draw, plan.from)?;
    caught.map_err(|silent| Refusal::Input(silent.to_string()))
}

/// Hears of a campaign, and keeps what it comes to.
struct Keeper<'a> {
    bar: RunProgress,
    plan: &'a Plan,
    asked: Asked,
    /// What replays it.
    program: String,
    shard: Option<String>,
    canary: Canary,
    /// Where findings go.
    out: PathBuf,
    /// The same folder, if more is to be kept there.
    folder: Option<Folder>,
    /// Why something that should have been written was not.
    unwritten: Option<Refusal>,
}

impl Keeper<'_> {
    fn report(&self, summary: &Summary) -> RunReport {
        let file = |finding: &Finding| folder::path(&self.out, finding).display().to_string();
        let canary = Some(self.canary.clone());
        let (asked, program, shard) = (self.asked.clone(), self.program.clone(), self.shard.clone());
        RunReport::new(asked, program, shard, self.plan, summary, canary, file)
    }

    fn write(&mut self, finding: &Finding) {
        let written = folder::keep(&self.out, &self.program, self.plan, finding);
        self.failed(written);
    }

    fn keep_progress(&mut self, summary: &Summary) {
        let report = self.report(summary);
        let written = self.folder.as_mut().map_or(Ok(()), |folder| folder.keep_progress(report));
        self.failed(written);
    }

    /// The first failure is told at once, and again at the end.
    fn failed(&mut self, written: Result<(), Refusal>) {
        if let (Err(error), None) = (written, &self.unwritten) {
            self.bar.suspend(|| output::note(&format!("the run goes on, but: {error}")));
            self.unwritten = Some(error);
        }
    }

    /// Says why the run ended, and keeps what it came to.
    fn end(&mut self, summary: &Summary, failed: bool) {
        let (groups, seeds) = (summary.findings.len(), summary.tally.seeds);
        match summary.ending {
            Ending::Complete => {}
            Ending::EnoughFindings => {
                output::note(&format!("stopped at {groups} groups of findings, after {seeds} seeds"));
            }
            Ending::Unfinished => {
                let on = if self.folder.is_some() { "; the same command goes on from here" } else { "" };
                let why = if failed { "ended by an error" } else { "interrupted" };
                output::note(&format!("{why} after {seeds} seeds; this is the summary so far{on}"));
            }
        }
        let idle = |mask: &&String| !summary.masked.keys().any(|signature| is_masked(mask, signature));
        for mask in self.plan.masks.iter().filter(idle) {
            output::note(&format!("--mask {mask}: no finding has this signature"));
        }
        // What had no room may have some now.
        if self.unwritten.take().is_some() {
            summary.findings.iter().for_each(|finding| self.write(finding));
        }
        if summary.ending == Ending::Unfinished {
            return self.keep_progress(summary);
        }
        let report = self.report(summary);
        let kept = self.folder.as_ref().map_or(Ok(()), |folder| folder.keep_report(&report));
        self.failed(kept);
    }

    /// What the run came to was printed. One that was over and is killed before that ends once more, to print it.
    fn told(&mut self, summary: &Summary) {
        if summary.ending == Ending::Unfinished || self.unwritten.is_some() {
            return;
        }
        let forgotten = self.folder.as_ref().map_or(Ok(()), Folder::forget_progress);
        self.failed(forgotten);
    }
}

impl Observer for Keeper<'_> {
    fn progress(&mut self, summary: &Summary) {
        self.bar.show(summary);
        if self.folder.as_ref().is_some_and(Folder::is_due) {
            self.keep_progress(summary);
        }
    }

    fn found(&mut self, finding: &Finding) {
        self.bar.suspend(|| output::note(&format!("found {} at seed {}", finding.signature, finding.seed)));
        // Shrinking may take a while, and may be the end of the process.
        self.write(finding);
    }

    fn slow(&mut self, seed: u64) {
        let note = format!("seed {seed}: a call took longer than --patience, but not when it was run again");
        self.bar.suspend(|| output::note(&note));
    }

    fn shrunk(&mut self, finding: &Finding) {
        self.write(finding);
    }
}

/// What a run came to, for people.
fn text(session: Session, args: &RunArgs, keeper: &Keeper<'_>, summary: &Summary) -> Result<String, Refusal> {
    let mut text = keeper.report(summary).brief_text();
    if !summary.findings.is_empty() {
        text.push_str(&format!("each is in a file of its name in {}\n", keeper.out.display()));
    }
    if args.coverage {
        text.push_str(&format!("\n{}", summary.tally.heat.coverage()));
    }
    // Several groups are often one defect; the shortest says most plainly what it is.
    if let Some(finding) = summary.findings.iter().min_by_key(|finding| finding.shrunk.steps.len()) {
        let plan = keeper.plan;
        let (told, outcome) = plan.executor()?.tell(Style::Brief, plan.kind, &finding.shrunk)?;
        let file = folder::path(&keeper.out, finding).display().to_string();
        let isolate = if plan.isolation.is_some() { " --isolate" } else { "" };
        text.push_str(&format!(
            "\n{}\nas a test:\n{}\nreplay it with:\n{}{isolate}\n",
            visible(&story::view(plan.kind, &finding.shrunk, &told, &outcome)),
            story::test_of(plan.kind, &outcome, &finding.shrunk, Some(&file)),
            session.replay_command(&file, plan.kind),
        ));
    }
    Ok(text)
}

/// Ends this process, in which the subject does not return from a call.
fn end_hung(session: Session, plan: &Plan, json: bool, hang: &Hang) -> ! {
    let Hang { seed, shrinking, step, call, waited } = hang;
    let (subject, seconds) = (plan.kind.name(), waited.as_secs_f64());
    let seed = seed.map_or("?".to_owned(), |seed| seed.to_string());
    let shrunk = if *shrinking { ", while what was found there was shrunk" } else { "" };
    let told = format!(
        "FOUND {subject} stuck: {call} did not return within {seconds:.1} s, in step {step} of seed {seed}{shrunk}\n\
         in child processes a run goes on after that (--isolate); replay it with:\n\
         {}\n",
        session.command_line(&format!("replay {seed} --subject {subject}{} --isolate", options(&plan.draw)))
    );
    // What should be one object is none.
    if json || output::emit(&told).is_err() {
        output::note(&told);
    }
    std::process::exit(1)
}

/// The options that say which scenarios were drawn, as far as they are not what they are unless given.
pub(super) fn options(draw: &Draw) -> String {
    let Draw { profile, steps, queue_size } = *draw;
    let mut options = String::new();
    if profile != Profile::default() {
        options.push_str(&format!(" --profile {}", <&str>::from(profile)));
    }
    if steps != DEFAULT_STEPS as usize {
        options.push_str(&format!(" --steps {steps}"));
    }
    if let Some(size) = queue_size {
        options.push_str(&format!(" --queue-size {size}"));
    }
    options
}
