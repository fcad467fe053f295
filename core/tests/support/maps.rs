//! What this process has mapped, by /proc/self/maps.

use ringstorm_core::MappedMemory;
use std::fs;
use std::os::unix::fs::MetadataExt;

/// The inode of the nameless file behind a shareable mapping; no two files alive have the same.
pub fn identity(memory: &MappedMemory) -> u64 {
    memory.file().unwrap().metadata().unwrap().ino()
}

/// Whether any part of that file is mapped.
pub fn has_file(inode: u64) -> bool {
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let of_file = |line: &str| line.split_whitespace().nth(4) == Some(inode.to_string().as_str());
    maps.lines().any(|line| line.contains("memfd:ringstorm") && of_file(line))
}

/// Whether anything is mapped at an address.
pub fn has_address(address: u64) -> bool {
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let bound = |text: &str| u64::from_str_radix(text, 16).unwrap();
    maps.lines().any(|line| {
        let (start, end) = line.split(' ').next().unwrap().split_once('-').unwrap();
        (bound(start)..bound(end)).contains(&address)
    })
}

/// Whether an unmapping was seen in one of many attempts: in a single one, another test's thread may have
/// mapped something else at the same place meanwhile. Memory that leaks is seen as mapped in all of them.
pub fn once_of_many(attempt: impl Fn() -> bool) -> bool {
    (0..50).any(|_| attempt())
}
