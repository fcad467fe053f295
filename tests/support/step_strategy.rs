//! Proptest strategies for setups and steps.

use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::Union;
use ringstorm::scenario::{Amount, BadHead, Buffers, Ending, HeadCall, Lengths, Op, Pick, Setup, Step};
use ringstorm_core::{AfterFault, OverLong, Policies, QueueSize, RingIndex, WritableBuffers};
use ringstorm_sim_device::Fault;
use strum::VariantArray;

/// Setups of all queue sizes, mostly small. The ring indexes begin at 0, shortly before the wrap, or anywhere.
pub fn setups() -> BoxedStrategy<Setup> {
    let exponent = prop_oneof![12 => 0..=4_u32, 4 => 5..=8_u32, 1 => 9..=15_u32];
    let buffer_size = select(&[1_u32, 7, 16, 64, 100, 512, 4096][..]);
    let first_index = prop_oneof![Just(0), 0xffe0..=0xffff_u16, any::<u16>()];
    let policies = any::<[bool; 3]>().prop_map(|[broken, clamp, zeroed]| Policies {
        after_fault: if broken { AfterFault::Broken } else { AfterFault::Continue },
        over_long: if clamp { OverLong::Clamp } else { OverLong::Refuse },
        writable: if zeroed { WritableBuffers::Zeroed } else { WritableBuffers::Unchanged },
    });
    (exponent, buffer_size, first_index, any::<[bool; 2]>(), policies)
        .prop_map(|(exponent, buffer_size, first_index, [event_index, dropped], policies)| Setup {
            queue_size: QueueSize::new(1 << exponent).expect("a power of two"),
            // All buffers together have at most 4 MiB, so the largest queues get small buffers.
            buffer_size: buffer_size.min(1 << 22 >> exponent) as u16,
            first_index: RingIndex::new(first_index),
            event_index,
            policies,
            ending: if dropped { Ending::Dropped } else { Ending::Released },
        })
        .boxed()
}

/// Any step. `weight` gives the relative frequency of each operation. Most chains fit into `free` descriptors.
pub fn steps(setup: &Setup, free: u32, weight: impl Fn(Op) -> u32) -> BoxedStrategy<Step> {
    let weighted = Op::VARIANTS.iter().filter(|op| weight(**op) > 0);
    Union::new_weighted(weighted.map(|op| (weight(*op), step(*op, setup, free))).collect()).boxed()
}

fn step(op: Op, setup: &Setup, free: u32) -> BoxedStrategy<Step> {
    let chain = || chain(setup, free);
    match op {
        Op::Idle => Just(Step::Idle).boxed(),
        Op::Submit => chain().prop_map(|(readable, writable)| Step::Submit { readable, writable }).boxed(),
        Op::Prepare => chain().prop_map(|(readable, writable)| Step::Prepare { readable, writable }).boxed(),
        Op::Write => chain().prop_map(|(readable, writable)| Step::Write { readable, writable }).boxed(),
        Op::SubmitMany => (chain(), 1..40_u16)
            .prop_map(|((readable, writable), times)| Step::SubmitMany { readable, writable, times })
            .boxed(),
        Op::Rounds => (1..20_u32).prop_map(|count| Step::Rounds { count }).boxed(),
        Op::Publish => Just(Step::Publish).boxed(),
        Op::Take => Just(Step::Take).boxed(),
        Op::Collect => Just(Step::Collect).boxed(),
        Op::Read => (pick(), amount(setup)).prop_map(|(pick, limit)| Step::Read { pick, limit }).boxed(),
        Op::Free => pick().prop_map(|pick| Step::Free { pick }).boxed(),
        Op::Reset => Just(Step::Reset).boxed(),
        Op::Misuse => (select(HeadCall::VARIANTS), select(BadHead::VARIANTS), pick())
            .prop_map(|(call, head, pick)| Step::Misuse { call, head, pick })
            .boxed(),
        Op::Interrupts => any::<bool>().prop_map(|wanted| Step::Interrupts { wanted }).boxed(),
        Op::Withdraw => pick().prop_map(|pick| Step::Withdraw { pick }).boxed(),
        Op::DelayInterrupts => Just(Step::DelayInterrupts).boxed(),
        Op::InterruptArrives => Just(Step::InterruptArrives).boxed(),
        Op::TakeBack => any::<bool>().prop_map(|stopped| Step::TakeBack { stopped }).boxed(),
        Op::MemoryFails => {
            prop_oneof![0..8_u16, 0..64_u16].prop_map(|after| Step::MemoryFails { after }).boxed()
        }
        Op::DeviceTake => count().prop_map(|count| Step::DeviceTake { count }).boxed(),
        Op::DeviceReturn => (pick(), amount(setup), count(), any::<bool>())
            .prop_map(|(pick, written, count, beyond)| Step::DeviceReturn { pick, written, count, beyond })
            .boxed(),
        Op::DeviceEvent => (0..8_u16).prop_map(|ahead| Step::DeviceEvent { ahead }).boxed(),
        Op::DeviceNotifications => {
            any::<bool>().prop_map(|wanted| Step::DeviceNotifications { wanted }).boxed()
        }
        Op::Fault => {
            let value = prop_oneof![0..8_u32, Just(u32::MAX), any::<u32>()];
            (select(Fault::VARIANTS), pick(), value)
                .prop_map(|(fault, pick, value)| Step::Fault { fault, pick, value })
                .boxed()
        }
        Op::Settle => Just(Step::Settle).boxed(),
    }
}

