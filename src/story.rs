//! What happened in an execution, step by step, as text.

use crate::execution::{Listener, Rig, Skip, Unfit};
use crate::outcome::{Outcome, Verdict};
use crate::scenario::{Scenario, Step};
use crate::subject::Kind;
use ringstorm_model::{ChainFlaw, Event, Refusal};
use std::fmt::Write;

/// Runs a scenario and tells its story. The text holds no address, no time and no path, so that it can be
/// reviewed and compared.
///
/// # Errors
/// [`Unfit`] if there is no memory for it, or the subject's adapter is wrong.
pub fn tell(rig: &mut Rig, kind: Kind, scenario: &Scenario) -> Result<(String, Outcome), Unfit> {
    let mut steps = String::new();
    let outcome = tell_to(rig, kind, scenario, &mut |lines| steps.push_str(lines))?;
    Ok((framed(kind, scenario, &steps, &outcome), outcome))
}

/// Runs a scenario; `sink` hears of each step when it is over.
///
/// # Errors
/// [`Unfit`] if there is no memory for it, or the subject's adapter is wrong.
pub(crate) fn tell_to(
    rig: &mut Rig,
    kind: Kind,
    scenario: &Scenario,
    sink: &mut dyn FnMut(&str),
) -> Result<Outcome, Unfit> {
    let mut story = Story { sink, step: None, notes: Vec::new(), free: None };
    let outcome = rig.run(kind, scenario, &mut story)?;
    story.end_step();
    Ok(outcome)
}

/// What was told of the steps, between what it is about and how it ended.
pub(crate) fn framed(kind: Kind, scenario: &Scenario, steps: &str, outcome: &Outcome) -> String {
    let mut text = format!("{} on {}\n{steps}\n", scenario.setup, kind.name());
    let at = match scenario.steps.get(outcome.step) {
        Some(step) => format!("step {}, {step}", outcome.step),
        None => "the settling at the end".to_owned(),
    };
    let _ = match &outcome.verdict {
        Verdict::Pass => writeln!(text, "pass"),
        verdict => writeln!(text, "{verdict}\n  at {at}; guilty call: {}", outcome.call),
    };
    if let Some(invariant) = crate::outcome::Expected::of(&outcome.verdict).invariant() {
        let _ = writeln!(text, "  {invariant}: {}", invariant.sentence());
    }
    if let Some(fault) = outcome.last_fault.filter(|_| outcome.is_finding()) {
        let _ = writeln!(text, "  last fault, {}: {}", fault.name(), fault.description());
    }
    text
}

/// The step that is being told.
struct Story<'a> {
    sink: &'a mut dyn FnMut(&str),
    /// The current step, and what came of it.
    step: Option<String>,
    notes: Vec<String>,
    free: Option<u32>,
}

impl Story<'_> {
    fn end_step(&mut self) {
        if let Some(step) = self.step.take() {
            let notes = self.notes.join("; ");
            (self.sink)(&format!("{}\n", format!("{step:<58} {notes}").trim_end()));
        }
        self.notes.clear();
    }

    fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }
}

