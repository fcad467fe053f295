//! Parses scenarios from text.
//!
//! A line consists of words that are separated by white space. A line that begins with `#` is a comment.

use super::misuse::{BadHead, HeadCall};
use super::print::VERSION_LINE;
use super::step::{Amount, Buffers, Lengths, Op, Pick, Step};
use super::words::{Line, ParseError, Word, Words, one_of};
use super::{BUFFER_BYTES_MAX, Document, Ending, Setup};
use crate::outcome::Expected;
use ringstorm_core::{AfterFault, OverLong, QueueSize, RingIndex, WritableBuffers};
use ringstorm_sim_device::Fault;
use std::str::FromStr;
use strum::VariantArray;

impl FromStr for Document {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let mut lines =
            text.split_inclusive('\n').enumerate().map(|(number, line)| Line::new(number + 1, line));
        let first = lines.next().unwrap_or(Line::new(1, ""));
        if first.text != VERSION_LINE {
            return Err(first.error(1, format!("`{VERSION_LINE}` as the first line"), first.text));
        }
        let mut document = Self::default();
        let mut has_setup = false;
        let mut last = first;
        for line in lines {
            last = line;
            if let Some(comment) = line.text.strip_prefix('#') {
                if !has_setup {
                    document.comments.push(comment.to_owned());
                }
                continue;
            }
            let mut words = Words::new(line);
            let Some(word) = words.next() else { continue };
            match word.text {
                "queue" if !has_setup => {
                    document.scenario.setup = parse_setup(&mut words)?;
                    has_setup = true;
                }
                _ if !has_setup => return Err(word.error("`queue size=... buffer=...`")),
                "expect" => document.expectations.push(parse_expectation(&mut words)?),
                _ if !document.expectations.is_empty() => {
                    return Err(word.error(
                        "`expect` or the end of the file, because all steps come before the first `expect`",
                    ));
                }
                _ => document.scenario.steps.push(parse_step(word, &mut words)?),
            }
            words.end()?;
        }
        if !last.complete {
            let column = last.text.chars().count() + 1;
            return Err(last.error(column, "a line break, because without it the file may be cut off", ""));
        }
        if !has_setup {
            return Err(Line::new(last.number + 1, "").error(1, "`queue size=... buffer=...`", ""));
        }
        Ok(document)
    }
}

/// Splits `key=value`. Refuses a key that is in `seen`.
fn key_value<'a>(
    word: Word<'a>,
    seen: &mut Vec<&'a str>,
    keys: &str,
) -> Result<(&'a str, Word<'a>), ParseError> {
    let Some((key, _)) = word.text.split_once('=') else { return Err(word.error(keys)) };
    if seen.contains(&key) {
        return Err(word.error(format!("`{key}=` only once")));
    }
    seen.push(key);
    Ok((key, word.from(key.len() + 1)))
}

fn parse_setup(words: &mut Words<'_>) -> Result<Setup, ParseError> {
    const KEYS: &str =
        "one of size=, buffer=, first-index=, features=, after-fault=, over-long=, writable=, ending=";
    let mut setup = Setup::default();
    let mut seen = Vec::new();
    while let Some(word) = words.next() {
        let (key, value) = key_value(word, &mut seen, KEYS)?;
        match key {
            "size" => {
                let wrong = || value.error("a power of two from 1 to 32768");
                let size = value.number(1, 32768).map_err(|_| wrong())?;
                setup.queue_size = QueueSize::new(size).map_err(|_| wrong())?;
            }
            "buffer" => setup.buffer_size = value.number(1, 65535)?,
            "first-index" => setup.first_index = RingIndex::new(value.number(0, 65535)?),
            "features" => match value.text {
                "event-idx" => setup.event_index = true,
                _ => return Err(value.error("`event-idx`, the only feature")),
            },
            "after-fault" => {
                setup.policies.after_fault = match value.text {
                    "broken" => AfterFault::Broken,
                    "go-on" => AfterFault::Continue,
                    _ => return Err(value.error("one of broken, go-on")),
                }
            }
            "over-long" => {
                setup.policies.over_long = match value.text {
                    "clamp" => OverLong::Clamp,
                    "refuse" => OverLong::Refuse,
                    _ => return Err(value.error("one of clamp, refuse")),
                }
            }
            "writable" => {
                setup.policies.writable = match value.text {
                    "as-they-are" => WritableBuffers::Unchanged,
                    "zeroed" => WritableBuffers::Zeroed,
                    _ => return Err(value.error("one of as-they-are, zeroed")),
                }
            }
            "ending" => {
                setup.ending = match value.text {
                    "released" => Ending::Released,
                    "dropped" => Ending::Dropped,
                    _ => return Err(value.error("one of released, dropped")),
                }
            }
            _ => return Err(word.error(KEYS)),
        }
        if !setup.fits() {
            return Err(value.error(format!("size times buffer to be at most {BUFFER_BYTES_MAX} bytes")));
        }
    }
    if !seen.contains(&"size") {
        words.expect("`size=`")?;
    }
    Ok(setup)
}

