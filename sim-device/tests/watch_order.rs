//! Watched memory records whether accesses are in the order that the specification demands.

use ringstorm_core::{FullBarrier, OrderedLoad, OrderedStore, SharedMemory};
use ringstorm_sim_device::{CallReport, Geometry, LateStore, StoreThenLoad, WatchedMemory, WeakAccess};
use std::sync::atomic::{AtomicU16, Ordering};

const RINGS: Geometry = Geometry { size: 4, table: 0, available: 64, used: 80 };
const USED_EVENT: usize = 64 + 4 + 8;
const AVAILABLE_EVENT: usize = 80 + 4 + 32;
const ELEMENT: usize = 80 + 4;
const BARRIER: Access = |memory| memory.barrier(FullBarrier::PublishedThenSuppression);

type Access = fn(&WatchedMemory);

/// Stores a new available index.
const PUBLISH: Access = |memory| {
    let index = NEXT.fetch_add(1, Ordering::Relaxed);
    memory.store_ordered(OrderedStore::AvailableIndex, 66, index);
};
static NEXT: AtomicU16 = AtomicU16::new(1);
const LOAD_FLAGS: Access = |memory| _ = memory.load_ordered(OrderedLoad::UsedFlags, 80);
const LOAD_EVENT: Access = |memory| _ = memory.load_u16(AVAILABLE_EVENT);
const LOAD_USED_INDEX: Access = |memory| _ = memory.load_ordered(OrderedLoad::UsedIndex, 82);
const LOAD_ELEMENT: Access = |memory| _ = memory.load_u32(ELEMENT);
const REQUEST: Access = |memory| memory.store_ordered(OrderedStore::UsedEvent, USED_EVENT, 7);
const ENABLE: Access = |memory| memory.store_u16(64, 0);
const DISABLE: Access = |memory| memory.store_u16(64, 1);

fn memory(event_index: bool) -> WatchedMemory {
    let memory = WatchedMemory::new(4096).unwrap();
    memory.restart(4096);
    memory.watch_available_index(66);
    memory.watch_order(&RINGS, event_index);
    memory
}

fn call(memory: &WatchedMemory, accesses: &[Access]) -> CallReport {
    memory.begin_call(100);
    accesses.iter().for_each(|access| access(memory));
    memory.end_call()
}

/// The order after these calls.
fn publication(event_index: bool, calls: &[&[Access]]) -> StoreThenLoad {
    let memory = memory(event_index);
    calls.iter().for_each(|accesses| _ = call(&memory, accesses));
    memory.publication_order()
}

fn request(event_index: bool, calls: &[&[Access]]) -> StoreThenLoad {
    let memory = memory(event_index);
    let orders = calls.iter().map(|accesses| {
        call(&memory, accesses);
        memory.take_request_order()
    });
    orders.last().expect("a call")
}

#[test]
fn the_wish_is_loaded_after_the_barrier_after_the_index() {
    for (event_index, wish, other) in [(false, LOAD_FLAGS, LOAD_EVENT), (true, LOAD_EVENT, LOAD_FLAGS)] {
        let order = |calls: &[&[Access]]| publication(event_index, calls);
        use StoreThenLoad::{InOrder, NoBarrier, NotLoaded};
        assert_eq!(order(&[]), InOrder);
        assert_eq!(order(&[&[wish]]), InOrder, "nothing is published");
        assert_eq!(order(&[&[PUBLISH, BARRIER, wish]]), InOrder);
        assert_eq!(order(&[&[PUBLISH], &[BARRIER], &[wish]]), InOrder, "in three calls");
        assert_eq!(order(&[&[PUBLISH, PUBLISH, BARRIER, wish]]), InOrder, "two stores");
        assert_eq!(order(&[&[wish, PUBLISH, BARRIER, wish]]), InOrder, "two loads");
        assert_eq!(order(&[&[PUBLISH, wish, BARRIER, wish]]), InOrder);
        assert_eq!(order(&[&[PUBLISH, BARRIER, wish, BARRIER]]), InOrder, "two barriers");
        assert_eq!(order(&[&[PUBLISH]]), NotLoaded);
        assert_eq!(order(&[&[wish, PUBLISH, BARRIER]]), NotLoaded, "too early");
        assert_eq!(order(&[&[wish], &[PUBLISH], &[BARRIER]]), NotLoaded, "too early");
        assert_eq!(order(&[&[PUBLISH, BARRIER, other]]), NotLoaded, "the wrong field");
        assert_eq!(order(&[&[PUBLISH, BARRIER, wish, PUBLISH]]), NotLoaded, "published again");
        assert_eq!(order(&[&[PUBLISH, BARRIER, wish], &[PUBLISH]]), NotLoaded, "published again");
        assert_eq!(order(&[&[PUBLISH, wish]]), NoBarrier);
        assert_eq!(order(&[&[BARRIER, PUBLISH, wish]]), NoBarrier, "the barrier is before the store");
        assert_eq!(order(&[&[PUBLISH, wish, BARRIER]]), NoBarrier, "the barrier is after the load");
        assert_eq!(order(&[&[PUBLISH], &[wish], &[BARRIER]]), NoBarrier, "the barrier is after the load");
    }
    assert_eq!(
        publication(false, &[&[PUBLISH, BARRIER, |memory| _ = memory.load_u32(80)]]),
        StoreThenLoad::InOrder
    );
}

