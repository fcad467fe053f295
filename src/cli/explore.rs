//! `ringstorm explore`.

use super::args::ExploreArgs;
use super::error::{CliError, Found};
use super::interrupt::interrupt;
use super::output;
use super::session::Session;
use crate::annotated_trace;
use crate::execution::Rig;
use crate::explore::{self, Alphabet, Explored, Progress, Scope, StopReason, SubjectFeatures, report};
use crate::report::{counted, visible};
use crate::subject::SubjectKind;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use ringstorm_core::QueueSize;
use std::sync::atomic::AtomicBool;
use std::thread::available_parallelism;
use std::time::Instant;

/// The queue sizes that are explored by default, each with a depth that takes some seconds.
const SCOPES: [(u32, usize); 3] = [(1, 6), (2, 5), (4, 3)];

pub(super) fn explore(session: Session, args: &ExploreArgs) -> Result<Found, CliError> {
    let kind = session.subject(args.subject.as_deref())?;
    session.fits(kind, args.queue_size)?;
    Session::needs_no_child(kind, "explore")?;
    let scopes: Vec<Scope> = match args.queue_size {
        Some(size) => vec![scope(kind, args, size, default_depth(size))],
        None => {
            let fits = |(size, _): &(u32, usize)| queue_size(*size) <= kind.largest();
            SCOPES
                .into_iter()
                .filter(fits)
                .map(|(size, depth)| scope(kind, args, queue_size(size), depth))
                .collect()
        }
    };
    if args.alphabet {
        return print_alphabet(&scopes);
    }
    let interrupted = interrupt()?;
    let mut done: Vec<(Scope, Explored)> = Vec::new();
    let mut refused = None;
    let (start, count) = (Instant::now(), scopes.len() as u32);
    for (scope, left) in scopes.into_iter().zip((1..=count).rev()) {
        // The queue sizes that are left share the time that is left.
        let time = args.time.map(|time| time.saturating_sub(start.elapsed()) / left);
        let mut scope = Scope { time, ..scope };
        // After a finding, look only for shorter ones.
        let shortest = done.iter().filter_map(|(_, explored)| explored.found.as_ref());
        match shortest.map(|found| found.scenario.steps.len()).min() {
            Some(0) => break,
            Some(steps) => scope.depth = scope.depth.min(steps - 1),
            None => {}
        }
        let explored = run(&scope, interrupted)?;
        if let StopReason::TooLarge { expected, fits } = explored.ending {
            refused = Some(CliError::Input(report::refusal(&scope, expected, fits)));
            break;
        }
        if !args.json {
            if done.is_empty() {
                output::emit(&format!("{}\n", report::header(&scope)))?;
            }
            output::emit(&format!("{}\n", report::line(&scope, &explored)))?;
        }
        let ending = explored.ending;
        done.push((scope, explored));
        if ending == StopReason::Interrupted {
            output::note("interrupted; these are the results so far");
            break;
        }
    }
    let unwritten = print(session, kind, args, &done)?;
    match refused.or(unwritten) {
        Some(refusal) => Err(refusal),
        None if done.iter().any(|(_, explored)| explored.found.is_some()) => Ok(Found::Something),
        None => Ok(Found::Nothing),
    }
}

fn scope(kind: SubjectKind, args: &ExploreArgs, queue_size: QueueSize, depth: usize) -> Scope {
    let depth = match (args.depth, args.time) {
        (Some(depth), _) => depth as usize,
        // The time is the limit.
        (None, Some(_)) => usize::from(u16::MAX),
        (None, None) => depth,
    };
    Scope {
        kind,
        queue_size,
        depth,
        faults: args.faults,
        max_states: args.max_states,
        time: args.time,
        jobs: args.jobs.map_or_else(|| available_parallelism().map_or(1, usize::from), usize::from),
        features: SubjectFeatures { snapshots: !args.replay, ..SubjectFeatures::default() },
    }
}

/// Explores a scope behind a progress bar.
fn run(scope: &Scope, interrupted: &AtomicBool) -> Result<Explored, CliError> {
    let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
    let template = "{bar:30} {pos}/{len} states, {msg}";
    bar.set_style(ProgressStyle::with_template(template).expect("a fixed template"));
    let explored = explore::explore(scope, interrupted, |progress| {
        let Progress { depth, done, level, states, transitions } = progress;
        bar.set_length(level);
        bar.set_position(done);
        bar.set_message(format!(
            "queue size {}, depth {depth}; {states} states and {transitions} transitions in total",
            scope.queue_size
        ));
    });
    bar.finish_and_clear();
    Ok(explored?)
}

/// Prints and writes the finding. Returns the error if its file could not be written.
fn print(
    session: Session,
    kind: SubjectKind,
    args: &ExploreArgs,
    done: &[(Scope, Explored)],
) -> Result<Option<CliError>, CliError> {
    let document = report::counterexample(done);
    let mut unwritten = None;
    let mut file = None;
    if let (Some(path), Some(document)) = (&args.output, &document) {
        match output::write_file(path, document.to_string().as_bytes()) {
            Ok(()) => file = Some(path.display().to_string()),
            Err(refusal) => unwritten = Some(refusal),
        }
    }
    if args.json {
        if let Some(report) = report::ExploreReport::new(done, file) {
            let json = serde_json::to_string_pretty(&report).expect("a report has only string keys");
            output::emit(&format!("{json}\n"))?;
        }
    } else if let Some(document) = document {
        let (text, outcome) = annotated_trace::annotate(&mut Rig::new()?, kind, &document.scenario)?;
        let end = match file {
            Some(file) => format!("replay it with:\n{}\n", session.replay_command(&file, kind)),
            None => format!("as a scenario:\n{document}"),
        };
        let blame = annotated_trace::blame(&outcome);
        output::emit(&visible(&format!("\n{text}{blame}\n{end}")))?;
    } else if !done.is_empty() {
        output::emit("nothing found\n")?;
    }
    Ok(unwritten)
}

/// Prints the alphabet of each scope: its setups and actions.
fn print_alphabet(scopes: &[Scope]) -> Result<Found, CliError> {
    for scope in scopes {
        let Alphabet { setups, actions } = Alphabet::new(scope.queue_size, scope.faults > 0);
        let mut text = format!(
            "queue size {}: {}, {}\n",
            scope.queue_size,
            counted(setups.len() as u64, "setup"),
            counted(actions.len() as u64, "action")
        );
        for setup in setups {
            text.push_str(&format!("  {setup}\n"));
        }
        for action in actions {
            let rare = if action.rare {
                format!("  (only among the first {} steps)", Alphabet::RARE)
            } else {
                String::new()
            };
            text.push_str(&format!("    {}{rare}\n", action.step));
        }
        output::emit(&text)?;
    }
    Ok(Found::Nothing)
}

/// The default depth. Sizes without a default depth use that of the largest size with one.
fn default_depth(size: QueueSize) -> usize {
    let known = SCOPES.iter().find(|(known, _)| *known == u32::from(size.get()));
    known.or(SCOPES.last()).map_or(0, |(_, depth)| *depth)
}

fn queue_size(size: u32) -> QueueSize {
    QueueSize::new(size).expect("a power of two")
}
