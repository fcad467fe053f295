//! What can be wrong with a specimen.

use strum::{EnumMessage, EnumString, IntoStaticStr, VariantArray};

/// One defect, as drivers in the field have them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, EnumMessage, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "kebab-case")]
pub enum Defect {
    /// A head equal to the queue size passes the range check of reading and freeing, and the look-up by it panics.
    HeadAtSize,
    /// Chains are followed through the table in shared memory, where only a loop through the head is detected: any other makes freeing panic.
    LoopDetectedAtHeadOnly,
    /// Freeing clears the descriptors in shared memory before it finds that they loop through the head, and refuses.
    FreeMutatesBeforeCheck,
    /// Freeing accepts an index inside a chain: what follows goes to the free list while the chain still has it.
    MidChainFreed,
    /// Chains are followed through the table in shared memory without a range check, and an index outside panics.
    NextUnchecked,
    /// Reading begins to copy where counting the bytes ended, which is the tail and not the head.
    ContentsFromTail,
    /// The number of buffers is cut to 16 bits, so that 65,537 buffers are a chain of one.
    CountCutTo16Bits,
    /// A buffer above the buffer size panics half-way through submitting, behind descriptors that were written.
    OversizedBufferHalfway,
    /// Reading takes the lengths of buffers back from the table in shared memory.
    LengthReadBack,
    /// Submitting asserts that a free descriptor's length in shared memory is zero.
    FreeLengthTripwire,
    /// Releasing keeps a handle on the memory.
    ReleaseLeaks,
    /// A length of zero is accepted and means unused as well, so that the descriptor of an empty buffer stays free.
    ZeroMeansUnused,
}

impl Defect {
    /// The name in kinds and reports.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// What is wrong.
    pub fn description(self) -> &'static str {
        self.get_documentation().expect("every defect has a doc line")
    }
}
