//! Runs one scenario with two devices and compares all observations.

use crate::notifications::NotificationCounter;
use ringstorm::execution::{CannotRun, HonestDevice, Listener, Rig, Skip};
use ringstorm::scenario::{Document, Scenario, Step};
use ringstorm::subject::{SharedMemory, SubjectKind};
use ringstorm_core::Error as MemoryError;
use ringstorm_model::{Event, TraceHash};
use std::cell::Cell;
use std::fmt::Write;
use std::rc::Rc;

/// Memory up to this size in bytes is compared before every step. Larger memory is compared only at the end.
const SMALL: usize = 1 << 16;

/// The observations of an execution: one line for each step, event and comparison of memory.
#[derive(Default)]
struct Record {
    text: String,
    events: u64,
    image: Vec<u8>,
    counted: NotificationCounter,
    /// The device's own answer to whether the driver wants a used-buffer notification, if it has one.
    wants_notification: Option<Rc<Cell<bool>>>,
    /// Number of writes that the device did not make, because their chains are not in flight.
    refused_writes: Rc<Cell<u64>>,
}

impl Record {
    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        self.text.write_fmt(line).expect("a String can be written to");
        self.text.push('\n');
    }

    /// Records a hash of rings and buffers.
    fn memory(&mut self, rig: &Rig) {
        let mut hash = TraceHash::default();
        for memory in [&rig.provided().rings, &rig.provided().buffers] {
            self.image.resize(memory.len(), 0);
            memory.copy_out_for_caller(0, &mut self.image);
            hash.bytes(&self.image);
        }
        self.line(format_args!("  memory {:#018x}", hash.get()));
    }
}

impl Listener for Record {
    fn step(&mut self, number: usize, step: Option<&Step>, rig: &Rig) {
        if rig.provided().rings.len() + rig.provided().buffers.len() <= SMALL {
            self.memory(rig);
        }
        match step {
            Some(step) => self.line(format_args!("{number} {step}")),
            None => self.line(format_args!("{number} end")),
        }
    }

    fn event(&mut self, event: &Event<'_>) {
        self.events += 1;
        self.line(format_args!("  {event:?}"));
        if let Some(counted) = self.counted.observe(event) {
            let wants_notification = self
                .wants_notification
                .as_ref()
                .map_or(counted, |wants_notification| wants_notification.get());
            self.line(format_args!("  the driver wants a used-buffer notification: {wants_notification}"));
        }
    }

    fn skipped(&mut self, why: Skip) {
        self.line(format_args!("  skipped: {why:?}"));
    }
}

/// Numbers of what was run and compared.
#[derive(Debug, Default, Clone, Copy)]
pub struct Counts {
    pub scenarios: u64,
    pub steps: u64,
    pub effective_steps: u64,
    pub events: u64,
}

/// Two rigs, one for each device.
pub struct Differential {
    rigs: [Rig; 2],
    records: [Record; 2],
}

impl Differential {
    /// Compares the simulated device with another one. The other device stores in `wants_notification` whether the driver
    /// wants a notification of the chains that it returned last, and counts in `refused_writes` the writes that it did not
    /// make because their chains are not in flight.
    pub fn new(
        device: impl HonestDevice + 'static,
        wants_notification: Rc<Cell<bool>>,
        refused_writes: Rc<Cell<u64>>,
    ) -> Result<Self, MemoryError> {
        let other =
            Record { wants_notification: Some(wants_notification), refused_writes, ..Record::default() };
        Ok(Self {
            rigs: [Rig::new()?, Rig::new()?.with_device(Box::new(device))],
            records: [Record::default(), other],
        })
    }

    /// Runs a scenario with both devices. Returns a text with the first difference, or with the finding that both give.
    pub fn run(
        &mut self,
        kind: SubjectKind,
        scenario: &Scenario,
        counts: &mut Counts,
    ) -> Result<Option<String>, CannotRun> {
        let mut last = None;
        for (rig, record) in self.rigs.iter_mut().zip(&mut self.records) {
            record.text.clear();
            record.events = 0;
            record.counted.begin(scenario.setup.first_index.get());
            let outcome = rig.run(kind, scenario, record)?;
            record.memory(rig);
            let refused_writes = record.refused_writes.take();
            record.line(format_args!("  refused writes to chains that are not in flight: {refused_writes}"));
            record.line(format_args!("{outcome:?}"));
            last = Some(outcome);
        }
        let [simulated, other] = &self.records;
        if simulated.text != other.text {
            return Ok(Some(difference(kind, scenario, &simulated.text, &other.text)));
        }
        let outcome = last.expect("there are two rigs");
        if outcome.is_finding() {
            // The error may be in the harness, which observes both devices.
            let (name, document) = (kind.name(), document(scenario));
            return Ok(Some(format!(
                "on {name}, with either device: {}\nthe scenario:\n{document}",
                outcome.verdict
            )));
        }
        counts.scenarios += 1;
        counts.steps += outcome.steps;
        counts.effective_steps += outcome.effective_steps;
        counts.events += simulated.events;
        Ok(None)
    }
}

/// A text with the first line that differs, its step, and the scenario.
fn difference(kind: SubjectKind, scenario: &Scenario, simulated: &str, other: &str) -> String {
    let (mut ones, mut others) = (simulated.lines(), other.lines());
    let mut step = "when the queue was made";
    let (one, another) = loop {
        match (ones.next(), others.next()) {
            (Some(one), Some(another)) if one == another => {
                if !one.starts_with(' ') {
                    step = one;
                }
            }
            (one, another) => break (one.unwrap_or("  nothing"), another.unwrap_or("  nothing")),
        }
    };
    let (name, document) = (kind.name(), document(scenario));
    format!(
        "on {name}, at step {step}\n  the simulated device:\n  {one}\n  the other device:\n  {another}\nthe scenario:\n{document}"
    )
}

fn document(scenario: &Scenario) -> Document {
    Document { scenario: scenario.clone(), ..Document::default() }
}
