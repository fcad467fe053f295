//! Copies by x86-64 instructions: moves for short copies, a string instruction for long ones.
//!
//! Each block of assembly accesses each of its bytes of shared memory once. It has no option that lets the compiler repeat
//! it, drop it, or move other memory accesses across it. No two accesses of a copy overlap: narrower accesses cover the
//! bytes that remain after the widest ones.
#![allow(unsafe_code)]

use core::arch::asm;

/// From this number of bytes on, a string instruction is faster than moves, although it takes time to start. Measured on
/// a processor with the feature `fsrm`.
const LONG: usize = 1024;

/// Defines a load and a store of one width.
macro_rules! accesses {
    ($load:ident, $store:ident: $type:ty, $move:literal, $class:ident, $value:literal) => {
        /// # Safety
        /// The bytes are valid for a load.
        #[inline(always)]
        unsafe fn $load(place: *const u8) -> $type {
            let value;
            // SAFETY: the caller guarantees that the bytes are valid for a load.
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
            // SAFETY: the caller guarantees that the bytes are valid for a store.
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

/// Defines the widest access, and a load and a store of four adjacent ones. The four share one block of assembly, because
/// before each block the compiler must write all cached values back to memory.
macro_rules! widest {
    ($type:ty, $move:literal, $class:ident) => {
        type Wide = $type;
        accesses!(load_wide, store_wide: Wide, $move, $class, "{value}");

        /// # Safety
        /// The bytes are valid for a load.
        #[inline(always)]
        unsafe fn load_block(place: *const u8) -> [Wide; 4] {
            let (first, second, third, fourth);
            // SAFETY: the caller guarantees that the bytes are valid for a load.
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
            // SAFETY: the caller guarantees that the bytes are valid for a store.
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
// Kernels are built without SSE registers.
#[cfg(not(target_feature = "sse2"))]
widest!(u64, "mov", reg);

const WIDE: usize = size_of::<Wide>();
const BLOCK: usize = 4 * WIDE;

/// Splits fewer bytes than a block into parts without a gap, and runs `$part!(at, type, load, store)` for each part.
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
/// The contract of [`super`].
#[inline(never)]
pub(in crate::memory) unsafe fn to_shared(mut place: *mut u8, mut bytes: &[u8]) {
    if bytes.len() >= LONG {
        // SAFETY: this function has the same contract.
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
        // SAFETY: the rest is inside the bytes that the caller guarantees.
        unsafe { rest_to_shared(place, bytes) }
    }
}

/// # Safety
/// The contract of [`super`].
#[inline(always)]
pub(in crate::memory) unsafe fn from_shared(place: *const u8, out: &mut [u8]) {
    if out.len() >= LONG {
        // SAFETY: this function has the same contract.
        return unsafe { long_from_shared(place, out) };
    }
    let end = out.len() / BLOCK * BLOCK;
    let (blocks, rest) = out.split_at_mut(end);
    for (at, block) in (0..).step_by(BLOCK).zip(blocks.chunks_exact_mut(BLOCK)) {
        // SAFETY: both sides are as long as `out`, and the block is inside.
        unsafe { block.as_mut_ptr().cast::<[Wide; 4]>().write_unaligned(load_block(place.add(at))) }
    }
    if !rest.is_empty() {
        // SAFETY: the rest is inside the bytes that the caller guarantees.
        unsafe { rest_from_shared(place.add(end), rest) }
    }
}

/// # Safety
/// The contract of [`super`].
#[inline(always)]
pub(in crate::memory) unsafe fn zero(place: *mut u8, length: usize) {
    if length >= LONG {
        // SAFETY: this function has the same contract.
        return unsafe { long_zero(place, length) };
    }
    let end = length / BLOCK * BLOCK;
    for at in (0..end).step_by(BLOCK) {
        // SAFETY: the block is inside the `length` bytes, and zero is a valid value of `Wide`.
        unsafe { store_block(place.add(at), core::mem::zeroed()) }
    }
    if end < length {
        // SAFETY: the rest is inside the bytes that the caller guarantees.
        unsafe { rest_zero(place.add(end), length - end) }
    }
}

/// # Safety
/// The contract of [`super`].
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
/// The contract of [`super`].
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
/// The contract of [`super`].
#[inline(never)]
unsafe fn rest_zero(place: *mut u8, length: usize) {
    macro_rules! part {
        ($at:ident, $type:ty, $load:ident, $store:ident) => {
            // SAFETY: the part is inside the `length` bytes, and zero is a valid value of an integer or a register.
            unsafe { $store(place.add($at), core::mem::zeroed::<$type>()) }
        };
    }
    for_each_part!(length, part);
}

/// # Safety
/// The contract of [`super`].
#[inline(never)]
unsafe fn long_to_shared(place: *mut u8, bytes: &[u8]) {
    // SAFETY: the caller guarantees the shared bytes; the private ones are a Rust slice, so the two do not overlap.
    unsafe { move_string(place, bytes.as_ptr(), bytes.len()) }
}

/// # Safety
/// The contract of [`super`].
#[inline(never)]
unsafe fn long_from_shared(place: *const u8, out: &mut [u8]) {
    // SAFETY: the caller guarantees the shared bytes; the private ones are a Rust slice, so the two do not overlap.
    unsafe { move_string(out.as_mut_ptr(), place, out.len()) }
}

/// # Safety
/// `length` bytes are valid for stores at `to`, for loads at `from`, and do not overlap.
#[inline(always)]
unsafe fn move_string(to: *mut u8, from: *const u8, length: usize) {
    // SAFETY: the caller guarantees both ranges. The copy goes upwards: the direction flag is clear where a block of
    // assembly begins.
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
/// The contract of [`super`].
#[inline(never)]
unsafe fn long_zero(place: *mut u8, length: usize) {
    // SAFETY: the caller guarantees the bytes. The stores go upwards, as in `move_string`.
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
