//! An execution as data for a picture: where each descriptor was, step by step.

use crate::annotated_trace;
use crate::execution::{CannotRun, Listener, Rig, Skip};
use crate::outcome::Outcome;
use crate::scenario::{Scenario, Step};
use crate::subject::SubjectKind;
use ringstorm_model::{Event, Refusal};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// As many steps are kept, the last ones: what goes wrong goes wrong at the end.
const MOST_MOMENTS: usize = 160;
/// As many descriptors are followed, the first ones that are in a chain.
const MOST_DESCRIPTORS: usize = 64;
/// As many moves within a step are kept, and then only where each descriptor ends.
const MOST_CHANGES: usize = 256;
/// As many characters are kept of what came of a step.
const MOST_TEXT: usize = 400;

/// An execution, step by step.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Timeline {
    /// How many steps before the first moment are left out.
    pub left_out: u64,
    /// The steps, in order; the settling at the end is one too.
    pub moments: Vec<Moment>,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Moment {
    /// What was done.
    pub step: String,
    /// What came of it.
    pub note: String,
    /// The fault that was thrown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// The descriptors that it names or scribbles on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub touches: Vec<u16>,
    /// Where descriptors went, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
}

/// A descriptor went elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Change {
    /// Its index.
    pub descriptor: u16,
    /// The head of its chain.
    pub chain: u16,
    /// Where it is.
    pub phase: Phase,
}

/// Where a descriptor is, as its chain goes round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// In a chain that the device has not been told of.
    Submitted,
    /// In a chain that stands in the available ring.
    Available,
    /// In a chain that the device took.
    Device,
    /// In a chain that the device returned.
    Used,
    /// In a chain that the driver took back.
    Returned,
    /// In no chain.
    Free,
}

impl Timeline {
    /// Makes one of what was recorded and what was told of each step.
    pub fn new(scenario: &Scenario, moments: Recorded, texts: Vec<String>, outcome: &Outcome) -> Self {
        let Recorded { left_out, moments } = moments;
        let mut moments: Vec<Moment> = moments.into();
        // What a process did not live to tell.
        if let (true, Some(step)) =
            (outcome.step as u64 == left_out + moments.len() as u64, scenario.steps.get(outcome.step))
        {
            let note = annotated_trace::untold(&outcome.verdict).unwrap_or_default().to_owned();
            moments.push(Moment { note, ..Moment::of(step.to_string(), Some(step)) });
        }
        for (moment, text) in moments.iter_mut().zip(texts.iter().skip(left_out as usize)) {
            let told = text.trim_start().trim_start_matches(|digit: char| digit.is_ascii_digit()).trim();
            let note = told.strip_prefix(moment.step.as_str()).unwrap_or(told);
            moment.note = note.trim().chars().take(MOST_TEXT).collect();
        }
        Self { left_out, moments }
    }
}

impl Moment {
    /// One that is told as `text`.
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
pub struct Recorded {
    left_out: u64,
    moments: VecDeque<Moment>,
}

impl Recorded {
    /// Takes in the next one.
    pub fn push(&mut self, moment: Moment) {
        if self.moments.len() >= MOST_MOMENTS {
            self.moments.pop_front();
            self.left_out += 1;
        }
        self.moments.push_back(moment);
    }
}

/// Runs a scenario; `sink` hears of each step when it is over.
///
/// # Errors
/// [`CannotRun`] if there is no memory for it, or the subject's adapter is wrong.
pub fn record(
    rig: &mut Rig,
    kind: SubjectKind,
    scenario: &Scenario,
    sink: &mut dyn FnMut(Moment),
) -> Result<Outcome, CannotRun> {
    let mut recorder = Recorder { sink, moment: None, chains: BTreeMap::new(), places: BTreeMap::new() };
    let outcome = rig.run(kind, scenario, &mut recorder)?;
    recorder.end_step();
    Ok(outcome)
}

/// Follows the descriptors of an execution.
struct Recorder<'a> {
    sink: &'a mut dyn FnMut(Moment),
    /// The current step, and the descriptors that went further in it than is kept.
    moment: Option<(Moment, BTreeMap<u16, Change>)>,
    /// The descriptors of each chain that was submitted, by its head.
    chains: BTreeMap<u16, Vec<u16>>,
    /// Where each descriptor is.
    places: BTreeMap<u16, (u16, Phase)>,
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

    /// A chain is elsewhere, if there is one.
    fn chain(&mut self, head: u16, phase: Phase) {
        for descriptor in self.chains.get(&head).cloned().unwrap_or_default() {
            self.descriptor(descriptor, head, phase);
        }
        if phase == Phase::Free {
            self.chains.remove(&head);
        }
    }

    fn descriptor(&mut self, descriptor: u16, chain: u16, phase: Phase) {
        if self.places.len() >= MOST_DESCRIPTORS && !self.places.contains_key(&descriptor) {
            return;
        }
        if self.places.insert(descriptor, (chain, phase)) != Some((chain, phase))
            && let Some((moment, last)) = &mut self.moment
        {
            let change = Change { descriptor, chain, phase };
            if moment.changes.len() < MOST_CHANGES {
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

    fn is(&self, head: u16, phase: Phase) -> bool {
        self.chains.get(&head).and_then(|chain| chain.first()).and_then(|first| self.places.get(first))
            == Some(&(head, phase))
    }
}

impl Listener for Recorder<'_> {
    fn step(&mut self, _: usize, step: Option<&Step>, rig: &Rig) {
        self.end_step();
        let text =
            step.map_or_else(|| annotated_trace::settling(rig.ending()).to_owned(), ToString::to_string);
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
                let indexes = descriptors.iter().take(MOST_DESCRIPTORS).map(|descriptor| descriptor.index);
                self.chains.insert(head, indexes.collect());
                self.chain(head, Phase::Submitted);
            }
            Event::Available { head } => self.chain(head, Phase::Available),
            Event::DeviceTook { head, .. } => self.chain(head, Phase::Device),
            Event::UsedElement { id, .. } => {
                if let Ok(head) = u16::try_from(id) {
                    self.touch(head);
                    if self.is(head, Phase::Device) {
                        self.chain(head, Phase::Used);
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
                    self.chain(head, Phase::Returned);
                }
            }
            Event::Free { head, answer: Ok(()), .. } => self.chain(head, Phase::Free),
            Event::Reset { .. } => {
                let heads: Vec<u16> = self.chains.keys().copied().collect();
                heads.into_iter().for_each(|head| self.chain(head, Phase::Free));
            }
            Event::DescriptorCorrupted { descriptor } => self.touch(descriptor),
            Event::Withheld { head } => self.touch(head),
            _ => {}
        }
    }
}
