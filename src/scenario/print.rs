//! Prints scenarios as text.

use super::misuse::{BadHead, HeadCall};
use super::step::{Amount, Buffers, Lengths, Pick, Step};
use super::{Document, Scenario, Setup};
use std::fmt::{self, Display, Formatter};

/// The first line of every scenario file.
pub(super) const VERSION_LINE: &str = "ringstorm scenario 1";

impl Display for Document {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "{VERSION_LINE}")?;
        for comment in &self.comments {
            writeln!(f, "#{comment}")?;
        }
        write!(f, "{}", Body(&self.scenario))?;
        for (subject, expected) in &self.expectations {
            writeln!(f, "expect {subject} {expected}")?;
        }
        Ok(())
    }
}

impl Display for Scenario {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{VERSION_LINE}\n{}", Body(self))
    }
}

struct Body<'a>(&'a Scenario);

impl Display for Body<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.0.setup)?;
        for step in &self.0.steps {
            writeln!(f, "{step}")?;
        }
        Ok(())
    }
}

impl Display for Setup {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "queue size={} buffer={}", self.queue_size, self.buffer_size)?;
        if self.first_index.get() != 0 {
            write!(f, " first-index={:#x}", self.first_index.get())?;
        }
        if self.event_index {
            write!(f, " features=event-idx")?;
        }
        if self.continues_after_fault() {
            write!(f, " after-fault=go-on")?;
        }
        if self.refuses_over_long() {
            write!(f, " over-long=refuse")?;
        }
        if self.zeroes() {
            write!(f, " writable=zeroed")?;
        }
        if self.is_dropped() {
            write!(f, " ending=dropped")?;
        }
        Ok(())
    }
}

impl Display for Step {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let Self::SubmitMany { readable, writable, times } = *self {
            return write!(f, "{} times={times}", Self::Submit { readable, writable });
        }
        f.write_str(self.op().name())?;
        match self {
            Self::SubmitMany { .. } => unreachable!("printed above"),
            Self::Rounds { count } => write!(f, " {count}"),
            Self::Idle | Self::Publish | Self::Take | Self::Collect | Self::Reset | Self::Settle => Ok(()),
            Self::Submit { readable, writable }
            | Self::Prepare { readable, writable }
            | Self::Write { readable, writable } => {
                for (name, buffers) in [("readable", readable), ("writable", writable)] {
                    if buffers.count > 0 {
                        write!(f, " {name}={buffers}")?;
                    }
                }
                Ok(())
            }
            Self::Read { pick, limit } => write!(f, " {pick} limit={limit}"),
            Self::Free { pick } | Self::Withdraw { pick } => write!(f, " {pick}"),
            Self::Misuse { call, head, pick } => {
                let (call, head): (&str, &str) = (call.into(), head.into());
                write!(f, " {call} {head} {pick}")
            }
            Self::Interrupts { wanted } | Self::DeviceNotifications { wanted } => {
                f.write_str(if *wanted { " on" } else { " off" })
            }
            Self::DelayInterrupts | Self::InterruptArrives => Ok(()),
            Self::TakeBack { stopped } => f.write_str(if *stopped { "" } else { " live" }),
            Self::DeviceTake { count } => optional_count(f, *count),
            Self::MemoryFails { after } => write!(f, " after={after}"),
            Self::DeviceEvent { ahead } => write!(f, " ahead={ahead}"),
            Self::DeviceReturn { pick, written, count, beyond } => {
                write!(f, " {pick} written={written}")?;
                optional_count(f, *count)?;
                f.write_str(if *beyond { " beyond" } else { "" })
            }
            Self::Fault { fault, pick, value } => write!(f, " {} {pick} value={value}", fault.name()),
        }
    }
}

fn optional_count(f: &mut Formatter<'_>, count: u8) -> fmt::Result {
    if count == 1 { Ok(()) } else { write!(f, " count={count}") }
}

impl Display for Pick {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.write_str("newest"),
            1 => f.write_str("oldest"),
            pick => write!(f, "oldest+{}", pick - 1),
        }
    }
}

impl Display for Buffers {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}x", self.count)?;
        match self.lengths {
            Lengths::Cycle { from, to } if from == to => write!(f, "{from}"),
            Lengths::Cycle { from, to } => write!(f, "{from}..{to}"),
            Lengths::Full => f.write_str("full"),
            Lengths::Over => f.write_str("over"),
            Lengths::Huge => f.write_str("huge"),
        }
    }
}

impl Display for Amount {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str("full"),
            Self::Bytes(count) => count.fmt(f),
        }
    }
}

impl Display for HeadCall {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.into())
    }
}

impl Display for BadHead {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.into())
    }
}
