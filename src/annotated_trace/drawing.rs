//! The state before and after the failing step, as text that marks each change.

use crate::execution::QueueView;
use ringstorm_sim_device::Geometry;
use std::collections::BTreeMap;
use std::fmt::Write;

/// The most changed rows, and the most unchanged ones, that one part shows.
const MOST_CHANGED: usize = 8;
const MOST_UNCHANGED: usize = 4;

/// Where the parts of the state come from.
const LEGEND: &str = "(table, rings: memory; last column, chains, free: what the model expects)";

/// Stands before the last column of a row until the columns are aligned.
const COLUMN: char = '\t';

/// The subject of a row. Rows appear in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Row {
    Table(u16),
    Available,
    AvailableSlot(u16),
    Used,
    UsedSlot(u16),
    Driver,
    Free,
}

impl Row {
    /// The part that the row belongs to.
    const fn part(self) -> &'static str {
        match self {
            Self::Table(_) => "table",
            Self::Available | Self::AvailableSlot(_) => "available",
            Self::Used | Self::UsedSlot(_) => "used",
            Self::Driver => "chains",
            Self::Free => "free",
        }
    }
}

/// A state, and the free count that the driver returned in it, if it was asked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Shown<'a> {
    pub(super) state: &'a QueueView,
    pub(super) driver_free: Option<u32>,
}

/// Draws two states: `-` marks a row as it was before, `+` as it is after, and a row without a mark did not change.
pub(super) fn draw(before: Shown<'_>, after: Shown<'_>) -> String {
    let (mut old, mut new) = (rows(before.state), rows(after.state));
    old.insert(Row::Free, free(before));
    new.insert(Row::Free, free(after));
    let heading = match before.state == after.state && old == new {
        true => "state at the failing step, unchanged by it",
        false => "state before (-), after (+) the failing step",
    };
    let mut text = format!("{heading} {LEGEND}\n");
    let (mut part, mut counts) = ("", Counts::default());
    for (row, now) in &new {
        if row.part() != part {
            counts.close(&mut text);
            (part, counts) = (row.part(), Counts::default());
        }
        let was = old.get(row);
        if was == Some(now) {
            if of_interest(*row, after.state) && counts.unchanged < MOST_UNCHANGED {
                counts.unchanged += 1;
                let _ = writeln!(text, "  {part:<10} {now}");
            }
        } else if counts.changed < MOST_CHANGED {
            counts.changed += 1;
            if let Some(was) = was {
                let _ = writeln!(text, "- {part:<10} {was}");
            }
            let _ = writeln!(text, "+ {part:<10} {now}");
        } else {
            counts.left_out += 1;
        }
    }
    counts.close(&mut text);
    align(&text)
}

