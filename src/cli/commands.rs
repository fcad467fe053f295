//! What each command does.

use super::args::{CalibrateArgs, ReplayArgs, RunArgs, ShowArgs, ShrinkArgs};
use super::{Found, Refusal, input, output};
use crate::campaign::{self, Ending, Extent, Finding, Plan};
use crate::execution::Rig;
use crate::outcome::{Expected, Verdict};
use crate::report::{self, CalibrationReport, RunReport};
use crate::scenario::{Document, Draw, GENERATOR, Profile};
use crate::shrink::BUDGET;
use crate::story;
use crate::subject::Kind;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::path::Path;
use std::thread::available_parallelism;

/// Where findings go unless said otherwise.
const DEFAULT_OUT: &str = "findings";

pub(super) fn run(args: &RunArgs) -> Result<Found, Refusal> {
    let (offset, seeds) = args.shard.map_or((0, args.seeds), |shard| shard.of_range(args.seeds));
    let from = args.from.checked_add(offset).filter(|from| from.checked_add(seeds).is_some());
    let plan = Plan {
        kind: args.seed.subject.unwrap_or(Kind::Core),
        draw: args.seed.draw(),
        from: from.ok_or_else(|| Refusal::Input(format!("--from: seeds end at {}", u64::MAX)))?,
        extent: args.time.map_or(Extent::Seeds(seeds), Extent::Time),
        jobs: args.jobs.map_or_else(|| available_parallelism().map_or(1, usize::from), usize::from),
        max_findings: args.max_findings as usize,
        masks: args.mask.iter().cloned().collect(),
    };
    if let Some(folder) = &args.out {
        output::prepare_folder(folder)?;
    }
    let folder = args.out.as_deref().unwrap_or(Path::new(DEFAULT_OUT));
    let interrupted = super::interrupt()?;

    let bar = progress_bar(&plan);
    let mut files = Vec::new();
    let mut unwritten = None;
    let mut found = |finding: &Finding| {
        let (file, error) = keep(folder, &plan.draw, finding);
        bar.suspend(|| output::note(&format!("found {} at seed {}", finding.signature, finding.seed)));
        files.push(file);
        unwritten = unwritten.take().or(error);
    };
    let summary = campaign::run(
        &plan,
        &interrupted,
        |progress| {
            bar.set_position(progress.seeds);
            bar.set_message(format!(
                "{} effective steps, {} findings",
                progress.effective_steps, progress.findings
            ));
        },
        &mut found,
    )?;
    bar.finish_and_clear();
    match summary.ending {
        Ending::Complete => {}
        Ending::EnoughFindings => {
            output::note(&format!(
                "stopped at {} groups of findings, after {} seeds",
                summary.findings.len(),
                summary.seeds
            ));
        }
        Ending::Interrupted => {
            output::note(&format!("interrupted after {} seeds; this is the summary so far", summary.seeds))
        }
    }
    for mask in plan.masks.iter().filter(|mask| !summary.masked.contains_key(*mask)) {
        output::note(&format!("--mask {mask}: no finding has this signature"));
    }
    let report = RunReport::new(&plan, &summary, &files);
    if args.json {
        let json = serde_json::to_string_pretty(&report).expect("a report has only string keys");
        output::emit(&format!("{json}\n"))?;
    } else {
        let mut text = report.text();
        if args.coverage {
            text.push_str(&format!("\n{}", summary.coverage));
        }
        // Several groups are often one defect; the shortest says most plainly what it is.
        let findings = summary.findings.iter().zip(&files);
        if let Some((finding, file)) = findings.min_by_key(|(finding, _)| finding.shrunk.steps.len()) {
            text.push_str(&format!("\n{}", finding_text(plan.kind, finding)?));
            text.push_str(&format!("\nreplay it with:\n{}\n", replay_command(file, plan.kind)));
        }
        output::emit(&text)?;
    }
    if let Some(error) = unwritten {
        return Err(error);
    }
    Ok(if summary.findings.is_empty() { Found::Nothing } else { Found::Something })
}

