//! The split virtqueue: table and rings together.

mod fingerprint;

use crate::table::Stage;
use crate::{
    AfterFault, Areas, AvailableRing, Buffer, ChainWriter, Config, DescriptorTable, DeviceAddress,
    DeviceFault, DeviceStopped, Error, FullBarrier, Head, Misuse, OverLong, Policies, Refused, Region,
    RegionId, RingIndex, Segment, SharedMemory, Tampering, UsedElement, UsedRing,
};
use alloc::vec::Vec;

/// A chain that the device gave back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Completion {
    /// The chain.
    pub head: Head,
    /// Bytes that the device says it wrote, at most the chain's device-writable bytes. They can be
    /// [read](SplitQueue::read) until the chain is [freed](SplitQueue::free).
    pub written: u32,
}

/// Whether the device must be notified of what was published.
#[must_use = "a device that is not notified may never look"]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Notification {
    /// Notify it, in the way of the transport.
    Needed,
    /// Nothing was published, or the device asked not to be notified.
    NotNeeded,
}

/// A split virtqueue (2.7), driver side, safe against any device.
///
/// A chain is [submitted](Self::submit), [published](Self::publish) alone or with others, and belongs to the
/// device until [`take`](Self::take) returns it; then it is [read](Self::read) and [freed](Self::free).
///
/// ```
/// use ringstorm_core::{Config, HeapMemory, Layout, Notification, QueueSize, Region, SplitQueue};
///
/// let config = Config { buffer_size: 512, ..Config::new(QueueSize::new(16)?) };
/// let rings = HeapMemory::new(Layout::new(config.size).len())?;
/// let buffers = HeapMemory::new(512 * 16)?;
/// let mut queue = SplitQueue::new(config, Region::new(&rings), Region::new(&buffers))?;
///
/// let head = queue.submit(&[b"what time is it?"], &[64])?;
/// if queue.publish() == Notification::Needed {
///     // kick the device here
/// }
/// # // The device, by the byte offsets of 2.7: write "noon" to the second buffer, return the chain.
/// # use ringstorm_core::{OrderedStore, SharedMemory};
/// # let reply = queue.buffers(head)?.last().unwrap();
/// # buffers.copy_in(reply.offset, b"noon");
/// # let used = Layout::new(config.size).used();
/// # rings.store_u32(used + 4, head.index().into());
/// # rings.store_u32(used + 8, 4);
/// # rings.store_ordered(OrderedStore::UsedIndex, used + 2, 1);
/// if let Some(done) = queue.take()? {
///     let mut answer = [0; 64];
///     let length = queue.read(done.head, &mut answer)?;
///     assert_eq!(&answer[..length], b"noon");
///     queue.free(done.head)?;
/// }
/// # Ok::<(), ringstorm_core::Error>(())
/// ```
///
/// A clone is a snapshot for tests and model checking: where cloning the memory's handle shares the memory, the two must
/// not both go on.
#[derive(Debug, Clone)]
pub struct SplitQueue<M: SharedMemory> {
    table: DescriptorTable<M>,
    available: AvailableRing,
    used: UsedRing,
    /// Serial number of the last chain published: chains are published in the order they are made.
    published: u64,
    /// Chains that the device has.
    in_flight: u16,
    broken: bool,
    event_index: bool,
    policies: Policies,
}

impl<M: SharedMemory> SplitQueue<M> {
    /// Makes a queue over memory for the rings, of at least [`Layout::len`](crate::Layout::len) bytes, and for the buffers, of at
    /// least `buffer_size` times `size` bytes. Whatever stood in table and rings is overwritten, but not the padding between
    /// and behind the rings, so the device must not use them yet.
    ///
    /// # Errors
    /// [`Misuse`] if a region does not suit, [`SystemError`](crate::SystemError) if memory is short.
    pub fn new(config: Config, rings: Region<M>, buffers: Region<M>) -> Result<Self, Error> {
        let Config { size, buffer_size, first_index, event_index, policies } = config;
        let areas = Areas::new(size, rings)?;
        let table = DescriptorTable::over(areas, buffer_size, policies.writable, buffers)?;
        let available = AvailableRing::new(table.areas(), first_index, event_index);
        let used = UsedRing::new(table.areas(), first_index, event_index);
        Ok(Self { table, available, used, published: 0, in_flight: 0, broken: false, event_index, policies })
    }

    /// Submits a chain by copy: each of `readable` is copied into a buffer for the device to read, then each
    /// length in `writable` gives a buffer for it to write. The device learns of it when it is
    /// [published](Self::publish).
    ///
    /// # Errors
    /// [`Misuse`] as for [`DescriptorTable::create`], or [`DeviceFault::Broken`]. Nothing has changed then.
    #[inline(always)]
    pub fn submit(&mut self, readable: &[&[u8]], writable: &[u32]) -> Result<Head, Error> {
        self.check_whole()?;
        let head = self.table.create(readable, writable)?;
        self.offer(head);
        Ok(head)
    }

