//! The shape of the work: the number of buffers of each kind, and the number of chains at once.

/// The size of every buffer in bytes.
pub const BUFFER: usize = 64;

/// The buffers of a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    pub readable: usize,
    pub writable: usize,
}

impl Shape {
    pub const fn new(readable: usize, writable: usize) -> Self {
        Self { readable, writable }
    }

    /// The number of bytes that the device reports for such a chain.
    pub fn written(self) -> u32 {
        (self.writable * BUFFER) as u32
    }

    pub fn descriptors(self) -> usize {
        self.readable + self.writable
    }

    /// The number of chains, at most `batch`, that fit into a queue at once.
    pub fn fitting(self, size: usize, batch: usize) -> usize {
        batch.min(size / self.descriptors())
    }
}

impl std::fmt::Display for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} + {}", self.readable, self.writable)
    }
}
