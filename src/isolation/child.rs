//! The parent's side: a child process, and another one when it is lost.

use super::message::{Reply, Request, send};
use crate::annotated_trace::{AnnotatedTrace, Style};
use crate::campaign::Block;
use crate::execution::{CannotRun, ExecutionPosition, ProgressCell};
use crate::executor::{Executor, Failure};
use crate::outcome::{Call, Limit, Outcome, Verdict};
use crate::scenario::{Draw, Scenario};
use crate::subject::SubjectKind;
use crate::timeline::{Recorded, Timeline};
use ringstorm_model::TraceHash;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, ErrorKind};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How often it is looked whether the pulse changes.
const INTERVAL: Duration = Duration::from_millis(50);
/// As many bytes of what a child printed are kept as its last words.
const LAST_WORDS: usize = 400;
/// Whoever prints all the time must not fill the disk.
const MOST_WORDS: u64 = 1 << 20;
/// What is no call of the subject may take so long: starting, drawing, judging.
const OWN_PATIENCE: Duration = Duration::from_secs(60);
/// As often is a child asked again that was lost before it had begun anything: ended by somebody else, it would seem.
const TRIES: u32 = 3;
/// Names of files.
const WORDS: &str = "words";
const PULSE: &str = "pulse";

/// How to start a child.
#[derive(Debug, Clone)]
pub struct Isolation {
    /// The program.
    pub program: PathBuf,
    /// Its arguments, in front of the path of the pulse. They must lead to [`serve`](super::serve).
    pub arguments: Vec<String>,
}

/// A child process that runs scenarios.
#[derive(Debug)]
pub struct Child {
    isolation: Isolation,
    patience: Duration,
    /// Has the files below.
    folder: TempDir,
    pulse: ProgressCell,
    /// What the child prints.
    words: File,
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    process: std::process::Child,
    socket: BufReader<UnixStream>,
}

/// A child that is no more, and where it was.
struct Loss {
    verdict: Verdict,
    place: ExecutionPosition,
}

impl Child {
    /// A child that will be started when there is something to do. A call of the subject that takes longer than
    /// `patience` is stuck.
    ///
    /// # Errors
    /// [`Failure`] if there is no room for its files.
    pub fn new(isolation: Isolation, patience: Duration) -> Result<Self, Failure> {
        let folder = tempfile::Builder::new().prefix("ringstorm-").tempdir()?;
        let words = OpenOptions::new().append(true).create_new(true).open(folder.path().join(WORDS))?;
        let pulse =
            OpenOptions::new().read(true).write(true).create_new(true).open(folder.path().join(PULSE))?;
        Ok(Self { isolation, patience, pulse: ProgressCell::in_file(pulse)?, folder, words, running: None })
    }

    fn start(&mut self) -> Result<Running, Failure> {
        self.words.set_len(0)?;
        let (ours, theirs) = UnixStream::pair()?;
        ours.set_read_timeout(Some(INTERVAL))?;
        ours.set_write_timeout(Some(OWN_PATIENCE))?;
        let process = Command::new(&self.isolation.program)
            .args(&self.isolation.arguments)
            .arg(self.folder.path().join(PULSE))
            // A Ctrl-C is for the parent alone.
            .process_group(0)
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(self.words.try_clone()?)
            .stderr(self.words.try_clone()?)
            .spawn()?;
        let mut running = Running { process, socket: BufReader::new(ours) };
        match self.hear(&mut running) {
            Ok(Reply::Ready) => Ok(running),
            Ok(_) => Err(out_of_turn()),
            Err(loss) => {
                let loss = loss?;
                let words = self.last_words().unwrap_or_default();
                Err(Failure::Child(io::Error::other(format!("it did not start: {} {words}", loss.verdict))))
            }
        }
    }

    /// Asks for something, and hears what comes of it; `told` hears what comes before.
    fn ask(
        &mut self,
        request: &Request,
        told: &mut dyn FnMut(Reply),
    ) -> Result<Result<Reply, Loss>, Failure> {
        for _ in 0..TRIES {
            match self.ask_once(request, told)? {
                Err(loss) if loss.place.seed.is_none() && loss.place.call.is_none() => {}
                answer => return Ok(answer),
            }
        }
        Err(Failure::Child(io::Error::other("it ends again and again before it has begun")))
    }

