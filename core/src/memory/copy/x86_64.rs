//! By x86-64 instructions: moves for what is short, a string instruction for what is long.
//!
//! Each block of assembly accesses shared memory at a place once. It has none of the options that let a compiler repeat
//! it, drop it, or move other accesses to memory over it. No two accesses of a copy overlap: what the widest leave over
//! is put together of narrower ones.
#![allow(unsafe_code)]

use core::arch::asm;

/// From how many bytes on a string instruction is faster, which takes some time to start. Measured on a processor that
/// has the feature `fsrm`.
const LONG: usize = 1024;

/// A load and a store of one width.
macro_rules! accesses {
    ($load:ident, $store:ident: $type:ty, $move:literal, $class:ident, $value:literal) => {
        /// # Safety
        /// The bytes are valid for a load.
        #[inline(always)]
        unsafe fn $load(place: *const u8) -> $type {
            let value;
            // SAFETY: as the caller says.
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

        /// # Safety
        /// The bytes are valid for a store.
        #[inline(always)]
        unsafe fn $store(place: *mut u8, value: $type) {
            // SAFETY: as the caller says.
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

/// The widest access, and a load and a store of four of them side by side: one block of assembly, since the compiler
/// must have all that it knows of memory in memory before each.
macro_rules! widest {
    ($type:ty, $move:literal, $class:ident) => {
        type Wide = $type;
        accesses!(load_wide, store_wide: Wide, $move, $class, "{value}");

        /// # Safety
        /// The bytes are valid for a load.
        #[inline(always)]
        unsafe fn load_block(place: *const u8) -> [Wide; 4] {
            let (first, second, third, fourth);
            // SAFETY: as the caller says.
            unsafe {
                asm!(
                    concat!($move, " {first}, [{place}]"),
                    concat!($move, " {second}, [{place} + {wide}]"),
                    concat!($move, " {third}, [{place} + 2 * {wide}]"),
                    concat!($move, " {fourth}, [{place} + 3 * {wide}]"),
                    place = in(reg) place,
                    wide = const WIDE,
                    first = out($class) first,
                    second = out($class) second,
                    third = out($class) third,
                    fourth = lateout($class) fourth,
                    options(nostack, preserves_flags)
                );
            }
            [first, second, third, fourth]
        }

        /// # Safety
        /// The bytes are valid for a store.
        #[inline(always)]
        unsafe fn store_block(place: *mut u8, [first, second, third, fourth]: [Wide; 4]) {
            // SAFETY: as the caller says.
            unsafe {
                asm!(
                    concat!($move, " [{place}], {first}"),
                    concat!($move, " [{place} + {wide}], {second}"),
                    concat!($move, " [{place} + 2 * {wide}], {third}"),
                    concat!($move, " [{place} + 3 * {wide}], {fourth}"),
                    place = in(reg) place,
                    wide = const WIDE,
                    first = in($class) first,
                    second = in($class) second,
                    third = in($class) third,
                    fourth = in($class) fourth,
                    options(nostack, preserves_flags)
                );
            }
        }
    };
}

#[cfg(target_feature = "sse2")]
widest!(core::arch::x86_64::__m128i, "movups", xmm_reg);
// Kernels are built without the registers of SSE.
#[cfg(not(target_feature = "sse2"))]
widest!(u64, "mov", reg);

const WIDE: usize = size_of::<Wide>();
const BLOCK: usize = 4 * WIDE;

/// Goes through less than a block of bytes without a gap, with `$part!(at, type, load, store)` for each part.
macro_rules! for_each_part {
    ($length:expr, $part:ident) => {
        let length = $length;
        let mut at = 0;
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

/// Not inlined: a loop that copies to several buffers then keeps its values in registers and is unrolled.
///
/// # Safety
/// As [`super`] says.
#[inline(never)]
pub unsafe fn to_shared(mut place: *mut u8, mut bytes: &[u8]) {
    if bytes.len() >= LONG {
        // SAFETY: as the caller says.
        return unsafe { long_to_shared(place, bytes) };
    }
    while let Some((block, rest)) = bytes.split_first_chunk::<BLOCK>() {
        // SAFETY: both sides are as long as `bytes`, and the block is inside.
        unsafe {
            store_block(place, block.as_ptr().cast::<[Wide; 4]>().read_unaligned());
            place = place.add(BLOCK);
        }
        bytes = rest;
    }
    if !bytes.is_empty() {
        // SAFETY: the rest begins inside of what the caller named.
        unsafe { rest_to_shared(place, bytes) }
    }
}

/// # Safety
/// As [`super`] says.
#[inline(always)]
pub unsafe fn from_shared(place: *const u8, out: &mut [u8]) {
    if out.len() >= LONG {
        // SAFETY: as the caller says.
        return unsafe { long_from_shared(place, out) };
    }
    let end = out.len() / BLOCK * BLOCK;
    let (blocks, rest) = out.split_at_mut(end);
    for (at, block) in (0..).step_by(BLOCK).zip(blocks.chunks_exact_mut(BLOCK)) {
        // SAFETY: both sides are as long as `out`, and the block is inside.
        unsafe { block.as_mut_ptr().cast::<[Wide; 4]>().write_unaligned(load_block(place.add(at))) }
    }
    if !rest.is_empty() {
        // SAFETY: the rest begins inside of what the caller named.
        unsafe { rest_from_shared(place.add(end), rest) }
    }
}

/// # Safety
/// As [`super`] says.
#[inline(always)]
pub unsafe fn zero(place: *mut u8, length: usize) {
    if length >= LONG {
        // SAFETY: as the caller says.
        return unsafe { long_zero(place, length) };
    }
    let end = length / BLOCK * BLOCK;
    for at in (0..end).step_by(BLOCK) {
        // SAFETY: the block is inside of `length`, and all its bits may be zero.
        unsafe { store_block(place.add(at), core::mem::zeroed()) }
    }
    if end < length {
        // SAFETY: the rest begins inside of what the caller named.
        unsafe { rest_zero(place.add(end), length - end) }
    }
}

/// # Safety
/// As [`super`] says.
#[inline(never)]
unsafe fn rest_to_shared(place: *mut u8, bytes: &[u8]) {
    let from = bytes.as_ptr();
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
#[inline(never)]
unsafe fn rest_from_shared(place: *const u8, out: &mut [u8]) {
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
#[inline(never)]
unsafe fn rest_zero(place: *mut u8, length: usize) {
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
    // SAFETY: as the caller says; private memory and shared memory do not overlap.
    unsafe { move_string(place, bytes.as_ptr(), bytes.len()) }
}

/// # Safety
/// As [`super`] says.
#[inline(never)]
unsafe fn long_from_shared(place: *const u8, out: &mut [u8]) {
    // SAFETY: as the caller says; private memory and shared memory do not overlap.
    unsafe { move_string(out.as_mut_ptr(), place, out.len()) }
}

/// # Safety
/// `length` bytes are valid for stores at `to`, for loads at `from`, and do not overlap.
#[inline(always)]
unsafe fn move_string(to: *mut u8, from: *const u8, length: usize) {
    // SAFETY: as the caller says. It goes upwards: the direction flag is clear where assembly begins.
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
    // SAFETY: as the caller says. It goes upwards, as in `move_string`.
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
