//! Records where each descriptor was, step by step, as data for a drawing.

use crate::annotated_trace;
use crate::execution::{CannotRun, Listener, Rig, Skip};
use crate::outcome::Outcome;
use crate::scenario::{Scenario, Step};
use crate::subject::SubjectKind;
use ringstorm_model::{Event, Refusal};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// The maximal number of steps. Only the last ones are kept, since a failure is at the end.
const MAX_MOMENTS: usize = 160;
/// The maximal number of descriptors: the first ones that are part of a chain.
const MAX_DESCRIPTORS: usize = 64;
/// The maximal number of changes within a step. Beyond it, only the last change of each descriptor is kept.
const MAX_CHANGES: usize = 256;
/// The maximal number of characters in a note.
const MAX_NOTE_CHARACTERS: usize = 400;

/// An execution, step by step.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Timeline {
    /// How many steps before the first moment are left out.
    pub left_out: u64,
    /// The steps, in order. The drain at the end is a step, too.
    pub moments: Vec<Moment>,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Moment {
    /// The step, as text.
    pub step: String,
    /// The effects of the step, as text.
    pub note: String,
    /// The fault that the device committed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// The descriptors that the fault names or overwrites.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub touches: Vec<u16>,
    /// Where descriptors moved, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
}

/// A descriptor changed its chain or its phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Change {
    /// The index of the descriptor.
    pub descriptor: u16,
    /// The head of its chain.
    pub chain: u16,
    /// Its new phase.
    pub phase: Phase,
}

/// Where a descriptor is in the life of its chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// In a chain that is submitted but not published.
    Submitted,
    /// In a chain in the available ring.
    Available,
    /// In a chain that the device took.
    Device,
    /// In a chain that the device returned.
    Used,
    /// In a chain that the driver took and did not free.
    Returned,
    /// In no chain.
    Free,
}

impl Timeline {
    /// Makes a timeline from the recorded steps and the lines of the annotated trace.
    pub(crate) fn new(scenario: &Scenario, moments: Recorded, texts: Vec<String>, outcome: &Outcome) -> Self {
        let Recorded { left_out, moments } = moments;
        let mut moments: Vec<Moment> = moments.into();
        // A process that died did not report its last step.
        if let (true, Some(step)) =
            (outcome.step as u64 == left_out + moments.len() as u64, scenario.steps.get(outcome.step))
        {
            let note = annotated_trace::last_words(&outcome.verdict).unwrap_or_default().to_owned();
            moments.push(Moment { note, ..Moment::of(step.to_string(), Some(step)) });
        }
        for (moment, text) in moments.iter_mut().zip(texts.iter().skip(left_out as usize)) {
            let line = text.trim_start().trim_start_matches(|digit: char| digit.is_ascii_digit()).trim();
            let note = line.strip_prefix(moment.step.as_str()).unwrap_or(line);
            moment.note = note.trim().chars().take(MAX_NOTE_CHARACTERS).collect();
        }
        Self { left_out, moments }
    }
}

impl Moment {
    /// A step with this text.
    fn of(text: String, step: Option<&Step>) -> Self {
        let fault = match step {
            Some(Step::Fault { fault, .. }) => Some(fault.name().to_owned()),
            _ => None,
        };
        Self { step: text, note: String::new(), fault, touches: Vec::new(), changes: Vec::new() }
    }
}

/// The last moments of an execution.
#[derive(Debug, Default)]
pub(crate) struct Recorded {
    left_out: u64,
    moments: VecDeque<Moment>,
}

impl Recorded {
    /// Adds the next moment.
    pub(crate) fn push(&mut self, moment: Moment) {
        if self.moments.len() >= MAX_MOMENTS {
            self.moments.pop_front();
            self.left_out += 1;
        }
        self.moments.push_back(moment);
    }
}

/// Runs a scenario. Calls `sink` with each step when the step is over.
///
/// # Errors
/// [`CannotRun`] if there is no memory for it, or the subject's adapter is wrong.
pub(crate) fn record(
    rig: &mut Rig,
    kind: SubjectKind,
    scenario: &Scenario,
    sink: &mut dyn FnMut(Moment),
) -> Result<Outcome, CannotRun> {
    let mut recorder = Recorder { sink, moment: None, chains: BTreeMap::new(), phases: BTreeMap::new() };
    let outcome = rig.run(kind, scenario, &mut recorder)?;
    recorder.end_step();
    Ok(outcome)
}

