//! The subjects that the command knows by name.

use super::deadly::Deadly;
use super::{Capabilities, CoreQueue, Defect, ProcessEnd, Provided, Specimen, Subject};
use crate::scenario::{Ending, OfferedCalls, Setup};
use ringstorm_core::{Layout, QueueSize, RingIndex};
use std::fmt;
use strum::VariantArray;

/// A kind of subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubjectKind {
    /// The queue of ringstorm-core.
    Core,
    /// A simple queue with one known defect, or with none.
    Specimen(Option<Defect>),
    /// A simple queue that ends its process or never returns. Run it in child processes.
    Deadly(ProcessEnd),
    /// A queue from another crate.
    External(&'static External),
}

/// A queue from another crate: its name, its capabilities, and a function that creates it.
///
/// [`new`](Self::new) makes a constant. [`variant`](Self::variant) accepts a computed name and a closure, so one adapter
/// serves many variants of a queue:
///
/// ```
/// use ringstorm::subject::{Capabilities, CoreQueue, External};
///
/// let can = Capabilities { prepare: true, free: true, ..Capabilities::NONE };
/// let variants: Vec<External> = [1, 2, 3]
///     .map(|limit| {
///         External::variant(format!("mine-{limit}"), can, move |setup, provided| {
///             // Give `limit` to the adapter.
///             let _ = limit;
///             Box::new(CoreQueue::new(setup, provided))
///         })
///     })
///     .into();
/// let found = ringstorm::cli::command(variants.leak(), ["replay", "7", "--subject", "mine-2"]);
/// assert_eq!(found?, ringstorm::cli::Found::Nothing);
/// # Ok::<(), ringstorm::cli::CliError>(())
/// ```
pub struct External {
    name: &'static str,
    capabilities: Capabilities,
    build: Build,
    rings: fn(QueueSize) -> usize,
    largest: u16,
}

/// Creates a queue.
#[derive(Clone, Copy)]
enum Build {
    Function(fn(&Setup, &Provided) -> Box<dyn Subject>),
    Closure(&'static (dyn Fn(&Setup, &Provided) -> Box<dyn Subject> + Send + Sync)),
}

impl fmt::Debug for External {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, capabilities, build: _, rings: _, largest } = self;
        f.debug_struct("External")
            .field("name", name)
            .field("capabilities", capabilities)
            .field("largest", largest)
            .finish_non_exhaustive()
    }
}

impl PartialEq for External {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for External {}

impl External {
    /// A queue with the name that the command, findings and `expect` lines use. A name consists of letters, digits,
    /// `-`, `_` and `.`.
    pub const fn new(
        name: &'static str,
        capabilities: Capabilities,
        build: fn(&Setup, &Provided) -> Box<dyn Subject>,
    ) -> Self {
        Self {
            name,
            capabilities,
            build: Build::Function(build),
            rings: packed,
            largest: QueueSize::MAX.get(),
        }
    }

    /// Like [`new`](Self::new), with a computed name and a closure. Both exist until the process ends.
    pub fn variant(
        name: impl Into<String>,
        capabilities: Capabilities,
        build: impl Fn(&Setup, &Provided) -> Box<dyn Subject> + Send + Sync + 'static,
    ) -> Self {
        Self {
            name: name.into().leak(),
            capabilities,
            build: Build::Closure(Box::leak(Box::new(build))),
            rings: packed,
            largest: QueueSize::MAX.get(),
        }
    }

    /// Declares how many bytes of [`Provided::rings`] a queue of a size needs, if table and rings are not packed as
    /// closely as the specification allows.
    #[must_use]
    pub const fn with_rings(self, rings: fn(QueueSize) -> usize) -> Self {
        Self { rings, ..self }
    }

    /// Declares the largest queue size. If a scenario asks for more descriptors, the queue is created with this size.
    ///
    /// # Panics
    /// If `largest` is not a valid queue size: a power of two up to 32,768. In a constant, this is a compile error.
    #[must_use]
    pub const fn with_largest(self, largest: u16) -> Self {
        assert!(largest.is_power_of_two() && largest <= QueueSize::MAX.get(), "not a queue size");
        Self { largest, ..self }
    }

    /// Why the declaration is invalid.
    fn invalid(&self) -> Option<String> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let name = self.name;
        if name.is_empty() || name.starts_with(['-', '.']) || !name.bytes().all(plain) {
            return Some(format!(
                "the name of a subject consists of letters, digits, -, _ and ., and does not begin with - or .: {name:?} is invalid"
            ));
        }
        None
    }
}

