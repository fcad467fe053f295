//! The parent's side: a child process, and its replacement when it ends.

use super::message::{Reply, Request, send};
use crate::annotated_trace::{AnnotatedTrace, Style};
use crate::execution::{CannotRun, ExecutionPosition, ProgressCell};
use crate::executor::{Executor, Failure};
use crate::outcome::{Call, Limit, Outcome, Verdict};
use crate::scenario::{Draw, Scenario};
use crate::subject::SubjectKind;
use crate::tally::Block;
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

/// How often the parent checks whether the child's position has changed.
const INTERVAL: Duration = Duration::from_millis(50);
/// How many bytes of the child's output are kept.
const LAST_OUTPUT_BYTES: usize = 400;
/// A child that prints all the time must not fill the disk.
const MAX_OUTPUT_BYTES: u64 = 1 << 20;
/// The limit for everything other than a call of the subject: starting, drawing scenarios, judging.
const HARNESS_TIMEOUT: Duration = Duration::from_secs(60);
/// How often a request is repeated if the child ended before it started a seed. Probably somebody else ended it.
const TRIES: u32 = 3;
/// File names.
const OUTPUT: &str = "output";
const PROGRESS: &str = "progress";

/// How to start a child.
#[derive(Debug, Clone)]
pub struct Isolation {
    /// The program.
    pub program: PathBuf,
    /// The arguments before the path of the progress cell. They must make the program call [`serve`](super::serve).
    pub arguments: Vec<String>,
}

/// Runs scenarios in a child process.
#[derive(Debug)]
pub struct Child {
    isolation: Isolation,
    call_timeout: Duration,
    /// Contains the files below.
    folder: TempDir,
    progress_cell: ProgressCell,
    /// The child's output.
    output: File,
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    process: std::process::Child,
    socket: BufReader<UnixStream>,
}

/// A child that ended or did not answer, and its last position.
struct LostChild {
    verdict: Verdict,
    position: ExecutionPosition,
}

impl Child {
    /// Prepares a child, which starts with the first request. A call of the subject that takes longer than
    /// `call_timeout` is stuck.
    ///
    /// # Errors
    /// [`Failure`] if its files cannot be created.
    pub fn new(isolation: Isolation, call_timeout: Duration) -> Result<Self, Failure> {
        let folder = tempfile::Builder::new().prefix("ringstorm-").tempdir()?;
        let output = OpenOptions::new().append(true).create_new(true).open(folder.path().join(OUTPUT))?;
        let progress_cell =
            OpenOptions::new().read(true).write(true).create_new(true).open(folder.path().join(PROGRESS))?;
        Ok(Self {
            isolation,
            call_timeout,
            progress_cell: ProgressCell::in_file(progress_cell)?,
            folder,
            output,
            running: None,
        })
    }

    fn start(&mut self) -> Result<Running, Failure> {
        self.output.set_len(0)?;
        let (ours, theirs) = UnixStream::pair()?;
        ours.set_read_timeout(Some(INTERVAL))?;
        ours.set_write_timeout(Some(HARNESS_TIMEOUT))?;
        let process = Command::new(&self.isolation.program)
            .args(&self.isolation.arguments)
            .arg(self.folder.path().join(PROGRESS))
            // Ctrl-C must reach the parent only.
            .process_group(0)
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(self.output.try_clone()?)
            .stderr(self.output.try_clone()?)
            .spawn()?;
        let mut running = Running { process, socket: BufReader::new(ours) };
        match self.receive_reply(&mut running) {
            Ok(Reply::Ready) => Ok(running),
            Ok(_) => Err(unexpected_reply()),
            Err(lost) => {
                let lost = lost?;
                let output = self.last_output().unwrap_or_default();
                Err(Failure::Child(io::Error::other(format!("it did not start: {} {output}", lost.verdict))))
            }
        }
    }

    /// Sends a request and returns the last reply. Calls `on_reply` with each reply before it.
    fn ask(
        &mut self,
        request: &Request,
        on_reply: &mut dyn FnMut(Reply),
    ) -> Result<Result<Reply, LostChild>, Failure> {
        for _ in 0..TRIES {
            match self.ask_once(request, on_reply)? {
                Err(lost) if lost.position.seed.is_none() && lost.position.call.is_none() => {}
                answer => return Ok(answer),
            }
        }
        Err(Failure::Child(io::Error::other("it ended repeatedly before it started a scenario")))
    }