/// Follows the descriptors of an execution.
struct Recorder<'a> {
    sink: &'a mut dyn FnMut(Moment),
    /// The current step, and the last changes beyond the maximal number.
    moment: Option<(Moment, BTreeMap<u16, Change>)>,
    /// By head: the descriptors of each submitted chain.
    chains: BTreeMap<u16, Vec<u16>>,
    /// By descriptor: the head of its chain, and its phase.
    phases: BTreeMap<u16, (u16, Phase)>,
}

impl Recorder<'_> {
    fn end_step(&mut self) {
        if let Some((mut moment, last)) = self.moment.take() {
            moment.changes.extend(last.into_values());
            if moment.fault.is_none() {
                moment.touches.clear();
            }
            moment.touches.sort_unstable();
            moment.touches.dedup();
            (self.sink)(moment);
        }
    }

    /// Moves the descriptors of a chain to a phase.
    fn move_chain(&mut self, head: u16, phase: Phase) {
        for descriptor in self.chains.get(&head).cloned().unwrap_or_default() {
            self.move_descriptor(descriptor, head, phase);
        }
        if phase == Phase::Free {
            self.chains.remove(&head);
        }
    }

    fn move_descriptor(&mut self, descriptor: u16, chain: u16, phase: Phase) {
        if self.phases.len() >= MAX_DESCRIPTORS && !self.phases.contains_key(&descriptor) {
            return;
        }
        if self.phases.insert(descriptor, (chain, phase)) != Some((chain, phase))
            && let Some((moment, last)) = &mut self.moment
        {
            let change = Change { descriptor, chain, phase };
            if moment.changes.len() < MAX_CHANGES {
                moment.changes.push(change);
            } else {
                last.insert(descriptor, change);
            }
        }
    }

    fn touch(&mut self, descriptor: u16) {
        if let Some((moment, _)) = self.moment.as_mut().filter(|(moment, _)| moment.touches.len() < 16) {
            moment.touches.push(descriptor);
        }
    }

    fn chain_is_in(&self, head: u16, phase: Phase) -> bool {
        self.chains.get(&head).and_then(|chain| chain.first()).and_then(|first| self.phases.get(first))
            == Some(&(head, phase))
    }
}

impl Listener for Recorder<'_> {
    fn step(&mut self, _: usize, step: Option<&Step>, rig: &Rig) {
        self.end_step();
        let text = step.map_or_else(|| annotated_trace::drain(rig.ending()).to_owned(), ToString::to_string);
        self.moment = Some((Moment::of(text, step), BTreeMap::new()));
    }

    fn skipped(&mut self, _: Skip) {
        if let Some((moment, _)) = &mut self.moment {
            moment.fault = None;
        }
    }

    fn event(&mut self, event: &Event<'_>) {
        match *event {
            Event::Chain { head, descriptors, .. } => {
                let indexes = descriptors.iter().take(MAX_DESCRIPTORS).map(|descriptor| descriptor.index);
                self.chains.insert(head, indexes.collect());
                self.move_chain(head, Phase::Submitted);
            }
            Event::Available { head } => self.move_chain(head, Phase::Available),
            Event::DeviceTook { head, .. } => self.move_chain(head, Phase::Device),
            Event::UsedElement { id, .. } => {
                if let Ok(head) = u16::try_from(id) {
                    self.touch(head);
                    if self.chain_is_in(head, Phase::Device) {
                        self.move_chain(head, Phase::Used);
                    }
                }
            }
            Event::Take { answer } => {
                let head = match answer {
                    Ok(done) => done.map(|done| done.head),
                    Err(Refusal::Device(refusal)) => refusal.returned,
                    Err(Refusal::Misuse(_) | Refusal::System | Refusal::Broken) => None,
                };
                if let Some(head) = head {
                    self.move_chain(head, Phase::Returned);
                }
            }
            Event::Free { head, answer: Ok(()), .. } => self.move_chain(head, Phase::Free),
            Event::Reset { .. } => {
                let heads: Vec<u16> = self.chains.keys().copied().collect();
                heads.into_iter().for_each(|head| self.move_chain(head, Phase::Free));
            }
            Event::DescriptorCorrupted { descriptor } => self.touch(descriptor),
            Event::Withheld { head } => self.touch(head),
            _ => {}
        }
    }
}
