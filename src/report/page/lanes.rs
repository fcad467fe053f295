//! The picture of a finding: a lane for each descriptor, a column for each step.

use super::{numbers, plain};
use crate::timeline::{Change, Moment, Phase, Timeline};
use std::collections::{BTreeMap, BTreeSet};

const COLUMN: usize = 24;
const LANE: usize = 20;
/// The space for names at the left, for marks and numbers above, and below the last lane, in pixels.
const LEFT: usize = 96;
const TOP: usize = 44;
const BOTTOM: usize = 8;
/// The most lanes and steps.
const MOST_LANES: usize = 32;
const MOST_COLUMNS: usize = 160;

/// The content of the picture.
pub(super) struct LanesView {
    pub(super) width: usize,
    pub(super) height: usize,
    /// The width of the names, which do not scroll.
    pub(super) left: usize,
    pub(super) lanes: Vec<Lane>,
    pub(super) spans: Vec<Span>,
    pub(super) columns: Vec<Column>,
    pub(super) dots: Vec<Dot>,
    /// The x coordinate of the violation.
    pub(super) end: usize,
    /// The parts that are not drawn, in words.
    pub(super) left_out: Option<String>,
}

/// A descriptor.
pub(super) struct Lane {
    pub(super) y: usize,
    pub(super) descriptor: u16,
}

/// A descriptor that stays in one phase for some steps.
pub(super) struct Span {
    pub(super) x: usize,
    pub(super) y: usize,
    pub(super) width: usize,
    pub(super) class: &'static str,
    /// The chain, if its number fits.
    pub(super) chain: Option<u16>,
}

/// A step.
pub(super) struct Column {
    pub(super) x: usize,
    pub(super) number: Option<String>,
    pub(super) fault: bool,
    pub(super) last: bool,
    pub(super) note: String,
}

/// A descriptor that a fault touches.
pub(super) struct Dot {
    pub(super) x: usize,
    pub(super) y: usize,
}

impl LanesView {
    /// The picture; none without steps.
    pub(super) fn new(timeline: &Timeline) -> Option<Self> {
        let moments = &timeline.moments;
        let (before, drawn) = last(timeline);
        if drawn.is_empty() {
            return None;
        }
        let skipped = moments.len() - drawn.len();
        let all = descriptors(moments);
        let lanes: BTreeMap<u16, usize> =
            all.iter().take(MOST_LANES).enumerate().map(|(lane, descriptor)| (*descriptor, lane)).collect();
        let y = |lane: usize| TOP + lane * LANE;
        let x = |column: usize| LEFT + column * COLUMN;
        let mut view = Self {
            width: x(drawn.len()) + BOTTOM,
            height: y(lanes.len()) + BOTTOM,
            left: LEFT,
            lanes: lanes
                .iter()
                .map(|(descriptor, lane)| Lane { y: y(*lane), descriptor: *descriptor })
                .collect(),
            spans: Vec::new(),
            columns: Vec::new(),
            dots: Vec::new(),
            end: x(drawn.len() - 1) + COLUMN / 2,
            left_out: left_out(before, all.len().saturating_sub(MOST_LANES)),
        };
        for (lane, moves) in tracks(moments, &lanes) {
            view.spans.extend(spans(&moves, skipped, x(drawn.len()), y(lane)));
        }
        for (column, moment) in drawn.iter().enumerate() {
            let number = before.saturating_add(column as u64);
            view.columns.push(Column {
                x: x(column),
                number: (column % 5 == 0 || drawn.len() <= 24).then(|| number.to_string()),
                fault: moment.fault.is_some(),
                last: column + 1 == drawn.len(),
                note: format!("{number}  {}", words(moment)),
            });
            let touched = moment.touches.iter().filter(|_| moment.fault.is_some());
            let touched = touched.filter_map(|descriptor| lanes.get(descriptor));
            view.dots.extend(touched.map(|lane| Dot { x: x(column) + COLUMN / 2, y: y(*lane) + LANE / 2 }));
        }
        Some(view)
    }
}

/// The number of earlier steps, and the last steps, which are shown.
pub(super) fn last(timeline: &Timeline) -> (u64, &[Moment]) {
    let skipped = timeline.moments.len().saturating_sub(MOST_COLUMNS);
    (timeline.left_out.saturating_add(skipped as u64), &timeline.moments[skipped..])
}

/// A step and its notes.
pub(super) fn words(moment: &Moment) -> String {
    let (step, note) = (plain(&moment.step), plain(&moment.note));
    if note.is_empty() { step } else { format!("{step}: {note}") }
}

/// The descriptors that change.
fn descriptors(moments: &[Moment]) -> BTreeSet<u16> {
    moments.iter().flat_map(|moment| moment.changes.iter().map(|change| change.descriptor)).collect()
}

/// A change of a descriptor: the step, its place among the changes of that step, the chain and the phase.
struct Move {
    step: usize,
    place: usize,
    of: usize,
    chain: u16,
    phase: Phase,
}

impl Move {
    /// Its x coordinate. The changes of one step share a column.
    fn x(&self, skipped: usize) -> usize {
        match self.step.checked_sub(skipped) {
            Some(column) => LEFT + column * COLUMN + COLUMN * self.place / self.of,
            None => LEFT,
        }
    }
}

/// The changes of each lane.
fn tracks(moments: &[Moment], lanes: &BTreeMap<u16, usize>) -> BTreeMap<usize, Vec<Move>> {
    let mut tracks: BTreeMap<usize, Vec<Move>> = BTreeMap::new();
    for (step, moment) in moments.iter().enumerate() {
        let mut of: BTreeMap<u16, (usize, usize)> = BTreeMap::new();
        moment.changes.iter().for_each(|change| of.entry(change.descriptor).or_default().1 += 1);
        for Change { descriptor, chain, phase } in &moment.changes {
            let (Some(lane), Some((done, of))) = (lanes.get(descriptor), of.get_mut(descriptor)) else {
                continue;
            };
            let next = Move { step, place: *done, of: *of, chain: *chain, phase: *phase };
            *done += 1;
            tracks.entry(*lane).or_default().push(next);
        }
    }
    tracks
}

/// The spans of a lane.
fn spans(moves: &[Move], skipped: usize, end: usize, y: usize) -> impl Iterator<Item = Span> {
    let ends = moves.iter().skip(1).map(move |next| next.x(skipped)).chain([end]);
    moves.iter().zip(ends).filter_map(move |(from, end)| {
        let x = from.x(skipped);
        let width = end.saturating_sub(x);
        let class = class(from.phase).filter(|_| width > 0)?;
        let chain = Some(from.chain).filter(|chain| width >= if *chain < 100 { COLUMN } else { 2 * COLUMN });
        Some(Span { x, y, width, class, chain })
    })
}

const fn class(phase: Phase) -> Option<&'static str> {
    match phase {
        Phase::Submitted => Some("submitted"),
        Phase::Available => Some("available"),
        Phase::Device => Some("device"),
        Phase::Used => Some("used"),
        Phase::Returned => Some("returned"),
        Phase::Free => None,
    }
}

fn left_out(steps: u64, lanes: usize) -> Option<String> {
    let steps = (steps > 0).then(|| numbers::counted(steps, "earlier step"));
    let lanes = (lanes > 0).then(|| numbers::counted(lanes as u64, "more descriptor"));
    let what: Vec<String> = steps.into_iter().chain(lanes).collect();
    (!what.is_empty()).then(|| format!("Not drawn: {}.", what.join(", ")))
}