/// Moves the last column, which follows a `COLUMN`, to the same place in each line.
fn align(text: &str) -> String {
    let widths = text.lines().filter_map(|line| line.split_once(COLUMN)).map(|(start, _)| start.len());
    let width = widths.max().unwrap_or(0);
    let line = |line: &str| match line.split_once(COLUMN) {
        Some((start, last)) => format!("{start:<width$}  {last}\n"),
        None => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}

/// How many rows of a part were drawn.
#[derive(Default)]
struct Counts {
    changed: usize,
    unchanged: usize,
    left_out: usize,
}

impl Counts {
    fn close(&self, text: &mut String) {
        if self.left_out > 0 {
            let _ = writeln!(text, "+ {:<10} ... and {} more changed rows", "", self.left_out);
        }
    }
}

/// Whether a row that did not change helps to understand the others.
fn of_interest(row: Row, state: &QueueView) -> bool {
    // At index 0, most rings have no entry yet.
    let near = |slot: u16, index: u16| index > 0 && (index - 1) % state.geometry.size == slot;
    match row {
        Row::Table(descriptor) => state.owners[usize::from(descriptor)].is_some(),
        Row::Available | Row::Used | Row::Driver | Row::Free => true,
        Row::AvailableSlot(slot) => near(slot, half(&state.rings, state.geometry.available + 2)),
        Row::UsedSlot(slot) => near(slot, half(&state.rings, state.geometry.used + 2)),
    }
}

fn half(rings: &[u8], offset: usize) -> u16 {
    u16::from_le_bytes([rings[offset], rings[offset + 1]])
}

fn word(rings: &[u8], offset: usize) -> u32 {
    u32::from(half(rings, offset)) | u32::from(half(rings, offset + 2)) << 16
}

fn rows(state: &QueueView) -> BTreeMap<Row, String> {
    let QueueView { geometry, rings, event_index, in_flight, not_yet_in_flight, taken, broken, .. } = state;
    let Geometry { size, available, used, .. } = *geometry;
    let mut rows = BTreeMap::new();
    let event = |name: &str, offset: usize| match event_index {
        true => format!(", {name} {}", half(rings, offset)),
        false => String::new(),
    };
    let (behind_available, behind_used) =
        (available + 4 + 2 * usize::from(size), used + 4 + 8 * usize::from(size));
    for number in 0..size {
        let slot = usize::from(number);
        rows.insert(Row::Table(number), descriptor(state, number));
        let head = half(rings, available + 4 + 2 * slot);
        rows.insert(Row::AvailableSlot(number), format!("slot {number}: head {head}"));
        let element = used + 4 + 8 * slot;
        let (id, length) = (word(rings, element), word(rings, element + 4));
        rows.insert(Row::UsedSlot(number), format!("slot {number}: id {id}, length {length}"));
    }
    let ring = |offset: usize, event: String| {
        format!("index {}, flags {:#x}{event}", half(rings, offset + 2), half(rings, offset))
    };
    rows.insert(Row::Available, ring(available, event("used_event", behind_available)));
    rows.insert(Row::Used, ring(used, event("avail_event", behind_used)));
    let broken = if *broken { "; the queue is broken" } else { "" };
    let new = match not_yet_in_flight.as_slice() {
        [] => String::new(),
        heads => format!("; in the available ring, not yet in flight: {}", list(heads)),
    };
    rows.insert(
        Row::Driver,
        format!("in flight: {}{new}; completed, not freed: {}{broken}", list(in_flight), list(taken)),
    );
    rows
}

/// The free descriptors, and the driver's count where it differs.
fn free(Shown { state, driver_free }: Shown<'_>) -> String {
    let size = state.geometry.size;
    let free: Vec<u16> = (0..size).filter(|number| state.owners[usize::from(*number)].is_none()).collect();
    match driver_free.filter(|count| *count as usize != free.len()) {
        Some(count) => format!("driver returns {count} of {size}; expected {}: {}", free.len(), list(&free)),
        None => format!("{} of {size}: {}", free.len(), list(&free)),
    }
}

/// A descriptor in the table (2.7.5), and its chain.
fn descriptor(state: &QueueView, number: u16) -> String {
    let at = state.geometry.table + 16 * usize::from(number);
    let address = u64::from(word(&state.rings, at)) | u64::from(word(&state.rings, at + 4)) << 32;
    let (length, flags, next) =
        (word(&state.rings, at + 8), half(&state.rings, at + 12), half(&state.rings, at + 14));
    let (start, bytes) = state.buffers;
    let place = match address.checked_sub(start) {
        Some(offset) if offset < bytes as u64 => format!("buffers+{offset}"),
        _ => format!("{address:#x}"),
    };
    let names = [(1, "next"), (2, "write"), (4, "indirect")];
    let mut words: Vec<String> =
        names.iter().filter(|(bit, _)| flags & bit != 0).map(|(_, name)| (*name).to_owned()).collect();
    if let Some(word) = words.iter_mut().find(|word| *word == "next") {
        *word = format!("next {next}");
    }
    if flags & !7 != 0 {
        words.push(format!("flags {flags:#x}"));
    }
    let owner = match state.owners[usize::from(number)] {
        Some(head) => format!("chain {head}"),
        None => "free".to_owned(),
    };
    let words: String = words.iter().map(|word| format!(" {word}")).collect();
    format!("descriptor {number}: {place} length {length}{words}{COLUMN}{owner}")
}

/// The first few of the numbers.
fn list(numbers: &[u16]) -> String {
    const FEW: usize = 12;
    if numbers.is_empty() {
        return "none".to_owned();
    }
    let shown: Vec<String> = numbers.iter().take(FEW).map(u16::to_string).collect();
    let more = if numbers.len() > FEW { ", ..." } else { "" };
    format!("{}{more}", shown.join(", "))
}
