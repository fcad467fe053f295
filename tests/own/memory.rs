//! Memory whose address the adapter has given to its queue.

use ringstorm::execution::Rig;
use ringstorm::subject::{BufferPool, Setup, SharedMemory, WatchedMemory};
use ringstorm_core::MappedMemory;
use std::hash::{DefaultHasher, Hasher};

#[test]
fn bytes_written_by_address_are_cleared() {
    let mapped = MappedMemory::shareable(1 << 13).expect("memory");
    // A second handle to the memory stands for the queue that has the address.
    let file = mapped.file().expect("a file").try_clone().expect("the same file");
    let other = MappedMemory::attach(file).expect("memory");
    let memory = WatchedMemory::over(mapped.into());
    assert_eq!(memory.expose().addr() as u64, memory.host_address());
    memory.begin_call(0);
    other.store_u16(5006, 7);
    assert_eq!(memory.end_call().stores, 0, "it is not watched");
    assert_eq!(memory.load_u16(5006), 7);
    memory.restart(1 << 13);
    assert_eq!(memory.load_u16(5006), 0);
    memory.restart(0);
    memory.expose();
}

/// A copy of a pool lends the same buffers, and a fingerprint distinguishes what is lent.
#[test]
fn a_pool_can_be_copied_and_fingerprinted() {
    let rig = Rig::new().expect("memory");
    let hash = |pool: &BufferPool| {
        let mut hasher = DefaultHasher::new();
        pool.fingerprint(&mut hasher);
        hasher.finish()
    };
    let mut pool = BufferPool::new(&Setup::default(), rig.provided());
    let (mut copy, new) = (pool.clone(), hash(&pool));
    let lent = pool.lend(&[], &[8, 8]).expect("two buffers");
    assert_ne!(hash(&pool), new);
    assert_eq!(copy.lend(&[], &[8, 8]).expect("two buffers"), lent.clone());
    assert_eq!(hash(&copy), hash(&pool));
    pool.take_back(lent);
    assert_eq!(hash(&pool), new);
}
