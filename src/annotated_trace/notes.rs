//! What came of a step, in words.

use super::drawing::{Seen, draw};
use super::lines::{folded, head, line};
use super::{Style, lines};
use crate::execution::{Listener, Rig, Skip, Standing, State};
use crate::scenario::Step;
use ringstorm_model::{ChainFlaw, Event, Refusal};

/// The step that is being told.
pub(super) struct Story<'a> {
    sink: &'a mut dyn FnMut(&str),
    /// The current step, and what came of it.
    step: Option<String>,
    notes: Vec<String>,
    /// How many descriptors the driver said that are free, and whether it has done nothing since.
    free: Option<u32>,
    asked: bool,
    style: Style,
    /// Before the current step, and after the last one, with what the driver said that is free.
    states: [Option<(State, Option<u32>)>; 2],
}

impl<'a> Story<'a> {
    pub(super) fn new(style: Style, sink: &'a mut dyn FnMut(&str)) -> Self {
        if style == Style::Columns {
            sink(&lines::header());
        }
        let states = [None, None];
        Self { sink, step: None, notes: Vec::new(), free: None, asked: false, style, states }
    }

    /// The state before and after the last step.
    pub(super) fn state(&self) -> String {
        match &self.states {
            [Some((before, was)), Some((after, is))] => {
                draw(Seen { state: before, told_free: *was }, Seen { state: after, told_free: *is })
            }
            // It went wrong when it was made, or nobody was left to look at.
            _ => String::new(),
        }
    }

    /// What the driver says that is free, if it was asked since it did anything.
    fn told_free(&self) -> Option<u32> {
        self.free.filter(|_| self.asked)
    }

    fn end_step(&mut self, rig: &Rig) {
        if let Some(step) = self.step.take() {
            let columns = match (self.style, rig.standing()) {
                (Style::Columns, Some(Standing { available, used, free, live })) => {
                    // A driver that counts is believed, so that it can be seen where it begins to go wrong.
                    Some([available.into(), used.into(), self.told_free().unwrap_or(free), live])
                }
                _ => None,
            };
            (self.sink)(&line(self.style, &step, columns, &folded(&self.notes)));
        }
        self.notes.clear();
    }

    fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }
}

impl Listener for Story<'_> {
    fn step(&mut self, number: usize, step: Option<&Step>, rig: &Rig) {
        self.end_step(rig);
        self.states[0] = rig.state().map(|state| (state, self.told_free()));
        self.step = Some(head(number, step, rig.ending()));
        if matches!(step, None | Some(Step::Settle | Step::MemoryFails { .. })) && rig.is_memory_to_fail() {
            self.note("the earlier memory-fails did not happen: too few accesses");
        }
    }

    fn ended(&mut self, rig: &Rig) {
        self.end_step(rig);
        self.states[1] = rig.state().map(|state| (state, self.told_free()));
    }

    fn skipped(&mut self, why: Skip) {
        self.note(match why {
            Skip::Incapable => "skipped: the subject cannot do this",
            Skip::NothingThere => "nothing to do it with",
        });
    }

    fn event(&mut self, event: &Event<'_>) {
        // A call is told before the driver is asked how many are free.
        self.asked = matches!(event, Event::FreeCount { .. }) || self.asked && !event.is_call();
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
            Event::Withdraw { head, answer } => match answer {
                Ok(()) => self.note(format!("takes chain {head} back")),
                Err(refusal) => self.note(format!("chain {head}: {}", refused(refusal))),
            },
            Event::Reset { first_index } => self.note(format!("reset to index {first_index}")),
            Event::UsedNotifications { .. }
            | Event::AvailableNotifications { .. }
            | Event::UsedEvent { .. }
            | Event::AvailableFlags { .. } => {}
            Event::AvailableEvent { index } => self.note(format!("wants to hear of entry {index}")),
            Event::Stores { count, to_device_area: foreign } => {
                if foreign {
                    self.note(format!("{count} stores, some into the device's part"));
                }
            }
            Event::DriverWrote { .. } => {}
            Event::FreeCount { count } => {
                if self.free.replace(count) != Some(count) {
                    self.note(format!("{count} free"));
                }
            }
            Event::AvailableIndex { index } => self.note(format!("available index {index}")),
            Event::Available { .. } => {}
            Event::DoubleFetch { offset } => {
                self.note(format!("reads the bytes at {offset} of the rings twice"))
            }
            Event::LateWrite { offset } => {
                self.note(format!("writes to {offset} of the rings after publishing it"))
            }
            Event::AvailableRingCorrupted => self.note("scribbles on the available ring"),
            Event::Silent => self.note("falls silent"),
            Event::Trap => self.note("will change a value once it was read"),
            Event::SpuriousNotification => self.note("notifies of nothing"),
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
            Event::DeviceTook { head, whole, payload, .. } => {
                let flaw = if whole { "" } else { ", which makes no sense" };
                self.note(format!("takes chain {head}{flaw}, reads {} bytes", payload.len()));
            }
            Event::UsedElement { index, id, length } => {
                self.note(format!("used element {index}: id {id}, length {length}"));
            }
            Event::DeviceWrote { length, .. } => self.note(format!("writes {length} bytes")),
            Event::UsedIndex { index } => self.note(format!("used index {index}")),
            Event::DescriptorCorrupted { descriptor } => {
                self.note(format!("scribbles on descriptor {descriptor}"))
            }
            Event::Withheld { head } => self.note(format!("keeps chain {head}")),
            Event::Settled => self.note("settled"),
            Event::Released { left } => {
                self.note(if left == 0 { "released" } else { "released, but memory is still held" });
            }
            Event::Panic => self.note("panics"),
            Event::Unwound { broken, changed, .. } => self.note(match (broken, changed) {
                (true, _) => "memory fails and the call unwinds; the queue says that it is broken",
                (false, false) => "memory fails and the call unwinds; the queue goes on",
                (false, true) => "memory fails and the call unwinds, half done; the queue goes on",
            }),
            Event::Dropped { rings, buffers } => self.note(match (rings, buffers) {
                (true, true) => "dropped while the device runs; keeps rings and buffers",
                (true, false) => "dropped while the device runs; keeps the rings",
                (false, true) => "dropped while the device runs; keeps the buffers",
                (false, false) => "dropped while the device runs; keeps no memory",
            }),
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
