//! Event indexes (`VIRTIO_F_EVENT_IDX`): each side requests a notification at an index (2.7.7, 2.7.10).

use crate::support::recorder::{Access, Recorder};
use crate::support::{Device, Memory};
use ringstorm_core::{
    AfterFault, Config, DeviceStopped, FullBarrier, Notification, OrderedLoad, OrderedStore, Policies,
    QueueSize, Region, RingIndex, SharedMemory, SplitQueue,
};

/// A queue of 4. The available ring begins at 64, and `used_event` follows its four entries. The used ring begins at
/// 80, and `avail_event` follows its four elements.
const USED_EVENT: usize = 64 + 4 + 2 * 4;
const AVAIL_EVENT: usize = 80 + 4 + 8 * 4;

fn with_events(size: u32, first: u16) -> Memory {
    let mut memory = Memory::new(size, 8).starting_at(first);
    memory.config.event_index = true;
    memory
}

/// A notification is needed if `event` is one of the added entries, also across the wrap.
#[test]
fn a_notification_is_needed_for_the_added_entries() {
    for earlier in [0_u32, 1, 0x7fff, 0x8000, 0xfff0, 0xffff] {
        for added in [0_u16, 1, 2, 5, 300, 0x8000] {
            let mut within = vec![false; 0x1_0000];
            (0..added).for_each(|step| within[(earlier as usize + usize::from(step)) & 0xffff] = true);
            for event in 0..=u16::MAX {
                let (from, to) =
                    (RingIndex::new(earlier as u16), RingIndex::new(earlier as u16).advanced(added));
                let passed = to.passed(RingIndex::new(event), from);
                assert_eq!(passed, within[usize::from(event)], "{event} in {added} from {earlier}");
            }
        }
    }
}

#[test]
fn the_device_is_notified_at_avail_event() {
    for (first, event, needed) in [
        (0, 0, true),
        (0, 2, true),
        (0, 3, false),
        (0, 0xffff, false),
        (0xfffe, 0xfffd, false),
        (0xfffe, 0xfffe, true),
        (0xfffe, 0xffff, true),
        (0xfffe, 0, true),
        (0xfffe, 1, false),
        (0xffff, 0, true),
    ] {
        let memory = with_events(4, first);
        let mut queue = memory.queue();
        memory.rings.store_ordered(OrderedStore::AvailableEvent, AVAIL_EVENT, event);
        for _ in 0..3 {
            queue.submit(&[b"x"], &[]).unwrap();
        }
        let wanted = if needed { Notification::Needed } else { Notification::NotNeeded };
        assert_eq!(queue.publish(), wanted, "three entries from {first:#x}, event at {event:#x}");
    }
}

/// Entries that were published earlier cause no second notification, and the used flags have no effect.
#[test]
fn only_new_entries_cause_notifications() {
    let memory = with_events(4, 0xffff);
    let (mut queue, device) = (memory.queue(), memory.device());
    device.set_used_flags(1);
    queue.submit(&[b"x"], &[]).unwrap();
    assert_eq!(
        queue.publish(),
        Notification::Needed,
        "the first entry needs a notification if the device leaves `avail_event` unchanged"
    );
    queue.submit(&[b"x"], &[]).unwrap();
    assert_eq!(queue.publish(), Notification::NotNeeded);
    assert_eq!(queue.publish(), Notification::NotNeeded, "nothing was added");
    memory.rings.store_ordered(OrderedStore::AvailableEvent, AVAIL_EVENT, 1);
    queue.submit(&[b"x"], &[]).unwrap();
    assert_eq!(queue.publish(), Notification::Needed);
}

#[test]
fn without_the_feature_event_fields_have_no_effect() {
    let memory = Memory::new(4, 8).starting_at(7);
    let mut queue = memory.queue();
    let event = |at| memory.rings.load_ordered(OrderedLoad::UsedEvent, at);
    assert_eq!([event(USED_EVENT), event(AVAIL_EVENT)], [0, 0]);
    memory.rings.store_ordered(OrderedStore::AvailableEvent, AVAIL_EVENT, 99);
    queue.submit(&[b"x"], &[]).unwrap();
    assert_eq!(queue.publish(), Notification::Needed);
    queue.set_used_notifications(false);
    queue.set_used_notifications(true);
    let mut device = memory.device();
    device.return_chain(0, 0);
    queue.take().unwrap().unwrap();
    assert_eq!(event(USED_EVENT), 0);
}

#[test]
fn both_events_begin_at_the_first_index() {
    let memory = with_events(4, 0xfffe);
    let mut queue = memory.queue();
    let events = || [USED_EVENT, AVAIL_EVENT].map(|at| memory.rings.load_ordered(OrderedLoad::UsedEvent, at));
    assert_eq!(events(), [0xfffe; 2]);
    queue.reset(DeviceStopped::confirmed(), RingIndex::new(5));
    assert_eq!(events(), [5; 2]);
}