    fn ask_once(
        &mut self,
        request: &Request,
        on_reply: &mut dyn FnMut(Reply),
    ) -> Result<Result<Reply, LostChild>, Failure> {
        self.progress_cell.set_idle();
        let mut running = match self.running.take() {
            Some(running) => running,
            None => self.start()?,
        };
        // If the child has ended, the missing reply will show it.
        if send(running.socket.get_ref(), request).is_err() {
            let _ = running.process.kill();
        }
        loop {
            match self.receive_reply(&mut running) {
                Ok(reply @ (Reply::TraceLines(_) | Reply::FailingState(_) | Reply::Recorded(_))) => {
                    on_reply(reply)
                }
                Ok(Reply::WrongAdapter(wrong)) => return Err(CannotRun::Adapter(wrong).into()),
                Ok(Reply::Refused(why)) => return Err(Failure::Child(io::Error::other(why))),
                Ok(reply) => {
                    self.running = Some(running);
                    return Ok(Ok(reply));
                }
                Err(lost) => return Ok(Err(lost?)),
            }
        }
    }

    /// Waits for the next reply. Returns the lost child if there is none.
    fn receive_reply(&self, running: &mut Running) -> Result<Reply, Result<LostChild, Failure>> {
        let (mut line, mut last, mut since) = (Vec::new(), self.progress_cell.position(), Instant::now());
        loop {
            match running.socket.read_until(b'\n', &mut line) {
                Ok(_) if line.ends_with(b"\n") => {
                    return serde_json::from_slice(&line).map_err(|error| Err(Failure::Child(error.into())));
                }
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    // The child may have ended while another process keeps its end of the socket open.
                    if matches!(running.process.try_wait(), Ok(Some(_))) {
                        return Err(self.lost(running));
                    }
                    let position = self.progress_cell.position();
                    let call_timeout = if position.call.is_some() {
                        self.call_timeout
                    } else {
                        self.call_timeout.max(HARNESS_TIMEOUT)
                    };
                    if position != last {
                        (last, since) = (position, Instant::now());
                    } else if since.elapsed() >= call_timeout {
                        let _ = running.process.kill();
                        let _ = running.process.wait();
                        return Err(Ok(LostChild { verdict: Verdict::Stuck(Limit::Time), position }));
                    }
                    if self.output.metadata().is_ok_and(|output| output.len() > MAX_OUTPUT_BYTES) {
                        self.output.set_len(0).map_err(|error| Err(Failure::Child(error)))?;
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // The child closed the socket, with or without a reset of the connection.
                Ok(_) | Err(_) => return Err(self.lost(running)),
            }
        }
    }

    /// Finds out how a child that sends nothing more has ended. Kills it if it is still running after the call timeout.
    fn lost(&self, running: &mut Running) -> Result<LostChild, Failure> {
        let start = Instant::now();
        loop {
            if let Some(status) = running.process.try_wait()? {
                return Ok(LostChild {
                    verdict: Verdict::Died(ended(status)),
                    position: self.progress_cell.position(),
                });
            }
            if start.elapsed() >= self.call_timeout {
                running.process.kill()?;
                running.process.wait()?;
                return Ok(LostChild {
                    verdict: Verdict::Stuck(Limit::Time),
                    position: self.progress_cell.position(),
                });
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// The result of a seed whose process was lost. The seed is run again: somebody else may have ended or delayed the
    /// process.
    fn lost_seed(
        &mut self,
        kind: SubjectKind,
        draw: &Draw,
        seed: u64,
        lost: LostChild,
    ) -> Result<Block, Failure> {
        let mut block = Block::default();
        let request = Request::Seeds { subject: kind.name(), draw: draw.into(), first: seed, count: 1 };
        let outcome = match (self.ask(&request, &mut |_| {})?, &lost.verdict) {
            (Err(again), _) => again.outcome(),
            (Ok(_), Verdict::Died(how)) if lost.position.call.is_some() => {
                let verdict = Verdict::Died(format!("{how}, but not when it was run again"));
                LostChild { verdict, ..lost }.outcome()
            }
            // The process was lost outside of a call of the subject, or the machine was too busy.
            (Ok(reply), verdict) => {
                let mut block = reply.into_block().ok_or_else(unexpected_reply)?;
                block.slow.extend(matches!(verdict, Verdict::Stuck(_)).then_some(seed));
                return Ok(block);
            }
        };
        if let Some(fault) = outcome.last_fault.filter(|_| outcome.is_finding()) {
            // Of the faults in this execution, only the last one is known.
            block.tally.counts.fault_mut(fault).thrown += 1;
            block.tally.counts.violate(fault, None);
        }
        block.add(seed, outcome);
        Ok(block)
    }

    fn scenario(&mut self, request: &Request, on_reply: &mut dyn FnMut(Reply)) -> Result<Outcome, Failure> {
        match self.ask(request, on_reply)? {
            Ok(Reply::Outcome(ended)) => ended.outcome().ok_or_else(unexpected_reply),
            Ok(_) => Err(unexpected_reply()),
            Err(lost) => Ok(lost.outcome()),
        }
    }
}

impl Executor for Child {
    fn run_seeds(
        &mut self,
        kind: SubjectKind,
        draw: &Draw,
        first: u64,
        count: u64,
    ) -> Result<Block, Failure> {
        let (mut block, mut first, mut count) = (Block::default(), first, count);
        while count > 0 {
            let request = Request::Seeds { subject: kind.name(), draw: draw.into(), first, count };
            match self.ask(&request, &mut |_| {})? {
                Ok(reply) => {
                    block.append(reply.into_block().ok_or_else(unexpected_reply)?);
                    return Ok(block);
                }
                Err(lost) => {
                    let seed = lost.position.seed.ok_or_else(unexpected_reply)?;
                    let before = seed.wrapping_sub(first);
                    if before >= count {
                        return Err(unexpected_reply());
                    }
                    // The results of the earlier seeds were lost with the child.
                    block.append(self.run_seeds(kind, draw, first, before)?);
                    block.append(self.lost_seed(kind, draw, seed, lost)?);
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

    fn annotated_trace(
        &mut self,
        style: Style,
        kind: SubjectKind,
        scenario: &Scenario,
    ) -> Result<(AnnotatedTrace, Outcome), Failure> {
        let request = Request::AnnotatedTrace { style, subject: kind.name(), scenario: scenario.encode() };
        let mut trace = AnnotatedTrace::default();
        let outcome = self.scenario(&request, &mut |reply| match reply {
            Reply::TraceLines(lines) => trace.steps.push_str(&lines),
            Reply::FailingState(state) => trace.state = state,
            _ => {}
        })?;
        Ok((trace, outcome))
    }

    fn record(&mut self, kind: SubjectKind, scenario: &Scenario) -> Result<(Timeline, Outcome), Failure> {
        let (subject, bytes) = (kind.name(), scenario.encode());
        let (mut moments, mut texts) = (Recorded::default(), Vec::new());
        let request = Request::AnnotatedTrace {
            style: Style::Brief,
            subject: subject.clone(),
            scenario: bytes.clone(),
        };
        self.scenario(&request, &mut |reply| {
            if let Reply::TraceLines(lines) = reply {
                texts.push(lines);
            }
        })?;
        let outcome = self.scenario(&Request::Record { subject, scenario: bytes }, &mut |reply| {
            if let Reply::Recorded(moment) = reply {
                moments.push(moment);
            }
        })?;
        Ok((Timeline::new(scenario, moments, texts, &outcome), outcome))
    }

    fn last_output(&self) -> Option<String> {
        let bytes = std::fs::read(self.folder.path().join(OUTPUT)).ok()?;
        let text = String::from_utf8_lossy(&bytes[bytes.len().saturating_sub(LAST_OUTPUT_BYTES)..]);
        Some(text.trim().replace(['\n', '\r'], " ")).filter(|output| !output.is_empty())
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

impl LostChild {
    /// The outcome of an execution that its process did not survive.
    fn outcome(self) -> Outcome {
        let ExecutionPosition { steps, call, last_fault, faults, .. } = self.position;
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
            faults,
            coverage: Default::default(),
        }
    }
}

/// How a process ended, as text.
fn ended(status: ExitStatus) -> String {
    match status.signal() {
        // Whether there is a core dump depends on the machine.
        Some(_) => status.to_string().replace(" (core dumped)", ""),
        None => status.to_string(),
    }
}

fn unexpected_reply() -> Failure {
    Failure::Child(io::Error::new(ErrorKind::InvalidData, "its reply does not match the request"))
}