    /// Submits a chain whose payload `fill` writes in place.
    ///
    /// # Errors
    /// As for [`DescriptorTable::create_with`], or [`DeviceFault::Broken`].
    pub fn submit_with(
        &mut self,
        readable: &[u32],
        writable: &[u32],
        fill: impl FnOnce(&mut ChainWriter<'_, M>) -> Result<(), Misuse>,
    ) -> Result<Head, Error> {
        self.check_whole()?;
        let head = self.table.create_with(readable, writable, fill)?;
        self.offer(head);
        Ok(head)
    }

    /// Submits a chain over buffers in regions that the caller [registered](Self::register), with no copy.
    ///
    /// # Errors
    /// As for [`DescriptorTable::create_over`], or [`DeviceFault::Broken`]. Nothing has changed then.
    #[inline(always)]
    pub fn submit_over(&mut self, readable: &[Segment], writable: &[Segment]) -> Result<Head, Error> {
        self.check_whole()?;
        let head = self.table.create_over(readable, writable)?;
        self.offer(head);
        Ok(head)
    }

    /// Tells the device of all chains submitted since the last time, and says whether to notify it.
    ///
    /// On a broken queue nothing is published: the device is not to be fed any more.
    #[inline(always)]
    pub fn publish(&mut self) -> Notification {
        if self.available.pending() == 0 || self.broken {
            return Notification::NotNeeded;
        }
        let before = self.available.published();
        self.in_flight += self.available.pending();
        self.available.publish(self.table.areas());
        self.published = self.table.last_serial();
        match self.used.wants_notification(self.table.areas(), before, self.available.published()) {
            true => Notification::Needed,
            false => Notification::NotNeeded,
        }
    }

    /// Takes the next chain that the device gave back, if there is one.
    ///
    /// Index, id and length are each read once and checked. What the queue then believes is in the
    /// [`Completion`] and in private memory.
    ///
    /// # Errors
    /// [`DeviceFault`] if the device broke the specification. What became of the element and the queue stands
    /// with [`AfterFault`]; the free list and other chains are never touched.
    #[inline(always)]
    pub fn take(&mut self) -> Result<Option<Completion>, DeviceFault> {
        if self.broken {
            return Err(DeviceFault::Broken);
        }
        let claimed = self.used.claimed(self.table.areas());
        if claimed == 0 {
            return Ok(None);
        }
        if claimed > self.in_flight {
            self.broken = true;
            return Err(DeviceFault::IndexJump { claimed, in_flight: self.in_flight });
        }
        let element = self.used.take(self.table.areas());
        if claimed == 1 {
            self.available.taken_up_to(self.table.areas(), self.used.next());
        }
        match self.complete(element) {
            Ok(completion) => Ok(Some(completion)),
            Err(fault) => {
                self.broken = self.policies.after_fault == AfterFault::Broken;
                Err(fault)
            }
        }
    }

    /// Judges a used element, and makes its chain a returned one if it is good.
    #[inline(always)]
    fn complete(&mut self, element: UsedElement) -> Result<Completion, DeviceFault> {
        let UsedElement { id, length } = element;
        let Some((head, chain)) = self.table.in_flight(id, self.published) else {
            return Err(self.table.why_not_in_flight(id));
        };
        chain.stage = Stage::Returned;
        self.in_flight -= 1;
        let writable = chain.writable;
        if u64::from(length) > writable {
            if self.policies.over_long == OverLong::Refuse {
                return Err(DeviceFault::LengthTooLong { head, claimed: length, writable });
            }
            // A length is below 2^32, so what it exceeds is too.
            chain.written = writable as u32;
        } else {
            chain.written = length;
        }
        Ok(Completion { head, written: chain.written })
    }

    /// Copies what the device wrote to a returned chain: at most as many bytes as it reported, and as fit
    /// into `out`. Returns how many. Can be repeated until the chain is freed.
    ///
    /// # Errors
    /// [`Misuse`] if `head` is not the head of a live chain, or the device still has the chain.
    #[inline]
    pub fn read(&self, head: Head, out: &mut [u8]) -> Result<usize, Misuse> {
        let written = self.table.returned(head)?.written;
        self.table.copy_writable(head, written.into(), out)
    }

    /// Frees a returned chain.
    ///
    /// # Errors
    /// [`Misuse`] if `head` is not the head of a live chain, or the device still has the chain.
    #[inline(always)]
    pub fn free(&mut self, head: Head) -> Result<(), Misuse> {
        self.table.free_returned(head)
    }

    /// Asks the device to notify of used elements, or not to (2.7.7). A new queue asks it to.
    ///
    /// The wish stays, with event indexes too, for a caller that takes until there is none: [`take`](Self::take) asks
    /// anew with the last element it knows of, whether that was good or a device fault.
    ///
    /// Returns whether used elements are waiting already. After asking for notifications, a caller that
    /// gets `true` takes them now: the device may have added them before it saw the wish.
    pub fn set_interrupts(&mut self, wanted: bool) -> bool {
        self.available.set_interrupts(self.table.areas(), wanted, self.used.next());
        if wanted {
            self.table.areas().barrier(FullBarrier::EnabledThenUsed);
        }
        self.used.claimed(self.table.areas()) > 0
    }

    /// Starts over with both rings at `first_index`: every descriptor is free, the queue is whole, and no
    /// completion from before can be taken any more. The rings in memory are written anew, so the device
    /// must be stopped, and be told the same index when it starts.
    pub fn reset(&mut self, stopped: DeviceStopped, first_index: RingIndex) {
        self.table.reset(stopped);
        self.available = AvailableRing::new(self.table.areas(), first_index, self.event_index);
        self.used = UsedRing::new(self.table.areas(), first_index, self.event_index);
        self.in_flight = 0;
        self.broken = false;
    }

    /// Gives the memory back.
    ///
    /// # Errors
    /// [`Misuse::ChainsLive`] if there are live chains. The queue comes back with the error, as it was.
    #[expect(clippy::result_large_err, reason = "the queue comes back with the error; a box could fail")]
    pub fn release(self) -> Result<(), Refused<Self>> {
        match self.table.live_count() {
            0 => Ok(()),
            descriptors => Err(Refused { error: Misuse::ChainsLive { descriptors }.into(), value: self }),
        }
    }

    /// Gives the memory back although chains may be live: the caller knows that the device has stopped.
    pub fn release_stopped(self, stopped: DeviceStopped) {
        self.table.release_stopped(stopped);
    }

    /// Whether a device fault made the queue broken.
    #[inline]
    pub const fn is_broken(&self) -> bool {
        self.broken
    }

    /// Number of free descriptors.
    #[inline]
    pub const fn free_count(&self) -> u16 {
        self.table.free_count()
    }

    /// Number of chains that the device has.
    pub const fn in_flight(&self) -> u16 {
        self.in_flight
    }

    /// Where the rings stand: flags, index and entries at the offsets of [`Layout`](crate::Layout).
    pub const fn rings(&self) -> &Region<M> {
        self.table.table_region()
    }

    /// Where the device sees descriptor table, available ring and used ring, in this order.
    pub const fn addresses(&self) -> [DeviceAddress; 3] {
        let (base, layout) = (self.table.address(), self.table.areas().layout());
        [base, base.plus(layout.available() as u64), base.plus(layout.used() as u64)]
    }

    /// The regions that buffers lie in: first the queue's own, then those of [`register`](Self::register).
    pub fn buffer_regions(&self) -> &[Region<M>] {
        self.table.buffer_regions()
    }

    /// Registers a region of the caller's, for chains over buffers in it.
    ///
    /// # Errors
    /// As for [`DescriptorTable::register`].
    pub fn register(&mut self, region: Region<M>) -> Result<RegionId, Error> {
        self.table.register(region)
    }

    /// The buffers of a live chain, in order, from the private copy.
    ///
    /// # Errors
    /// [`Misuse`] if `head` is not the head of a live chain.
    pub fn buffers(&self, head: Head) -> Result<impl ExactSizeIterator<Item = Buffer> + '_, Misuse> {
        self.table.buffers(head)
    }

