//! How sound queues differ, and the list of variants.

use crate::queue::SoundQueue;
use ringstorm::subject::{Capabilities, External};

/// The order in which free descriptors are used again.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum FreeList {
    Lifo,
    Fifo,
}

/// How the queue reads the used ring.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// Each `take` loads the used index.
    Reloads,
    /// `take` loads the used index when it has taken all elements that the last value covers.
    Caches,
    /// `take` reads and checks all waiting elements at once, and returns them one by one.
    Reaps,
}

/// When the available index moves.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Publishing {
    /// `publish` writes the entries and moves the index.
    Later,
    /// `submit` writes the entry, `publish` moves the index.
    EntryAtOnce,
    /// `submit` does both, and `publish` returns whether the device must be notified.
    AtOnce,
    /// `submit` does both and notifies the device.
    Notifying,
    /// `publish` writes one entry after the other, and moves the index and decides about the notification for each.
    OneByOne,
}

/// Where `used_event` is while the caller wants no notifications.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Unwanted {
    /// Just behind the next element when the caller turns notifications off, and not moved later.
    BehindOnce,
    /// Just behind the next element, and moved by each `take`.
    Behind,
    /// Half of all indexes ahead of the next element, and moved by each `take`.
    FarAhead,
}

/// When `used_event` moves to the next element, while the caller wants notifications.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Rearming {
    /// After each element.
    EachElement,
    /// After the last element that the queue knows of.
    LastKnown,
    /// Before the queue looks whether there is another element.
    BeforeLooking,
    /// When the queue has found no element. Then it looks again.
    LooksAgain,
}

/// What a bad element causes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// An error. The queue continues.
    Reported,
    /// Nothing. The queue continues.
    Skipped,
    /// An error, and the queue is broken. It counts the element as consumed.
    Breaks,
    /// An error, and the queue is broken. The element stays the next one.
    BreaksBefore,
    /// The queue is broken, and says only that.
    BreaksSilently,
}

/// The largest number of waiting elements that the queue believes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    InFlight,
    QueueSize,
    /// Every number. The elements show whether it is right.
    None,
}

/// When chains can be taken back that the device has not returned.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum TakingBack {
    Never,
    /// While the device is stopped.
    Stopped,
    /// While the device is stopped; and before they are published, also while it runs.
    Always,
}

/// What happens when the caller can wait for several chains.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Delaying {
    /// The queue has no such call.
    Never,
    /// `used_event` moves by three quarters of the chains in flight, and each `take` moves it again to the next element.
    UntilTaken,
    /// `used_event` moves in the same way, and stays there until its element was taken.
    Kept,
}

/// What the queue does when a notification arrives.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Handling {
    /// Nothing. Its caller takes chains.
    None,
    /// It remembers that it was notified.
    Notes,
    /// It turns notifications off.
    Disables,
    /// It turns notifications on.
    Rearms,
    /// It reads all used elements until there are no more, and turns notifications on.
    Drains,
    /// The same, and nothing else reads used elements.
    DrainsAlone,
}

/// One way to write a queue.
#[derive(Clone, Copy)]
pub struct Variant {
    pub free_list: FreeList,
    pub reading: Reading,
    pub publishing: Publishing,
    /// Whether `free` clears the descriptors.
    pub clears: bool,
    pub unwanted: Unwanted,
    pub rearming: Rearming,
    pub fault: Fault,
    pub bound: Bound,
    /// Whether a length that is too long is an error; otherwise it is cut.
    pub refuses_over_long: bool,
    /// Whether the setup says which of two ways a bad element and a length that is too long are handled.
    pub follows_setup: bool,
    /// Whether the queue notifies the device after each publication.
    pub always_notifies: bool,
    /// When the caller can take chains back that the device has not returned.
    pub taking_back: TakingBack,
    pub delaying: Delaying,
    pub handling: Handling,
    /// Whether the queue asks if the device wants to know of any entry since the last notification, and not only since it
    /// last asked.
    pub counts_since_notification: bool,
}

