//! The model accepts random traces of a correct driver, and rejects them after one number was changed.

use crate::support::toy::{Step, Toy};
use crate::support::{
    NOTHING, available, chain, device_took, element, free, free_count, free_refused, index, misuse, read,
    take, take_refused,
};
use proptest::prelude::*;
use ringstorm_model::{Event, HandleAge, MisuseKind, Model, ModelSetup, Policies, Refusal};

/// The event with one number changed, if it has a number of which every change is a violation. Left out are the used
/// index, since the driver may look later; an additional notification; and the number of stores of an accepted call.
fn corrupted<R>(event: &Event<'_>, by: u16, judge: impl FnOnce(&Event<'_>) -> R) -> Option<R> {
    let by = by.max(1);
    let event = match *event {
        Event::Submit { readable, writable, answer } => {
            let answer = match answer {
                Ok(head) => Ok(head.wrapping_add(by)),
                Err(_) => Err(misuse(MisuseKind::BadHead)),
            };
            Event::Submit { readable, writable, answer }
        }
        Event::Publish { notify: true } => Event::Publish { notify: false },
        Event::Take { answer: Ok(Some(completion)) } => match by % 3 {
            0 => take(completion.head.wrapping_add(by), completion.length),
            1 => take(completion.head, completion.length.wrapping_add(by.into())),
            _ => NOTHING,
        },
        Event::Take { answer: Err(_) } => take_refused(Refusal::Broken),
        Event::Read { head, limit, answer: Ok(bytes), in_memory } => {
            let mut bytes = bytes.to_vec();
            match bytes.len() {
                0 => bytes.push(1),
                count => bytes[usize::from(by) % count] ^= by.to_le_bytes()[0].max(1),
            }
            return Some(judge(&read(head, limit, &bytes, in_memory)));
        }
        Event::Read { head, .. } => read(head, 0, b"", b""),
        Event::Free { head, handle, answer: Ok(()) } => match by % 2 {
            0 => free(head.wrapping_add(by)),
            _ => free_refused(head, if handle == HandleAge::Current { Refusal::System } else { return None }),
        },
        Event::Free { head, .. } => free_refused(head, misuse(MisuseKind::EmptyChain)),
        Event::Reset { first_index } => Event::Reset { first_index: first_index.wrapping_add(by) },
        Event::Stores { count, .. } => Event::Stores { count, to_device_area: true },
        Event::FreeCount { count } => free_count(count.wrapping_add(by.into())),
        Event::AvailableIndex { index: right } => index(right.wrapping_add(by)),
        Event::Chain { head, descriptors, .. } => {
            let mut parts = descriptors.to_vec();
            let position = usize::from(by) % parts.len();
            match by % 3 {
                0 => parts[position].length += u32::from(by),
                1 => parts[position].writable ^= true,
                _ => parts[position].place = None,
            }
            return Some(judge(&chain(head, &parts)));
        }
        Event::Available { head } => available(head.wrapping_add(by)),
        Event::DeviceTook { head, descriptors, payload, .. } => {
            let mut payload = payload.to_vec();
            match payload.last_mut() {
                Some(last) => *last = last.wrapping_add(1),
                None => payload.push(0),
            }
            return Some(judge(&device_took(head, descriptors, &payload)));
        }
        Event::UsedElement { index, id, length } if id < 64 => match by % 2 {
            0 => element(index, id + (u32::from(by) << 7), length),
            _ if length > 0 => element(index, id, 0),
            _ => return None,
        },
        Event::Released { .. } => Event::Released { left: by.into() },
        _ => return None,
    };
    Some(judge(&event))
}

const INDEXES: [u16; 3] = [0, 65_530, 40_000];

fn setups() -> impl Strategy<Value = ModelSetup> {
    (prop::sample::select(vec![2, 4, 8, 16]), prop::sample::select(&INDEXES[..])).prop_map(
        |(queue_size, first_index)| ModelSetup {
            queue_size,
            buffer_size: 16,
            first_index,
            event_index: false,
            zeroes_buffers: true,
            policies: Policies::NONE,
            rearms_each_take: false,
            exact_notifications: false,
            reset_keeps_used_notifications: false,
            reports_lengths: true,
            refills: false,
        },
    )
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(any::<Step>(), 0..150)
}

proptest! {
    #[test]
    fn no_honest_trace_is_rejected(setup in setups(), steps in steps()) {
        let mut model = Model::new();
        model.begin(&setup);
        Toy::run(setup, &steps, &mut |event| {
            if let Err(violation) = model.observe(event) {
                panic!("{event:?}: {violation}");
            }
        });
        assert_eq!(model.live_chains(), 0);
    }

    #[test]
    fn one_wrong_number_is_found(
        setup in setups(), steps in steps(), choice in any::<prop::sample::Index>(), by in any::<u16>(),
    ) {
        // A reset can hide an earlier change, so only events after the last reset are changed.
        let (mut count, mut forgiven) = (0, 0);
        Toy::run(setup, &steps, &mut |event| {
            if let Event::Reset { .. } = event {
                forgiven = count;
            }
            count += usize::from(corrupted(event, by, |_| ()).is_some());
        });
        let chosen = forgiven + choice.index(count - forgiven);
        let (mut seen, mut changed, mut answer) = (0, String::new(), Ok(()));
        let mut model = Model::new();
        model.begin(&setup);
        Toy::run(setup, &steps, &mut |event| {
            // A model cannot be used after a violation.
            if answer.is_err() {
                return;
            }
            let can = corrupted(event, by, |_| ()).is_some();
            answer = match can && seen == chosen {
                true => corrupted(event, by, |wrong| {
                    changed = format!("{wrong:?} instead of {event:?}");
                    model.observe(wrong)
                })
                .expect("it was counted"),
                false => model.observe(event),
            };
            seen += usize::from(can);
        });
        prop_assert!(answer.is_err(), "the model accepted {}", changed);
    }
}