/// Writes a finding down. If that fails, its scenario goes to standard error, so that it is not lost.
fn keep(folder: &Path, draw: &Draw, finding: &Finding) -> (String, Option<Refusal>) {
    let signature = &finding.signature;
    let document = Document {
        comments: vec![
            format!(" {}", finding.signature),
            format!(" {}", finding.verdict.to_string().replace(['\n', '\r'], " ")),
            format!(
                " from seed {} of generator {GENERATOR}: ringstorm replay {0} --subject {}{}",
                finding.seed,
                signature.subject,
                options(draw)
            ),
            format!(
                " as a regression, this file ends in: expect {} {}",
                signature.subject, signature.expected
            ),
        ],
        scenario: finding.shrunk.clone(),
        expectations: Vec::new(),
    };
    let path = folder.join(report::file_name(finding));
    let written = std::fs::create_dir_all(folder)
        .map_err(|error| Refusal::Input(format!("{}: {error}", folder.display())))
        .and_then(|()| output::write_file(&path, document.to_string().as_bytes()));
    if written.is_err() {
        output::note(&format!("a finding could not be written; this is its scenario:\n{document}"));
    }
    (path.display().to_string(), written.err())
}

/// The options that say which scenarios were drawn, as far as they are not what they are unless given.
fn options(draw: &Draw) -> String {
    let Draw { profile, steps, queue_size } = *draw;
    let mut options = String::new();
    if profile != Profile::default() {
        options.push_str(&format!(" --profile {}", <&str>::from(profile)));
    }
    if steps != super::args::DEFAULT_STEPS as usize {
        options.push_str(&format!(" --steps {steps}"));
    }
    if let Some(size) = queue_size {
        options.push_str(&format!(" --queue-size {size}"));
    }
    options
}

/// The story of a shrunk finding.
fn finding_text(kind: Kind, finding: &Finding) -> Result<String, Refusal> {
    let (text, _) = story::tell(&mut Rig::new()?, kind, &finding.shrunk)?;
    Ok(text)
}

