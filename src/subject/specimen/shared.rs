//! A descriptor as it is in shared memory, where the device may have overwritten it.

use ringstorm_model::{DeviceRefusal, Refusal};

/// The size of a descriptor in bytes (2.7.5).
pub(super) const DESCRIPTOR_BYTES: usize = 16;
/// `VIRTQ_DESC_F_NEXT` (2.7.5).
pub(super) const F_NEXT: u16 = 1;
/// `VIRTQ_DESC_F_WRITE` (2.7.5).
pub(super) const F_WRITE: u16 = 2;

/// The error if the table in shared memory was changed. The queue is then broken, because a queue must report that it
/// will never free a chain.
pub(super) const TAMPERED: Refusal =
    Refusal::Device(DeviceRefusal { consumed: false, broken: true, returned: None });

/// Length, flags and next of a descriptor.
pub(super) struct SharedDescriptor {
    pub(super) length: u32,
    pub(super) flags: u16,
    pub(super) next: u16,
}

impl SharedDescriptor {
    pub(super) const fn is_writable(&self) -> bool {
        self.flags & F_WRITE != 0
    }
}
