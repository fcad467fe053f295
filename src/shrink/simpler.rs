//! Simpler variants of a step.

use crate::scenario::{Amount, Buffers, Lengths, Pick, Step};
use ringstorm_sim_device::Fault;
use strum::VariantArray;

/// Simpler variants of a step, the simplest first. Each is strictly simpler, so shrinking ends.
pub(super) fn simpler(step: Step) -> Vec<Step> {
    match step {
        Step::Submit { readable, writable } => chains(readable, writable)
            .into_iter()
            .map(|(readable, writable)| Step::Submit { readable, writable })
            .collect(),
        Step::SubmitMany { readable, writable, times } => {
            let simpler = chains(readable, writable);
            let fewer = fewer(times.into()).map(move |times| (readable, writable, times as u16));
            let with = simpler.into_iter().map(move |(readable, writable)| (readable, writable, times));
            [Step::Submit { readable, writable }]
                .into_iter()
                .chain(fewer.chain(with).map(|(readable, writable, times)| Step::SubmitMany {
                    readable,
                    writable,
                    times,
                }))
                .collect()
        }
        Step::Rounds { count } => fewer(count).map(|count| Step::Rounds { count }).collect(),
        Step::Prepare { readable, writable } => {
            let simpler = chains(readable, writable);
            [Step::Submit { readable, writable }]
                .into_iter()
                .chain(simpler.into_iter().map(|(readable, writable)| Step::Prepare { readable, writable }))
                .collect()
        }
        Step::Write { readable, writable } => {
            let simpler = chains(readable, writable);
            [Step::Submit { readable, writable }]
                .into_iter()
                .chain(simpler.into_iter().map(|(readable, writable)| Step::Write { readable, writable }))
                .collect()
        }
        Step::Collect => vec![Step::Take],
        Step::Read { pick, limit } => {
            let limits = amounts(limit).into_iter().map(move |limit| Step::Read { pick, limit });
            picks(pick).into_iter().map(|pick| Step::Read { pick, limit }).chain(limits).collect()
        }
        Step::Withdraw { pick } => picks(pick).into_iter().map(|pick| Step::Withdraw { pick }).collect(),
        Step::Free { pick } => picks(pick).into_iter().map(|pick| Step::Free { pick }).collect(),
        Step::Misuse { call, head, pick } => {
            picks(pick).into_iter().map(|pick| Step::Misuse { call, head, pick }).collect()
        }
        Step::DeviceTake { count } if count > 1 => vec![Step::DeviceTake { count: 1 }],
        Step::DeviceReturn { pick, written, count, beyond } => {
            let with = |pick, written, count, beyond| Step::DeviceReturn { pick, written, count, beyond };
            let mut steps: Vec<Step> =
                picks(pick).into_iter().map(|pick| with(pick, written, count, beyond)).collect();
            steps.extend(amounts(written).into_iter().map(|written| with(pick, written, count, beyond)));
            if count > 1 {
                steps.push(with(pick, written, 1, beyond));
            }
            if beyond {
                steps.push(with(pick, written, count, false));
            }
            steps
        }
        Step::Fault { fault, pick, value } => {
            let values = [0, 1].into_iter().filter(move |plain| *plain < value);
            let kinds = milder(fault).into_iter().map(|fault| Step::Fault { fault, pick, value });
            honest_steps()
                .into_iter()
                .chain(picks(pick).into_iter().map(|pick| Step::Fault { fault, pick, value }))
                .chain(values.map(|value| Step::Fault { fault, pick, value }))
                .chain(kinds)
                .collect()
        }
        Step::DeviceEvent { ahead } if ahead > 0 => {
            vec![Step::DeviceEvent { ahead: 0 }, Step::DeviceEvent { ahead: ahead - 1 }]
        }
        Step::MemoryFails { after } if after > 0 => {
            vec![Step::MemoryFails { after: 0 }, Step::MemoryFails { after: after - 1 }]
        }
        Step::DelayInterrupts => vec![Step::Interrupts { wanted: true }],
        Step::TakeBack { stopped } => {
            if stopped {
                vec![Step::Reset]
            } else {
                Vec::new()
            }
        }
        Step::Idle
        | Step::InterruptArrives
        | Step::MemoryFails { .. }
        | Step::Publish
        | Step::Take
        | Step::Reset
        | Step::Interrupts { .. }
        | Step::DeviceTake { .. }
        | Step::DeviceEvent { .. }
        | Step::DeviceNotifications { .. }
        | Step::Settle => Vec::new(),
    }
}

