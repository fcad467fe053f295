//! The split virtqueue (2.7): a descriptor table and both rings.

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

/// A descriptor chain that the device has returned (2.7.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Completion {
    /// The handle of the chain.
    pub head: Head,
    /// The number of bytes that the device reports to have written. The queue limits it to the size of the chain's
    /// device-writable buffers. The bytes can be [read](SplitQueue::read) until the chain is [freed](SplitQueue::free).
    pub written: u32,
}

/// Whether the driver must send an available-buffer notification after publishing (2.7.10).
#[must_use = "a device that is not notified may never look"]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Notification {
    /// The caller must notify the device, by the method of its transport.
    Needed,
    /// No notification is needed: nothing was published, or the device suppresses notifications.
    NotNeeded,
}

/// The driver side of a split virtqueue (2.7), safe against any device.
///
/// The life of a chain:
/// 1. [`submit`](Self::submit) allocates descriptors and writes the chain.
/// 2. [`publish`](Self::publish) makes all submitted chains available to the device.
/// 3. [`take`](Self::take) returns the chain when the device has used it.
/// 4. [`read`](Self::read) copies out what the device wrote.
/// 5. [`free`](Self::free) releases the descriptors.
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
///     // notify the device here
/// }
/// # // The device, by the byte offsets of 2.7: write "noon" to the second buffer and return the chain.
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
/// The device may access the rings until it is stopped, even if no chain is in flight: a correct device may write
/// `avail_event` or the used flags at any time (2.7.8, 2.7.10). Therefore a queue that is dropped or forgotten leaks its
/// memory: the memory stays [abandoned](SharedMemory::abandon). After the device has stopped, [`release`](Self::release)
/// returns the memory to its owner (3.3.1: the driver removes no exposed buffer while the device runs).
///
/// # If the caller's memory panics
/// An implementation of [`SharedMemory`] may panic during a call, and the caller may catch the panic. Then one of these
/// holds:
/// - The call has changed neither the chains nor the free descriptors. (The [`fingerprint`](Self::fingerprint) may differ, because
///   it contains where free descriptors point.)
/// - The call was [`free`](Self::free), and the chain is free.
/// - The queue [is broken](Self::is_broken). Calls return [`DeviceFault::Unwound`] until a [`reset`](Self::reset).
///
/// Bytes that were written to shared memory before the panic stay there. [`verify`](Self::verify) reports them until the
/// descriptors are used again.
///
/// # Clones
/// A clone is a snapshot for tests and model checking. If a clone of `M` shares the memory, use only one of the two queues
/// from then on.
#[derive(Debug, Clone)]
pub struct SplitQueue<M: SharedMemory> {
    table: DescriptorTable<M>,
    available: AvailableRing,
    used: UsedRing,
    /// Serial number of the last published chain. Chains are published in the order of their serial numbers.
    published: u64,
    /// Number of published chains that the device has not returned.
    in_flight: u16,
    health: Health,
    event_index: bool,
    policies: Policies,
}

impl<M: SharedMemory> SplitQueue<M> {
    /// The id of this queue, which is part of every handle of its chains and regions.
    pub const fn id(&self) -> QueueId {
        self.table.id()
    }

    /// Submits a chain in the queue's own buffers. Each slice of `readable` is copied into a device-readable buffer. Each
    /// length of `writable`, in bytes, adds a device-writable buffer after those (2.7.4.2). The device sees the chain after
    /// [`publish`](Self::publish).
    ///
    /// # Errors
    /// [`Misuse`] as for [`DescriptorTable::create`]; [`DeviceFault::Broken`] or [`DeviceFault::Unwound`] if the queue
    /// [is broken](Self::is_broken). The call has changed nothing then.
    #[inline(always)]
    pub fn submit(&mut self, readable: &[&[u8]], writable: &[u32]) -> Result<Head, Error> {
        self.check_whole()?;
        let head = self.table.create_for(self.available.next(), readable, writable)?;
        self.offer(head);
        Ok(head)
    }

