//! The child's side: answers the parent's requests.

use super::message::{OutcomeMessage, Reply, Request, receive, send};
use crate::annotated_trace;
use crate::execution::{CannotRun, ProgressCell, Rig};
use crate::executor::{Executor, Failure};
use crate::outcome::Outcome;
use crate::scenario::Scenario;
use crate::subject::Subjects;
use crate::tally::Block;
use crate::timeline;
use std::fs::File;
use std::io::{self, BufReader, stdin};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::parent_id;
use std::thread;
use std::time::Duration;

/// The seed of a scenario that the parent sent. It shows the parent that the scenario was started.
const NO_SEED: u64 = 0;

/// Answers requests for these subjects until the parent closes the socket. The position is reported in the file
/// `progress_cell`.
///
/// # Errors
/// [`Failure`] if there is no memory, or a request is invalid.
pub fn serve(progress_cell: File, subjects: Subjects) -> Result<(), Failure> {
    end_with_parent();
    let socket = UnixStream::from(stdin().as_fd().try_clone_to_owned()?);
    let mut rig = Rig::new()?;
    rig.report_progress_to(ProgressCell::in_file(progress_cell)?);
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
    let kind = |name: &str| subjects.by_name(name).ok_or_else(|| invalid(name));
    let ended = |outcome: &Outcome| {
        OutcomeMessage::of(outcome).map(Box::new).map(Reply::Outcome).ok_or_else(|| invalid("outcome"))
    };
    match request {
        Request::Seeds { subject, draw, first, count } => {
            let draw = draw.draw().ok_or_else(|| invalid("draw"))?;
            let block: Block = rig.run_seeds_until(kind(&subject)?, &draw, first, count, true)?;
            Ok(Reply::block(&block).ok_or_else(|| invalid("outcome"))?)
        }
        Request::Run { subject, scenario } => {
            rig.begin_seed(NO_SEED);
            let outcome = Executor::run(rig, kind(&subject)?, &Scenario::decode(&scenario))?;
            Ok(ended(&outcome)?)
        }
        Request::AnnotatedTrace { style, subject, scenario } => {
            rig.begin_seed(NO_SEED);
            let mut sent = Ok(());
            let scenario = Scenario::decode(&scenario);
            let (state, outcome) =
                annotated_trace::annotate_to(style, rig, kind(&subject)?, &scenario, &mut |lines| {
                    if sent.is_ok() {
                        sent = send(socket, &Reply::TraceLines(lines.to_owned()));
                    }
                })?;
            sent?;
            send(socket, &Reply::FailingState(state))?;
            Ok(ended(&outcome)?)
        }
        Request::Record { subject, scenario } => {
            rig.begin_seed(NO_SEED);
            let mut sent = Ok(());
            let scenario = Scenario::decode(&scenario);
            let outcome = timeline::record(rig, kind(&subject)?, &scenario, &mut |moment| {
                if sent.is_ok() {
                    sent = send(socket, &Reply::Recorded(moment));
                }
            })?;
            sent?;
            Ok(ended(&outcome)?)
        }
    }
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("invalid message between parent and child: {what}"))
}

/// Ends this process soon after its parent has ended, even if the subject does not return from a call.
fn end_with_parent() {
    let parent = parent_id();
    thread::spawn(move || {
        while parent_id() == parent {
            thread::sleep(Duration::from_millis(500));
        }
        std::process::exit(0);
    });
}
