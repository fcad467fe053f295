//! With any contents of the rings, the device does not panic, reports everything that it writes, and repeats its acts
//! exactly.

mod support;

use proptest::prelude::*;
use ringstorm_core::SharedMemory;
use ringstorm_sim_device::{Change, Device, Effect, Fault, Reply};
use strum::VariantArray;
use support::{Memory, effects};

/// The operation, `pick`, and the value.
type Step = (u8, u8, u32);

fn run(rings: &[u8], first_index: u16, event_index: bool, steps: &[Step]) -> (Vec<u8>, Vec<Effect>) {
    let memory = Memory::new();
    memory.rings.copy_in(0, rings);
    let mut device = Device::new(&memory.rings, support::GEOMETRY, memory.space(), first_index);
    device = device.with_event_index(event_index);
    let mut reported = effects(&mut device);
    for (operation, pick, value) in steps {
        match operation % 16 {
            0..4 => drop(device.take().map(|taken| taken.head)),
            4..6 => drop(device.return_chain(*pick, |_| Reply { written: *value, beyond: value % 2 == 1 })),
            6 => device.publish(),
            7 => device.set_notifications(value % 2 == 1),
            8 => assert_eq!(device.set_event(*value as u16), event_index),
            9 => match pick % 16 {
                0 => device.reset(*value as u16),
                1..4 => device.stop_faults(),
                _ => device.notified(),
            },
            10 => {
                let index = *value as u16;
                // The owner of the memory would have changed the value by now; this test does not.
                let change = match pick % 3 {
                    0 => Change::UsedElement { index },
                    1 => Change::Descriptor { index: index % 4 },
                    _ => {
                        memory.rings.store_u16(82, index);
                        Change::UsedIndex(index)
                    }
                };
                device.trap_triggered(change);
            }
            _ => {
                let fault = Fault::VARIANTS[usize::from(*pick) % Fault::VARIANTS.len()];
                let _ = device.misbehave(fault, operation / 16, *value);
            }
        }
        reported.extend(support::effects(&mut device));
        assert!(device.returnable() <= device.in_flight_count());
        assert!(!device.needs_reset() || device.in_flight_count() == 0);
    }
    (memory.all(), reported)
}

/// Rings that are often valid: addresses and indexes are close to valid ones.
fn rings() -> impl Strategy<Value = Vec<u8>> {
    let descriptor = (prop_oneof![0..256u64, 0x1_0000..0x1_0100u64], 0..300u32, 0..8u16, 0..5u16);
    let parts = (prop::collection::vec(descriptor, 4), prop::collection::vec(0..5u16, 8), any::<[u8; 38]>());
    parts.prop_map(|(table, available, used)| {
        let mut bytes = Vec::new();
        for (address, length, flags, next) in table {
            let rest = u64::from(length) | u64::from(flags) << 32 | u64::from(next) << 48;
            bytes.extend((support::BUFFERS + address).to_le_bytes());
            bytes.extend(rest.to_le_bytes());
        }
        available.iter().for_each(|entry| bytes.extend(entry.to_le_bytes()));
        bytes.extend(used);
        bytes
    })
}

/// Memory as the effects report it, and the bytes of which they do not report the value.
fn as_reported(rings: &[u8], reported: &[Effect]) -> (Vec<u8>, Vec<bool>) {
    let mut expected = [rings, &[0; 256 + 64]].concat();
    let mut may_differ = vec![false; expected.len()];
    for effect in reported {
        let mut put = |offset: usize, bytes: &[u8]| {
            expected[offset..offset + bytes.len()].copy_from_slice(bytes);
        };
        match *effect {
            Effect::UsedElement { index, id, length } => {
                put(84 + 8 * usize::from(index % 4), &[id.to_le_bytes(), length.to_le_bytes()].concat());
            }
            Effect::UsedIndex(index) => put(82, &index.to_le_bytes()),
            Effect::AvailableNotifications(wanted) => put(80, &[u8::from(!wanted), 0]),
            Effect::UsedFlags(flags) => put(80, &flags.to_le_bytes()),
            Effect::AvailableEvent(event) => put(116, &event.to_le_bytes()),
            Effect::AvailableIndex(index) => put(66, &index.to_le_bytes()),
            Effect::AvailableEntry { index, head } => {
                put(68 + 2 * usize::from(index % 4), &head.to_le_bytes());
            }
            // The effect does not report the contents of a buffer or a descriptor.
            Effect::BufferWritten { place, length } => {
                let offset = [118, 118 + 256][usize::from(place.region)] + place.offset as usize;
                may_differ[offset..offset + length as usize].fill(true);
            }
            Effect::Descriptor { index } => {
                let offset = 16 * usize::from(index);
                may_differ[offset..offset + 16].fill(true);
            }
            Effect::Trap { .. } | Effect::Silent | Effect::SpuriousNotification | Effect::Withheld { .. } => {
            }
        }
    }
    (expected, may_differ)
}

proptest! {
    #[test]
    fn nothing_is_written_that_is_not_told(
        rings in rings(),
        first_index in prop_oneof![0..4u16, any::<u16>()],
        event_index in any::<bool>(),
        steps in prop::collection::vec(any::<Step>(), 0..60),
    ) {
        let (after, reported) = run(&rings, first_index, event_index, &steps);
        prop_assert_eq!(&run(&rings, first_index, event_index, &steps), &(after.clone(), reported.clone()));
        let (expected, may_differ) = as_reported(&rings, &reported);
        for (place, differs) in may_differ.into_iter().enumerate() {
            prop_assert!(differs || after[place] == expected[place], "byte {} changed, but no effect reports it", place);
        }
    }
}
