//! Short constructors of events, and assertions about traces.

pub mod toy;

use ringstorm_model::{
    Answer, ChainFlaw, Completion, DeviceRefusal, Event, HandleAge, Invariant, MisuseKind, Model, ModelSetup,
    ObservedDescriptor, Place, Policies, Refusal, Violation,
};

/// A queue of four descriptors with buffers of 64 bytes, beginning at index 0.
pub const FOUR: ModelSetup = ModelSetup {
    queue_size: 4,
    buffer_size: 64,
    first_index: 0,
    event_index: false,
    zeroes_buffers: false,
    policies: Policies::NONE,
    rearms_each_take: true,
    exact_notifications: false,
    reset_keeps_used_notifications: false,
    reports_lengths: true,
    refills: false,
};

/// A queue whose takes load the used ring again, and report and consume each bad element.
pub const RELOADS: ModelSetup = ModelSetup {
    policies: Policies {
        reloads_used_index: true,
        reports_bad_elements: true,
        consumes_bad_elements: true,
        ..Policies::NONE
    },
    ..FOUR
};

/// Descriptor `index`, with a buffer in region 0 at a position of its own.
pub const fn readable(index: u16, length: u32) -> ObservedDescriptor {
    at(index, 0, 64 * index as u64, length, false)
}

pub const fn writable(index: u16, length: u32) -> ObservedDescriptor {
    at(index, 0, 64 * index as u64, length, true)
}

pub const fn at(index: u16, region: u16, offset: u64, length: u32, writable: bool) -> ObservedDescriptor {
    ObservedDescriptor { index, place: Some(Place { region, offset }), length, writable }
}

pub const fn submit<'a>(readable: &'a [&'a [u8]], writable: &'a [u32], head: u16) -> Event<'a> {
    Event::Submit { readable, writable, answer: Ok(head) }
}

pub const fn submit_refused<'a>(
    readable: &'a [&'a [u8]],
    writable: &'a [u32],
    kind: MisuseKind,
) -> Event<'a> {
    Event::Submit { readable, writable, answer: Err(Refusal::Misuse(kind)) }
}

pub const fn chain(head: u16, descriptors: &[ObservedDescriptor]) -> Event<'_> {
    Event::Chain { head, descriptors, flaw: None, not_zeroed: false }
}

pub const fn flawed(head: u16, descriptors: &[ObservedDescriptor], flaw: ChainFlaw) -> Event<'_> {
    Event::Chain { head, descriptors, flaw: Some(flaw), not_zeroed: false }
}

pub const fn available(head: u16) -> Event<'static> {
    Event::Available { head }
}

pub const fn index(index: u16) -> Event<'static> {
    Event::AvailableIndex { index }
}

pub const fn device_took<'a>(
    head: u16,
    descriptors: &'a [ObservedDescriptor],
    payload: &'a [u8],
) -> Event<'a> {
    Event::DeviceTook { head, whole: true, descriptors, payload }
}

pub const fn element(index: u16, id: u32, length: u32) -> Event<'static> {
    Event::UsedElement { index, id, length }
}

pub const fn used(index: u16) -> Event<'static> {
    Event::UsedIndex { index }
}

pub const fn take(head: u16, length: u32) -> Event<'static> {
    Event::Take { answer: Ok(Some(Completion { head, length })) }
}

pub const NOTHING: Event<'static> = Event::Take { answer: Ok(None) };

pub const fn take_refused(refusal: Refusal) -> Event<'static> {
    Event::Take { answer: Err(refusal) }
}

pub const fn device_fault(consumed: bool, broken: bool, returned: Option<u16>) -> Refusal {
    Refusal::Device(DeviceRefusal { consumed, broken, returned })
}

pub const fn read<'a>(head: u16, limit: u32, bytes: &'a [u8], in_memory: &'a [u8]) -> Event<'a> {
    Event::Read { head, limit, answer: Ok(bytes), in_memory }
}

pub const fn read_refused(head: u16, refusal: Refusal) -> Event<'static> {
    Event::Read { head, limit: 64, answer: Err(refusal), in_memory: &[] }
}

pub const fn free(head: u16) -> Event<'static> {
    freed(head, HandleAge::Current, Ok(()))
}

pub const fn free_refused(head: u16, refusal: Refusal) -> Event<'static> {
    freed(head, HandleAge::Current, Err(refusal))
}

pub const fn freed(head: u16, handle: HandleAge, answer: Answer<()>) -> Event<'static> {
    Event::Free { head, handle, answer }
}

pub const fn free_count(count: u32) -> Event<'static> {
    Event::FreeCount { count }
}

pub const fn stores(count: u32) -> Event<'static> {
    Event::Stores { count, to_device_area: false }
}

pub const fn misuse(kind: MisuseKind) -> Refusal {
    Refusal::Misuse(kind)
}

/// Chain 0, with one device-writable buffer of eight bytes, is published. The available index is then 1.
pub const IN_FLIGHT: [Event<'static>; 4] =
    [submit(&[], &[8], 0), chain(0, &[writable(0, 8)]), index(1), available(0)];

/// A model that has accepted all these events.
pub fn accepting(setup: &ModelSetup, events: &[Event<'_>]) -> Model {
    let mut model = Model::new();
    model.begin(setup);
    for (number, event) in events.iter().enumerate() {
        if let Err(violation) = model.observe(event) {
            panic!("event {number}, {event:?}: {violation}");
        }
    }
    model
}

/// The model's answer to an event. The answer of a publish call is judged after what it published, so another call follows.
fn judged(mut model: Model, last: Event<'_>) -> Result<(), Violation> {
    model.observe(&last)?;
    match last {
        Event::Publish { .. } => model.observe(&NOTHING),
        _ => Ok(()),
    }
}

/// Asserts that the events before are accepted, and that the last one violates this invariant.
#[track_caller]
pub fn rejects(setup: &ModelSetup, before: &[Event<'_>], last: Event<'_>, invariant: Invariant) {
    let answer = judged(accepting(setup, before), last);
    let violation = answer.expect_err(&format!("{last:?} should break {invariant}"));
    assert_eq!(violation.invariant, invariant, "{last:?}: {violation}");
    assert!(!violation.detail.is_empty());
}

/// Asserts that the last event is accepted.
#[track_caller]
pub fn accepts(setup: &ModelSetup, before: &[Event<'_>], last: Event<'_>) {
    let answer = judged(accepting(setup, before), last);
    assert_eq!(answer, Ok(()), "{last:?}");
}

pub fn and<'a>(first: &[Event<'a>], rest: &[Event<'a>]) -> Vec<Event<'a>> {
    first.iter().chain(rest).copied().collect()
}
