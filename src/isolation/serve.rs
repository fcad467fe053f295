//! The child's side.

use super::message::{Ended, Reply, Request, receive, send};
use crate::annotated_trace;
use crate::campaign::Block;
use crate::execution::{CannotRun, ProgressCell, Rig};
use crate::executor::{Executor, Failure};
use crate::outcome::Outcome;
use crate::scenario::Scenario;
use crate::subject::Subjects;
use crate::timeline;
use std::fs::File;
use std::io::{self, BufReader, stdin};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::parent_id;
use std::thread;
use std::time::Duration;

/// Runs what the parent asks for, over these subjects, until it asks for nothing more. The pulse is told in `pulse`.
///
/// # Errors
/// [`Failure`] if there is no memory, or what the parent says makes no sense.
pub fn serve(pulse: File, subjects: Subjects) -> Result<(), Failure> {
    end_with_parent();
    let socket = UnixStream::from(stdin().as_fd().try_clone_to_owned()?);
    let mut rig = Rig::new()?;
    rig.report_progress_to(ProgressCell::in_file(pulse)?);
    send(&socket, &Reply::Ready)?;
    let mut requests = BufReader::new(&socket);
    while let Some(request) = receive(&mut requests)? {
        let reply = match answer(&mut rig, subjects, request, &socket) {
            Ok(reply) => reply,
            Err(Failure::CannotRun(CannotRun::System(error))) => Reply::Refused(error.to_string()),
            Err(Failure::CannotRun(CannotRun::Adapter(wrong))) => Reply::WrongAdapter(wrong),
            Err(failure @ Failure::Child(_)) => return Err(failure),
        };
        send(&socket, &reply)?;
    }
    Ok(())
}

fn answer(
    rig: &mut Rig,
    subjects: Subjects,
    request: Request,
    socket: &UnixStream,
) -> Result<Reply, Failure> {
    let kind = |name: &str| subjects.by_name(name).ok_or_else(|| nonsense(name));
    let ended = |outcome: &Outcome| {
        Ended::of(outcome).map(Box::new).map(Reply::Ended).ok_or_else(|| nonsense("outcome"))
    };
    match request {
        Request::Seeds { subject, draw, first, count } => {
            let draw = draw.draw().ok_or_else(|| nonsense("draw"))?;
            let block: Block = rig.seeds(kind(&subject)?, &draw, first, count)?;
            Ok(Reply::block(&block).ok_or_else(|| nonsense("outcome"))?)
        }
        Request::Run { subject, scenario } => {
            let outcome = Executor::run(rig, kind(&subject)?, &Scenario::decode(&scenario))?;
            Ok(ended(&outcome)?)
        }
        Request::Tell { style, subject, scenario } => {
            let mut told = Ok(());
            let scenario = Scenario::decode(&scenario);
            let (state, outcome) =
                annotated_trace::annotate_to(style, rig, kind(&subject)?, &scenario, &mut |lines| {
                    if told.is_ok() {
                        told = send(socket, &Reply::Told(lines.to_owned()));
                    }
                })?;
            told?;
            send(socket, &Reply::State(state))?;
            Ok(ended(&outcome)?)
        }
        Request::Record { subject, scenario } => {
            let mut told = Ok(());
            let scenario = Scenario::decode(&scenario);
            let outcome = timeline::record(rig, kind(&subject)?, &scenario, &mut |moment| {
                if told.is_ok() {
                    told = send(socket, &Reply::Recorded(moment));
                }
            })?;
            told?;
            Ok(ended(&outcome)?)
        }
    }
}

fn nonsense(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{what} makes no sense between parent and child"))
}

/// Ends this process soon after its parent, even if the subject never returns.
fn end_with_parent() {
    let parent = parent_id();
    thread::spawn(move || {
        while parent_id() == parent {
            thread::sleep(Duration::from_millis(500));
        }
        std::process::exit(0);
    });
}