impl Variant {
    /// A common queue. The other variants differ from it.
    pub const PLAIN: Self = Self {
        free_list: FreeList::Lifo,
        reading: Reading::Reloads,
        publishing: Publishing::Later,
        clears: false,
        unwanted: Unwanted::BehindOnce,
        rearming: Rearming::EachElement,
        fault: Fault::Reported,
        bound: Bound::InFlight,
        refuses_over_long: false,
        follows_setup: false,
        always_notifies: false,
        taking_back: TakingBack::Never,
        delaying: Delaying::Never,
        handling: Handling::None,
        counts_since_notification: false,
    };

    /// What the queue can do, and what it promises: all that is true.
    pub const fn capabilities(self) -> Capabilities {
        let drains = matches!(self.handling, Handling::Drains | Handling::DrainsAlone);
        let reloads = matches!(self.reading, Reading::Reloads) && !drains;
        let skips = matches!(self.fault, Fault::Skipped);
        let reports = !matches!(self.fault, Fault::Skipped | Fault::BreaksSilently);
        Capabilities {
            prepare: matches!(
                self.publishing,
                Publishing::Later | Publishing::EntryAtOnce | Publishing::OneByOne
            ),
            should_notify: !matches!(self.publishing, Publishing::Notifying),
            exact: !self.always_notifies && !self.counts_since_notification,
            rearms_each_take: !matches!(self.rearming, Rearming::BeforeLooking | Rearming::LooksAgain),
            reports_bad_elements: reports,
            consumes_bad_elements: reports && !matches!(self.fault, Fault::BreaksBefore),
            refuses_index_jumps: reloads && matches!(self.bound, Bound::InFlight),
            reloads_used_index: reloads && !skips,
            reports_broken: true,
            follows_after_fault: self.follows_setup,
            follows_over_long: self.follows_setup,
            delayed_used_notifications: !matches!(self.delaying, Delaying::Never),
            used_notification_handler: !matches!(self.handling, Handling::None),
            take_back: !matches!(self.taking_back, TakingBack::Never),
            take_back_live: matches!(self.taking_back, TakingBack::Always),
            ..CAN
        }
    }
}

/// What every variant can do.
const CAN: Capabilities = Capabilities {
    first_index: true,
    lengths: true,
    free: true,
    free_count: true,
    used_notifications: true,
    event_index: true,
    reset: true,
    misuse: true,
    watched: true,
    watched_barriers: true,
    ..Capabilities::NONE
};

macro_rules! variants {
    ($($name:literal { $($field:ident: $value:expr),* $(,)? })*) => {
        /// All variants.
        pub const VARIANTS: &[External] = &[$(
            External::new(
                $name,
                Variant { $($field: $value,)* ..Variant::PLAIN }.capabilities(),
                |setup, provided| {
                    const VARIANT: Variant = Variant { $($field: $value,)* ..Variant::PLAIN };
                    Box::new(SoundQueue::new(VARIANT, setup, provided))
                },
            ).with_largest(256),
        )*];
    };
}