#[test]
fn the_used_index_is_loaded_after_the_barrier_after_the_request() {
    use StoreThenLoad::{InOrder, NoBarrier, NotLoaded};
    assert_eq!(request(true, &[&[REQUEST, BARRIER, LOAD_USED_INDEX]]), InOrder);
    assert_eq!(request(true, &[&[REQUEST, BARRIER], &[LOAD_USED_INDEX]]), InOrder);
    assert_eq!(request(true, &[&[REQUEST, BARRIER]]), NotLoaded);
    assert_eq!(request(true, &[&[LOAD_USED_INDEX, REQUEST]]), NotLoaded);
    assert_eq!(request(true, &[&[REQUEST], &[LOAD_USED_INDEX]]), NoBarrier);
    assert_eq!(request(true, &[&[REQUEST, LOAD_USED_INDEX, BARRIER]]), NoBarrier);
    assert_eq!(request(true, &[&[REQUEST, BARRIER, LOAD_USED_INDEX], &[REQUEST]]), InOrder, "the same value");
    assert_eq!(request(true, &[&[ENABLE]]), InOrder, "flags have no meaning with event indexes");
    assert_eq!(request(false, &[&[REQUEST]]), InOrder, "used_event has none without them");
    assert_eq!(request(false, &[&[ENABLE]]), InOrder, "they were enabled before");
    assert_eq!(request(false, &[&[DISABLE], &[LOAD_USED_INDEX, ENABLE]]), NotLoaded);
    assert_eq!(request(false, &[&[DISABLE, ENABLE, BARRIER, LOAD_USED_INDEX]]), InOrder);
    assert_eq!(request(false, &[&[DISABLE, ENABLE, DISABLE]]), InOrder, "nothing is requested");
}

/// A driver that requests notifications, or publishes, and then looks again must load again.
#[test]
fn loads_of_two_rounds_are_no_double_fetch() {
    let memory = memory(true);
    let again = call(&memory, &[LOAD_USED_INDEX, REQUEST, BARRIER, LOAD_USED_INDEX]);
    assert_eq!(again.double_fetch, None);
    let twice = call(&memory, &[LOAD_USED_INDEX, REQUEST, BARRIER, LOAD_USED_INDEX, LOAD_USED_INDEX]);
    assert_eq!(twice.double_fetch, Some(82), "the second round loads twice");
    let rounds = call(&memory, &[PUBLISH, BARRIER, LOAD_EVENT, PUBLISH, BARRIER, LOAD_EVENT]);
    assert_eq!(rounds.double_fetch, None);
    assert_eq!(
        call(&memory, &[PUBLISH, BARRIER, LOAD_EVENT, LOAD_EVENT]).double_fetch,
        Some(AVAILABLE_EVENT)
    );
    assert_eq!(call(&memory, &[PUBLISH, LOAD_USED_INDEX, PUBLISH, LOAD_USED_INDEX]).double_fetch, Some(82));
    assert_eq!(call(&memory, &[LOAD_USED_INDEX, LOAD_USED_INDEX]).double_fetch, Some(82));
    let same = call(&memory, &[LOAD_USED_INDEX, REQUEST, BARRIER, LOAD_USED_INDEX]);
    assert_eq!(same.double_fetch, None, "the request has the same value as before");
}

