//! A descriptor as it is in shared memory, where the device may have overwritten it.

use ringstorm_model::{DeviceRefusal, Refusal};

/// Bytes of a descriptor (2.7.5).
pub(super) const DESCRIPTOR_BYTES: usize = 16;
/// `VIRTQ_DESC_F_NEXT` (2.7.5).
pub(super) const F_NEXT: u16 = 1;
/// `VIRTQ_DESC_F_WRITE` (2.7.5).
pub(super) const F_WRITE: u16 = 2;

/// The table in shared memory is not as it was written. The queue is broken then: whoever refuses to free a chain
/// for ever must say so.
pub(super) const TAMPERED: Refusal =
    Refusal::Device(DeviceRefusal { consumed: false, broken: true, returned: None });

/// A descriptor's length, flags and next.
pub(super) struct Shared {
    pub(super) length: u32,
    pub(super) flags: u16,
    pub(super) next: u16,
}

impl Shared {
    pub(super) const fn is_writable(&self) -> bool {
        self.flags & F_WRITE != 0
    }
}