fn parse_expectation(words: &mut Words<'_>) -> Result<(String, Expected), ParseError> {
    let subject = words.expect("the name of a subject")?.text.to_owned();
    let outcome = words.expect(Expected::SYNTAX)?;
    let invariant =
        if outcome.text == "violation" { Some(words.expect("the name of an invariant")?) } else { None };
    let expected = match (outcome.text, invariant) {
        ("pass", _) => Expected::Pass,
        ("panic", _) => Expected::Panic,
        ("stuck", _) => Expected::Stuck,
        ("died", _) => Expected::Died,
        ("violation", Some(invariant)) => Expected::Violation(invariant.name("the name of an invariant")?),
        _ => return Err(outcome.error(Expected::SYNTAX)),
    };
    Ok((subject, expected))
}

fn parse_step(first: Word<'_>, words: &mut Words<'_>) -> Result<Step, ParseError> {
    let op = match first.text {
        "idle" => Op::Idle,
        "settle" => Op::Settle,
        "rounds" => Op::Rounds,
        who @ ("driver" | "device") => {
            let names = || {
                let of_who =
                    Op::VARIANTS.iter().filter_map(|op| op.name().strip_prefix(who)?.strip_prefix(' '));
                let of_who = of_who.filter(|name| !name.contains(' '));
                one_of(of_who)
            };
            let what = words.expect(&names())?;
            format!("{who} {}", what.text).parse().map_err(|_| what.error(names()))?
        }
        _ => return Err(first.error("one of driver, device, settle, rounds, idle, expect")),
    };
    Ok(match op {
        Op::Idle => Step::Idle,
        Op::Submit | Op::SubmitMany => parse_submit(words)?,
        Op::Prepare => {
            let (readable, writable) = parse_chain(words)?;
            Step::Prepare { readable, writable }
        }
        Op::Write => {
            let (readable, writable) = parse_chain(words)?;
            Step::Write { readable, writable }
        }
        Op::Publish => Step::Publish,
        Op::Take => Step::Take,
        Op::Collect => Step::Collect,
        Op::Read => {
            let pick = parse_pick(words)?;
            let mut limit = Amount::Full;
            if let Some(word) = words.next() {
                let (key, value) = key_value(word, &mut Vec::new(), "`limit=`")?;
                match key {
                    "limit" => limit = parse_amount(value)?,
                    _ => return Err(word.error("`limit=`")),
                }
            }
            Step::Read { pick, limit }
        }
        Op::Free => Step::Free { pick: parse_pick(words)? },
        Op::Reset => Step::Reset,
        Op::Misuse => Step::Misuse {
            call: words.expect("a call: free, read or withdraw")?.name::<HeadCall>("a call")?,
            head: words
                .expect("a kind of handle that the call must refuse")?
                .name::<BadHead>("a kind of handle")?,
            pick: parse_pick(words)?,
        },
        Op::Interrupts => Step::Interrupts { wanted: parse_switch(words)? },
        Op::MemoryFails => {
            let word = words.expect("`after=`")?;
            match key_value(word, &mut Vec::new(), "`after=`")? {
                ("after", value) => Step::MemoryFails { after: value.number(0, u16::MAX.into())? },
                _ => return Err(word.error("`after=`")),
            }
        }
        Op::Withdraw => Step::Withdraw { pick: parse_pick(words)? },
        Op::DelayInterrupts => Step::DelayInterrupts,
        Op::InterruptArrives => Step::InterruptArrives,
        Op::TakeBack => match words.next() {
            None => Step::TakeBack { stopped: true },
            Some(word) if word.text == "live" => Step::TakeBack { stopped: false },
            Some(word) => return Err(word.error("live or the end of the line")),
        },
        Op::DeviceTake => {
            let mut count = 1;
            if let Some(word) = words.next() {
                let (key, value) = key_value(word, &mut Vec::new(), "`count=`")?;
                match key {
                    "count" => count = value.number(1, 255)?,
                    _ => return Err(word.error("`count=`")),
                }
            }
            Step::DeviceTake { count }
        }
        Op::DeviceEvent => {
            let word = words.expect("`ahead=`")?;
            match key_value(word, &mut Vec::new(), "`ahead=`")? {
                ("ahead", value) => Step::DeviceEvent { ahead: value.number(0, u16::MAX.into())? },
                _ => return Err(word.error("`ahead=`")),
            }
        }
        Op::DeviceReturn => parse_return(words)?,
        Op::DeviceNotifications => Step::DeviceNotifications { wanted: parse_switch(words)? },
        Op::Fault => {
            let fault = words.expect("the name of a fault")?.name::<Fault>("the name of a fault")?;
            let pick = parse_pick(words)?;
            let mut fault_value = 0;
            if let Some(word) = words.next() {
                let (key, value) = key_value(word, &mut Vec::new(), "`value=`")?;
                match key {
                    "value" => fault_value = value.number(0, u32::MAX.into())?,
                    _ => return Err(word.error("`value=`")),
                }
            }
            Step::Fault { fault, pick, value: fault_value }
        }
        Op::Settle => Step::Settle,
        Op::Rounds => {
            let most = Step::MAX_ROUNDS.into();
            Step::Rounds { count: words.expect(&format!("a number from 1 to {most}"))?.number(1, most)? }
        }
    })
}

