//! What the command knows by name.

use super::{Capabilities, CoreQueue, Deadly, Deed, Defect, Provided, Specimen, Subject};
use crate::scenario::{Ending, Setup};
use ringstorm_core::{Layout, QueueSize, RingIndex};
use strum::VariantArray;

/// A kind of subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubjectKind {
    /// The queue of ringstorm-core.
    Core,
    /// A naive queue, with one known defect or none.
    Specimen(Option<Defect>),
    /// A naive queue that ends its process or never returns: to be run in child processes.
    Deadly(Deed),
    /// Somebody else's queue.
    External(&'static External),
}

/// Somebody else's queue: what it is called, what it can do, and how one is made.
#[derive(Debug)]
pub struct External {
    name: &'static str,
    capabilities: Capabilities,
    build: fn(&Setup, &Provided) -> Box<dyn Subject>,
    rings: fn(QueueSize) -> usize,
    largest: u16,
}

impl PartialEq for External {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for External {}

impl External {
    /// A queue by the name that the command, findings and `expect` lines call it: letters, digits, `-`, `_` and `.`.
    pub const fn new(
        name: &'static str,
        capabilities: Capabilities,
        build: fn(&Setup, &Provided) -> Box<dyn Subject>,
    ) -> Self {
        Self { name, capabilities, build, rings: packed, largest: QueueSize::MAX.get() }
    }

    /// With so many bytes of [`Provided::rings`] for a queue of a size, where table and rings do not stand as close
    /// together as they can.
    #[must_use]
    pub const fn with_rings(self, rings: fn(QueueSize) -> usize) -> Self {
        Self { rings, ..self }
    }

    /// With no more than so many descriptors: where a scenario has more, the queue is made of this size.
    ///
    /// # Panics
    /// If that is no queue size, a power of two up to 32,768; in a constant, it does not compile.
    #[must_use]
    pub const fn with_largest(self, largest: u16) -> Self {
        assert!(largest.is_power_of_two() && largest <= QueueSize::MAX.get(), "no queue size");
        Self { largest, ..self }
    }

    /// What is wrong with what was said of it.
    fn flaw(&self) -> Option<String> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let name = self.name;
        if name.is_empty() || name.starts_with(['-', '.']) || !name.bytes().all(plain) {
            return Some(format!(
                "the name of a subject is of letters, digits, - _ and ., which {name:?} is not"
            ));
        }
        None
    }
}

/// Bytes of table and rings as close together as they can stand (2.7).
const fn packed(size: QueueSize) -> usize {
    Layout::new(size).len()
}

impl SubjectKind {
    /// All kinds that come with ringstorm and can be run in this process.
    pub fn all() -> impl Iterator<Item = Self> {
        let specimens = Defect::VARIANTS.iter().map(|defect| Self::Specimen(Some(*defect)));
        [Self::Core, Self::Specimen(None)].into_iter().chain(specimens)
    }

    /// All kinds that come with ringstorm.
    pub fn named() -> impl Iterator<Item = Self> {
        Self::all().chain(Deed::VARIANTS.iter().map(|deed| Self::Deadly(*deed)))
    }

    /// The kind of this name, of those that come with ringstorm.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::named().find(|kind| kind.name() == name)
    }

    /// Its name.
    pub fn name(self) -> String {
        match self {
            Self::Core => "core".to_owned(),
            Self::Specimen(None) => "specimen".to_owned(),
            Self::Specimen(Some(defect)) => format!("specimen-{}", defect.name()),
            Self::Deadly(deed) => format!("deadly-{}", deed.name()),
            Self::External(own) => own.name.to_owned(),
        }
    }

    /// What it can do.
    pub const fn capabilities(self) -> Capabilities {
        match self {
            Self::Core => CoreQueue::CAPABILITIES,
            Self::Specimen(_) => Specimen::CAPABILITIES,
            Self::Deadly(_) => Deadly::CAPABILITIES,
            Self::External(own) => own.capabilities,
        }
    }

    /// Makes one.
    pub fn build(self, setup: &Setup, provided: &Provided) -> Box<dyn Subject> {
        match self {
            Self::Core => Box::new(CoreQueue::new(setup, provided)),
            Self::Specimen(defect) => Box::new(Specimen::new(defect, setup, provided)),
            Self::Deadly(deed) => Box::new(Deadly::new(deed, setup, provided)),
            Self::External(own) => (own.build)(setup, provided),
        }
    }

    /// Bytes that its table and rings need for a queue of this size.
    pub(crate) fn ring_bytes(self, size: QueueSize) -> usize {
        match self {
            Self::External(own) => (own.rings)(size),
            Self::Core | Self::Specimen(_) | Self::Deadly(_) => packed(size),
        }
    }

    /// What of a setup there can be with it: what is negotiated is what both sides know.
    pub(crate) fn negotiate(self, setup: &Setup) -> Setup {
        let can = self.capabilities();
        let mut negotiated = *setup;
        negotiated.event_index &= can.event_index;
        if !can.first_index {
            negotiated.first_index = RingIndex::new(0);
        }
        if !can.keeps_memory {
            negotiated.ending = Ending::Released;
        }
        negotiated.queue_size = setup.queue_size.min(self.largest());
        negotiated
    }

    /// The largest queue that there can be of it.
    pub fn largest(self) -> QueueSize {
        match self {
            Self::External(own) => QueueSize::new(own.largest.into()).expect("`with_largest` takes no other"),
            Self::Core | Self::Specimen(_) | Self::Deadly(_) => QueueSize::MAX,
        }
    }
}

/// The subjects that a command knows: those that come with ringstorm, and somebody's own.
#[derive(Debug, Clone, Copy, Default)]
pub struct Subjects {
    own: &'static [External],
}

impl Subjects {
    /// With these, of which the first is the one that is run unless another is asked for.
    ///
    /// # Errors
    /// In words, if a name is taken or no name, or a size is none.
    pub fn with(own: &'static [External]) -> Result<Self, String> {
        for (at, subject) in own.iter().enumerate() {
            if let Some(flaw) = subject.flaw() {
                return Err(flaw);
            }
            if SubjectKind::by_name(subject.name).is_some() || own[..at].contains(subject) {
                return Err(format!("there is a subject by the name of {} already", subject.name));
            }
        }
        Ok(Self { own })
    }

    /// Somebody's own.
    pub fn own(self) -> impl Iterator<Item = SubjectKind> {
        self.own.iter().map(SubjectKind::External)
    }

    /// All of them, somebody's own first.
    pub fn named(self) -> impl Iterator<Item = SubjectKind> {
        self.own().chain(SubjectKind::named())
    }

    /// The one of this name.
    pub fn by_name(self, name: &str) -> Option<SubjectKind> {
        self.named().find(|kind| kind.name() == name)
    }

    /// The one that is run unless another is asked for.
    pub fn usual(self) -> SubjectKind {
        self.own.first().map_or(SubjectKind::Core, SubjectKind::External)
    }
}
