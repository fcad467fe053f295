//! The trait for an external device that replaces the simulated one and follows the specification.

use ringstorm_core::DeviceAddress;
use ringstorm_sim_device::{Geometry, WatchedMemory};

/// The memory of a queue, as its device sees it.
///
/// Access the bytes through [`SharedMemory`](ringstorm_core::SharedMemory), or by the pointer from
/// [`WatchedMemory::expose`], which is valid as long as these borrows.
#[derive(Debug, Clone, Copy)]
pub struct DeviceMemory<'a> {
    /// The descriptor table and the rings.
    pub rings: &'a WatchedMemory,
    /// The device address of `rings`.
    pub rings_address: DeviceAddress,
    /// The queue size, and the offsets of the table and both rings in `rings`.
    pub geometry: Geometry,
    /// The buffers.
    pub buffers: &'a WatchedMemory,
    /// The device address of `buffers`.
    pub buffers_address: DeviceAddress,
}

/// A buffer of a chain, as a device read it from the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainBuffer {
    /// The index of its descriptor.
    pub index: u16,
    /// Its device address.
    pub address: u64,
    /// Its length in bytes.
    pub length: u32,
    /// Whether the buffer is device-writable.
    pub writable: bool,
}

/// A chain that a device took.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct TakenChain {
    /// The head, from the available ring.
    pub head: u16,
    /// Whether the chain is valid. The device returns an invalid chain, and neither reads nor writes its buffers.
    pub whole: bool,
    /// The descriptors of the chain, up to the first invalid one.
    pub buffers: Vec<ChainBuffer>,
    /// The bytes of its device-readable buffers.
    pub payload: Vec<u8>,
}

/// A device that follows the specification, to replace the simulated one: see
/// [`Rig::with_device`](super::Rig::with_device).
///
/// The device acts only when it is called. It implements the specification independently; the scenario decides when
/// chains are returned, and in which order. The device returns only what it read. The harness reads what it wrote from
/// shared memory.
pub trait HonestDevice {
    /// Starts on a queue at a ring index, with or without `VIRTIO_F_EVENT_IDX` (2.7.10), and forgets all earlier
    /// queues. The memory stays the same until the next call of `start`.
    fn start(&mut self, memory: &DeviceMemory<'_>, first_index: u16, event_index: bool);

    /// Receives an available-buffer notification from the driver. [`take`](Self::take) is called whether or not there
    /// was a notification.
    fn notified(&mut self, memory: &DeviceMemory<'_>) {
        let _ = memory;
    }

    /// Takes the next available chain (2.7.6). Returns `false` if there is none. `chain` is empty before the call.
    fn take(&mut self, memory: &DeviceMemory<'_>, chain: &mut TakenChain) -> bool;

    /// Writes bytes to a chain that the device has, from the start of its device-writable buffers, which have room for
    /// them.
    fn write(&mut self, memory: &DeviceMemory<'_>, head: u16, bytes: &[u8]);

    /// Returns a chain: writes its used element, with `written` bytes as the length (2.7.8). The device may move the
    /// used index at once.
    fn return_chain(&mut self, memory: &DeviceMemory<'_>, head: u16, written: u32);

    /// Moves the used index over all chains that were returned.
    fn publish(&mut self, memory: &DeviceMemory<'_>);

    /// Enables or disables available-buffer notifications (2.7.10). Called only without event indexes.
    fn set_notifications(&mut self, memory: &DeviceMemory<'_>, wanted: bool);

    /// Requests a notification for the entry `ahead` entries after the next one to take (2.7.10). Called only with
    /// event indexes.
    fn set_event(&mut self, memory: &DeviceMemory<'_>, ahead: u16);
}
