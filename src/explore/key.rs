//! Telling states apart.

use std::hash::{BuildHasherDefault, Hash, Hasher};
use xxhash_rust::xxh3::xxh3_128;

/// What stands for a state: 128 bits, so that even among a thousand million states two different ones have the same with a
/// chance below one in 10^20.
pub type Key = u128;

/// Takes everything in as bytes, and hashes it at once, which is quicker than one integer after the other. A key means
/// nothing beyond the exploration that it is of.
#[derive(Debug, Default)]
pub struct KeyHasher(Vec<u8>);

impl KeyHasher {
    /// The key of what was taken in; then begins anew.
    pub fn take(&mut self) -> Key {
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

/// A key is a hash already.
#[derive(Debug, Default)]
pub struct AsItIs(u64);

impl Hasher for AsItIs {
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

/// The states seen.
pub type Seen = std::collections::HashSet<Key, BuildHasherDefault<AsItIs>>;

/// The key of a state made from parts.
pub fn key_of(hasher: &mut KeyHasher, parts: impl Hash) -> Key {
    parts.hash(hasher);
    hasher.take()
}
