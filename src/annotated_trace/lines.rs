//! The line of a step: its number and text, columns if they are asked for, and its notes.

use super::Style;
use crate::execution::OwnChain;
use crate::scenario::{Ending, Step};
use std::fmt::Write;

/// The width of a step and its number, in characters. With columns, every step fits.
const BRIEF_WIDTH: usize = 56;
const STEP_WIDTH: usize = 74;
/// The columns: available index, used index, free descriptors, live chains.
const NAMES: [&str; 4] = ["avail", "used", "free", "live"];

/// The width of a screen, and the most lines of the failing step.
const SCREEN: usize = 120;
const MOST_LINES: usize = 6;
/// If fewer characters are left after a step, its notes go below it.
const LEAST_ROOM: usize = 30;
/// Notes that differ only in numbers are folded after `SHOWN` of them. Up to `MOST_TURNS` such notes may alternate.
const SHOWN: usize = 2;
const MOST_TURNS: usize = 3;

/// The line above the columns.
pub(super) fn header() -> String {
    let names = NAMES.map(|name| format!("{name:>6}")).join(" ");
    format!("{:<STEP_WIDTH$} {names}\n", "step")
}

/// Whether the lines have columns.
pub(super) fn has_header(lines: &str) -> bool {
    lines.starts_with("step ")
}

/// A step and its number; without a step, the drain at the end.
pub(super) fn head(number: usize, step: Option<&Step>, ending: Ending) -> String {
    match step {
        Some(step) => format!("{number:>4}  {step}"),
        None => format!(" {}", drain(ending)),
    }
}

/// The drain at the end of every execution.
pub(crate) const fn drain(ending: Ending) -> &'static str {
    match ending {
        Ending::Released => "end  drain and release",
        Ending::Dropped => "end  drain and drop",
    }
}

/// A part of the end that submits a chain of its own.
pub(super) const fn own_chain(why: OwnChain, ending: Ending) -> &'static str {
    match (why, ending) {
        (OwnChain::Trial, _) => " end  reset the broken queue; submit a trial chain",
        (OwnChain::LeftLive, Ending::Released) => " end  submit one more chain; release with it live",
        (OwnChain::LeftLive, Ending::Dropped) => " end  submit one more chain; drop with it live",
    }
}

/// A part of the end after the drain, if its chain is not known.
pub(super) const AFTER_DRAIN: &str = " end  after the drain";

/// Whether a line of the end, which may be marked, is this part.
fn is_part(line: &str, part: &str) -> bool {
    line.get(1..).is_some_and(|unmarked| unmarked.starts_with(&part[1..]))
}

/// The part of the end that a line belongs to, as the place of a violation.
pub(super) fn part_of_end(line: &str, ending: Ending) -> &'static str {
    let is = |part| is_part(line, part);
    match ending {
        _ if is(own_chain(OwnChain::Trial, ending)) => "the trial chain after the drain",
        Ending::Released if is(own_chain(OwnChain::LeftLive, ending)) => {
            "the end, release with one more chain live"
        }
        Ending::Dropped if is(own_chain(OwnChain::LeftLive, ending)) => {
            "the end, drop with one more chain live"
        }
        _ if is(AFTER_DRAIN) => "the end, after the drain",
        _ => "the drain at the end",
    }
}

/// The length of the step in a line of the end, which may be marked.
fn end_length(line: &str, ending: Ending) -> usize {
    let parts = [OwnChain::Trial, OwnChain::LeftLive].map(|why| own_chain(why, ending));
    let known = parts.into_iter().chain([AFTER_DRAIN]).find(|part| is_part(line, part));
    known.map_or_else(|| head(0, None, ending).len(), str::len)
}

/// The line of a step, with its line break.
pub(super) fn line(style: Style, step: &str, columns: Option<[u32; 4]>, notes: &str) -> String {
    let (width, columns) = match style {
        Style::Columns => {
            let columns = columns.map(|columns| columns.map(|number| number.to_string()));
            let columns = columns.unwrap_or_default().map(|number| format!("{number:>6}")).join(" ");
            (STEP_WIDTH, format!("{columns}  "))
        }
        Style::Brief => (BRIEF_WIDTH, String::new()),
    };
    format!("{}\n", format!("{step:<width$} {columns}{notes}").trim_end())
}

/// Joins notes. More than two equal ones in a row are written once, with their number.
pub(super) fn folded(notes: &[String]) -> String {
    let mut text = String::new();
    for equal in notes.chunk_by(|one, next| one == next) {
        let between = if text.is_empty() { "" } else { "; " };
        let _ = match equal.len() {
            1 | 2 => write!(text, "{between}{}", equal.join("; ")),
            times => write!(text, "{between}{times} times: {}", equal[0]),
        };
    }
    text
}