    fn ask_once(
        &mut self,
        request: &Request,
        told: &mut dyn FnMut(Reply),
    ) -> Result<Result<Reply, Loss>, Failure> {
        self.pulse.rest();
        let mut running = match self.running.take() {
            Some(running) => running,
            None => self.start()?,
        };
        // A child that is gone does not listen, and is noticed when it does not answer.
        if send(running.socket.get_ref(), request).is_err() {
            let _ = running.process.kill();
        }
        loop {
            match self.hear(&mut running) {
                Ok(said @ (Reply::Told(_) | Reply::State(_) | Reply::Recorded(_))) => told(said),
                Ok(Reply::WrongAdapter(wrong)) => return Err(CannotRun::Adapter(wrong).into()),
                Ok(Reply::Refused(why)) => return Err(Failure::Child(io::Error::other(why))),
                Ok(reply) => {
                    self.running = Some(running);
                    return Ok(Ok(reply));
                }
                Err(loss) => return Ok(Err(loss?)),
            }
        }
    }

    /// Waits for the next reply. If none comes, the child is lost.
    fn hear(&self, running: &mut Running) -> Result<Reply, Result<Loss, Failure>> {
        let (mut line, mut last, mut since) = (Vec::new(), self.pulse.place(), Instant::now());
        loop {
            match running.socket.read_until(b'\n', &mut line) {
                Ok(_) if line.ends_with(b"\n") => {
                    return serde_json::from_slice(&line).map_err(|error| Err(Failure::Child(error.into())));
                }
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    // It may be gone, with a process of its own holding the connection.
                    if matches!(running.process.try_wait(), Ok(Some(_))) {
                        return Err(self.lost(running));
                    }
                    let place = self.pulse.place();
                    let patience =
                        if place.call.is_some() { self.patience } else { self.patience.max(OWN_PATIENCE) };
                    if place != last {
                        (last, since) = (place, Instant::now());
                    } else if since.elapsed() >= patience {
                        let _ = running.process.kill();
                        let _ = running.process.wait();
                        return Err(Ok(Loss { verdict: Verdict::Stuck(Limit::Time), place }));
                    }
                    if self.words.metadata().is_ok_and(|words| words.len() > MOST_WORDS) {
                        self.words.set_len(0).map_err(|error| Err(Failure::Child(error)))?;
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // The end, with or without a reset of the connection.
                Ok(_) | Err(_) => return Err(self.lost(running)),
            }
        }
    }

    /// What became of a child that says nothing more. One that goes on all the same is ended.
    fn lost(&self, running: &mut Running) -> Result<Loss, Failure> {
        let start = Instant::now();
        loop {
            if let Some(status) = running.process.try_wait()? {
                return Ok(Loss { verdict: Verdict::Died(ended(status)), place: self.pulse.place() });
            }
            if start.elapsed() >= self.patience {
                running.process.kill()?;
                running.process.wait()?;
                return Ok(Loss { verdict: Verdict::Stuck(Limit::Time), place: self.pulse.place() });
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// What a seed comes to whose process was lost. It is run once more, since somebody else may have ended it, or may have kept
    /// it from getting on.
    fn lost_seed(&mut self, kind: SubjectKind, draw: &Draw, seed: u64, loss: Loss) -> Result<Block, Failure> {
        let mut block = Block::default();
        let request = Request::Seeds { subject: kind.name(), draw: draw.into(), first: seed, count: 1 };
        let outcome = match (self.ask(&request, &mut |_| {})?, &loss.verdict) {
            (Err(again), _) => again.outcome(),
            (Ok(_), Verdict::Died(how)) if loss.place.call.is_some() => {
                let verdict = Verdict::Died(format!("{how}, but not when it was run again"));
                Loss { verdict, ..loss }.outcome()
            }
            // It was not the subject's turn, or the machine was busy with something else.
            (Ok(reply), verdict) => {
                let mut block = reply.into_block().ok_or_else(out_of_turn)?;
                block.slow.extend(matches!(verdict, Verdict::Stuck(_)).then_some(seed));
                return Ok(block);
            }
        };
        if let Some(fault) = outcome.last_fault.filter(|_| outcome.is_finding()) {
            // All that is known of what it threw.
            block.tally.counts.fault_mut(fault).thrown += 1;
            block.tally.counts.violate(fault, None);
        }
        block.add(seed, outcome);
        Ok(block)
    }

    fn scenario(&mut self, request: &Request, told: &mut dyn FnMut(Reply)) -> Result<Outcome, Failure> {
        match self.ask(request, told)? {
            Ok(Reply::Ended(ended)) => ended.outcome().ok_or_else(out_of_turn),
            Ok(_) => Err(out_of_turn()),
            Err(loss) => Ok(loss.outcome()),
        }
    }
}

impl Executor for Child {
    fn seeds(&mut self, kind: SubjectKind, draw: &Draw, first: u64, count: u64) -> Result<Block, Failure> {
        let (mut block, mut first, mut count) = (Block::default(), first, count);
        while count > 0 {
            let request = Request::Seeds { subject: kind.name(), draw: draw.into(), first, count };
            match self.ask(&request, &mut |_| {})? {
                Ok(reply) => {
                    block.append(reply.into_block().ok_or_else(out_of_turn)?);
                    return Ok(block);
                }
                Err(loss) => {
                    let seed = loss.place.seed.ok_or_else(out_of_turn)?;
                    let before = seed.wrapping_sub(first);
                    if before >= count {
                        return Err(out_of_turn());
                    }
                    // The child took with it what it knew of the seeds before.
                    block.append(self.seeds(kind, draw, first, before)?);
                    block.append(self.lost_seed(kind, draw, seed, loss)?);
                    (first, count) = (seed.wrapping_add(1), count - before - 1);
                }
            }
        }
        Ok(block)
    }

    fn run(&mut self, kind: SubjectKind, scenario: &Scenario) -> Result<Outcome, Failure> {
        let request = Request::Run { subject: kind.name(), scenario: scenario.encode() };
        self.scenario(&request, &mut |_| {})
    }

    fn tell(
        &mut self,
        style: Style,
        kind: SubjectKind,
        scenario: &Scenario,
    ) -> Result<(AnnotatedTrace, Outcome), Failure> {
        let request = Request::Tell { style, subject: kind.name(), scenario: scenario.encode() };
        let mut told = AnnotatedTrace::default();
        let outcome = self.scenario(&request, &mut |said| match said {
            Reply::Told(lines) => told.steps.push_str(&lines),
            Reply::State(state) => told.state = state,
            _ => {}
        })?;
        Ok((told, outcome))
    }

    fn record(&mut self, kind: SubjectKind, scenario: &Scenario) -> Result<(Timeline, Outcome), Failure> {
        let (subject, bytes) = (kind.name(), scenario.encode());
        let (mut moments, mut texts) = (Recorded::default(), Vec::new());
        let request =
            Request::Tell { style: Style::Brief, subject: subject.clone(), scenario: bytes.clone() };
        self.scenario(&request, &mut |said| {
            if let Reply::Told(lines) = said {
                texts.push(lines);
            }
        })?;
        let outcome = self.scenario(&Request::Record { subject, scenario: bytes }, &mut |said| {
            if let Reply::Recorded(moment) = said {
                moments.push(moment);
            }
        })?;
        Ok((Timeline::new(scenario, moments, texts, &outcome), outcome))
    }

    fn last_words(&self) -> Option<String> {
        let bytes = std::fs::read(self.folder.path().join(WORDS)).ok()?;
        let text = String::from_utf8_lossy(&bytes[bytes.len().saturating_sub(LAST_WORDS)..]);
        Some(text.trim().replace(['\n', '\r'], " ")).filter(|words| !words.is_empty())
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if let Some(mut running) = self.running.take() {
            let _ = running.process.kill();
            let _ = running.process.wait();
        }
    }
}

impl Loss {
    /// What is known of an execution that its process did not survive.
    fn outcome(self) -> Outcome {
        let ExecutionPosition { steps, call, last_fault, .. } = self.place;
        let call = call.unwrap_or(Call::Construct);
        let mut hash = TraceHash::default();
        hash.number(u64::from(steps));
        hash.number(call as u64);
        Outcome {
            verdict: self.verdict,
            step: steps.saturating_sub(1) as usize,
            steps: steps.into(),
            effective_steps: 0,
            skipped_steps: 0,
            trace_hash: hash.get(),
            call,
            last_fault,
            coverage: Default::default(),
        }
    }
}

/// How a process ended, in words.
fn ended(status: ExitStatus) -> String {
    match status.signal() {
        // Without whether a core was left, which depends on the machine.
        Some(_) => status.to_string().replace(" (core dumped)", ""),
        None => status.to_string(),
    }
}

fn out_of_turn() -> Failure {
    Failure::Child(io::Error::new(ErrorKind::InvalidData, "it said something else than it was asked"))
}