/// A driver that skips an element and then looks for more loads the index again. If that index jumped by a lap, it leads to the
/// same slot.
#[test]
fn loads_that_look_for_more_elements_are_no_double_fetch() {
    let memory = memory(true);
    let more = [LOAD_USED_INDEX, LOAD_ELEMENT, LOAD_USED_INDEX, LOAD_ELEMENT, LOAD_USED_INDEX];
    assert_eq!(call(&memory, &more).double_fetch, None);
    assert_eq!(call(&memory, &[LOAD_ELEMENT, LOAD_USED_INDEX, LOAD_ELEMENT]).double_fetch, None);
    assert_eq!(call(&memory, &[LOAD_ELEMENT, LOAD_ELEMENT]).double_fetch, Some(ELEMENT));
    let twice = [LOAD_USED_INDEX, LOAD_ELEMENT, LOAD_USED_INDEX, LOAD_USED_INDEX];
    assert_eq!(call(&memory, &twice).double_fetch, Some(82));
}

#[test]
fn the_index_needs_a_release_or_a_barrier_after_the_entries() {
    const ENTRY: Access = |memory| memory.store_u16(68, 1);
    const PLAIN: Access = |memory| memory.store_u16(66, 1);
    let weak = |accesses: &[Access]| call(&memory(false), accesses).weak;
    assert_eq!(weak(&[ENTRY, PUBLISH]), None);
    assert_eq!(weak(&[ENTRY, BARRIER, PLAIN]), None);
    assert_eq!(weak(&[PLAIN]), None, "a barrier may have been in an earlier call");
    assert_eq!(weak(&[ENTRY, PLAIN]), Some(WeakAccess::AvailableIndex));
    assert_eq!(weak(&[BARRIER, ENTRY, PLAIN]), Some(WeakAccess::AvailableIndex));
}

#[test]
fn elements_need_an_acquire_of_the_used_index_or_a_barrier() {
    const PLAIN: Access = |memory| _ = memory.load_u16(82);
    const LOAD_ELEMENT: Access = |memory| _ = memory.load_u32(ELEMENT + 8);
    let weak = |accesses: &[Access]| call(&memory(false), accesses).weak;
    assert_eq!(weak(&[LOAD_USED_INDEX, LOAD_ELEMENT]), None);
    assert_eq!(weak(&[PLAIN, BARRIER, LOAD_ELEMENT]), None);
    assert_eq!(weak(&[PLAIN]), None);
    assert_eq!(weak(&[PLAIN, LOAD_FLAGS]), None);
    assert_eq!(weak(&[LOAD_ELEMENT]), None, "the index was loaded by an earlier call");
    assert_eq!(weak(&[PLAIN, LOAD_ELEMENT]), Some(WeakAccess::UsedElement));
    assert_eq!(weak(&[PLAIN, LOAD_ELEMENT, BARRIER]), Some(WeakAccess::UsedElement));
}

/// A driver may publish one entry after the other.
#[test]
fn a_late_store_has_the_index_that_was_published_before_it() {
    let memory = memory(false);
    memory.begin_call(100);
    for index in 1..=2 {
        memory.store_u16(66 + 2 * usize::from(index), 5);
        memory.store_ordered(OrderedStore::AvailableIndex, 66, index);
    }
    memory.store_u16(72, 5);
    memory.end_call();
    let mut late = Vec::new();
    memory.take_late_stores(&mut late);
    let expected = [(70, 1), (72, 2)].map(|(offset, index)| LateStore { offset, published: Some(index) });
    assert_eq!(late, expected);
}

#[test]
fn the_order_between_two_calls_can_be_saved_and_restored() {
    let memory = memory(false);
    let begun = memory.order_state();
    _ = call(&memory, &[PUBLISH]);
    let published = memory.order_state();
    assert_ne!(begun, published);
    memory.set_order_state(begun);
    assert_eq!(memory.publication_order(), StoreThenLoad::InOrder);
    memory.set_order_state(published);
    _ = call(&memory, &[BARRIER, LOAD_FLAGS]);
    assert_eq!(memory.publication_order(), StoreThenLoad::InOrder);
    _ = call(&memory, &[PUBLISH]);
    memory.restart(4096);
    assert_eq!(memory.order_state(), begun);
}
