//! Copies by aarch64 instructions: pairs of 64-bit registers, and narrower registers at both ends.
//!
//! Each block of assembly is one instruction that accesses shared memory. It has no option that lets the compiler repeat
//! it, drop it, or move other memory accesses across it. No two accesses of a copy overlap. All accesses to shared memory
//! are aligned, because unaligned ones fail in device memory and when the processor checks alignment.
#![allow(unsafe_code)]

use core::arch::asm;

/// Bytes that one `ldp` or `stp` accesses.
const PAIR: usize = 16;

/// Defines a load and a store of one width.
macro_rules! accesses {
    ($load:ident, $store:ident: $type:ty, $suffix:literal, $value:literal) => {
        #[inline(always)]
        unsafe fn $load(place: *const u8) -> $type {
            let value;
            // SAFETY: the caller guarantees that the bytes are valid for a load.
            unsafe {
                asm!(
                    concat!("ldr", $suffix, " ", $value, ", [{place}]"),
                    place = in(reg) place,
                    value = lateout(reg) value,
                    options(nostack, preserves_flags)
                );
            }
            value
        }

        #[inline(always)]
        unsafe fn $store(place: *mut u8, value: $type) {
            // SAFETY: the caller guarantees that the bytes are valid for a store.
            unsafe {
                asm!(
                    concat!("str", $suffix, " ", $value, ", [{place}]"),
                    place = in(reg) place,
                    value = in(reg) value,
                    options(nostack, preserves_flags)
                );
            }
        }
    };
}

accesses!(load_1, store_1: u8, "b", "{value:w}");
accesses!(load_2, store_2: u16, "h", "{value:w}");
accesses!(load_4, store_4: u32, "", "{value:w}");
accesses!(load_8, store_8: u64, "", "{value:x}");

/// # Safety
/// The bytes are valid for a load.
#[inline(always)]
unsafe fn load_pair(place: *const u8) -> [u64; 2] {
    let (first, second);
    // SAFETY: the caller guarantees that the bytes are valid for a load.
    unsafe {
        asm!(
            "ldp {first}, {second}, [{place}]",
            place = in(reg) place,
            first = lateout(reg) first,
            second = lateout(reg) second,
            options(nostack, preserves_flags)
        );
    }
    [first, second]
}

/// # Safety
/// The bytes are valid for a store.
#[inline(always)]
unsafe fn store_pair(place: *mut u8, [first, second]: [u64; 2]) {
    // SAFETY: the caller guarantees that the bytes are valid for a store.
    unsafe {
        asm!(
            "stp {first}, {second}, [{place}]",
            place = in(reg) place,
            first = in(reg) first,
            second = in(reg) second,
            options(nostack, preserves_flags)
        );
    }
}

/// Splits `$length` bytes at `$place` into aligned parts without a gap, and runs `$part!(at, type, load, store)` for each.
macro_rules! for_each_part {
    ($place:expr, $length:expr, $part:ident) => {
        let (start, length) = ($place.addr(), $length);
        let mut at = 0;
        for_each_part!(@if (start + at) & 1 != 0 && length - at >= 1, at, $part, u8, load_1, store_1);
        for_each_part!(@if (start + at) & 2 != 0 && length - at >= 2, at, $part, u16, load_2, store_2);
        for_each_part!(@if (start + at) & 4 != 0 && length - at >= 4, at, $part, u32, load_4, store_4);
        for_each_part!(@if (start + at) & 8 != 0 && length - at >= 8, at, $part, u64, load_8, store_8);
        // Here either `at` is aligned for a pair, or the rest is shorter than the next width. The lines above use growing
        // widths, the lines below shrinking ones.
        while length - at >= PAIR {
            $part!(at, [u64; 2], load_pair, store_pair);
            at += PAIR;
        }
        for_each_part!(@if length - at >= 8, at, $part, u64, load_8, store_8);
        for_each_part!(@if length - at >= 4, at, $part, u32, load_4, store_4);
        for_each_part!(@if length - at >= 2, at, $part, u16, load_2, store_2);
        for_each_part!(@if length - at >= 1, at, $part, u8, load_1, store_1);
        let _ = at;
    };
    (@if $condition:expr, $at:ident, $part:ident, $type:ty, $load:ident, $store:ident) => {
        if $condition {
            $part!($at, $type, $load, $store);
            $at += size_of::<$type>();
        }
    };
}

/// # Safety
/// The contract of [`super`].
#[inline]
pub(in crate::memory) unsafe fn to_shared(place: *mut u8, bytes: &[u8]) {
    let from = bytes.as_ptr();
    macro_rules! part {
        ($at:ident, $type:ty, $load:ident, $store:ident) => {
            // SAFETY: both sides are as long as `bytes`, and the part is inside.
            unsafe { $store(place.add($at), from.add($at).cast::<$type>().read_unaligned()) }
        };
    }
    for_each_part!(place, bytes.len(), part);
}

/// # Safety
/// The contract of [`super`].
#[inline]
pub(in crate::memory) unsafe fn from_shared(place: *const u8, out: &mut [u8]) {
    let to = out.as_mut_ptr();
    macro_rules! part {
        ($at:ident, $type:ty, $load:ident, $store:ident) => {
            // SAFETY: both sides are as long as `out`, and the part is inside.
            unsafe { to.add($at).cast::<$type>().write_unaligned($load(place.add($at))) }
        };
    }
    for_each_part!(place, out.len(), part);
}

/// # Safety
/// The contract of [`super`].
#[inline]
pub(in crate::memory) unsafe fn zero(place: *mut u8, length: usize) {
    macro_rules! part {
        ($at:ident, $type:ty, $load:ident, $store:ident) => {
            // SAFETY: the part is inside the `length` bytes, and zero is a valid value of an integer.
            unsafe { $store(place.add($at), core::mem::zeroed::<$type>()) }
        };
    }
    for_each_part!(place, length, part);
}
