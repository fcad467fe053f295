//! What the model observes: calls of the driver, changes in shared memory, and acts of the device.

use crate::{Answer, ChainFlaw, Completion, HandleAge, OrderFlaw};

/// A position in a registered region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Place {
    /// Number of the region.
    pub region: u16,
    /// Offset in the region, in bytes.
    pub offset: u64,
}

/// A descriptor as it is in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ObservedDescriptor {
    /// Index in the table.
    pub index: u16,
    /// Where the buffer is; `None` if it is not inside one registered region.
    pub place: Option<Place>,
    /// Length of the buffer in bytes.
    pub length: u32,
    /// Whether the buffer is device-writable.
    pub writable: bool,
}

/// One observation.
///
/// Events arrive in the order in which things happen. What a call of the driver changed in shared memory follows right
/// after the event of the call.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// The caller submitted a chain.
    Submit {
        /// The contents of the device-readable buffers, one byte string for each.
        readable: &'a [&'a [u8]],
        /// The lengths of the device-writable buffers in bytes.
        writable: &'a [u32],
        /// The head of the chain.
        answer: Answer<u16>,
    },
    /// The caller asked the driver to publish all submitted chains. The answer is judged after the available index and the new
    /// entries, or with the next call.
    Publish {
        /// Whether the driver reports that the device must be notified.
        notify: bool,
    },
    /// The caller asked for the next used chain.
    Take {
        /// The chain; `None` if no chain has been used.
        answer: Answer<Option<Completion>>,
    },
    /// The caller read what the device wrote to a chain.
    Read {
        /// The head of the chain.
        head: u16,
        /// The most bytes that the caller accepts.
        limit: u32,
        /// The bytes that the driver returned.
        answer: Answer<&'a [u8]>,
        /// The contents of the chain's device-writable buffers, from the beginning: at least `limit` bytes, or all.
        in_memory: &'a [u8],
    },
    /// The caller freed a chain.
    Free {
        /// The head of the chain.
        head: u16,
        /// Whether the call used the newest handle for this head.
        handle: HandleAge,
        /// Whether the driver freed it.
        answer: Answer<()>,
    },
    /// The caller withdrew a chain that was submitted and not published.
    Withdraw {
        /// The head of the chain.
        head: u16,
        /// Whether the driver withdrew it.
        answer: Answer<()>,
    },
    /// The caller asked for a chain that it submitted and that no take returned. The device does not use it any more.
    TakeBack {
        /// Whether the device is stopped. It is then reset before it runs again.
        stopped: bool,
        /// The head of the chain, which is free now; `None` if the driver has no such chain left.
        head: Option<u16>,
    },
    /// The caller switched used-buffer notifications on or off (2.7.7).
    UsedNotifications {
        /// Whether the caller wants them.
        wanted: bool,
        /// The flags of the available ring after the call.
        flags: u16,
        /// `used_event` after the call. It only has a meaning with event indexes.
        used_event: u16,
        /// Whether the driver reports that used elements are waiting; `None` if it does not report this.
        waiting: Option<bool>,
    },
    /// The caller switched used-buffer notifications on, and lets the device delay the next one (2.7.10).
    DelayedNotifications {
        /// The flags of the available ring after the call.
        flags: u16,
        /// `used_event` after the call. It only has a meaning with event indexes.
        used_event: u16,
        /// Whether the driver reports that so many used elements are waiting that the device will not notify; `None` if it
        /// does not report this.
        waiting: Option<bool>,
    },
    /// A used-buffer notification arrived, and the driver handled it.
    Interrupted {
        /// Whether the driver reports that notifications are on now; `None` if the call has not changed that.
        on: Option<bool>,
        /// The flags of the available ring after the call.
        flags: u16,
        /// `used_event` after the call. It only has a meaning with event indexes.
        used_event: u16,
    },
    /// The value of `used_event` after the driver was made or reset, or took an element. Only with event indexes.
    UsedEvent {
        /// The index of a used element: the device is to notify when it has added this one.
        index: u16,
    },
    /// The flags of the available ring after the driver was made or reset. Only without event indexes.
    AvailableFlags {
        /// The flags.
        flags: u16,
    },
    /// The device stopped, and the driver was reset.
    Reset {
        /// The index at which both rings begin again.
        first_index: u16,
    },
    /// How often the last call stored to shared memory. Only for drivers in watched memory.
    Stores {
        /// The number of stores.
        count: u32,
        /// Whether a store touched the part of the rings that only the device may write.
        to_device_area: bool,
    },
    /// The last call stored to a buffer. Only for drivers in watched memory.
    DriverWrote {
        /// The position of the first byte.
        place: Place,
        /// The number of bytes.
        length: u32,
    },
    /// The last call loaded bytes twice that the device can write: a double fetch. Only for drivers in watched memory.
    DoubleFetch {
        /// Offset in the memory of the rings, in bytes.
        offset: u64,
    },
    /// The last call stored to the table or the available ring, at a part that it had already published. Only for drivers in
    /// watched memory.
    LateWrite {
        /// Offset in the memory of the rings, in bytes.
        offset: u64,
    },
    /// The last call changed a descriptor of a chain that the device has. Only for drivers in watched memory.
    DescriptorChanged {
        /// The head of the chain.
        head: u16,
        /// The descriptor.
        descriptor: u16,
    },
    /// The last call made its accesses in an order that is wrong on some machine. Only for drivers in watched memory.
    AccessOrder {
        /// What was wrong.
        flaw: OrderFlaw,
    },
    /// The driver's number of free descriptors.
    FreeCount {
        /// The number.
        count: u32,
    },
    /// The available index, after a call that should move it, or that moved it.
    AvailableIndex {
        /// The index.
        index: u16,
    },
    /// The chain in the table, right after a submission was accepted.
    Chain {
        /// The head that the driver returned.
        head: u16,
        /// The chain, as far as it can be followed.
        descriptors: &'a [ObservedDescriptor],
        /// The first thing that is wrong with it.
        flaw: Option<ChainFlaw>,
        /// Whether a device-writable byte is not zero although the driver promised to zero them.
        not_zeroed: bool,
    },
    /// A new entry of the available ring.
    Available {
        /// The head in the entry.
        head: u16,
    },
    /// The device took a chain from the available ring.
    DeviceTook {
        /// The head in the entry of the available ring.
        head: u16,
        /// Whether the chain was free of flaws.
        whole: bool,
        /// The chain as the device found it.
        descriptors: &'a [ObservedDescriptor],
        /// The bytes of its device-readable buffers.
        payload: &'a [u8],
    },
    /// The device wrote an element of the used ring.
    UsedElement {
        /// The free-running index of the element.
        index: u16,
        /// The element's `id`.
        id: u32,
        /// The element's `len`, in bytes.
        length: u32,
    },
    /// The device wrote to a buffer.
    DeviceWrote {
        /// The position of the first byte.
        place: Place,
        /// The number of bytes.
        length: u32,
    },
    /// The device moved the used index.
    UsedIndex {
        /// The new index.
        index: u16,
    },
    /// The device switched available-buffer notifications on or off (2.7.10).
    AvailableNotifications {
        /// Whether it wants them.
        wanted: bool,
    },
    /// The device wrote `avail_event` (2.7.10).
    AvailableEvent {
        /// The index of an entry: the driver is to notify when it has added this one.
        index: u16,
    },
    /// The device overwrote a descriptor.
    DescriptorCorrupted {
        /// Index in the table.
        descriptor: u16,
    },
    /// The device overwrote a part of the available ring.
    AvailableRingCorrupted,
    /// The device takes and returns nothing for a while.
    Silent,
    /// The device will change a value right after the driver has read it.
    Trap,
    /// The device notified the driver without a reason.
    SpuriousNotification,
    /// The device keeps a chain until the faults stop.
    Withheld {
        /// The head of the chain.
        head: u16,
    },
    /// The drain is over: the faults have stopped, the device has returned all its chains, and the driver was asked for
    /// them within the stated number of steps.
    Drained,
    /// The subject was released at the end.
    Released {
        /// The number of memory handles that still exist.
        left: u32,
    },
    /// The driver panicked in a call.
    Panic,
    /// The subject was dropped at the end, while the device was running. The events that follow are acts of the device.
    Dropped {
        /// Whether the memory of table and rings was kept.
        rings: bool,
        /// Whether the memory of the buffers was kept.
        buffers: bool,
    },
    /// A memory access failed in a call of the driver, and the call unwound. The call itself has no event, unless it freed a
    /// chain.
    Unwound {
        /// Whether the queue reports that it is broken.
        broken: bool,
        /// Whether the call changed something that the device can see: the available index, the available flags,
        /// `used_event`, or, in a reset, the used ring. If the queue was broken before the call, a change of its private
        /// state counts too.
        changed: bool,
        /// The available index after the call.
        available: u16,
    },
    /// Where the driver placed the parts of the queue, if that may be wrong: offsets from an address that is aligned to 16
    /// bytes. Only for drivers that compute the layout.
    Layout {
        /// The descriptor table.
        table: u64,
        /// The available ring.
        available: u64,
        /// The used ring.
        used: u64,
    },
}