    /// Submits a chain in the queue's own buffers, with `readable` and `writable` as lengths in bytes. `fill` writes the
    /// payload directly into the device-readable buffers.
    ///
    /// # Errors
    /// [`Misuse`] as for [`DescriptorTable::create_with`]; [`DeviceFault::Broken`] or [`DeviceFault::Unwound`] if the queue
    /// [is broken](Self::is_broken).
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

    /// Submits a chain over buffers in regions that the caller [registered](Self::register), without a copy. The
    /// device-readable buffers come first (2.7.4.2).
    ///
    /// # Errors
    /// [`Misuse`] as for [`DescriptorTable::create_over`]; [`DeviceFault::Broken`] or [`DeviceFault::Unwound`] if the queue
    /// [is broken](Self::is_broken). The call has changed nothing then.
    #[inline(always)]
    pub fn submit_over(&mut self, readable: &[Segment], writable: &[Segment]) -> Result<Head, Error> {
        self.check_whole()?;
        let head = self.table.create_over_for(self.available.next(), readable, writable)?;
        self.offer(head);
        Ok(head)
    }

    /// Publishes every chain submitted since the last `publish` (2.7.13). Returns whether the caller must notify the device
    /// (2.7.10).
    ///
    /// A broken queue publishes nothing and returns [`Notification::NotNeeded`].
    #[inline(always)]
    pub fn publish(&mut self) -> Notification {
        if self.available.pending() == 0 || self.is_broken() {
            return Notification::NotNeeded;
        }
        let unwinding = BrokenIfUnwound(&mut self.health);
        let (before, count) = (self.available.published(), self.available.pending());
        // Set before the store of the index: if the store unwinds, the device may have the chains nevertheless.
        self.published = self.table.last_serial();
        self.available.publish(self.table.areas());
        self.in_flight += count;
        let wanted = self.used.wants_notification(self.table.areas(), before, self.available.published());
        unwinding.returned();
        if wanted { Notification::Needed } else { Notification::NotNeeded }
    }

    /// Withdraws a chain that was submitted and not published, and frees its descriptors. The other chains keep their order.
    /// The time is proportional to the queue size.
    ///
    /// # Errors
    /// [`Misuse::Published`] if the chain was published, whether or not the device has returned it; another [`Misuse`] if
    /// `head` is not the head of a live chain. The call has changed nothing then.
    pub fn withdraw(&mut self, head: Head) -> Result<(), Misuse> {
        if !self.table.is_created_after(head, self.published)? {
            return Err(Misuse::Published(head));
        }
        if self.is_broken() {
            // A broken queue publishes nothing, so its entries do not matter. An earlier call may have unwound when it had
            // moved only some of them.
            return self.table.free(head);
        }
        let unwinding = BrokenIfUnwound(&mut self.health);
        self.available.take_back_one();
        self.table.move_entries_up(head);
        let freed = self.table.free(head);
        unwinding.returned();
        freed
    }

