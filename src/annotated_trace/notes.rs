//! The notes of a step: what the driver and the device did in it.

use super::drawing::{Shown, draw};
use super::lines::{folded, head, line, own_chain};
use super::note_texts::{bytes, malformed, refused, wrong_order};
use super::{Style, lines};
use crate::execution::{Listener, OwnChain, QueueCounters, QueueView, Rig, Skip};
use crate::scenario::Step;
use ringstorm_model::{Event, HandleAge, Refusal};

/// A step that does much at once keeps this many notes at its beginning, and at its end.
const KEPT_NOTES: usize = 12;

/// Who acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Actor {
    Driver,
    Device,
}

impl Actor {
    /// The actor of a step. A drain has two.
    fn of(step: Option<&Step>) -> Option<Self> {
        let text = step?.to_string();
        [Self::Driver, Self::Device].into_iter().find(|actor| text.starts_with(actor.name()))
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Driver => "driver",
            Self::Device => "device",
        }
    }
}

/// Writes the line of each step when the step is over.
pub(super) struct Annotator<'a> {
    sink: &'a mut dyn FnMut(&str),
    style: Style,
    /// The current step, its actor, and its notes so far.
    step: Option<String>,
    actor: Option<Actor>,
    notes: Vec<String>,
    /// Whether the driver submitted a chain since its last publish call.
    unpublished: bool,
    /// Whether the driver notifies, in a publish call whose other effects are not all noted yet.
    notifies: Option<bool>,
    /// Whether the current step is a call that the driver must refuse.
    is_misuse: bool,
    /// The queue size, once there is a queue.
    queue_size: Option<u16>,
    /// Whether the current step is the end of the execution.
    is_end: bool,
    /// Whether the current step does much at once, and how many of its notes are left out.
    does_much: bool,
    left_out: usize,
    /// The last free count that the driver returned.
    free: Option<u32>,
    /// Whether the driver made no other call since.
    free_is_current: bool,
    /// Before the current step and after the last one, each with the driver's free count, if it is current.
    states: [Option<(QueueView, Option<u32>)>; 2],
}

impl<'a> Annotator<'a> {
    pub(super) fn new(style: Style, sink: &'a mut dyn FnMut(&str)) -> Self {
        if style == Style::Columns {
            sink(&lines::header());
        }
        Self {
            sink,
            style,
            step: None,
            actor: None,
            notes: Vec::new(),
            unpublished: false,
            notifies: None,
            is_misuse: false,
            queue_size: None,
            is_end: false,
            does_much: false,
            left_out: 0,
            free: None,
            free_is_current: false,
            states: [None, None],
        }
    }

    /// The state before and after the last step. Empty if the execution ended while the queue was made, or if the subject's
    /// process ended.
    pub(super) fn state(&self) -> String {
        match &self.states {
            [Some((before, free_before)), Some((after, free_after))] => draw(
                Shown { state: before, driver_free: *free_before },
                Shown { state: after, driver_free: *free_after },
            ),
            _ => String::new(),
        }
    }

    fn driver_free(&self) -> Option<u32> {
        self.free.filter(|_| self.free_is_current)
    }

    /// Notes whether the driver notifies. The event comes first in its call, but the driver notifies after it has stored the
    /// available index.
    fn note_notification(&mut self) {
        match self.notifies.take() {
            Some(true) => self.driver("notifies"),
            Some(false) => self.driver("does not notify"),
            None => {}
        }
    }

    fn end_step(&mut self, rig: &Rig) {
        self.note_notification();
        if let Some(step) = self.step.take() {
            let columns = match (self.style, rig.queue_counters()) {
                (Style::Columns, Some(QueueCounters { available, used, free, live })) => {
                    // The driver's own count comes first, so that the step is visible from which on it is wrong.
                    Some([available.into(), used.into(), self.driver_free().unwrap_or(free), live])
                }
                _ => None,
            };
            if self.left_out > 0 {
                self.notes.insert(KEPT_NOTES, format!("{} more notes", self.left_out));
            }
            (self.sink)(&line(self.style, &step, columns, &folded(&self.notes)));
        }
        self.notes.clear();
        self.left_out = 0;
    }

    fn note(&mut self, note: impl Into<String>) {
        if self.does_much && self.notes.len() == 2 * KEPT_NOTES {
            self.notes.remove(KEPT_NOTES);
            self.left_out += 1;
        }
        self.notes.push(note.into());
    }