/// The size of table and rings in bytes if they are packed as closely as the specification allows (2.7).
const fn packed(size: QueueSize) -> usize {
    Layout::new(size).len()
}

impl SubjectKind {
    /// All subjects of ringstorm that can run in this process.
    pub fn all() -> impl Iterator<Item = Self> {
        let specimens = Defect::VARIANTS.iter().map(|defect| Self::Specimen(Some(*defect)));
        [Self::Core, Self::Specimen(None)].into_iter().chain(specimens)
    }

    /// All subjects of ringstorm.
    pub(crate) fn named() -> impl Iterator<Item = Self> {
        Self::all().chain(ProcessEnd::VARIANTS.iter().map(|end| Self::Deadly(*end)))
    }

    /// The subject of ringstorm with this name. Accepts older names of specimens.
    pub fn by_name(name: &str) -> Option<Self> {
        if let Some(defect) = name.strip_prefix("specimen-") {
            return defect.parse().ok().map(|defect| Self::Specimen(Some(defect)));
        }
        Self::named().find(|kind| kind.name() == name)
    }

    /// Its name.
    pub fn name(self) -> String {
        match self {
            Self::Core => "core".to_owned(),
            Self::Specimen(None) => "specimen".to_owned(),
            Self::Specimen(Some(defect)) => format!("specimen-{}", defect.name()),
            Self::Deadly(end) => format!("deadly-{}", end.name()),
            Self::External(external) => external.name.to_owned(),
        }
    }

    /// Its capabilities.
    pub const fn capabilities(self) -> Capabilities {
        match self {
            Self::Core => CoreQueue::CAPABILITIES,
            Self::Specimen(_) => Specimen::CAPABILITIES,
            Self::Deadly(_) => Deadly::CAPABILITIES,
            Self::External(external) => external.capabilities,
        }
    }

    /// The calls that it offers, but need not: they are added to the scenarios of seeds.
    pub const fn offered_calls(self) -> OfferedCalls {
        self.capabilities().offered_calls()
    }

    /// Creates a subject.
    pub fn build(self, setup: &Setup, provided: &Provided) -> Box<dyn Subject> {
        match self {
            Self::Core => Box::new(CoreQueue::new(setup, provided)),
            Self::Specimen(defect) => Box::new(Specimen::new(defect, setup, provided)),
            Self::Deadly(end) => Box::new(Deadly::new(end, setup, provided)),
            Self::External(external) => match external.build {
                Build::Function(build) => build(setup, provided),
                Build::Closure(build) => build(setup, provided),
            },
        }
    }

    /// The size of its table and rings in bytes.
    pub(crate) fn ring_bytes(self, size: QueueSize) -> usize {
        match self {
            Self::External(external) => (external.rings)(size),
            Self::Core | Self::Specimen(_) | Self::Deadly(_) => packed(size),
        }
    }

    /// The setup without the parts that the subject does not support.
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

    /// The largest queue size that it supports.
    pub(crate) fn largest(self) -> QueueSize {
        match self {
            Self::External(external) => {
                QueueSize::new(external.largest.into()).expect("`with_largest` checks the size")
            }
            Self::Core | Self::Specimen(_) | Self::Deadly(_) => QueueSize::MAX,
        }
    }
}

/// All subjects of a command: those of ringstorm and those of the caller.
#[derive(Debug, Clone, Copy, Default)]
pub struct Subjects {
    external: &'static [External],
}

impl Subjects {
    /// Adds these subjects. The first one is the default.
    ///
    /// # Errors
    /// A message, if a name is invalid or already used.
    pub fn with(external: &'static [External]) -> Result<Self, String> {
        for (at, subject) in external.iter().enumerate() {
            if let Some(invalid) = subject.invalid() {
                return Err(invalid);
            }
            if SubjectKind::by_name(subject.name).is_some() || external[..at].contains(subject) {
                return Err(format!("two subjects have the name {}", subject.name));
            }
        }
        Ok(Self { external })
    }

    /// The caller's subjects.
    pub(crate) fn external(self) -> impl Iterator<Item = SubjectKind> {
        self.external.iter().map(SubjectKind::External)
    }

    /// All subjects, the caller's first.
    pub(crate) fn named(self) -> impl Iterator<Item = SubjectKind> {
        self.external().chain(SubjectKind::named())
    }

    /// The subject with this name.
    pub fn by_name(self, name: &str) -> Option<SubjectKind> {
        self.external().find(|kind| kind.name() == name).or_else(|| SubjectKind::by_name(name))
    }

    /// The default subject.
    pub(crate) fn default_kind(self) -> SubjectKind {
        self.external.first().map_or(SubjectKind::Core, SubjectKind::External)
    }
}
