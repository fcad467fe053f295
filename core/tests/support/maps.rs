//! Finds mappings of this process in /proc/self/maps.

use ringstorm_core::MappedMemory;
use std::fs;
use std::os::unix::fs::MetadataExt;

/// The inode of the unnamed file of a shareable mapping. All existing files have different inodes.
pub fn identity(memory: &MappedMemory) -> u64 {
    memory.file().unwrap().metadata().unwrap().ino()
}

/// Whether any part of the file with this inode is mapped.
pub fn has_file(inode: u64) -> bool {
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let of_file = |line: &str| line.split_whitespace().nth(4) == Some(inode.to_string().as_str());
    maps.lines().any(|line| line.contains("memfd:ringstorm") && of_file(line))
}

/// Whether this address is mapped.
pub fn has_address(address: u64) -> bool {
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let bound = |text: &str| u64::from_str_radix(text, 16).unwrap();
    maps.lines().any(|line| {
        let (start, end) = line.split(' ').next().unwrap().split_once('-').unwrap();
        (bound(start)..bound(end)).contains(&address)
    })
}

/// Whether one of many attempts saw an unmapping. In a single attempt, another test's thread may map something else
/// at the same address. Memory that leaks stays mapped in all attempts.
pub fn any_attempt(attempt: impl Fn() -> bool) -> bool {
    (0..50).any(|_| attempt())
}
