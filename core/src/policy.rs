//! The configuration of a queue: sizes, negotiated features and policies.

use crate::{QueueSize, RingIndex};

/// The policy for the queue after a device fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum AfterFault {
    /// The fault breaks the queue: it refuses to submit and take until a reset. This is the default. A device that broke the
    /// specification may have lost track of the queue, so it is unknown which chains it still accesses.
    #[default]
    Broken,
    /// The queue consumes the bad used element, reports it, and continues. If the device therefore never returns a chain, the
    /// chain stays in flight until a reset. A used index that claims more elements than chains are in flight breaks the queue
    /// under this policy too, because no valid element can be consumed.
    ///
    /// A device that keeps a single chain can add bad elements endlessly, and [`take`](crate::SplitQueue::take) returns an
    /// error for each. So do not call `take` until no element is left. Limit the calls to the number of chains in flight at
    /// the start, plus one. A correct device can have added at most that many elements, and the additional call returns
    /// `None`. If the device claims an element without having a chain, the additional call breaks the queue:
    ///
    /// ```
    /// # use ringstorm_core::{AfterFault, Config, Layout, Policies, QueueSize, RingIndex, SharedMemory, SplitQueue};
    /// # use ringstorm_core::{DeviceFault, DeviceStopped, OrderedStore};
    /// # let policies = Policies { after_fault: AfterFault::Continue, ..Policies::default() };
    /// # let config = Config { policies, ..Config::new(QueueSize::new(4)?) };
    /// # let mut queue = SplitQueue::anonymous(config)?;
    /// # queue.submit(&[b"a request"], &[64])?;
    /// # let _ = queue.publish();
    /// # let used = Layout::new(config.size).used();
    /// # let mut added = 0;
    /// # let mut device_adds_a_bad_element = |queue: &SplitQueue<ringstorm_core::MappedMemory>| {
    /// #     added += 1;
    /// #     let slot = usize::from(added - 1) % 4;
    /// #     queue.rings().memory().store_u32(used + 4 + 8 * slot, 70_000);
    /// #     queue.rings().memory().store_ordered(OrderedStore::UsedIndex, used + 2, added);
    /// # };
    /// # let mut faults = 0;
    /// # device_adds_a_bad_element(&queue);
    /// for _ in 0..=queue.in_flight() {
    ///     match queue.take() {
    ///         Ok(Some(done)) => queue.free(done.head)?, // after reading the chain
    ///         Ok(None) => break,
    ///         // `OverLong::Refuse`: the chain is completed, and only this error names it.
    ///         Err(DeviceFault::LengthTooLong { head, .. }) => queue.free(head)?,
    ///         Err(fault) if queue.is_broken() => return Err(fault.into()), // reset the device
    ///         Err(fault) => eprintln!("{fault}"), // and reset it if this happens too often
    ///     }
    /// #   faults += 1;
    /// #   device_adds_a_bad_element(&queue);
    /// }
    /// # assert_eq!(faults, 2);
    /// # queue.release(DeviceStopped::confirmed());
    /// # Ok::<(), ringstorm_core::Error>(())
    /// ```
    ///
    /// With event indexes, `take` moves `used_event` only when it takes the last element that it has seen. A loop that ends
    /// earlier must call [`set_used_notifications(true)`](crate::SplitQueue::set_used_notifications) before it sleeps, and must not sleep if
    /// that returns `true`.
    Continue,
}

/// The policy for a used length that exceeds the chain's device-writable bytes (2.7.8.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum OverLong {
    /// The queue limits the length to the device-writable bytes. This is the default, because some real devices also count
    /// the device-readable bytes, or report the length that they would have written into a larger buffer.
    #[default]
    Clamp,
    /// The length is a device fault. The chain is completed with zero bytes to read. The caller frees it by the handle in
    /// [`DeviceFault::LengthTooLong`](crate::DeviceFault::LengthTooLong), which is the only report of this chain.
    Refuse,
}

/// The policy for the content of device-writable buffers when a chain is submitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum WritableBuffers {
    /// The buffers keep the bytes of earlier chains. This is the default, because zeroing costs as much as writing the
    /// payload, and the bytes come from this driver. A device may report bytes that it did not write. Choose
    /// [`Zeroed`](Self::Zeroed) if the reader of a chain must not see the payload of earlier chains.
    #[default]
    Unchanged,
    /// The queue zeroes the buffers. Bytes that the device reports but did not write read as zero.
    Zeroed,
}

/// All policies of a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Policies {
    /// The consequence of a device fault.
    pub after_fault: AfterFault,
    /// The treatment of used lengths that are too long.
    pub over_long: OverLong,
    /// The content of device-writable buffers.
    pub writable: WritableBuffers,
}

/// The configuration of a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Config {
    /// The number of descriptors.
    pub size: QueueSize,
    /// The size in bytes of the buffer that belongs to each descriptor. With a multiple of the page size, every buffer is
    /// page-aligned if its region is.
    pub buffer_size: u32,
    /// The first index of both rings: 0, or the index from which a resumed device continues.
    pub first_index: RingIndex,
    /// Whether `VIRTIO_F_EVENT_IDX` was negotiated. Each side then requests notifications by an index, not by a flag (2.7.7,
    /// 2.7.10).
    pub event_index: bool,
    /// The policies.
    pub policies: Policies,
}

impl Config {
    /// The configuration of a queue with `size` descriptors, buffers of 4096 bytes, a first index of 0, no event indexes and
    /// the default policies.
    pub fn new(size: QueueSize) -> Self {
        Self {
            size,
            buffer_size: 4096,
            first_index: RingIndex::new(0),
            event_index: false,
            policies: Policies::default(),
        }
    }
}

/// The caller's confirmation that the device no longer accesses the queue.
///
/// Resetting or releasing a queue makes memory reusable that a running device may still write: the buffers of chains in
/// flight, and the rings at any time. Only the caller knows that the device or the queue was reset (2.4, 2.6.1).
#[derive(Debug)]
pub struct DeviceStopped(());

impl DeviceStopped {
    /// Confirms that the device has stopped. Call this after the device has confirmed its reset, or the reset of this queue.
    pub const fn confirmed() -> Self {
        Self(())
    }
}