impl Listener for Story<'_> {
    fn step(&mut self, number: usize, step: Option<&Step>, _: &Rig) {
        self.end_step();
        self.step = Some(match step {
            Some(step) => format!("{number:>4}  {step}"),
            None => " end  settle and release".to_owned(),
        });
    }

    fn skipped(&mut self, why: Skip) {
        self.note(match why {
            Skip::Incapable => "skipped: the subject cannot do this",
            Skip::NothingThere => "nothing to do it with",
        });
    }

    fn event(&mut self, event: &Event<'_>) {
        match *event {
            Event::Submit { answer, .. } => match answer {
                Ok(head) => self.note(format!("chain {head}")),
                Err(refusal) => self.note(refused(refusal)),
            },
            Event::Publish { notify } => {
                if notify {
                    self.note("notify");
                }
            }
            Event::Take { answer } => match answer {
                Ok(Some(done)) => self.note(format!("takes chain {} with {} bytes", done.head, done.length)),
                Ok(None) => self.note("takes none"),
                Err(refusal) => self.note(refused(refusal)),
            },
            Event::Read { head, answer, .. } => match answer {
                Ok(bytes) => self.note(format!("reads {} bytes of chain {head}", bytes.len())),
                Err(refusal) => self.note(format!("chain {head}: {}", refused(refusal))),
            },
            Event::Free { head, answer, .. } => match answer {
                Ok(()) => self.note(format!("frees chain {head}")),
                Err(refusal) => self.note(format!("chain {head}: {}", refused(refusal))),
            },
            Event::Reset { first_index } => self.note(format!("reset to index {first_index}")),
            Event::Interrupts { .. } | Event::Notifications { .. } | Event::UsedEvent { .. } => {}
            Event::AvailableEvent { index } => self.note(format!("wants to hear of entry {index}")),
            Event::Stores { count, foreign } => {
                if foreign {
                    self.note(format!("{count} stores, some into the device's part"));
                }
            }
            Event::Stored { .. } => {}
            Event::FreeCount { count } => {
                if self.free.replace(count) != Some(count) {
                    self.note(format!("{count} free"));
                }
            }
            Event::AvailableIndex { index } => self.note(format!("available index {index}")),
            Event::Available { .. } => {}
            Event::Refetched { offset } => {
                self.note(format!("reads the bytes at {offset} of the rings twice"))
            }
            Event::StoredLate { offset } => {
                self.note(format!("writes to {offset} of the rings after publishing it"))
            }
            Event::RingTampered => self.note("scribbles on the available ring"),
            Event::Silent => self.note("falls silent"),
            Event::Trap => self.note("will change a value once it was read"),
            Event::Spurious => self.note("notifies of nothing"),
            Event::Chain { descriptors, flaw, .. } => {
                let indexes: Vec<String> =
                    descriptors.iter().take(8).map(|descriptor| descriptor.index.to_string()).collect();
                let more = if descriptors.len() > 8 { ", ..." } else { "" };
                self.note(format!("descriptors {}{more}", indexes.join(", ")));
                match flaw {
                    Some(ChainFlaw::Loop) => self.note("a loop"),
                    Some(ChainFlaw::Malformed) => self.note("malformed"),
                    Some(ChainFlaw::Unregistered) => self.note("a buffer outside every region"),
                    None => {}
                }
            }
            Event::Fetched { head, whole, payload, .. } => {
                let flaw = if whole { "" } else { ", which makes no sense" };
                self.note(format!("takes chain {head}{flaw}, reads {} bytes", payload.len()));
            }
            Event::UsedElement { index, id, length } => {
                self.note(format!("used element {index}: id {id}, length {length}"));
            }
            Event::Wrote { length, .. } => self.note(format!("writes {length} bytes")),
            Event::UsedIndex { index } => self.note(format!("used index {index}")),
            Event::Tampered { descriptor } => self.note(format!("scribbles on descriptor {descriptor}")),
            Event::Withheld { head } => self.note(format!("keeps chain {head}")),
            Event::Settled => self.note("settled"),
            Event::Released { left } => {
                self.note(if left == 0 { "released" } else { "released, but memory is still held" });
            }
            Event::Panic => self.note("panics"),
        }
    }
}

fn refused(refusal: Refusal) -> String {
    match refusal {
        Refusal::Misuse(kind) => format!("refused as {kind:?}"),
        Refusal::Device(device) => {
            let element = if device.consumed { "element consumed" } else { "element left" };
            let broken = if device.broken { ", queue broken" } else { "" };
            format!("device fault reported, {element}{broken}")
        }
        Refusal::System => "refused by the system".to_owned(),
        Refusal::Broken => "refused: the queue is broken".to_owned(),
    }
}
