//! The parent's side: a child process, and its replacement when it ends.

use super::last_output;
use super::lost::{LostChild, Seeds};
use super::message::{Reply, Request, send};
use crate::annotated_trace::{AnnotatedTrace, Style};
use crate::execution::{CannotRun, ProgressCell};
use crate::executor::{Executor, Failure};
use crate::outcome::{Outcome, Verdict};
use crate::scenario::{Draw, Scenario};
use crate::subject::SubjectKind;
use crate::tally::Block;
use crate::timeline::{Recorded, Timeline};
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, ErrorKind};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How often the parent checks whether the child's position has changed.
const INTERVAL: Duration = Duration::from_millis(50);
/// A child that prints all the time must not fill the disk.
const MAX_OUTPUT_BYTES: u64 = 1 << 20;
/// The limit for everything other than a call of the subject: starting, drawing scenarios, judging.
const HARNESS_TIMEOUT: Duration = Duration::from_secs(60);
/// How often a request is repeated if the child ended before it started a seed. Probably another process ended it.
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
    /// An earlier child that ended after it had answered.
    damaged: Option<LostChild>,
}

#[derive(Debug)]
struct Running {
    process: std::process::Child,
    socket: BufReader<UnixStream>,
    /// The seeds that the process has run.
    seeds: Seeds,
    /// Whether it has answered a request.
    used: bool,
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
            damaged: None,
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
        let mut running =
            Running { process, socket: BufReader::new(ours), seeds: Seeds::default(), used: false };
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
                Err(lost) if lost.was_idle() => {
                    if lost.is_damage() && lost.seeds.last().is_some() {
                        self.damaged = Some(lost);
                    }
                }
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
                    if let (Request::Seeds { first, .. }, Reply::Block { tally, .. }) = (request, &reply) {
                        running.seeds.add(*first, tally.seeds);
                    }
                    running.used = true;
                    self.running = Some(running);
                    if reply.is_finding() {
                        // The subject may have damaged the memory of its process.
                        self.end();
                    }
                    return Ok(Ok(reply));
                }
                Err(lost) => {
                    let mut lost = lost?;
                    lost.seeds = running.seeds;
                    if let (Request::Seeds { first, .. }, Some(seed)) = (request, lost.position.seed) {
                        lost.seeds.add(*first, seed.wrapping_sub(*first).wrapping_add(1));
                    }
                    return Ok(Err(lost));
                }
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
                        return Err(Ok(LostChild::silent(position)));
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
                return Ok(LostChild::ended(status, self.progress_cell.position()));
            }
            if start.elapsed() >= self.call_timeout {
                running.process.kill()?;
                running.process.wait()?;
                return Ok(LostChild::silent(self.progress_cell.position()));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// The result of a seed whose process was lost. The seed is run again: another process may have ended or delayed the
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
            (Ok(_), Verdict::Died(_)) if lost.position.call.is_some() => lost.not_repeated().outcome(),
            // The process was lost outside of a call of the subject, or the machine was too busy.
            (Ok(reply), verdict) => {
                let mut block = reply.into_block().ok_or_else(unexpected_reply)?;
                block.slow.extend(matches!(verdict, Verdict::Stuck(_)).then_some(seed));
                if lost.is_damage() && block.findings.is_empty() {
                    block.findings.push((seed, lost.not_repeated().outcome()));
                }
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
        let used = self.running.as_ref().is_some_and(|running| running.used);
        let mut replied = false;
        let mut answer = self.ask(request, &mut |reply| {
            replied = true;
            on_reply(reply);
        })?;
        if used && !replied && matches!(&answer, Err(lost) if lost.is_damage()) {
            // An earlier scenario may have damaged the memory of the process.
            answer = self.ask(request, on_reply)?;
        }
        match answer {
            Ok(Reply::Outcome(ended)) => ended.outcome().ok_or_else(unexpected_reply),
            Ok(_) => Err(unexpected_reply()),
            Err(lost) => Ok(lost.outcome()),
        }
    }

    /// Ends the child. The next request starts another one.
    fn end(&mut self) {
        if let Some(mut running) = self.running.take() {
            let _ = running.process.kill();
            let _ = running.process.wait();
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
                    let part = reply.into_block().ok_or_else(unexpected_reply)?;
                    let done = part.tally.seeds;
                    if !(1..=count).contains(&done) {
                        return Err(unexpected_reply());
                    }
                    block.append(part);
                    (first, count) = (first.wrapping_add(done), count - done);
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
            if let Some(damaged) = self.damaged.take()
                && let Some(seed) = damaged.seeds.last()
            {
                block.findings.push((seed, damaged.not_repeated().outcome()));
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
        last_output::last_output(&std::fs::read(self.folder.path().join(OUTPUT)).ok()?)
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.end();
    }
}

fn unexpected_reply() -> Failure {
    Failure::Child(io::Error::new(ErrorKind::InvalidData, "its reply does not match the request"))
}
