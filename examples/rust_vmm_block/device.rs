//! A block device built from rust-vmm's crates.

use super::request::{ID, SECTOR, kind, status};
use ringstorm_core::{MappedMemory, Region, RingIndex, SplitQueue};
use std::fs::File;
use std::io::{self, Read, Write};
use std::ops::Range;
use std::sync::mpsc::{Receiver, Sender};
use virtio_queue::{DescriptorChain, Error, Queue, QueueOwnedT, QueueT, Reader, Writer};
use vm_memory::{FileOffset, GuestAddress, GuestMemoryMmap};

/// The device id that it reports.
pub const NAME: &[u8; ID as usize] = b"rust-vmm block\0\0\0\0\0\0";

/// A disk in memory, and the device's side of a queue.
pub struct Device {
    queue: Queue,
    memory: GuestMemoryMmap,
    disk: Vec<u8>,
}

/// A parsed request header.
enum Request {
    Read { sector: u64 },
    Write { sector: u64 },
    Flush,
    Id,
    Unsupported,
}

impl Request {
    /// The header contains type, reserved and sector, little-endian (5.2.6).
    fn parse(header: [u8; 16]) -> Self {
        let (kind, rest) = header.split_first_chunk().expect("a header has 16 bytes");
        let sector = u64::from_le_bytes(*rest.last_chunk().expect("12 bytes are left"));
        match u32::from_le_bytes(*kind) {
            kind::IN => Self::Read { sector },
            kind::OUT => Self::Write { sector },
            kind::FLUSH => Self::Flush,
            kind::GET_ID => Self::Id,
            _ => Self::Unsupported,
        }
    }
}

impl Device {
    /// Maps the driver's memory a second time and serves the queue from `first_index`.
    pub fn new(
        driver: &SplitQueue<MappedMemory>,
        size: u16,
        first_index: RingIndex,
        sectors: usize,
    ) -> Result<Self, Box<dyn std::error::Error>> {
        let regions = [driver.rings(), &driver.buffer_regions()[0]].map(mapped);
        let memory =
            GuestMemoryMmap::from_ranges_with_files(regions.into_iter().collect::<io::Result<Vec<_>>>()?)?;
        let mut queue = Queue::new(size)?;
        let [table, available, used] = driver.addresses().map(|address| GuestAddress(address.get()));
        queue.try_set_size(size)?;
        queue.try_set_desc_table_address(table)?;
        queue.try_set_avail_ring_address(available)?;
        queue.try_set_used_ring_address(used)?;
        queue.set_next_avail(first_index.get());
        queue.set_next_used(first_index.get());
        queue.set_event_idx(true);
        queue.set_ready(true);
        if !queue.is_valid(&memory) {
            return Err("virtio-queue reports that the queue is not valid".into());
        }
        Ok(Self { queue, memory, disk: vec![0; sectors * SECTOR] })
    }

    /// Serves until the driver has dropped its end of the channel. Returns the disk.
    pub fn run(mut self, kicks: &Receiver<()>, calls: &Sender<()>) -> Result<Vec<u8>, Error> {
        while kicks.recv().is_ok() {
            self.serve()?;
            // A driver that dropped the receiver is about to drop the sender too.
            if self.queue.needs_notification(&self.memory)? && calls.send(()).is_err() {
                break;
            }
        }
        Ok(self.disk)
    }

    /// Serves the available requests, and those that become available meanwhile.
    fn serve(&mut self) -> Result<(), Error> {
        loop {
            self.queue.disable_notification(&self.memory)?;
            let memory = self.memory.clone();
            while let Some(chain) = self.queue.iter(&memory)?.next() {
                let head = chain.head_index();
                let written = self.answer(&memory, chain)?;
                self.queue.add_used(&memory, head, written)?;
            }
            if !self.queue.enable_notification(&self.memory)? {
                return Ok(());
            }
        }
    }

    /// Answers one request and returns the number of bytes written: all writable bytes, or 0 without room for a status.
    fn answer(
        &mut self,
        memory: &GuestMemoryMmap,
        chain: DescriptorChain<&GuestMemoryMmap>,
    ) -> Result<u32, Error> {
        let mut reader = chain.clone().reader(memory)?;
        let mut data = chain.writer(memory)?;
        let Some(room) = data.available_bytes().checked_sub(1) else { return Ok(0) };
        // The last writable byte is the status, whatever the division into buffers (2.7.4, 5.2.6).
        let mut last = data.split_at(room)?;
        let status = match self.carry_out(&mut reader, &mut data) {
            Ok(()) => status::OK,
            Err(status) => status,
        };
        // The driver may read all bytes up to the used length, so the device must write all of them.
        let rest = vec![0; data.available_bytes()];
        data.write_all(&rest).and_then(|()| last.write_all(&[status])).map_err(|_| Error::InvalidChain)?;
        Ok(room as u32 + 1)
    }

    fn carry_out(&mut self, reader: &mut Reader<'_>, data: &mut Writer<'_>) -> Result<(), u8> {
        let mut header = [0; 16];
        let io_error = |_: io::Error| status::IO_ERROR;
        reader.read_exact(&mut header).map_err(io_error)?;
        match Request::parse(header) {
            Request::Read { sector } => {
                let place = self.place(sector, data.available_bytes())?;
                data.write_all(&self.disk[place]).map_err(io_error)
            }
            Request::Write { sector } => {
                let place = self.place(sector, reader.available_bytes())?;
                reader.read_exact(&mut self.disk[place]).map_err(io_error)
            }
            Request::Flush => Ok(()),
            Request::Id if data.available_bytes() >= NAME.len() => data.write_all(NAME).map_err(io_error),
            Request::Id => Err(status::IO_ERROR),
            Request::Unsupported => Err(status::UNSUPPORTED),
        }
    }

    /// The bytes of a request on the disk. It is an I/O error unless they are whole sectors, at least one, inside the disk.
    fn place(&self, sector: u64, length: usize) -> Result<Range<usize>, u8> {
        let start = usize::try_from(sector).ok().and_then(|sector| sector.checked_mul(SECTOR));
        let range = start.and_then(|start| Some(start..start.checked_add(length)?));
        range
            .filter(|range| range.end <= self.disk.len() && length > 0 && length.is_multiple_of(SECTOR))
            .ok_or(status::IO_ERROR)
    }
}

/// A region in the form that `vm-memory` takes: device address, length, file.
fn mapped(region: &Region<MappedMemory>) -> io::Result<(GuestAddress, usize, Option<FileOffset>)> {
    let file: File = region.memory().file().expect("a shareable mapping has a file").try_clone()?;
    Ok((GuestAddress(region.address().get()), region.len(), Some(FileOffset::new(file, 0))))
}
