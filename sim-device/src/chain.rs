//! Reads and checks a descriptor chain, as a device does.

use crate::geometry::{F_INDIRECT, F_NEXT, F_WRITE, Geometry};
use ringstorm_core::SharedMemory;

/// The longest chain in bytes (2.7.5.2).
const CHAIN_BYTES: u64 = 1 << 32;

/// The position of a buffer in a registered region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BufferPlace {
    /// Number of the region, in the order of registration.
    pub region: u16,
    /// Offset in the region, in bytes.
    pub offset: u64,
}

/// A descriptor as it was in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Descriptor {
    /// Index in the table.
    pub index: u16,
    /// Device address of the buffer.
    pub address: u64,
    /// The position of the buffer; `None` if it is not inside one registered region.
    pub place: Option<BufferPlace>,
    /// Length of the buffer in bytes.
    pub length: u32,
    /// The flags, including unknown ones.
    pub flags: u16,
    /// The field `next`, which is valid only with `VIRTQ_DESC_F_NEXT`.
    pub next: u16,
}

impl Descriptor {
    /// Whether the buffer is device-writable.
    pub const fn is_writable(&self) -> bool {
        self.flags & F_WRITE != 0
    }

    /// Whether another descriptor follows in the chain.
    pub const fn has_next(&self) -> bool {
        self.flags & F_NEXT != 0
    }
}

/// What is wrong with a chain. A number is the index of the descriptor, except in `HeadOutOfRange`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChainError {
    /// The entry of the available ring has this value, which is not an index of the table (2.7.6).
    HeadOutOfRange(u16),
    /// The field `next` is not an index of the table (2.7.5).
    NextOutOfRange(u16),
    /// The chain does not end within queue-size descriptors (2.7.5.2).
    Loop,
    /// A device-readable buffer follows a device-writable one (2.7.4.2).
    ReadableAfterWritable(u16),
    /// The descriptor refers to an indirect table, but the feature was not negotiated (2.7.5.3.1).
    Indirect(u16),
    /// The chain is longer than 2^32 bytes (2.7.5.2).
    TooLong,
    /// The buffer is not inside one registered region.
    Unregistered(u16),
}

/// The memory that is registered with a device: regions, each at a device address.
#[derive(Debug)]
pub struct AddressSpace<M> {
    regions: Vec<(u64, M)>,
}

impl<M: SharedMemory> AddressSpace<M> {
    /// Registers regions with their device addresses. The first one gets number 0.
    pub fn new(regions: impl IntoIterator<Item = (u64, M)>) -> Self {
        Self { regions: regions.into_iter().collect() }
    }

    /// The position of a run of bytes, if it is inside one region.
    #[inline(always)]
    pub fn locate(&self, address: u64, length: u32) -> Option<BufferPlace> {
        self.regions.iter().zip(0..).find_map(|((base, memory), region)| {
            let offset = address.checked_sub(*base)?;
            let end = offset.checked_add(u64::from(length))?;
            (end <= memory.len() as u64).then_some(BufferPlace { region, offset })
        })
    }

    /// The memory of a region.
    ///
    /// # Panics
    /// If no region has this number.
    pub fn memory(&self, region: u16) -> &M {
        &self.regions[usize::from(region)].1
    }

    /// Copies the contents of a chain's device-readable or device-writable buffers to `out`, at most `limit` bytes.
    pub fn gather(&self, chain: &[Descriptor], writable: bool, limit: u64, out: &mut Vec<u8>) {
        out.clear();
        for descriptor in chain.iter().filter(|descriptor| descriptor.is_writable() == writable) {
            let Some(place) = descriptor.place else { continue };
            let count = u64::from(descriptor.length).min(limit - out.len() as u64) as usize;
            let start = out.len();
            out.resize(start + count, 0);
            self.memory(place.region).copy_out(place.offset as usize, &mut out[start..]);
        }
    }
}

/// Reads the chain at `head` into `out`, as far as it can be followed, and checks it.
///
/// # Errors
/// [`ChainError`]: a loop, or otherwise the first error in the order of the chain.
pub fn walk<M: SharedMemory>(
    memory: &M,
    geometry: &Geometry,
    space: &AddressSpace<M>,
    head: u16,
    out: &mut Vec<Descriptor>,
) -> Result<(), ChainError> {
    out.clear();
    if head >= geometry.size {
        return Err(ChainError::HeadOutOfRange(head));
    }
    let (mut index, mut mark) = (head, head);
    let (mut bytes, mut after_writable, mut error) = (0, false, None);
    loop {
        let (address, length, flags, next) = geometry.descriptor(memory, index);
        let descriptor =
            Descriptor { index, address, place: space.locate(address, length), length, flags, next };
        bytes += u64::from(length);
        let disordered = after_writable && !descriptor.is_writable();
        // One branch for all errors, since they are rare.
        if descriptor.place.is_none() || flags & F_INDIRECT != 0 || disordered || bytes > CHAIN_BYTES {
            error = error.or(Some(first_error(&descriptor, disordered)));
        }
        after_writable = descriptor.is_writable();
        out.push(descriptor);
        if flags & F_NEXT == 0 {
            return error.map_or(Ok(()), Err);
        }
        if next >= geometry.size {
            return Err(error.unwrap_or(ChainError::NextOutOfRange(index)));
        }
        // Brent's cycle detection: `mark` moves to the current index whenever the length of the chain has doubled. It finds a
        // loop without a walk through all of a large table.
        if next == mark || out.len() >= usize::from(geometry.size) {
            // A loop has precedence: it can cause the other errors.
            return Err(ChainError::Loop);
        }
        if out.len().is_power_of_two() {
            mark = next;
        }
        index = next;
    }
}

/// The first error of a descriptor that has one.
#[cold]
const fn first_error(descriptor: &Descriptor, disordered: bool) -> ChainError {
    let index = descriptor.index;
    if descriptor.place.is_none() {
        ChainError::Unregistered(index)
    } else if descriptor.flags & F_INDIRECT != 0 {
        ChainError::Indirect(index)
    } else if disordered {
        ChainError::ReadableAfterWritable(index)
    } else {
        ChainError::TooLong
    }
}