fn pick() -> impl Strategy<Value = Pick> {
    prop_oneof![Just(Pick::NEWEST), Just(Pick::OLDEST), any::<u8>().prop_map(Pick)]
}

fn count() -> impl Strategy<Value = u8> {
    prop_oneof![5 => Just(1), 2 => 1..5_u8, 1 => Just(u8::MAX)]
}

fn amount(setup: &Setup) -> impl Strategy<Value = Amount> + use<> {
    let bytes = prop_oneof![0..4_u32, 0..u32::from(setup.buffer_size) + 2, Just(u32::MAX)];
    prop_oneof![Just(Amount::Full), bytes.prop_map(Amount::Bytes)]
}

/// The readable and the writable buffers of a chain: mostly a few that fit, rarely absurd numbers or lengths.
fn chain(setup: &Setup, free: u32) -> impl Strategy<Value = (Buffers, Buffers)> + use<> {
    let total = prop_oneof![12 => 1..=free.clamp(1, 8), 1 => Just(free.max(1))];
    let split = (total.clone(), total, lengths(setup), lengths(setup)).prop_map(|(total, some, from, to)| {
        (buffers(total - some.min(total), from), buffers(some.min(total), to))
    });
    let size = setup.queue_size.get().into();
    prop_oneof![24 => split, 1 => (absurd(size), absurd(size))]
}

fn lengths(setup: &Setup) -> impl Strategy<Value = Lengths> + Clone + use<> {
    let most = setup.buffer_size;
    let cycle = (1..=12_u16, 0..=6_u16)
        .prop_map(move |(from, more)| Lengths::Cycle { from: from.min(most), to: (from + more).min(most) });
    prop_oneof![Just(Lengths::Cycle { from: 1, to: 1 }), Just(Lengths::Full), cycle]
}

fn absurd(size: u32) -> impl Strategy<Value = Buffers> {
    let few = select(&[0, 1, 3][..]);
    let many = select(vec![size, size + 1, 65_536, 65_537, Buffers::MAX]);
    let empty = Lengths::Cycle { from: 0, to: 0 };
    let lengths = select(vec![empty, Lengths::Over, Lengths::Huge, Lengths::Full]);
    (prop_oneof![4 => few, 1 => many], lengths).prop_map(|(count, lengths)| buffers(count, lengths))
}

const fn buffers(count: u32, lengths: Lengths) -> Buffers {
    if count == 0 { Buffers::NONE } else { Buffers { count, lengths } }
}

/// The lengths of the buffers of one direction. `huge` is the length for [`Lengths::Huge`].
pub fn lengths_of(buffers: Buffers, setup: &Setup, huge: u32) -> impl Iterator<Item = u32> {
    let buffer_size = u32::from(setup.buffer_size);
    (0..buffers.count).map(move |index| match buffers.lengths {
        Lengths::Cycle { from, to } => u32::from(from) + index % (u32::from(to - from) + 1),
        Lengths::Full => buffer_size,
        Lengths::Over => buffer_size + 1,
        Lengths::Huge => huge,
    })
}

/// Whether the queue must accept a chain of these buffers while `free` descriptors are free.
pub fn acceptable(readable: Buffers, writable: Buffers, setup: &Setup, free: u32) -> bool {
    let good = 1..=u32::from(setup.buffer_size);
    (1..=free).contains(&(readable.count + writable.count))
        && [readable, writable]
            .iter()
            .all(|buffers| lengths_of(*buffers, setup, u32::MAX).all(|length| good.contains(&length)))
}
