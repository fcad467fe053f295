//! What the crate asks of a transport: it is told where a queue is, and when to notify the device.

use ringstorm::subject::{Geometry, Provided};
use std::sync::mpsc::{Receiver, Sender};
use virtio_drivers::transport::{DeviceStatus, DeviceType, InterruptStatus, Transport};
use virtio_drivers::{PhysAddr, Result};

/// A transport that remembers what it is told.
#[derive(Debug, Default)]
pub struct Told {
    /// Table and rings of a queue of one memory for all of them, as legacy devices want it (2.7.2).
    legacy: bool,
    size: u16,
    places: [PhysAddr; 3],
    notified: bool,
    pause: Option<Pause>,
}

/// Where a call of the queue waits that has just notified the device: it says so, and goes on when it is told to. If nobody
/// is there any more to tell it, it unwinds.
#[derive(Debug)]
pub struct Pause {
    pub notified: Sender<()>,
    pub go_on: Receiver<()>,
}

impl Told {
    pub fn new(legacy: bool) -> Self {
        Self { legacy, ..Self::default() }
    }

    /// Where the queue is that it was told of.
    pub fn geometry(&self, provided: &Provided) -> Geometry {
        let offset = |address: PhysAddr| (address - provided.rings_address.get()) as usize;
        let [table, available, used] = self.places.map(offset);
        Geometry { size: self.size, table, available, used }
    }

    /// From now on, waits after each notification.
    pub fn pause(&mut self, pause: Pause) {
        self.pause = Some(pause);
    }

    /// Whether the device was notified since this was last asked.
    pub fn take_notified(&mut self) -> bool {
        std::mem::take(&mut self.notified)
    }
}

impl Transport for Told {
    fn device_type(&self) -> DeviceType {
        DeviceType::Block
    }
    fn read_device_features(&mut self) -> u64 {
        0
    }
    fn write_driver_features(&mut self, _: u64) {}
    fn max_queue_size(&mut self, _: u16) -> u32 {
        32768
    }
    fn notify(&mut self, _: u16) {
        self.notified = true;
        if let Some(Pause { notified, go_on }) = &self.pause
            && (notified.send(()).is_err() || go_on.recv().is_err())
        {
            std::panic::resume_unwind(Box::new("nobody waits for this call any more"));
        }
    }
    fn get_status(&self) -> DeviceStatus {
        DeviceStatus::DRIVER_OK
    }
    fn set_status(&mut self, _: DeviceStatus) {}
    fn set_guest_page_size(&mut self, _: u32) {}
    fn requires_legacy_layout(&self) -> bool {
        self.legacy
    }
    fn queue_set(&mut self, _: u16, size: u32, table: PhysAddr, available: PhysAddr, used: PhysAddr) {
        (self.size, self.places) = (size as u16, [table, available, used]);
    }
    fn queue_unset(&mut self, _: u16) {}
    fn queue_used(&mut self, _: u16) -> bool {
        false
    }
    fn ack_interrupt(&mut self) -> InterruptStatus {
        InterruptStatus::empty()
    }
    fn read_config_generation(&self) -> u32 {
        0
    }
    fn read_config_space<T>(&self, _: usize) -> Result<T> {
        unreachable!("a queue has no configuration")
    }
    fn write_config_space<T>(&mut self, _: usize, _: T) -> Result<()> {
        unreachable!("a queue has no configuration")
    }
}