    /// Compares the descriptor table with the private copy: see [`DescriptorTable::verify`].
    pub fn verify(&self) -> Vec<Tampering> {
        self.table.verify()
    }

    #[inline(always)]
    fn check_whole(&self) -> Result<(), DeviceFault> {
        if self.broken { Err(DeviceFault::Broken) } else { Ok(()) }
    }

    #[inline(always)]
    fn offer(&mut self, head: Head) {
        self.available.push(self.table.areas(), head.index());
    }
}

#[cfg(feature = "std")]
impl SplitQueue<crate::MappedMemory> {
    /// Makes a queue over memory of its own, for a device in this process or one that pins its pages.
    ///
    /// # Errors
    /// As for [`new`](Self::new), or what the operating system refused.
    pub fn anonymous(config: Config) -> Result<Self, Error> {
        Self::mapped(config, crate::MappedMemory::anonymous)
    }

    /// Makes a queue over memory of its own that a device in another process can map: see
    /// [`MappedMemory::shareable`](crate::MappedMemory::shareable).
    ///
    /// # Errors
    /// As for [`new`](Self::new), or what the operating system refused.
    pub fn shareable(config: Config) -> Result<Self, Error> {
        Self::mapped(config, crate::MappedMemory::shareable)
    }

    fn mapped(
        config: Config,
        map: impl Fn(usize) -> Result<crate::MappedMemory, crate::SystemError>,
    ) -> Result<Self, Error> {
        let bytes = (config.buffer_size as usize)
            .checked_mul(config.size.as_usize())
            .filter(|bytes| *bytes > 0)
            .ok_or(Misuse::BufferSize(config.buffer_size))?;
        let rings = map(crate::Layout::new(config.size).len())?;
        Self::new(config, Region::new(rings), Region::new(map(bytes)?))
    }
}
