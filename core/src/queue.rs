//! The split virtqueue: table and rings together.

mod fingerprint;
mod lifecycle;
mod unwinding;

use crate::table::Stage;
use crate::{
    AfterFault, AvailableRing, Buffer, ChainWriter, DescriptorTable, DeviceAddress, DeviceFault, Error,
    FullBarrier, Head, Misuse, OverLong, Policies, QueueId, Refused, Region, RegionId, Segment, SharedMemory,
    Tampering, UsedElement, UsedRing,
};
use alloc::vec::Vec;
use unwinding::{BrokenIfUnwound, Health};

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
/// use ringstorm_core::{
///     Config, DeviceStopped, HeapMemory, Layout, Notification, QueueSize, Refused, Region, SplitQueue,
/// };
///
/// let config = Config { buffer_size: 512, ..Config::new(QueueSize::new(16)?) };
/// let rings = HeapMemory::new(Layout::new(config.size).len())?;
/// let buffers = HeapMemory::new(512 * 16)?;
/// let made = SplitQueue::new(config, Region::new(&rings), Region::new(&buffers));
/// let mut queue = made.map_err(Refused::into_error)?;
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
/// // Once the device has confirmed its reset:
/// queue.release(DeviceStopped::confirmed());
/// # Ok::<(), ringstorm_core::Error>(())
/// ```
///
/// # The memory
/// The rings are the device's until it is stopped, with chains in flight or without: an honest device may write
/// `avail_event` or the used flags at any time (2.7.8, 2.7.10). So a queue that is dropped or forgotten does not give its memory
/// back: the memory stays [abandoned](SharedMemory::abandon), which leaks it. [`release`](Self::release) gives the memory back, once the device has stopped
/// (3.3.1: no exposed buffer is removed before that).
///
/// # Panics of the caller's own memory
/// If an implementation of [`SharedMemory`] panics in the middle of a call, and the panic is caught, then the call has
/// changed nothing, or it has freed the chain that it was to [`free`](Self::free), or the queue
/// [is broken](Self::is_broken): only a [`reset`](Self::reset) helps then, and calls return [`DeviceFault::Unwound`]. What was
/// written to shared memory until the panic stays there: [`verify`](Self::verify) reports it until the descriptors are used
/// again.
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
    health: Health,
    event_index: bool,
    policies: Policies,
}

impl<M: SharedMemory> SplitQueue<M> {
    /// What the names of its chains and regions begin with.
    pub const fn id(&self) -> QueueId {
        self.table.id()
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
        let head = self.table.create_for(self.available.next(), readable, writable)?;
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
        let head = self.table.create_with_for(self.available.next(), readable, writable, fill)?;
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
        let head = self.table.create_over_for(self.available.next(), readable, writable)?;
        self.offer(head);
        Ok(head)
    }

    /// Publishes every chain submitted since the last `publish`. Returns whether the device must be notified.
    ///
    /// A broken queue publishes nothing: the device gets no more chains.
    #[inline(always)]
    pub fn publish(&mut self) -> Notification {
        if self.available.pending() == 0 || self.is_broken() {
            return Notification::NotNeeded;
        }
        let unwinding = BrokenIfUnwound(&mut self.health);
        let (before, count) = (self.available.published(), self.available.pending());
        // If the store of the index unwinds, the device may have the chains all the same.
        self.published = self.table.last_serial();
        self.available.publish(self.table.areas());
        self.in_flight += count;
        let wanted = self.used.wants_notification(self.table.areas(), before, self.available.published());
        unwinding.returned();
        if wanted { Notification::Needed } else { Notification::NotNeeded }
    }

    /// Takes back a chain that was submitted and not published: its descriptors are free again. The other chains keep their
    /// order. Takes time in proportion to the queue size.
    ///
    /// # Errors
    /// [`Misuse::Published`] if the device may have the chain, or has returned it; [`Misuse`] if `head` is not the head of a
    /// live chain. Nothing has changed then.
    pub fn withdraw(&mut self, head: Head) -> Result<(), Misuse> {
        if !self.table.is_created_after(head, self.published)? {
            return Err(Misuse::Published(head));
        }
        if self.is_broken() {
            // It publishes nothing any more. An earlier call may have unwound with the entries half moved.
            return self.table.free(head);
        }
        let unwinding = BrokenIfUnwound(&mut self.health);
        self.available.take_back_one();
        self.table.move_entries_up(head);
        let freed = self.table.free(head);
        unwinding.returned();
        freed
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
        self.health.check()?;
        let claimed = self.used.claimed(self.table.areas());
        if claimed == 0 {
            return Ok(None);
        }
        if claimed > self.in_flight {
            self.health = Health::Broken;
            return Err(DeviceFault::IndexJump { claimed, in_flight: self.in_flight });
        }
        let element = self.used.take(self.table.areas());
        if claimed == 1 {
            let unwinding = BrokenIfUnwound(&mut self.health);
            self.available.taken_up_to(self.table.areas(), self.used.next());
            unwinding.returned();
        }
        match self.complete(element) {
            Ok(completion) => Ok(Some(completion)),
            Err(fault) => {
                if self.policies.after_fault == AfterFault::Broken {
                    self.health = Health::Broken;
                }
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
        let unwinding = BrokenIfUnwound(&mut self.health);
        self.available.set_interrupts(self.table.areas(), wanted, self.used.next());
        if wanted {
            self.table.areas().barrier(FullBarrier::EnabledThenUsed);
        }
        let waiting = self.used.claimed(self.table.areas()) > 0;
        unwinding.returned();
        waiting
    }

    /// Whether the queue is broken, by a device fault or by a panic of the caller's own memory; only a
    /// [`reset`](Self::reset) helps.
    #[inline]
    pub const fn is_broken(&self) -> bool {
        !matches!(self.health, Health::Whole)
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
    /// As for [`DescriptorTable::register`]. The region comes back with the error.
    pub fn register(&mut self, region: Region<M>) -> Result<RegionId, Refused<Region<M>>> {
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
        self.health.check()
    }

    #[inline(always)]
    fn offer(&mut self, head: Head) {
        let unwinding = BrokenIfUnwound(&mut self.health);
        self.available.push(self.table.areas(), head.index());
        unwinding.returned();
    }
}
