//! What is submitted: how many buffers of each kind, and how many chains at once.

/// Bytes in every buffer.
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

    /// What the device says it wrote to such a chain.
    pub fn written(self) -> u32 {
        (self.writable * BUFFER) as u32
    }

    pub fn descriptors(self) -> usize {
        self.readable + self.writable
    }

    /// How many of `batch` chains fit into a queue at once.
    pub fn fitting(self, size: usize, batch: usize) -> usize {
        batch.min(size / self.descriptors())
    }
}

impl std::fmt::Display for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} + {}", self.readable, self.writable)
    }
}
