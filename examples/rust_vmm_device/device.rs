//! rust-vmm's split queue as a device: every access to table, rings and buffers is made by `virtio-queue` and `vm-memory`.

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
    /// By head: where the device-writable buffers of a chain are that it holds.
    held: HashMap<u16, Vec<(GuestAddress, u32)>>,
    /// Whether the driver asked to be notified of what was returned last, as `virtio-queue` has it.
    asked: Rc<Cell<bool>>,
    /// How many writes to chains that it does not hold it was told to make.
    unheld: Rc<Cell<u64>>,
}

impl RustVmmDevice {
    pub fn new() -> Self {
        let queue = Queue::new(32768).expect("the largest queue");
        Self { queue, held: HashMap::new(), asked: Rc::default(), unheld: Rc::default() }
    }

    /// A handle to what it found when it was last told to publish: whether the driver asked to be notified.
    pub fn asked(&self) -> Rc<Cell<bool>> {
        Rc::clone(&self.asked)
    }

    /// A handle to the number of writes that it did not make, since they were to chains that it does not hold.
    pub fn unheld(&self) -> Rc<Cell<u64>> {
        Rc::clone(&self.unheld)
    }
}

impl HonestDevice for RustVmmDevice {
    fn start(&mut self, memory: &DeviceMemory<'_>, first_index: u16, event_index: bool) {
        let Self { queue, held, asked: _, unheld: _ } = self;
        held.clear();
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
        assert!(queue.is_valid(&Regions::new(memory)), "rust-vmm takes the queue at {place:?} for one");
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
        self.held.insert(taken.head, writable);
        true
    }

    fn write(&mut self, memory: &DeviceMemory<'_>, head: u16, bytes: &[u8]) {
        let memory = Regions::new(memory);
        let mut left = bytes;
        let Some(buffers) = self.held.get(&head) else {
            // It was returned already, perhaps by the name of another chain.
            self.unheld.set(self.unheld.get() + 1);
            return;
        };
        for (address, length) in buffers {
            let now = left.split_off(..left.len().min(*length as usize)).expect("at most all that is left");
            memory.write_slice(now, *address).expect("the buffer is in memory");
        }
    }

    fn return_chain(&mut self, memory: &DeviceMemory<'_>, head: u16, written: u32) {
        self.held.remove(&head);
        self.queue.add_used(&Regions::new(memory), head, written).expect("the used ring is in memory");
    }

    /// The index was moved with each chain.
    fn publish(&mut self, memory: &DeviceMemory<'_>) {
        let asked = self.queue.needs_notification(&Regions::new(memory));
        self.asked.set(asked.expect("the available ring is in memory"));
    }

    fn set_notifications(&mut self, memory: &DeviceMemory<'_>, wanted: bool) {
        let memory = Regions::new(memory);
        let done = match wanted {
            true => self.queue.enable_notification(&memory).map(|_| ()),
            false => self.queue.disable_notification(&memory),
        };
        done.expect("the used ring is in memory");
    }

    /// It asks for the next entry, and for no other: so it is told that the next one is another for as long.
    fn set_event(&mut self, memory: &DeviceMemory<'_>, ahead: u16) {
        let next = self.queue.next_avail();
        self.queue.set_next_avail(next.wrapping_add(ahead));
        self.queue.enable_notification(&Regions::new(memory)).expect("the used ring is in memory");
        self.queue.set_next_avail(next);
    }
}
