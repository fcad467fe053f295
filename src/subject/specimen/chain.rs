//! What the specimen remembers of its chains and descriptors, in private memory.

/// How far a chain has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) enum Stage {
    /// It was freed, or never made.
    #[default]
    Free,
    Submitted,
    Published,
    Returned,
}

#[derive(Debug, Clone, Hash, Default)]
pub(super) struct Chain {
    pub(super) stage: Stage,
    /// Its descriptors, the head first.
    pub(super) indexes: Vec<u16>,
    /// Bytes in device-writable buffers.
    pub(super) writable: u64,
    /// Bytes that can be read.
    pub(super) written: u32,
    /// When it was published.
    pub(super) serial: u64,
    /// The slot of the used ring in which it came back.
    pub(super) slot: u16,
}

impl Chain {
    /// Whether a chain began here and was freed.
    pub(super) fn was_freed(&self) -> bool {
        self.stage == Stage::Free && !self.indexes.is_empty()
    }
}

/// The private copy of a descriptor.
#[derive(Debug, Clone, Copy, Hash, Default)]
pub(super) struct Descriptor {
    /// The head of the chain that has it.
    pub(super) owner: Option<u16>,
    /// Number of the buffer that it names.
    pub(super) buffer: u16,
    pub(super) length: u32,
    pub(super) writable: bool,
}
