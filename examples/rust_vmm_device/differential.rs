//! One scenario with two devices: whatever is observed must be the same.

use crate::notifications::Counted;
use ringstorm::execution::{CannotRun, HonestDevice, Listener, Rig, Skip};
use ringstorm::scenario::{Document, Scenario, Step};
use ringstorm::subject::{SharedMemory, SubjectKind};
use ringstorm_core::Error as MemoryError;
use ringstorm_model::{Event, TraceHash};
use std::cell::Cell;
use std::fmt::Write;
use std::rc::Rc;

/// Up to so many bytes of memory are compared before every step, and more at the end only.
const SMALL: usize = 1 << 16;

/// All that was observed in an execution, a line for each step, event and look at the memory.
#[derive(Default)]
struct Record {
    text: String,
    events: u64,
    image: Vec<u8>,
    counted: Counted,
    /// The device's own answer to whether the driver asked to be notified, if it has one.
    asked: Option<Rc<Cell<bool>>>,
    /// How many writes the device did not make, since they were to chains that it does not hold.
    unheld: Rc<Cell<u64>>,
}

impl Record {
    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        self.text.write_fmt(line).expect("text can be written to text");
        self.text.push('\n');
    }

    /// Puts down what stands in rings and buffers, as a number.
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
        if let Some(counted) = self.counted.hear(event) {
            let asked = self.asked.as_ref().map_or(counted, |asked| asked.get());
            self.line(format_args!("  the driver asked to be notified of it: {asked}"));
        }
    }

    fn skipped(&mut self, why: Skip) {
        self.line(format_args!("  skipped: {why:?}"));
    }
}

/// What was run and compared.
#[derive(Debug, Default, Clone, Copy)]
pub struct Counts {
    pub scenarios: u64,
    pub steps: u64,
    pub effective_steps: u64,
    pub events: u64,
}

/// Two rigs, one with each device.
pub struct Differential {
    rigs: [Rig; 2],
    records: [Record; 2],
}

impl Differential {
    /// The simulated device beside another one, of which `asked` tells whether the driver asked to be notified of what it
    /// returned last, and `unheld` how many writes it did not make, since they were to chains that it does not hold.
    pub fn new(
        device: impl HonestDevice + 'static,
        asked: Rc<Cell<bool>>,
        unheld: Rc<Cell<u64>>,
    ) -> Result<Self, MemoryError> {
        let other = Record { asked: Some(asked), unheld, ..Record::default() };
        Ok(Self {
            rigs: [Rig::new()?, Rig::new()?.with_device(Box::new(device))],
            records: [Record::default(), other],
        })
    }

    /// Runs a scenario with both. Says where they differ first, if they do, or what goes wrong with both.
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
            let unheld = record.unheld.take();
            record.line(format_args!("  writes to chains that the device does not hold: {unheld}"));
            record.line(format_args!("{outcome:?}"));
            last = Some(outcome);
        }
        let [simulated, other] = &self.records;
        if simulated.text != other.text {
            return Ok(Some(difference(kind, scenario, &simulated.text, &other.text)));
        }
        let outcome = last.expect("there are two rigs");
        if outcome.is_finding() {
            // What either device is looked at with may be wrong as well.
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

/// The first line that differs, with the step it is in and the scenario.
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
        "on {name}, at step {step}\n  the simulated device:\n  {one}\n  the other one:\n  {another}\nthe scenario:\n{document}"
    )
}

fn document(scenario: &Scenario) -> Document {
    Document { scenario: scenario.clone(), ..Document::default() }
}
