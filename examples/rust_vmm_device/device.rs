//! rust-vmm's split queue as a device. `virtio-queue` and `vm-memory` make every access to table, rings and buffers.

use crate::memory::Regions;
use ringstorm::execution::{ChainBuffer, DeviceMemory, HonestDevice, TakenChain};
use std::cell::Cell;
use std::collections::HashMap;
use std::io::Read;
use std::rc::Rc;
use virtio_queue::{Queue, QueueT};
use vm_memory::{Bytes, GuestAddress};

pub struct RustVmmDevice {
    queue: Queue,
    /// The chains in flight: for each head, address and length of the device-writable buffers.
    in_flight: HashMap<u16, Vec<(GuestAddress, u32)>>,
    /// The last answer of `virtio-queue` to whether the driver wants a used-buffer notification.
    wants_notification: Rc<Cell<bool>>,
    /// Number of requested writes to chains that are not in flight. The device does not make them.
    refused_writes: Rc<Cell<u64>>,
}

impl RustVmmDevice {
    pub fn new() -> Self {
        let queue = Queue::new(32768).expect("the largest queue");
        Self {
            queue,
            in_flight: HashMap::new(),
            wants_notification: Rc::default(),
            refused_writes: Rc::default(),
        }
    }

    /// A handle to the answer at the last `publish`: whether the driver wants a used-buffer notification.
    pub fn wants_notification(&self) -> Rc<Cell<bool>> {
        Rc::clone(&self.wants_notification)
    }

    /// A handle to the number of writes that the device did not make, because their chains are not in flight.
    pub fn refused_writes(&self) -> Rc<Cell<u64>> {
        Rc::clone(&self.refused_writes)
    }
}

impl HonestDevice for RustVmmDevice {
    fn start(&mut self, memory: &DeviceMemory<'_>, first_index: u16, event_index: bool) {
        let Self { queue, in_flight, wants_notification: _, refused_writes: _ } = self;
        in_flight.clear();
        let place = memory.geometry;
        let halves = |offset: usize| {
            let address = memory.rings_address.get() + offset as u64;
            (Some(address as u32), Some((address >> 32) as u32))
        };
        let (table, available, used) = (halves(place.table), halves(place.available), halves(place.used));
        queue.reset();
        queue.set_size(place.size);
        queue.set_desc_table_address(table.0, table.1);
        queue.set_avail_ring_address(available.0, available.1);
        queue.set_used_ring_address(used.0, used.1);
        queue.set_event_idx(event_index);
        queue.set_next_avail(first_index);
        queue.set_next_used(first_index);
        queue.set_ready(true);
        assert!(
            queue.is_valid(&Regions::new(memory)),
            "virtio-queue reports that a queue of size {} is not valid",
            place.size
        );
    }

    fn take(&mut self, memory: &DeviceMemory<'_>, taken: &mut TakenChain) -> bool {
        let memory = Regions::new(memory);
        let Some(chain) = self.queue.pop_descriptor_chain(&memory) else { return false };
        taken.head = chain.head_index();
        let (mut index, mut ended) = (taken.head, false);
        let mut writable = Vec::new();
        for descriptor in chain.clone() {
            let (address, length) = (descriptor.addr(), descriptor.len());
            if descriptor.is_write_only() {
                writable.push((address, length));
            }
            taken.buffers.push(ChainBuffer {
                index,
                address: address.0,
                length,
                writable: descriptor.is_write_only(),
            });
            (index, ended) = (descriptor.next(), !descriptor.has_next());
        }
        let read = chain.clone().reader(&memory).ok();
        let read = read.and_then(|mut reader| reader.read_to_end(&mut taken.payload).ok());
        taken.whole = ended && read.is_some() && chain.writer(&memory).is_ok();
        self.in_flight.insert(taken.head, writable);
        true
    }

    fn write(&mut self, memory: &DeviceMemory<'_>, head: u16, bytes: &[u8]) {
        let memory = Regions::new(memory);
        let mut left = bytes;
        let Some(buffers) = self.in_flight.get(&head) else {
            // The chain was returned already, perhaps under the head of another chain.
            self.refused_writes.set(self.refused_writes.get() + 1);
            return;
        };
        for (address, length) in buffers {
            let now =
                left.split_off(..left.len().min(*length as usize)).expect("the length is at most the rest");
            memory.write_slice(now, *address).expect("the buffer is in memory");
        }
    }

    fn return_chain(&mut self, memory: &DeviceMemory<'_>, head: u16, written: u32) {
        self.in_flight.remove(&head);
        self.queue.add_used(&Regions::new(memory), head, written).expect("the used ring is in memory");
    }

    /// `add_used` has moved the used index already, so there is nothing to write.
    fn publish(&mut self, memory: &DeviceMemory<'_>) {
        let wants_notification = self.queue.needs_notification(&Regions::new(memory));
        self.wants_notification.set(wants_notification.expect("the available ring is in memory"));
    }

    fn set_notifications(&mut self, memory: &DeviceMemory<'_>, wanted: bool) {
        let memory = Regions::new(memory);
        let done = match wanted {
            true => self.queue.enable_notification(&memory).map(|_| ()),
            false => self.queue.disable_notification(&memory),
        };
        done.expect("the used ring is in memory");
    }

    /// `virtio-queue` always asks for the next entry. To ask for another one, its position is changed for the call.
    fn set_event(&mut self, memory: &DeviceMemory<'_>, ahead: u16) {
        let next = self.queue.next_avail();
        self.queue.set_next_avail(next.wrapping_add(ahead));
        self.queue.enable_notification(&Regions::new(memory)).expect("the used ring is in memory");
        self.queue.set_next_avail(next);
    }
}
