//! The heat map: how many seeds reached each coverage cell.

use crate::coverage::{ReachCounts, reachable_pairs, unreachable_because};
use crate::report::{CoverageReport, grouped};
use ringstorm_model::{DriverState, Occupancy};
use ringstorm_sim_device::{Fault, Target};
use strum::VariantArray;

/// The side of a cell, and the space for names, in pixels.
const CELL: usize = 18;
const LEFT: usize = 178;
const TOP: usize = 64;
/// The space above each group of faults, in pixels.
const GAP: usize = 20;
/// The number of shades.
const SHADES: u32 = 5;

/// The content of the heat map.
pub(super) struct HeatView {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) columns: Vec<Column>,
    pub(super) groups: Vec<Label>,
    pub(super) rows: Vec<Row>,
    pub(super) legend: Vec<(String, String)>,
}

/// A word and its x coordinate.
pub(super) struct Label {
    pub(super) at: usize,
    pub(super) text: &'static str,
}

/// A state of the driver.
pub(super) struct Column {
    pub(super) x: usize,
    pub(super) code: String,
    pub(super) state: String,
}

/// A fault.
pub(super) struct Row {
    pub(super) y: usize,
    /// The name of the group that begins here.
    pub(super) group: Option<&'static str>,
    pub(super) name: &'static str,
    pub(super) description: &'static str,
    pub(super) cells: Vec<Cell>,
}

/// A coverage cell.
pub(super) struct Cell {
    pub(super) x: usize,
    pub(super) class: String,
    pub(super) title: String,
}

const TARGETS: [(Target, &str); 5] = [
    (Target::UsedRing, "used ring"),
    (Target::Table, "descriptor table"),
    (Target::AvailableRing, "available ring"),
    (Target::Buffers, "buffers"),
    (Target::Time, "time"),
];

impl HeatView {
    pub(super) fn new(report: &CoverageReport) -> Self {
        // `merge` has already checked the report.
        let heat = report.read().unwrap_or_default();
        let states: Vec<DriverState> = (0..DriverState::COUNT)
            .map(DriverState::from_number)
            .filter(|state| reachable_pairs().any(|(reachable, _)| reachable == *state))
            .collect();
        let most = reachable_pairs().map(|(state, fault)| heat.of(state, fault)).max().unwrap_or_default();
        let x = |column: usize| LEFT + column * CELL;
        let (mut rows, mut y) = (Vec::new(), TOP);
        for (target, group) in TARGETS {
            let mut group = Some(group);
            for fault in Fault::VARIANTS.iter().filter(|fault| fault.target() == target) {
                y += if group.is_some() { GAP } else { 0 };
                let cells = states.iter().enumerate();
                rows.push(Row {
                    y,
                    group: group.take(),
                    name: fault.name(),
                    description: fault.description(),
                    cells: cells
                        .map(|(column, state)| Cell::new(x(column), &heat, *state, *fault, most))
                        .collect(),
                });
                y += CELL;
            }
        }
        let mut groups: Vec<Label> = Vec::new();
        for (column, state) in states.iter().enumerate() {
            let text = occupancy(state.occupancy);
            if groups.last().is_none_or(|last| last.text != text) {
                groups.push(Label { at: x(column), text });
            }
        }
        let columns = states.iter().enumerate();
        Self {
            width: x(states.len()) + 8,
            height: y + 8,
            columns: columns
                .map(|(column, state)| Column { x: x(column), code: code(*state), state: state.to_string() })
                .collect(),
            groups,
            rows,
            legend: legend(most),
        }
    }
}

impl Cell {
    fn new(x: usize, heat: &ReachCounts, state: DriverState, fault: Fault, most: u64) -> Self {
        let count = heat.of(state, fault);
        let (class, what) = match (unreachable_because(state, fault), count) {
            (Some(reason), _) => ("none".to_owned(), format!("cannot be reached: {reason}")),
            (None, 0) => ("missed".to_owned(), "never reached".to_owned()),
            (None, 1) => (format!("h{}", shade(count, most)), "1 seed".to_owned()),
            (None, count) => (format!("h{}", shade(count, most)), format!("{} seeds", grouped(count))),
        };
        Self { x, class, title: format!("{} while {state}: {what}", fault.name()) }
    }
}

/// From 1 to [`SHADES`], on a logarithmic scale.
fn shade(count: u64, most: u64) -> u32 {
    let share = (count as f64 + 1.0).ln() / (most as f64 + 1.0).ln().max(1e-9);
    ((share * f64::from(SHADES)).ceil() as u32).clamp(1, SHADES)
}

/// The legend: the most seeds of each shade.
fn legend(most: u64) -> Vec<(String, String)> {
    let mut legend = vec![("missed".to_owned(), "never".to_owned())];
    for shade in 1..=SHADES.min(most.min(5) as u32) {
        let upper = (most as f64 + 1.0).powf(f64::from(shade) / f64::from(SHADES)) - 1.0;
        legend.push((format!("h{shade}"), format!("to {}", grouped(upper.round() as u64))));
    }
    legend
}

const fn occupancy(occupancy: Occupancy) -> &'static str {
    match occupancy {
        Occupancy::Empty => "empty",
        Occupancy::Partly => "partly",
        Occupancy::Full => "full",
    }
}

/// The other properties of a state, as letters.
fn code(state: DriverState) -> String {
    let letters = [(state.fragmented, 'f'), (state.at_wrap, 'w'), (state.broken, 'b')];
    letters.into_iter().filter_map(|(is, letter)| is.then_some(letter)).collect()
}
