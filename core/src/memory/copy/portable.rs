//! Copies by relaxed atomics: whole words where shared memory is aligned for them, single bytes at both ends.
#![allow(unsafe_code)]

use core::sync::atomic::{AtomicU8, AtomicUsize, Ordering::Relaxed};

const WORD: usize = size_of::<usize>();

/// The offset of the first whole word, and the offset after the last one.
#[inline]
fn words(place: *const u8, length: usize) -> (usize, usize) {
    let start = (place.addr().wrapping_neg() % WORD).min(length);
    (start, start + (length - start) / WORD * WORD)
}

/// # Safety
/// The contract of [`super`].
#[inline]
pub(in crate::memory) unsafe fn to_shared(place: *mut u8, bytes: &[u8]) {
    let (start, end) = words(place, bytes.len());
    let (head, rest) = bytes.split_at(start);
    let (middle, tail) = rest.split_at(end - start);
    for (at, byte) in head.iter().enumerate() {
        // SAFETY: `at` is less than the length, and the caller guarantees that all bytes are valid for the access.
        unsafe { byte_at(place, at) }.store(*byte, Relaxed);
    }
    for (at, word) in (start..).step_by(WORD).zip(middle.chunks_exact(WORD)) {
        let word = usize::from_ne_bytes(word.try_into().expect("a chunk is a word long"));
        // SAFETY: the word is inside the bytes that the caller guarantees, and `words` aligned its offset.
        unsafe { word_at(place, at) }.store(word, Relaxed);
    }
    for (at, byte) in (end..).zip(tail) {
        // SAFETY: `at` is less than the length, and the caller guarantees that all bytes are valid for the access.
        unsafe { byte_at(place, at) }.store(*byte, Relaxed);
    }
}

/// # Safety
/// The contract of [`super`].
#[inline]
pub(in crate::memory) unsafe fn from_shared(place: *const u8, out: &mut [u8]) {
    let (start, end) = words(place, out.len());
    let place = place.cast_mut();
    let (head, rest) = out.split_at_mut(start);
    let (middle, tail) = rest.split_at_mut(end - start);
    for (at, byte) in head.iter_mut().enumerate() {
        // SAFETY: `at` is less than the length, and the caller guarantees that all bytes are valid for the access.
        *byte = unsafe { byte_at(place, at) }.load(Relaxed);
    }
    for (at, word) in (start..).step_by(WORD).zip(middle.chunks_exact_mut(WORD)) {
        // SAFETY: the word is inside the bytes that the caller guarantees, and `words` aligned its offset.
        word.copy_from_slice(&unsafe { word_at(place, at) }.load(Relaxed).to_ne_bytes());
    }
    for (at, byte) in (end..).zip(tail) {
        // SAFETY: `at` is less than the length, and the caller guarantees that all bytes are valid for the access.
        *byte = unsafe { byte_at(place, at) }.load(Relaxed);
    }
}

/// # Safety
/// The contract of [`super`].
#[inline]
pub(in crate::memory) unsafe fn zero(place: *mut u8, length: usize) {
    let (start, end) = words(place, length);
    for at in (0..start).chain(end..length) {
        // SAFETY: `at` is less than the length, and the caller guarantees that all bytes are valid for the access.
        unsafe { byte_at(place, at) }.store(0, Relaxed);
    }
    for at in (start..end).step_by(WORD) {
        // SAFETY: the word is inside the bytes that the caller guarantees, and `words` aligned its offset.
        unsafe { word_at(place, at) }.store(0, Relaxed);
    }
}

/// # Safety
/// The byte at `place + at` is valid for the access.
#[inline(always)]
unsafe fn byte_at<'m>(place: *mut u8, at: usize) -> &'m AtomicU8 {
    // SAFETY: the caller guarantees that the byte is valid; a byte needs no alignment. The reference lives for one access.
    unsafe { AtomicU8::from_ptr(place.add(at)) }
}

/// # Safety
/// The word at `place + at` is valid for the access and aligned.
#[inline(always)]
unsafe fn word_at<'m>(place: *mut u8, at: usize) -> &'m AtomicUsize {
    // SAFETY: the caller guarantees that the word is valid and aligned. The reference lives for one access.
    unsafe { AtomicUsize::from_ptr(place.add(at).cast()) }
}
