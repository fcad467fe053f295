//! Distinguishes states.

use std::hash::{BuildHasherDefault, Hash, Hasher};
use xxhash_rust::xxh3::xxh3_128;

/// A hash that identifies a state. It has 128 bits, so that among 10^9 states the chance of two equal keys is below
/// 10^-20.
pub(super) type Key = u128;

/// Collects bytes and hashes them all at once, which is faster than to hash one integer after the other. A key is
/// valid only within one exploration.
#[derive(Debug, Default)]
pub(super) struct KeyHasher(Vec<u8>);

impl KeyHasher {
    /// Returns the key of the collected bytes and clears them.
    pub(super) fn take(&mut self) -> Key {
        let key = xxh3_128(&self.0);
        self.0.clear();
        key
    }
}

impl Hasher for KeyHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn finish(&self) -> u64 {
        xxh3_128(&self.0) as u64
    }
}

/// Returns a key unchanged, because it is a hash already.
#[derive(Debug, Default)]
pub(super) struct IdentityHasher(u64);

impl Hasher for IdentityHasher {
    fn write(&mut self, _: &[u8]) {
        unreachable!("only keys are looked up");
    }

    fn write_u128(&mut self, key: u128) {
        self.0 = key as u64;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// The known states.
pub(super) type Seen = std::collections::HashSet<Key, BuildHasherDefault<IdentityHasher>>;

/// Adds parts and returns the key.
pub(super) fn key_of(hasher: &mut KeyHasher, parts: impl Hash) -> Key {
    parts.hash(hasher);
    hasher.take()
}