/// Fits lines without columns into the width of a screen: one line for each step, and up to [`MOST_LINES`] for the last step
/// if it failed. `first` is the number of the first step.
pub(super) fn on_screen(
    lines: &[&str],
    first: usize,
    steps: &[Step],
    ending: Ending,
    failed: bool,
) -> String {
    let mut text = String::new();
    for (place, line) in lines.iter().enumerate() {
        let number = first + place;
        let length = match steps.get(number) {
            Some(step) => head(number, Some(step), ending).len(),
            None => end_length(line, ending),
        };
        // Its first character may be a mark.
        let (step, notes) = line.split_at_checked(length).unwrap_or((line, ""));
        let is_failing = failed && place + 1 == lines.len();
        let notes = similar(notes.trim(), is_failing);
        let shown = if is_failing { wrapped(step, &notes) } else { cut(step, &notes) };
        let _ = writeln!(text, "{shown}");
    }
    text
}

/// A step and as many of its notes as fit in one line.
fn cut(step: &str, notes: &[String]) -> String {
    let whole = format!("{step:<BRIEF_WIDTH$} {}", notes.join("; "));
    if whole.len() <= SCREEN {
        return whole.trim_end().to_owned();
    }
    let room = SCREEN - "; ...".len();
    let mut line = format!("{step:<BRIEF_WIDTH$} ");
    for (place, note) in notes.iter().enumerate() {
        let between = if place > 0 { "; " } else { "" };
        if line.len() + between.len() + note.len() > room {
            line.extend(note.chars().take(if place > 0 { 0 } else { room.saturating_sub(line.len()) }));
            break;
        }
        line.push_str(&format!("{between}{note}"));
    }
    let line: String = line.chars().take(room).collect();
    format!("{}{} ...", line.trim_end(), if notes.len() > 1 { ";" } else { "" })
}

/// A step and its notes in several lines. If there are too many, the middle is left out: the last notes matter most.
fn wrapped(step: &str, notes: &[String]) -> String {
    let below = step.len().max(BRIEF_WIDTH) + 1 + LEAST_ROOM > SCREEN;
    let indent = if below { 8 } else { step.len().max(BRIEF_WIDTH) + 1 };
    let mut lines: Vec<String> = Vec::new();
    for (place, note) in notes.iter().enumerate() {
        let note = if place + 1 == notes.len() { note.clone() } else { format!("{note};") };
        match lines.last_mut().filter(|line| indent + line.len() + 1 + note.len() <= SCREEN) {
            Some(line) => line.push_str(&format!(" {note}")),
            None => lines.push(note),
        }
    }
    if lines.len() > MOST_LINES {
        let end = lines.len() - (MOST_LINES - MOST_LINES / 2);
        lines.splice(MOST_LINES / 2..=end, ["...".to_owned()]);
    }
    let start = if below { format!("{step}\n{:indent$}", "") } else { format!("{step:<BRIEF_WIDTH$} ") };
    format!("{start}{}", lines.join(&format!("\n{:indent$}", ""))).trim_end().to_owned()
}

/// Folds notes that differ only in numbers. Keeps the last note if `to_end`.
fn similar(notes: &str, to_end: bool) -> Vec<String> {
    let notes: Vec<&str> = notes.split("; ").collect();
    let shapes: Vec<String> = notes.iter().map(|note| shape(note)).collect();
    let (mut shown, mut place) = (Vec::new(), 0);
    while place < notes.len() {
        let rest = &shapes[place..];
        let often =
            |turns: usize| rest.chunks_exact(turns).take_while(|chunk| *chunk == &rest[..turns]).count();
        let turns = (1..=MOST_TURNS.min(rest.len())).find(|turns| often(*turns) > SHOWN + 1);
        let Some(turns) = turns else {
            shown.push(notes[place].to_owned());
            place += 1;
            continue;
        };
        let times = often(turns);
        let end = place + times * turns;
        let kept = if to_end && end == notes.len() { turns } else { 0 };
        shown.extend(notes[place..place + SHOWN * turns].iter().map(|note| (*note).to_owned()));
        let such = if turns > 1 { " such" } else { "" };
        shown.push(format!("and {} more{such}", times - SHOWN - usize::from(kept > 0)));
        shown.extend(notes[end - kept..end].iter().map(|note| (*note).to_owned()));
        place = end;
    }
    shown
}

/// A note without its numbers. "1 byte" and "2 bytes" have one shape.
fn shape(note: &str) -> String {
    let shape: String = note.chars().filter(|character| !character.is_ascii_digit()).collect();
    shape.replace("bytes", "byte")
}