fn parse_submit(words: &mut Words<'_>) -> Result<Step, ParseError> {
    let mut times = None;
    let (readable, writable) =
        parse_chain_and(words, "`readable=`, `writable=` or `times=`", |key, value| {
            let is_times = key == "times";
            if is_times {
                times = Some(value.number(1, u16::MAX.into())?);
            }
            Ok(is_times)
        })?;
    Ok(match times {
        None => Step::Submit { readable, writable },
        Some(times) => Step::SubmitMany { readable, writable, times },
    })
}

fn parse_chain(words: &mut Words<'_>) -> Result<(Buffers, Buffers), ParseError> {
    parse_chain_and(words, "`readable=` or `writable=`", |_, _| Ok(false))
}

/// Parses the buffers of a chain. `other` parses the value of another key, and returns whether it knows the key.
fn parse_chain_and(
    words: &mut Words<'_>,
    keys: &str,
    mut other: impl FnMut(&str, Word<'_>) -> Result<bool, ParseError>,
) -> Result<(Buffers, Buffers), ParseError> {
    let (mut readable, mut writable) = (Buffers::NONE, Buffers::NONE);
    let mut seen = Vec::new();
    while let Some(word) = words.next() {
        let (key, value) = key_value(word, &mut seen, keys)?;
        match key {
            "readable" => readable = parse_buffers(value)?,
            "writable" => writable = parse_buffers(value)?,
            _ if other(key, value)? => {}
            _ => return Err(word.error(keys)),
        }
    }
    Ok((readable, writable))
}

/// `2x5`, `2x5..7`, `2xfull`, `2xover`, `2xhuge`.
fn parse_buffers(word: Word<'_>) -> Result<Buffers, ParseError> {
    const SYNTAX: &str = "buffers like 2x5, 2x5..7, 2xfull, 2xover or 2xhuge";
    let Some((count, _)) = word.text.split_once('x') else { return Err(word.error(SYNTAX)) };
    let lengths = word.from(count.len() + 1);
    let count = word.with_text(count).number(0, Buffers::MAX.into())?;
    let lengths = match (lengths.text, lengths.text.split_once("..")) {
        ("full", _) => Lengths::Full,
        ("over", _) => Lengths::Over,
        ("huge", _) => Lengths::Huge,
        (_, Some((from, _))) => {
            let first = lengths.with_text(from).number(0, 65535)?;
            let to = lengths.from(from.len() + 2).number(first, 65535)?;
            Lengths::Cycle { from: first as u16, to }
        }
        (_, None) => {
            let length = lengths.number(0, 65535).map_err(|_| lengths.error(SYNTAX))?;
            Lengths::Cycle { from: length, to: length }
        }
    };
    Ok(if count == 0 { Buffers::NONE } else { Buffers { count, lengths } })
}

fn parse_return(words: &mut Words<'_>) -> Result<Step, ParseError> {
    const KEYS: &str = "`written=`, `count=` or `beyond`";
    let pick = parse_pick(words)?;
    let (mut written, mut count, mut beyond) = (Amount::Full, 1, false);
    let mut seen = Vec::new();
    while let Some(word) = words.next() {
        if word.text == "beyond" && !beyond {
            beyond = true;
            continue;
        }
        let (key, value) = key_value(word, &mut seen, KEYS)?;
        match key {
            "written" => written = parse_amount(value)?,
            "count" => count = value.number(1, 255)?,
            _ => return Err(word.error(KEYS)),
        }
    }
    Ok(Step::DeviceReturn { pick, written, count, beyond })
}

/// `newest`, `oldest`, `oldest+3`.
fn parse_pick(words: &mut Words<'_>) -> Result<Pick, ParseError> {
    const SYNTAX: &str = "newest, oldest, or oldest+1 to oldest+254";
    let word = words.expect(SYNTAX)?;
    match word.text {
        "newest" => Ok(Pick::NEWEST),
        "oldest" => Ok(Pick::OLDEST),
        text if text.starts_with("oldest+") => {
            let later: u8 = word.from("oldest+".len()).number(1, 254)?;
            Ok(Pick(later + 1))
        }
        _ => Err(word.error(SYNTAX)),
    }
}

fn parse_amount(word: Word<'_>) -> Result<Amount, ParseError> {
    if word.text == "full" {
        return Ok(Amount::Full);
    }
    word.number(0, u32::MAX.into())
        .map(Amount::Bytes)
        .map_err(|_| word.error(format!("`full` or a number from 0 to {}", u32::MAX)))
}

fn parse_switch(words: &mut Words<'_>) -> Result<bool, ParseError> {
    let word = words.expect("on or off")?;
    match word.text {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err(word.error("on or off")),
    }
}
