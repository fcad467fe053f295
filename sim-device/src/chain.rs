//! Reading a descriptor chain as a careful device does.

use crate::geometry::{F_INDIRECT, F_NEXT, F_WRITE, Geometry};
use ringstorm_core::SharedMemory;

/// Limit of a chain's length in bytes (2.7.5.2).
const CHAIN_BYTES: u64 = 1 << 32;

/// A place in a registered region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BufferPlace {
    /// Number of the region, in the order of registration.
    pub region: u16,
    /// Bytes from its beginning.
    pub offset: u64,
}

/// A descriptor as it stood in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Descriptor {
    /// Its index in the table.
    pub index: u16,
    /// The buffer's device address.
    pub address: u64,
    /// Where that is; `None` if the buffer is not inside one registered region.
    pub place: Option<BufferPlace>,
    /// The buffer's length in bytes.
    pub length: u32,
    /// The flags, unknown ones included.
    pub flags: u16,
    /// The next index, whether or not the flags make it valid.
    pub next: u16,
}

impl Descriptor {
    /// Whether the device writes to the buffer.
    pub const fn is_writable(&self) -> bool {
        self.flags & F_WRITE != 0
    }

    /// Whether another descriptor follows.
    pub const fn has_next(&self) -> bool {
        self.flags & F_NEXT != 0
    }
}

/// What a device finds wrong with a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChainError {
    /// The entry of the available ring is no index of the table (2.7.6).
    HeadOutOfRange(u16),
    /// A descriptor's next is no index of the table (2.7.5).
    NextOutOfRange(u16),
    /// The chain does not end within queue-size descriptors (2.7.5.2).
    Loop,
    /// A device-readable buffer after a device-writable one (2.7.4.2).
    ReadableAfterWritable(u16),
    /// An indirect table, which was not negotiated (2.7.5.3.1).
    Indirect(u16),
    /// More than 2^32 bytes in all (2.7.5.2).
    TooLong,
    /// A buffer outside every registered region.
    Unregistered(u16),
}

/// The memory that a device was told of: regions, each at a device address.
#[derive(Debug)]
pub struct AddressSpace<M> {
    regions: Vec<(u64, M)>,
}

impl<M: SharedMemory> AddressSpace<M> {
    /// The regions with their device addresses. A region's number is its position.
    pub fn new(regions: impl IntoIterator<Item = (u64, M)>) -> Self {
        Self { regions: regions.into_iter().collect() }
    }

    /// Where a run of bytes is, if one region holds it all.
    #[inline(always)]
    pub fn locate(&self, address: u64, length: u32) -> Option<BufferPlace> {
        self.regions.iter().zip(0..).find_map(|((base, memory), region)| {
            let offset = address.checked_sub(*base)?;
            let end = offset.checked_add(u64::from(length))?;
            (end <= memory.len() as u64).then_some(BufferPlace { region, offset })
        })
    }

    /// The memory of a region by its number.
    pub fn memory(&self, region: u16) -> &M {
        &self.regions[usize::from(region)].1
    }

    /// Copies the chain's device-readable bytes, or its device-writable ones, into `out`, at most `limit`.
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

/// Reads the chain at `head` into `out`, as far as it can be followed, and says what is wrong with it first.
///
/// # Errors
/// [`ChainError`]: a loop, or else the first one in the order of the chain.
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
        // One question for what is nearly always so.
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
        // Somewhere it comes to where it was, and that is noticed long before a large table was gone through: the place
        // that it must not come to again moves on whenever the chain is twice as long (Brent).
        if next == mark || out.len() >= usize::from(geometry.size) {
            // Whatever else is wrong comes of going around.
            return Err(ChainError::Loop);
        }
        if out.len().is_power_of_two() {
            mark = next;
        }
        index = next;
    }
}

/// What is wrong with a descriptor with which something is.
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