/// `used_event` controls the notifications, and the flags stay zero (2.7.7.1).
#[test]
fn used_event_is_the_next_element_or_the_most_distant_one() {
    let memory = with_events(4, 0xffff);
    let (mut queue, mut device) = (memory.queue(), memory.device());
    let event = || memory.rings.load_ordered(OrderedLoad::UsedEvent, USED_EVENT);
    assert!(!queue.set_used_notifications(false));
    assert_eq!((event(), device.available_flags()), (0xfffe, 0));
    let head = queue.submit(&[], &[1]).unwrap();
    let _ = queue.publish();
    device.return_chain(head.index().into(), 0);
    assert!(queue.set_used_notifications(false));
    assert!(queue.take().unwrap().is_some());
    assert_eq!(event(), 0xfffe, "nothing is wanted, so nothing is asked");
    assert!(!queue.set_used_notifications(true));
    assert_eq!((event(), device.available_flags()), (0, 0));
}

/// `used_event` requests one notification. The queue moves it when it takes the last element that it has seen.
#[test]
fn taking_the_last_element_moves_used_event() {
    let memory = with_events(4, 0xfffe);
    let (mut queue, mut device) = (memory.queue(), memory.device());
    let event = || memory.rings.load_ordered(OrderedLoad::UsedEvent, USED_EVENT);
    let heads = [(); 3].map(|()| queue.submit(&[], &[1]).unwrap());
    let _ = queue.publish();
    heads.iter().for_each(|head| device.return_chain(head.index().into(), 1));
    for expected in [0xfffe, 0xfffe, 1] {
        queue.take().unwrap().unwrap();
        assert_eq!(event(), expected);
    }
    assert!(queue.take().unwrap().is_none());
    assert_eq!(event(), 1);
}

/// An element that is a device fault is consumed, so `used_event` moves too.
#[test]
fn a_bad_element_moves_used_event_too() {
    for (after_fault, length) in [(AfterFault::Continue, 1), (AfterFault::Broken, 1)] {
        let memory = with_events(4, 0).with(Policies { after_fault, ..Policies::default() });
        let (mut queue, mut device) = (memory.queue(), memory.device());
        queue.submit(&[], &[1]).unwrap();
        let _ = queue.publish();
        device.return_chain(3, length);
        assert!(queue.take().is_err());
        assert_eq!(memory.rings.load_ordered(OrderedLoad::UsedEvent, USED_EVENT), 1);
    }
}

/// A reset keeps the caller's setting: a caller that polls must not be notified after it.
#[test]
fn a_reset_keeps_the_notification_setting() {
    for wanted in [false, true] {
        for first in [0, 7, 0xffff] {
            let memory = with_events(4, 0);
            let mut queue = memory.queue();
            queue.set_used_notifications(wanted);
            queue.reset(DeviceStopped::confirmed(), RingIndex::new(first));
            let event = || memory.rings.load_ordered(OrderedLoad::UsedEvent, USED_EVENT);
            assert_eq!(event(), first.wrapping_sub((!wanted).into()), "as far away as can be, or the next");
            let mut device = Device::new(4, &memory.rings, vec![], first);
            let head = queue.submit(&[], &[1]).unwrap();
            let _ = queue.publish();
            device.return_chain(head.index().into(), 0);
            queue.take().unwrap().unwrap();
            assert_eq!(event(), if wanted { first.wrapping_add(1) } else { first.wrapping_sub(1) });
        }
        let memory = Memory::new(4, 16);
        let mut queue = memory.queue();
        queue.set_used_notifications(wanted);
        queue.reset(DeviceStopped::confirmed(), RingIndex::new(0));
        assert_eq!(memory.device().available_flags(), u16::from(!wanted));
    }
}

/// A full barrier is between each store of an index or a setting and the load of the device's field that must not
/// precede it.
#[test]
fn barriers_order_settings_and_loads() {
    let (rings, buffers) = (Recorder::new(120), Recorder::new(32));
    let size = QueueSize::new(4).unwrap();
    let config = Config { buffer_size: 8, event_index: true, ..Config::new(size) };
    let mut queue = SplitQueue::new(config, Region::new(&rings), Region::new(&buffers)).unwrap();
    queue.submit(&[], &[1]).unwrap();
    rings.take_log();
    let _ = queue.publish();
    let published = [
        Access::StoreOrdered(OrderedStore::AvailableIndex, 66),
        Access::Barrier(FullBarrier::PublishedThenSuppression),
        Access::LoadOrdered(OrderedLoad::AvailableEvent, AVAIL_EVENT),
    ];
    assert_eq!(rings.take_log(), published);

    crate::support::Device::new(4, &rings, vec![], 0).return_chain(0, 0);
    rings.take_log();
    queue.take().unwrap().unwrap();
    let taken = [
        Access::LoadOrdered(OrderedLoad::UsedIndex, 82),
        Access::Load { offset: 84, width: 4 },
        Access::Load { offset: 88, width: 4 },
        Access::StoreOrdered(OrderedStore::UsedEvent, USED_EVENT),
        Access::Barrier(FullBarrier::EnabledThenUsed),
    ];
    assert_eq!(rings.take_log(), taken);

    queue.set_used_notifications(true);
    let asked = [
        Access::StoreOrdered(OrderedStore::UsedEvent, USED_EVENT),
        Access::Barrier(FullBarrier::EnabledThenUsed),
        Access::LoadOrdered(OrderedLoad::UsedIndex, 82),
    ];
    assert_eq!(rings.take_log(), asked);
}