/// The command line that replays a file.
pub(super) fn replay_command(file: &str, kind: Kind) -> String {
    let program = std::env::args().next().unwrap_or_else(|| "ringstorm".to_owned());
    let quoted = |text: &str| {
        let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_./+".contains(&byte));
        // A file that begins with a dash would be taken for a flag.
        let text = if text.starts_with('-') { format!("./{text}") } else { text.to_owned() };
        if plain { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
    };
    let subject = if kind == Kind::Core { String::new() } else { format!(" --subject {}", kind.name()) };
    format!("{} replay {}{subject}", quoted(&program), quoted(file))
}

fn progress_bar(plan: &Plan) -> ProgressBar {
    let (length, template) = match plan.extent {
        Extent::Seeds(seeds) => (Some(seeds), "{bar:30} {pos}/{len} seeds, {eta} left, {msg}"),
        Extent::Time(_) => (None, "{spinner} {pos} seeds, {elapsed}, {msg}"),
    };
    let bar = ProgressBar::with_draw_target(length, ProgressDrawTarget::stderr());
    bar.set_style(ProgressStyle::with_template(template).expect("a fixed template"));
    bar
}

pub(super) fn replay(args: &ReplayArgs) -> Result<Found, Refusal> {
    // All inputs are read before anything is told, so that a bad one leaves nothing half done.
    let documents: Vec<Document> =
        args.inputs.iter().map(|input| input::read(input, &args.seed)).collect::<Result<_, _>>()?;
    let mut rig = Rig::new()?;
    let mut found = Found::Nothing;
    for (input, document) in args.inputs.iter().zip(&documents) {
        for (kind, expected) in expectations(input, document, args.seed.subject)? {
            let (text, outcome) = story::tell(&mut rig, kind, &document.scenario)?;
            let as_expected = Expected::of(&outcome.verdict) == expected;
            let note = match (as_expected, expected) {
                (true, Expected::Pass) => String::new(),
                (true, expected) => format!("as expected: {expected}\n"),
                (false, Expected::Pass) => String::new(),
                (false, expected) => format!("NOT as expected: {expected}\n"),
            };
            output::emit(&format!("== {input}: {text}{note}\n"))?;
            if !as_expected {
                found = Found::Something;
            }
        }
    }
    Ok(found)
}

/// Which subjects a document is replayed on, and what must come of it.
fn expectations(
    input: &str,
    document: &Document,
    subject: Option<Kind>,
) -> Result<Vec<(Kind, Expected)>, Refusal> {
    let mut known = Vec::new();
    for (name, expected) in &document.expectations {
        let kind = Kind::by_name(name)
            .ok_or_else(|| Refusal::Input(format!("{input}: expect: unknown subject {name:?}")))?;
        known.push((kind, *expected));
    }
    Ok(match subject {
        Some(kind) => {
            let expected = known.iter().find(|(known, _)| *known == kind).map_or(Expected::Pass, |(_, e)| *e);
            vec![(kind, expected)]
        }
        None if known.is_empty() => vec![(Kind::Core, Expected::Pass)],
        None => known,
    })
}

pub(super) fn show(args: &ShowArgs) -> Result<Found, Refusal> {
    let document = input::read(&args.input, &args.seed)?;
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

pub(super) fn shrink(args: &ShrinkArgs) -> Result<Found, Refusal> {
    let document = input::read(&args.input, &args.seed)?;
    let subject = args.seed.subject;
    let kinds: Vec<Kind> =
        expectations(&args.input, &document, subject)?.iter().map(|(kind, _)| *kind).collect();
    let mut rig = Rig::new()?;
    for kind in kinds {
        let outcome = rig.run(kind, &document.scenario, &mut ())?;
        if outcome.verdict == Verdict::Pass {
            continue;
        }
        let signature = outcome.signature(&kind.name());
        let scenario = crate::shrink::shrink(&mut rig, kind, &signature, &document.scenario, BUDGET)?;
        let (after, before) = (scenario.steps.len(), document.scenario.steps.len());
        output::note(&format!("{signature}: {after} steps, {before} before"));
        let comments =
            if document.comments.is_empty() { vec![format!(" {signature}")] } else { document.comments };
        let shrunk = Document { comments, scenario, expectations: document.expectations };
        match &args.output {
            Some(path) => {
                output::write_file(path, shrunk.to_string().as_bytes())?;
                output::note(&replay_command(&path.display().to_string(), kind));
            }
            None => output::emit(&shrunk.to_string())?,
        }
        return Ok(Found::Something);
    }
    output::note(&format!("{}: nothing goes wrong here, so there is nothing to shrink", args.input));
    Ok(Found::Nothing)
}

pub(super) fn calibrate(args: &CalibrateArgs) -> Result<Found, Refusal> {
    if !args.json {
        output::emit(&format!("{}\n", report::CALIBRATION_HEADER))?;
    }
    let mut closed = None;
    let specimens = crate::calibrate::calibrate_all(args.steps as usize, |caught| {
        if !args.json && closed.is_none() {
            closed = output::emit(&format!("{}\n", report::calibration_line(caught))).err();
        }
    })?;
    if let Some(refusal) = closed {
        return Err(refusal);
    }
    let caught = specimens.iter().filter(|specimen| specimen.found).count();
    if args.json {
        let report =
            CalibrationReport { version: report::JSON_VERSION, generator: GENERATOR, specimens: &specimens };
        let json = serde_json::to_string_pretty(&report).expect("a report has only string keys");
        output::emit(&format!("{json}\n"))?;
    } else {
        output::emit(&format!("{caught} of {} specimens caught from every start\n", specimens.len()))?;
    }
    // A defect that is not caught is what calibration looks for.
    Ok(if caught == specimens.len() { Found::Nothing } else { Found::Something })
}