    /// A note that begins with a verb. Its actor comes first, unless the step names the same one.
    fn act(&mut self, actor: Actor, note: impl AsRef<str>) {
        let note = note.as_ref();
        let note = match self.actor == Some(actor) {
            true => note.to_owned(),
            false => format!("{} {note}", actor.name()),
        };
        self.note(note);
    }

    fn driver(&mut self, note: impl AsRef<str>) {
        self.act(Actor::Driver, note);
    }

    fn device(&mut self, note: impl AsRef<str>) {
        self.act(Actor::Device, note);
    }

    /// A call of the driver for a chain: what it did, or why it refused to.
    fn chain_call(&mut self, verb: &str, done: &str, head: u16, refusal: Option<Refusal>) {
        match refusal {
            None if self.is_misuse => self.driver(format!("does not refuse to {verb} head {head}")),
            None => self.driver(done),
            Some(refusal) => self.driver(refused(&format!("{verb} chain {head}"), refusal)),
        }
    }
}

impl Listener for Annotator<'_> {
    fn step(&mut self, number: usize, step: Option<&Step>, rig: &Rig) {
        self.end_step(rig);
        self.states[0] = rig.queue_view().map(|state| (state, self.driver_free()));
        self.queue_size = self.states[0].as_ref().map(|(state, _)| state.geometry.size);
        self.is_misuse = matches!(step, Some(Step::Misuse { .. }));
        self.step = Some(head(number, step, rig.ending()));
        self.actor = Actor::of(step);
        self.is_end = step.is_none();
        self.does_much = matches!(step, Some(Step::SubmitMany { .. } | Step::Rounds { .. }));
        if matches!(step, None | Some(Step::Settle | Step::MemoryFails { .. }))
            && rig.has_pending_memory_failure()
        {
            self.note("the earlier memory-fails had no effect: too few accesses");
        }
    }

    fn own_chain(&mut self, why: OwnChain, rig: &Rig) {
        if !self.is_end {
            // A line for each step of the scenario, and lines of their own only at the end.
            self.note("a trial chain follows, after a reset");
            return;
        }
        self.end_step(rig);
        self.states[0] = rig.queue_view().map(|state| (state, self.driver_free()));
        self.step = Some(own_chain(why, rig.ending()).to_owned());
    }

    fn ended(&mut self, rig: &Rig) {
        self.end_step(rig);
        self.states[1] = rig.queue_view().map(|state| (state, self.driver_free()));
    }

    fn skipped(&mut self, why: Skip) {
        match why {
            Skip::Incapable(capability) => self.note(format!("skipped: the subject lacks {capability}")),
            Skip::NothingThere => self.note("skipped: nothing to act on"),
        }
    }

    fn event(&mut self, event: &Event<'_>) {
        // The driver is asked for its free count after each call.
        self.free_is_current =
            matches!(event, Event::FreeCount { .. }) || self.free_is_current && !event.is_call();
        if event.is_call() || ends_publish(event) {
            self.note_notification();
        }
        match *event {
            Event::Submit { answer: Ok(head), .. } => {
                self.unpublished = true;
                match self.actor {
                    Some(Actor::Driver) => self.note(format!("chain {head}")),
                    _ => self.driver(format!("submits chain {head}")),
                }
            }
            Event::Submit { answer: Err(refusal), .. } => self.driver(refused("submit", refusal)),
            Event::Publish { notify } => {
                self.notifies = (notify || self.unpublished).then_some(notify);
                self.unpublished = false;
            }
            Event::Take { answer } => match answer {
                Ok(Some(done)) => {
                    self.driver(format!("takes chain {}, {}", done.head, bytes(done.length.into())));
                }
                Ok(None) => self.driver("takes nothing"),
                Err(refusal) => self.driver(refused("take", refusal)),
            },
            Event::Read { head, answer, .. } => {
                let done = answer.map_or(0, <[u8]>::len) as u64;
                self.chain_call(
                    "read",
                    &format!("reads {} of chain {head}", bytes(done)),
                    head,
                    answer.err(),
                );
            }
            Event::Free { head, handle, answer } => {
                let verb = if handle == HandleAge::Stale { "free the stale handle of" } else { "free" };
                self.chain_call(verb, &format!("frees chain {head}"), head, answer.err());
            }
            Event::Withdraw { head, answer } => {
                self.chain_call("withdraw", &format!("withdraws chain {head}"), head, answer.err());
            }
            Event::TakeBack { head: Some(head), .. } => self.driver(format!("takes back chain {head}")),
            Event::TakeBack { head: None, .. } => self.driver("has no chain to take back"),
            Event::Reset { first_index } => self.driver(format!("is reset; first index {first_index}")),
            Event::Interrupted { on, .. } => match on {
                Some(true) => self.driver("handles a notification, notifications are on"),
                Some(false) => self.driver("handles a notification, notifications are off"),
                None => self.driver("handles a notification"),
            },
            Event::UsedNotifications { .. }
            | Event::DelayedNotifications { .. }
            | Event::AvailableNotifications { .. }
            | Event::UsedEvent { .. }
            | Event::AvailableFlags { .. }
            | Event::DriverWrote { .. }
            | Event::Available { .. } => {}
            Event::AvailableEvent { index } => self.device(format!("sets avail_event to {index}")),
            Event::Stores { count, to_device_area } => {
                if to_device_area {
                    let times = if count == 1 { "once".to_owned() } else { format!("{count} times") };
                    self.driver(format!("writes {times}, also to memory that only the device may write"));
                }
            }
            Event::FreeCount { count } => {
                if self.free.replace(count) != Some(count) {
                    self.note(format!("{count} free"));
                }
            }
            Event::AvailableIndex { index } => self.note(format!("available index {index}")),
            Event::DoubleFetch { offset } => {
                self.driver(format!("reads offset {offset} of the rings twice in one call"));
            }
            Event::DescriptorChanged { head, descriptor } => {
                self.driver(format!("changes descriptor {descriptor} of chain {head}"));
            }
            Event::AccessOrder { flaw } => self.driver(wrong_order(flaw)),
            Event::LateWrite { offset } => {
                self.driver(format!("writes to offset {offset} of the rings after publishing it"));
            }
            Event::Layout { table, available, used } => {
                self.driver(format!(
                    "places the table at offset {table}, the available ring at {available}, the used ring at {used}"
                ));
            }
            Event::AvailableRingCorrupted => self.device("corrupts the available ring"),
            Event::Silent => self.device("stops responding"),
            Event::Trap => self.device("will change a value after the driver reads it"),
            Event::SpuriousNotification => self.device("sends a spurious notification"),
            Event::Chain { descriptors, flaw, .. } => {
                let indexes: Vec<String> =
                    descriptors.iter().take(8).map(|descriptor| descriptor.index.to_string()).collect();
                let more = if descriptors.len() > 8 { ", ..." } else { "" };
                let what = if descriptors.len() == 1 { "descriptor" } else { "descriptors" };
                self.note(format!("{what} {}{more}", indexes.join(", ")));
                if let Some(flaw) = flaw {
                    self.note(malformed(flaw));
                }
            }
            Event::DeviceTook { head, whole, payload, .. } => {
                let flaw = if whole { "" } else { ", which is malformed" };
                let read = bytes(payload.len() as u64);
                self.device(format!("takes chain {head}{flaw}, reads {read}"));
            }
            Event::UsedElement { index, id, length } => {
                // An index is beyond the size after the first lap of the ring.
                let slot = match self.queue_size {
                    Some(size) if index >= size => format!(" (slot {})", index % size),
                    _ => String::new(),
                };
                self.note(format!("used element {index}{slot}: id {id}, length {length}"));
            }
            Event::DeviceWrote { length, .. } => self.device(format!("writes {}", bytes(length.into()))),
            Event::UsedIndex { index } => self.note(format!("used index {index}")),
            Event::DescriptorCorrupted { descriptor } => {
                self.device(format!("corrupts descriptor {descriptor}"))
            }
            Event::Withheld { head } => self.device(format!("withholds chain {head}")),
            Event::Drained => self.note("drained"),
            Event::Released { left: 0 } => self.note("released"),
            Event::Released { left } => {
                let left = if left == 1 { "1 handle".to_owned() } else { format!("{left} handles") };
                self.note(format!("released, but the subject still has {left} to the memory"));
            }
            Event::Panic => self.driver("panics"),
            Event::Unwound { broken, changed, .. } => self.note(match (broken, changed) {
                (true, _) => "memory fails and the call unwinds; the queue reports that it is broken",
                (false, false) => "memory fails and the call unwinds; the queue stays usable",
                (false, true) => "memory fails and the call unwinds, half done; the queue stays usable",
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

/// Whether an event comes after all effects of a publish call that is still in progress.
const fn ends_publish(event: &Event<'_>) -> bool {
    matches!(
        event,
        Event::FreeCount { .. }
            | Event::AccessOrder { .. }
            | Event::DeviceTook { .. }
            | Event::DeviceWrote { .. }
            | Event::UsedElement { .. }
            | Event::Drained
    )
}
