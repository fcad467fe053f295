//! Devices that stop reacting, or lose a notification.

use crate::scenes::{ALL_WRITTEN, NOTHING_WRITTEN, full};
use crate::support::{Memory, effects};
use ringstorm_core::HeapMemory;
use ringstorm_sim_device::{Device, Effect, Fault};
use strum::VariantArray;

/// Asserts that the device does not take, return or misbehave, although it has chains to do so.
fn assert_silent(memory: &Memory, device: &mut Device<&HeapMemory>) {
    let _ = effects(device);
    memory.make_available(1);
    let before = memory.all();
    assert!(device.has_available() && device.take().is_none());
    assert!(!device.return_chain(0, ALL_WRITTEN) && !device.return_chain(1, ALL_WRITTEN));
    for fault in Fault::VARIANTS {
        assert!(!device.misbehave(*fault, 1, 9), "{fault:?}");
    }
    assert_eq!((memory.all(), effects(device)), (before, vec![]));
}

#[test]
fn a_device_that_stopped_answers_again_after_the_faults_stop() {
    let memory = Memory::new();
    let mut device = full(&memory);
    assert!(device.misbehave(Fault::StopsAnswering, 0, 0));
    assert_silent(&memory, &mut device);
    assert!(!device.needs_reset());
    assert_eq!((device.in_flight_count(), device.returnable()), (2, 2), "the chains are still in flight");
    device.stop_faults();
    assert_eq!(effects(&mut device), []);
    assert!(device.take().is_some_and(|taken| taken.head == 1));
    assert!(device.return_chain(1, ALL_WRITTEN));
    assert_eq!(memory.element(0), (2, 12));
}

#[test]
fn a_device_that_needs_a_reset_forgets_the_chains_in_flight() {
    let memory = Memory::new();
    let mut device = full(&memory);
    assert!(!device.needs_reset());
    assert!(device.misbehave(Fault::NeedsReset, 0, 0));
    assert!(device.needs_reset());
    assert_silent(&memory, &mut device);
    assert_eq!((device.in_flight_count(), device.returnable()), (0, 0));
    device.reset(2);
    assert!(!device.needs_reset());
    assert!(device.take().is_some_and(|taken| taken.head == 1 && taken.error.is_none()));
    assert!(device.misbehave(Fault::FreeId, 0, 0), "no chain is in flight");
    assert_eq!(memory.element(2), (0, 0));
    assert!(device.return_chain(0, NOTHING_WRITTEN));
}

#[test]
fn a_reset_ends_every_silence() {
    for fault in [Fault::StopsAnswering, Fault::NeedsReset, Fault::LostNotification] {
        let memory = Memory::new();
        let mut device = full(&memory);
        assert!(device.misbehave(fault, 0, 0));
        device.notified();
        device.reset(2);
        memory.make_available(2);
        assert!(device.take().is_some_and(|taken| taken.head == 2), "{fault:?}");
        device.notified();
        memory.make_available(1);
        assert!(device.take().is_some_and(|taken| taken.head == 1), "{fault:?}");
    }
}

#[test]
fn one_notification_is_lost() {
    let memory = Memory::new();
    let mut device = full(&memory);
    assert!(device.misbehave(Fault::LostNotification, 0, 0));
    assert_eq!(effects(&mut device), [Effect::Silent]);
    memory.make_available(1);
    assert!(device.take().is_some_and(|taken| taken.head == 1), "no notification was lost yet");
    memory.make_available(2);
    device.notified();
    assert!(device.has_available() && device.take().is_none());
    assert!(!device.misbehave(Fault::LostNotification, 0, 0), "a lost notification is still pending");
    assert!(device.return_chain(0, NOTHING_WRITTEN), "it still returns chains in flight");
    assert!(device.misbehave(Fault::IdOutOfRange, 0, 0));
    device.notified();
    assert!(device.take().is_some_and(|taken| taken.head == 2));
    memory.make_available(1);
    device.notified();
    assert!(device.take().is_some_and(|taken| taken.head == 1), "only one notification was lost");
    assert!(device.misbehave(Fault::LostNotification, 0, 0));
}

#[test]
fn the_device_looks_again_after_a_lost_notification() {
    for notified in [false, true] {
        let memory = Memory::new();
        let mut device = full(&memory);
        assert!(device.misbehave(Fault::LostNotification, 0, 0));
        memory.make_available(1);
        if notified {
            device.notified();
            assert!(device.take().is_none());
        }
        device.stop_faults();
        assert!(device.take().is_some_and(|taken| taken.head == 1));
        memory.make_available(2);
        device.notified();
        assert!(device.take().is_some_and(|taken| taken.head == 2), "the next notification is not lost");
    }
}
