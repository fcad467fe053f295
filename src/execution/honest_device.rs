//! A device that somebody else wrote.

use ringstorm_core::DeviceAddress;
use ringstorm_sim_device::{Geometry, WatchedMemory};

/// The memory of a queue, as its device is told of it.
///
/// The bytes are reached through [`SharedMemory`](ringstorm_core::SharedMemory), or by the pointer that
/// [`WatchedMemory::expose`] gives, which is good for as long as these borrows are.
#[derive(Debug, Clone, Copy)]
pub struct DeviceMemory<'a> {
    /// Descriptor table and rings.
    pub rings: &'a WatchedMemory,
    /// Where the device sees them.
    pub rings_address: DeviceAddress,
    /// How many descriptors there are, and where in `rings` the table and either ring stands.
    pub geometry: Geometry,
    /// The buffers.
    pub buffers: &'a WatchedMemory,
    /// Where the device sees them.
    pub buffers_address: DeviceAddress,
}

/// A buffer of a chain, as a device read it in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainBuffer {
    /// Its descriptor's index.
    pub index: u16,
    /// Its device address.
    pub address: u64,
    /// Its length in bytes.
    pub length: u32,
    /// Whether the device writes to it.
    pub writable: bool,
}

/// A chain that a device took.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct TakenChain {
    /// The entry of the available ring.
    pub head: u16,
    /// Whether the device could make sense of the chain. If not, it is returned, but neither read nor written.
    pub whole: bool,
    /// The chain, as far as it could be followed.
    pub buffers: Vec<ChainBuffer>,
    /// The bytes of its device-readable buffers.
    pub payload: Vec<u8>,
}

/// A device that keeps to the specification, to stand in the simulated one's place: see
/// [`Rig::with_device`](super::Rig::with_device).
///
/// It acts when it is told to and not otherwise, by its own reading of the specification; when, and in which order chains
/// come back, is said by the scenario. It tells nothing but what it read: what it did is looked up in memory.
pub trait HonestDevice {
    /// Begins on a queue, at a ring index, with `VIRTIO_F_EVENT_IDX` negotiated or not (2.7.10), and forgets every queue
    /// from before. The queue stays the same until this is called again.
    fn start(&mut self, memory: &DeviceMemory<'_>, first_index: u16, event_index: bool);

    /// The driver notifies of what it made available. The device is told to [`take`](Self::take) anyway.
    fn notified(&mut self, memory: &DeviceMemory<'_>) {
        let _ = memory;
    }

    /// Takes the next available chain (2.7.6) and says so, if there is one. `chain` is empty before.
    fn take(&mut self, memory: &DeviceMemory<'_>, chain: &mut TakenChain) -> bool;

    /// Writes bytes to a chain that it holds, from the beginning of its device-writable buffers, which have room for them.
    fn write(&mut self, memory: &DeviceMemory<'_>, head: u16, bytes: &[u8]);

    /// Puts a chain that it holds into the used ring, with so many bytes written (2.7.8). It may move the used index
    /// right away.
    fn return_chain(&mut self, memory: &DeviceMemory<'_>, head: u16, written: u32);

    /// Moves the used index behind all that was given back.
    fn publish(&mut self, memory: &DeviceMemory<'_>);

    /// Says whether it wants to be notified (2.7.10). Asked for without event indexes only.
    fn set_notifications(&mut self, memory: &DeviceMemory<'_>, wanted: bool);

    /// Says that it wants to be notified of the entry `ahead` of the next one that it will take (2.7.10). Asked for
    /// with event indexes only.
    fn set_event(&mut self, memory: &DeviceMemory<'_>, ahead: u16);
}
