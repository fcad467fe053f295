//! By x86-64 instructions: moves for what is short, a string instruction for what is long.
//!
//! Each block of assembly is one instruction that accesses shared memory. It has none of the options that let a compiler
//! repeat it, drop it, or move other accesses to memory over it. No two accesses of a copy overlap: what the widest leave
//! over is put together of narrower ones.
#![allow(unsafe_code)]

use core::arch::asm;

/// From how many bytes on a string instruction is faster, which takes some time to start: measured on a processor that has
/// the feature `fsrm`. Later on others.
const LONG: usize = 1024;

/// A load and a store of one width.
macro_rules! accesses {
    ($load:ident, $store:ident: $type:ty, $move:literal, $class:ident, $value:literal) => {
        #[inline(always)]
        unsafe fn $load(place: *const u8) -> $type {
            let value;
            // SAFETY: the bytes are valid for a load, says the caller.
            unsafe {
                asm!(
                    concat!($move, " ", $value, ", [{place}]"),
                    place = in(reg) place,
                    value = lateout($class) value,
                    options(nostack, preserves_flags)
                );
            }
            value
        }

        #[inline(always)]
        unsafe fn $store(place: *mut u8, value: $type) {
            // SAFETY: the bytes are valid for a store, says the caller.
            unsafe {
                asm!(
                    concat!($move, " [{place}], ", $value),
                    place = in(reg) place,
                    value = in($class) value,
                    options(nostack, preserves_flags)
                );
            }
        }
    };
}

accesses!(load_1, store_1: u8, "mov", reg_byte, "{value}");
accesses!(load_2, store_2: u16, "mov", reg, "{value:x}");
accesses!(load_4, store_4: u32, "mov", reg, "{value:e}");
accesses!(load_8, store_8: u64, "mov", reg, "{value:r}");
#[cfg(target_feature = "sse2")]
accesses!(load_wide, store_wide: Wide, "movups", xmm_reg, "{value}");

#[cfg(target_feature = "sse2")]
type Wide = core::arch::x86_64::__m128i;
/// Kernels are built without the registers of SSE.
#[cfg(not(target_feature = "sse2"))]
type Wide = u64;
#[cfg(not(target_feature = "sse2"))]
use {load_8 as load_wide, store_8 as store_wide};

const WIDE: usize = size_of::<Wide>();

/// Goes through `$length` bytes without a gap, with `$part!(at, type, load, store)` for each part.
macro_rules! for_each_part {
    ($length:expr, $part:ident) => {
        let length = $length;
        let mut at = 0;
        // Four loads before the first store to the same cache: twice as fast as one at a time.
        while length - at >= 4 * WIDE {
            $part!(at, [Wide; 4], load_4_wide, store_4_wide);
            at += 4 * WIDE;
        }
        while length - at >= WIDE {
            $part!(at, Wide, load_wide, store_wide);
            at += WIDE;
        }
        if WIDE > 8 && length & 8 != 0 {
            $part!(at, u64, load_8, store_8);
            at += 8;
        }
        if length & 4 != 0 {
            $part!(at, u32, load_4, store_4);
            at += 4;
        }
        if length & 2 != 0 {
            $part!(at, u16, load_2, store_2);
            at += 2;
        }
        if length & 1 != 0 {
            $part!(at, u8, load_1, store_1);
        }
    };
}

/// # Safety
/// The bytes are valid for a load.
#[inline(always)]
unsafe fn load_4_wide(place: *const u8) -> [Wide; 4] {
    // SAFETY: all four parts are inside of what the caller names.
    unsafe {
        [
            load_wide(place),
            load_wide(place.add(WIDE)),
            load_wide(place.add(2 * WIDE)),
            load_wide(place.add(3 * WIDE)),
        ]
    }
}

/// # Safety
/// The bytes are valid for a store.
#[inline(always)]
unsafe fn store_4_wide(place: *mut u8, [first, second, third, fourth]: [Wide; 4]) {
    // SAFETY: all four parts are inside of what the caller names.
    unsafe {
        store_wide(place, first);
        store_wide(place.add(WIDE), second);
        store_wide(place.add(2 * WIDE), third);
        store_wide(place.add(3 * WIDE), fourth);
    }
}

/// # Safety
/// As [`super`] says.
#[inline(always)]
pub unsafe fn to_shared(place: *mut u8, bytes: &[u8]) {
    let from = bytes.as_ptr();
    if bytes.len() >= LONG {
        // SAFETY: as the caller says.
        return unsafe { long_to_shared(place, bytes) };
    }
    macro_rules! part {
        ($at:ident, $type:ty, $load:ident, $store:ident) => {
            // SAFETY: both sides are as long as `bytes`, and the part is inside.
            unsafe { $store(place.add($at), from.add($at).cast::<$type>().read_unaligned()) }
        };
    }
    for_each_part!(bytes.len(), part);
}

/// # Safety
/// As [`super`] says.
#[inline(always)]
pub unsafe fn from_shared(place: *const u8, out: &mut [u8]) {
    if out.len() >= LONG {
        // SAFETY: as the caller says.
        return unsafe { long_from_shared(place, out) };
    }
    let to = out.as_mut_ptr();
    macro_rules! part {
        ($at:ident, $type:ty, $load:ident, $store:ident) => {
            // SAFETY: both sides are as long as `out`, and the part is inside.
            unsafe { to.add($at).cast::<$type>().write_unaligned($load(place.add($at))) }
        };
    }
    for_each_part!(out.len(), part);
}

/// # Safety
/// As [`super`] says.
#[inline(always)]
pub unsafe fn zero(place: *mut u8, length: usize) {
    if length >= LONG {
        // SAFETY: as the caller says.
        return unsafe { long_zero(place, length) };
    }
    macro_rules! part {
        ($at:ident, $type:ty, $load:ident, $store:ident) => {
            // SAFETY: the part is inside of `length`, and all its bits may be zero.
            unsafe { $store(place.add($at), core::mem::zeroed::<$type>()) }
        };
    }
    for_each_part!(length, part);
}

/// # Safety
/// As [`super`] says.
#[inline(never)]
unsafe fn long_to_shared(place: *mut u8, bytes: &[u8]) {
    // SAFETY: as the caller says.
    unsafe { move_string(place, bytes.as_ptr(), bytes.len()) }
}

/// # Safety
/// As [`super`] says.
#[inline(never)]
unsafe fn long_from_shared(place: *const u8, out: &mut [u8]) {
    // SAFETY: as the caller says.
    unsafe { move_string(out.as_mut_ptr(), place, out.len()) }
}

/// # Safety
/// `length` bytes are valid for stores at `to`, for loads at `from`, and do not overlap.
#[inline(always)]
unsafe fn move_string(to: *mut u8, from: *const u8, length: usize) {
    // SAFETY: as the caller says. The direction is upwards: so it is where a function begins and where assembly does.
    unsafe {
        asm!(
            "rep movsb",
            inout("rcx") length => _,
            inout("rdi") to => _,
            inout("rsi") from => _,
            options(nostack, preserves_flags)
        );
    }
}

/// # Safety
/// As [`super`] says.
#[inline(never)]
unsafe fn long_zero(place: *mut u8, length: usize) {
    // SAFETY: as the caller says. The direction is upwards, as for `move_string`.
    unsafe {
        asm!(
            "rep stosb",
            inout("rcx") length => _,
            inout("rdi") place => _,
            in("al") 0_u8,
            options(nostack, preserves_flags)
        );
    }
}