/// Steps to try in place of a fault: perhaps the finding only needs what the driver does then.
fn honest_steps() -> [Step; 6] {
    let one = Buffers::of(1, 1);
    let (pick, written) = (Pick::NEWEST, Amount::Full);
    [
        Step::Take,
        Step::DeviceReturn { pick, written, count: 1, beyond: false },
        Step::Submit { readable: one, writable: one },
        Step::Publish,
        Step::Free { pick },
        Step::Reset,
    ]
}

/// The faults to try in place of this one, so that one cause is shown by one fault: those that the specification permits,
/// and those with the same target and a lower number. A permitted fault is never replaced with a forbidden one.
fn milder(fault: Fault) -> Vec<Fault> {
    let mut milder: Vec<Fault> = Fault::VARIANTS
        .iter()
        .copied()
        .filter(|other| severity(*other) < severity(fault))
        .filter(|other| !other.breaks_specification() || other.target() == fault.target())
        .collect();
    milder.sort_by_key(|fault| severity(*fault));
    milder
}

/// Orders faults: first those that the specification permits, then by number.
pub(crate) const fn severity(fault: Fault) -> (bool, u8) {
    (fault.breaks_specification(), fault as u8)
}

/// Smaller numbers, at least 1: the smallest first, then ever closer to `number`. So a number that must stay above a limit
/// comes close to it in a few steps.
fn fewer(number: u32) -> impl Iterator<Item = u32> {
    let closer = (1..u32::BITS).map(move |shift| number - (number >> shift)).filter(|fewer| *fewer > 2);
    let fewer = [1, 2].into_iter().chain(closer).chain([number.saturating_sub(1)]);
    fewer.filter(move |fewer| (1..number).contains(fewer))
}

fn picks(pick: Pick) -> Vec<Pick> {
    [Pick::NEWEST, Pick::OLDEST, Pick(2)].into_iter().filter(|plain| plain.0 < pick.0).collect()
}

fn amounts(amount: Amount) -> Vec<Amount> {
    match amount {
        Amount::Full => Vec::new(),
        Amount::Bytes(bytes) => {
            let fewer = [0, 1].into_iter().filter(|fewer| *fewer < bytes).map(Amount::Bytes);
            [Amount::Full].into_iter().chain(fewer).collect()
        }
    }
}

fn chains(readable: Buffers, writable: Buffers) -> Vec<(Buffers, Buffers)> {
    let readables = buffers(readable).into_iter().map(move |readable| (readable, writable));
    readables.chain(buffers(writable).into_iter().map(|writable| (readable, writable))).collect()
}

fn buffers(buffers: Buffers) -> Vec<Buffers> {
    let Buffers { count, lengths } = buffers;
    let mut simpler = Vec::new();
    let mut fewer = vec![0, 1, 2, count / 2, count.saturating_sub(1)];
    fewer.sort_unstable();
    fewer.dedup();
    for count in fewer.into_iter().filter(|fewer| *fewer < count) {
        simpler.push(if count == 0 { Buffers::NONE } else { Buffers { count, lengths } });
    }
    if let Lengths::Cycle { from, to } = lengths {
        for length in [1, from] {
            if count > 0 && (length, length) < (from, to) {
                simpler.push(Buffers::of(count, length));
            }
        }
    } else if count > 0 {
        simpler.push(Buffers::of(count, 1));
    }
    simpler
}