impl Event<'_> {
    /// Whether this is a call of the driver. All other events are observations after a call, or acts of the device.
    pub const fn is_call(&self) -> bool {
        match self {
            Self::Submit { .. }
            | Self::Publish { .. }
            | Self::Take { .. }
            | Self::Read { .. }
            | Self::Free { .. }
            | Self::Withdraw { .. }
            | Self::TakeBack { .. }
            | Self::Interrupted { .. }
            | Self::DelayedNotifications { .. }
            | Self::UsedNotifications { .. }
            | Self::Reset { .. }
            | Self::Released { .. }
            | Self::Dropped { .. }
            | Self::Unwound { .. }
            | Self::Panic => true,
            Self::Stores { .. }
            | Self::DriverWrote { .. }
            | Self::FreeCount { .. }
            | Self::AvailableIndex { .. }
            | Self::Chain { .. }
            | Self::Available { .. }
            | Self::DeviceTook { .. }
            | Self::UsedElement { .. }
            | Self::DeviceWrote { .. }
            | Self::UsedIndex { .. }
            | Self::AvailableNotifications { .. }
            | Self::AvailableEvent { .. }
            | Self::DoubleFetch { .. }
            | Self::LateWrite { .. }
            | Self::DescriptorChanged { .. }
            | Self::AccessOrder { .. }
            | Self::AvailableRingCorrupted
            | Self::Silent
            | Self::Trap
            | Self::SpuriousNotification
            | Self::UsedEvent { .. }
            | Self::AvailableFlags { .. }
            | Self::DescriptorCorrupted { .. }
            | Self::Layout { .. }
            | Self::Withheld { .. }
            | Self::Drained => false,
        }
    }
}