    /// Takes the next chain that the device returned (2.7.14), or `None` if there is none.
    ///
    /// The queue reads the used index, the id and the length once each, and checks them. It never reads them again.
    ///
    /// # Errors
    /// [`DeviceFault`] if the device broke the specification, or if the queue [is broken](Self::is_broken). [`AfterFault`]
    /// selects what happens to the used element and the queue. The free list and other chains never change.
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
        let UsedElement { id, length } = element;
        let Some((head, chain)) = self.table.in_flight(id, self.published) else {
            return Err(self.fault(self.table.why_not_in_flight(id)));
        };
        chain.stage = Stage::Returned;
        self.in_flight -= 1;
        let writable = chain.writable;
        let mut written = length;
        if u64::from(length) > writable {
            if self.policies.over_long == OverLong::Refuse {
                chain.written = 0;
                return Err(self.fault(DeviceFault::LengthTooLong { head, claimed: length, writable }));
            }
            // Fits: `writable` is less than `length`, which has 32 bits.
            written = writable as u32;
        }
        chain.written = written;
        Ok(Some(Completion { head, written }))
    }

    /// Does what the policy selects after a fault in a used element.
    #[cold]
    #[inline(never)]
    fn fault(&mut self, fault: DeviceFault) -> DeviceFault {
        if self.policies.after_fault == AfterFault::Broken {
            self.health = Health::Broken;
        }
        fault
    }

    /// Copies what the device wrote to the device-writable buffers of a returned chain. Returns the number of bytes: the
    /// smaller one of [`Completion::written`] and the length of `out`. Can be repeated until the chain is freed.
    ///
    /// # Errors
    /// [`Misuse`] if `head` is not the head of a live chain, or [`take`](Self::take) has not returned the chain.
    #[inline]
    pub fn read(&self, head: Head, out: &mut [u8]) -> Result<usize, Misuse> {
        let written = self.table.returned(head)?.written;
        self.table.copy_writable(head, written.into(), out)
    }

    /// Frees the descriptors of a returned chain. The handle is invalid afterwards.
    ///
    /// # Errors
    /// [`Misuse`] if `head` is not the head of a live chain, or [`take`](Self::take) has not returned the chain.
    #[inline(always)]
    pub fn free(&mut self, head: Head) -> Result<(), Misuse> {
        self.table.free_returned(head)
    }

    /// Enables or suppresses used-buffer notifications (2.7.7). A new queue enables them. The device may notify a driver
    /// that suppresses them.
    ///
    /// The setting lasts, also with event indexes, if the caller calls [`take`](Self::take) until no element is left:
    /// `take` moves `used_event` when it takes the last element that it has seen, even if that element is a device fault.
    ///
    /// Returns whether used elements are waiting already. After enabling notifications, a caller that gets `true` must take
    /// them now: the device may have added them before it saw the change, and then does not notify.
    pub fn set_used_notifications(&mut self, wanted: bool) -> bool {
        let unwinding = BrokenIfUnwound(&mut self.health);
        self.available.set_used_notifications(self.table.areas(), wanted, self.used.next());
        if wanted {
            self.table.areas().barrier(FullBarrier::EnabledThenUsed);
        }
        let waiting = self.used.claimed(self.table.areas()) > 0;
        unwinding.returned();
        waiting
    }

    /// Whether a device fault, or a panic of the caller's own memory, has broken the queue. Only a
    /// [`reset`](Self::reset) repairs it.
    #[inline]
    pub const fn is_broken(&self) -> bool {
        !matches!(self.health, Health::Whole)
    }

    /// The number of free descriptors.
    #[inline]
    pub const fn free_count(&self) -> u16 {
        self.table.free_count()
    }

    /// The number of chains in flight: published, and not yet taken.
    pub const fn in_flight(&self) -> u16 {
        self.in_flight
    }

    /// The region of the descriptor table and both rings, at the offsets of [`Layout`](crate::Layout).
    pub const fn rings(&self) -> &Region<M> {
        self.table.table_region()
    }

    /// The device addresses of the descriptor table, the available ring and the used ring, in this order. The transport
    /// passes them to the device.
    pub const fn addresses(&self) -> [DeviceAddress; 3] {
        let (base, layout) = (self.table.address(), self.table.areas().layout());
        [base, base.plus(layout.available() as u64), base.plus(layout.used() as u64)]
    }

    /// The regions of the buffers: first the queue's own, then those of [`register`](Self::register).
    pub fn buffer_regions(&self) -> &[Region<M>] {
        self.table.buffer_regions()
    }

    /// Registers a region of the caller, for [`submit_over`](Self::submit_over).
    ///
    /// # Errors
    /// As for [`DescriptorTable::register`]. The error contains the region.
    pub fn register(&mut self, region: Region<M>) -> Result<RegionId, Refused<Region<M>>> {
        self.table.register(region)
    }

    /// The buffers of a live chain in chain order, from the private copy.
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
