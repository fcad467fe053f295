//! The crate's interface to the transport: it receives the addresses of a queue, and the notifications.

use ringstorm::subject::{Geometry, Provided};
use std::sync::mpsc::{Receiver, Sender};
use virtio_drivers::transport::{DeviceStatus, DeviceType, InterruptStatus, Transport};
use virtio_drivers::{PhysAddr, Result};

/// A transport that records the addresses of the queue and the notifications.
#[derive(Debug, Default)]
pub struct RecordingTransport {
    /// Whether table and rings are in one memory, in the layout of legacy devices (2.7.2).
    legacy: bool,
    size: u16,
    addresses: [PhysAddr; 3],
    notified: bool,
    pause: Option<Pause>,
}

/// A pause after a notification: the call sends `notified` and waits for `go_on`. It unwinds if the other end of a channel was
/// dropped.
#[derive(Debug)]
pub struct Pause {
    pub notified: Sender<()>,
    pub go_on: Receiver<()>,
}

impl RecordingTransport {
    pub fn new(legacy: bool) -> Self {
        Self { legacy, ..Self::default() }
    }

    /// The offsets of the recorded queue in the rings' memory.
    pub fn geometry(&self, provided: &Provided) -> Geometry {
        let offset = |address: PhysAddr| (address - provided.rings_address.get()) as usize;
        let [table, available, used] = self.addresses.map(offset);
        Geometry { size: self.size, table, available, used }
    }

    /// From now on, pauses after each notification.
    pub fn pause(&mut self, pause: Pause) {
        self.pause = Some(pause);
    }

    /// Whether the device was notified since the last call.
    pub fn take_notified(&mut self) -> bool {
        std::mem::take(&mut self.notified)
    }
}

impl Transport for RecordingTransport {
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
            std::panic::resume_unwind(Box::new("the caller has given up this call"));
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
        (self.size, self.addresses) = (size as u16, [table, available, used]);
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
