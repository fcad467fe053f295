//! What the specimen records in private memory about its chains and descriptors.

/// The stage of a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) enum Stage {
    /// Freed, or never created.
    #[default]
    Free,
    Submitted,
    Published,
    Returned,
}

#[derive(Debug, Clone, Hash, Default)]
pub(super) struct Chain {
    pub(super) stage: Stage,
    /// The indexes of its descriptors, the head first.
    pub(super) indexes: Vec<u16>,
    /// The number of device-writable bytes.
    pub(super) writable: u64,
    /// The number of bytes that can be read.
    pub(super) written: u32,
    /// Its number in the order of publishing.
    pub(super) publish_number: u64,
    /// The slot of the used element that returned it.
    pub(super) slot: u16,
}

impl Chain {
    /// Whether a chain with this head was freed.
    pub(super) fn was_freed(&self) -> bool {
        self.stage == Stage::Free && !self.indexes.is_empty()
    }
}

/// The private copy of a descriptor.
#[derive(Debug, Clone, Copy, Hash, Default)]
pub(super) struct Descriptor {
    /// The head of the chain that it belongs to.
    pub(super) owner: Option<u16>,
    /// The number of its buffer.
    pub(super) buffer: u16,
    pub(super) length: u32,
    pub(super) writable: bool,
}
