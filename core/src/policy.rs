//! Choices that a caller states once, when the queue is made.

use crate::{QueueSize, RingIndex};

/// What becomes of the queue after a device fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum AfterFault {
    /// The queue is broken: submitting and taking are refused until a reset. The default, since a device
    /// that broke the specification once has lost track of the queue, and what it still holds is unknown.
    #[default]
    Broken,
    /// The bad element is consumed and reported, and the queue continues. Chains that the device thereby never
    /// returns stay in flight until a reset. A used index that claims more than is in flight makes the queue
    /// broken under this policy too: it names no element that could be consumed.
    ///
    /// A device that keeps a single chain can add bad elements without end, and each is one more error of
    /// [`take`](crate::SplitQueue::take). So do not take until there is nothing left. Allow for as many elements as were in
    /// flight when you began, which is all that an honest device can have added by then, and one more. That one finds nothing
    /// if the device is honest, and makes the queue broken if the device claims an element although it has no chain:
    ///
    /// ```
    /// # use ringstorm_core::{AfterFault, Config, Layout, Policies, QueueSize, RingIndex, SharedMemory, SplitQueue};
    /// # use ringstorm_core::{DeviceFault, DeviceStopped, OrderedStore};
    /// # let policies = Policies { after_fault: AfterFault::GoOn, ..Policies::default() };
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
    ///         Ok(Some(done)) => queue.free(done.head)?, // after reading what it brings
    ///         Ok(None) => break,
    ///         // `OverLong::Refuse`: the chain is back, and only this error names it.
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
    /// With event indexes `take` asks for the next notification when it takes the last element that it has seen; a loop that
    /// ends earlier calls [`set_interrupts(true)`](crate::SplitQueue::set_interrupts) before it sleeps, and does not sleep if
    /// that returns `true`.
    GoOn,
}

/// What becomes of a used length that exceeds the chain's device-writable bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum OverLong {
    /// The length is cut to what is there. The default, since devices in the field count readable bytes
    /// too, or report the size of what they would have written.
    #[default]
    Clamp,
    /// It is a device fault. The chain comes back with nothing to read, and the caller frees it: only
    /// [`DeviceFault::LengthTooLong`](crate::DeviceFault::LengthTooLong) names its head.
    Refuse,
}

/// What stands in device-writable buffers when they are submitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum WritableBuffers {
    /// Whatever an earlier chain left there. The default, since zeroing costs as much as writing the
    /// payload and the bytes are this driver's own. A device may claim bytes that it did not write, so
    /// choose [`Zeroed`](Self::Zeroed) if what is read goes to somebody who must not see earlier payload.
    #[default]
    AsTheyAre,
    /// Zero: bytes that the device claims without having written them read as zero.
    Zeroed,
}

/// All policies of a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Policies {
    /// After a device fault.
    pub after_fault: AfterFault,
    /// For used lengths that are too long.
    pub over_long: OverLong,
    /// For device-writable buffers before they are submitted.
    pub writable: WritableBuffers,
}

/// What a queue is made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Config {
    /// Number of descriptors.
    pub size: QueueSize,
    /// Bytes in the buffer that belongs to each descriptor; a multiple of the page size keeps every buffer
    /// page-aligned.
    pub buffer_size: u32,
    /// Where both rings begin: 0, or where a resumed device goes on.
    pub first_index: RingIndex,
    /// Whether `VIRTIO_F_EVENT_IDX` was negotiated: each side says by an index, not by a flag, when it wants to be
    /// notified (2.7.7, 2.7.10).
    pub event_index: bool,
    /// The policies.
    pub policies: Policies,
}

impl Config {
    /// A queue of `size` descriptors with buffers of 4096 bytes, rings from 0, no event index and the default
    /// policies.
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

/// The caller's word that the device no longer touches the queue.
///
/// Resetting or releasing a queue hands memory on that a running device may still write to: buffers of chains in flight, and
/// the rings at any time. Only the caller knows that the device, or the queue, was reset (2.4, 2.6.1), and says so with this.
#[derive(Debug)]
pub struct DeviceStopped(());

impl DeviceStopped {
    /// Call this after the device has confirmed its reset, or the reset of this queue.
    pub const fn confirmed() -> Self {
        Self(())
    }
}