variants! {
    "plain" {}
    "fifo" { free_list: FreeList::Fifo, clears: true }
    "follows-setup" { follows_setup: true }
    "caches-follows-setup" { follows_setup: true, reading: Reading::Caches, free_list: FreeList::Fifo }
    "reaps-follows-setup" { follows_setup: true, reading: Reading::Reaps, unwanted: Unwanted::Behind }
    "behind" { unwanted: Unwanted::Behind }
    "far-ahead" { unwanted: Unwanted::FarAhead, publishing: Publishing::EntryAtOnce }
    "skips" { fault: Fault::Skipped, unwanted: Unwanted::Behind }
    "skips-by-size" { fault: Fault::Skipped, bound: Bound::QueueSize, refuses_over_long: true }
    "caches" { reading: Reading::Caches, rearming: Rearming::LastKnown }
    "caches-behind" { reading: Reading::Caches, unwanted: Unwanted::Behind, free_list: FreeList::Fifo }
    "caches-skips" { reading: Reading::Caches, fault: Fault::Skipped, rearming: Rearming::BeforeLooking }
    "caches-breaks" { reading: Reading::Caches, fault: Fault::Breaks, bound: Bound::None }
    "breaks" { fault: Fault::Breaks, refuses_over_long: true, publishing: Publishing::EntryAtOnce }
    "breaks-before" { fault: Fault::BreaksBefore, bound: Bound::None, clears: true }
    "breaks-silently" { fault: Fault::BreaksSilently, bound: Bound::None, rearming: Rearming::BeforeLooking }
    "reaps" { reading: Reading::Reaps, rearming: Rearming::LastKnown }
    "reaps-skips" { reading: Reading::Reaps, fault: Fault::Skipped, unwanted: Unwanted::FarAhead }
    "reaps-by-size" { reading: Reading::Reaps, bound: Bound::QueueSize, rearming: Rearming::BeforeLooking }
    "reaps-breaks" {
        reading: Reading::Reaps,
        fault: Fault::Breaks,
        unwanted: Unwanted::Behind,
        refuses_over_long: true,
    }
    "looks-again" { rearming: Rearming::LooksAgain }
    "looks-again-skips" { rearming: Rearming::LooksAgain, fault: Fault::Skipped, unwanted: Unwanted::Behind }
    "one-by-one" { publishing: Publishing::OneByOne, rearming: Rearming::LastKnown }
    "at-once" { publishing: Publishing::AtOnce, free_list: FreeList::Fifo }
    "notifying" { publishing: Publishing::Notifying, always_notifies: true }
    "always-notifies" {
        always_notifies: true,
        reading: Reading::Caches,
        rearming: Rearming::BeforeLooking,
    }
    "counts-since-notification" { counts_since_notification: true }
    "counts-at-once" { counts_since_notification: true, publishing: Publishing::AtOnce, reading: Reading::Caches }
    "delays" { delaying: Delaying::UntilTaken, publishing: Publishing::AtOnce }
    "delays-caches" { delaying: Delaying::UntilTaken, reading: Reading::Caches, rearming: Rearming::LastKnown }
    "delays-reaps" {
        delaying: Delaying::Kept,
        reading: Reading::Reaps,
        fault: Fault::Skipped,
        unwanted: Unwanted::Behind,
    }
    "delays-entry-at-once" {
        delaying: Delaying::UntilTaken,
        publishing: Publishing::EntryAtOnce,
        rearming: Rearming::BeforeLooking,
    }
    "delays-once" { delaying: Delaying::Kept, fault: Fault::Breaks, free_list: FreeList::Fifo }
    "handler-notes" { handling: Handling::Notes, unwanted: Unwanted::Behind }
    "handler-disables" { handling: Handling::Disables }
    "handler-disables-far-ahead" {
        handling: Handling::Disables,
        unwanted: Unwanted::FarAhead,
        reading: Reading::Reaps,
        fault: Fault::Breaks,
    }
    "handler-rearms" { handling: Handling::Rearms, publishing: Publishing::AtOnce, rearming: Rearming::LastKnown }
    "handler-drains" { handling: Handling::Drains, reading: Reading::Reaps, rearming: Rearming::LastKnown }
    "handler-drains-and-skips" {
        handling: Handling::Drains,
        reading: Reading::Reaps,
        fault: Fault::Skipped,
        bound: Bound::QueueSize,
    }
    "handler-drains-alone" { handling: Handling::DrainsAlone, reading: Reading::Reaps, fault: Fault::Breaks }
    "handler-delays-takes-back" {
        handling: Handling::DrainsAlone,
        reading: Reading::Reaps,
        delaying: Delaying::UntilTaken,
        taking_back: TakingBack::Always,
    }
    "takes-back" { taking_back: TakingBack::Always, fault: Fault::Breaks }
    "reaps-takes-back" {
        taking_back: TakingBack::Always,
        reading: Reading::Reaps,
        refuses_over_long: true,
        free_list: FreeList::Fifo,
    }
    "at-once-takes-back" {
        taking_back: TakingBack::Stopped,
        publishing: Publishing::AtOnce,
        reading: Reading::Caches,
    }
}
