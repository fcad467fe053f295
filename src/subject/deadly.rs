//! Queues that take their process with them: what running in child processes is tested with.

use super::{Capabilities, Provided, Specimen, Subject};
use crate::scenario::Setup;
use ringstorm_model::{Answer, Completion, HandleAge};
use ringstorm_sim_device::Geometry;
use std::hint::black_box;
use strum::{EnumString, IntoStaticStr, VariantArray};

/// What such a queue does when it is given the chain that it cannot bear: so many device-readable buffers, and so many
/// device-writable ones.
const UNBEARABLE: (usize, usize) = (6, 8);

/// How a queue ends its process, or never returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "kebab-case")]
pub enum Deed {
    /// It aborts.
    Abort,
    /// It ends the process with a status of its own.
    Exit,
    /// It recurses until the stack is used up.
    Overflow,
    /// It loops for ever, and touches no memory.
    Spin,
}

impl Deed {
    /// Its name.
    pub fn name(self) -> &'static str {
        self.into()
    }

    fn do_it(self) {
        match self {
            Self::Abort => std::process::abort(),
            Self::Exit => std::process::exit(7),
            Self::Overflow => {
                black_box(deep(0));
            }
            Self::Spin => loop {
                std::hint::spin_loop();
            },
        }
    }
}

/// Goes deeper than any stack is.
#[inline(never)]
fn deep(depth: u64) -> u64 {
    let here = black_box([depth; 64]);
    if black_box(depth) == u64::MAX { 0 } else { deep(depth + 1) + here[0] }
}

/// The naive queue, but for one chain.
#[derive(Debug)]
pub struct Deadly {
    deed: Deed,
    specimen: Specimen,
}

impl Deadly {
    pub(super) const CAPABILITIES: Capabilities = Specimen::CAPABILITIES;

    /// A queue over the memory provided.
    pub fn new(deed: Deed, setup: &Setup, provided: &Provided) -> Self {
        Self { deed, specimen: Specimen::new(None, setup, provided) }
    }
}

impl Subject for Deadly {
    fn geometry(&self) -> Geometry {
        self.specimen.geometry()
    }

    fn submit(&mut self, readable: &[&[u8]], writable: &[u32]) -> Answer<u16> {
        if (readable.len(), writable.len()) == UNBEARABLE {
            self.deed.do_it();
        }
        self.specimen.submit(readable, writable)
    }

    fn publish(&mut self) -> bool {
        self.specimen.publish()
    }

    fn take(&mut self) -> Answer<Option<Completion>> {
        self.specimen.take()
    }

    fn read(&mut self, head: u16, out: &mut [u8]) -> Answer<usize> {
        self.specimen.read(head, out)
    }

    fn free(&mut self, head: u16, name: HandleAge) -> Answer<()> {
        self.specimen.free(head, name)
    }

    fn withdraw(&mut self, head: u16) -> Answer<()> {
        self.specimen.withdraw(head)
    }

    fn free_count(&self) -> u32 {
        self.specimen.free_count()
    }

    fn interrupts(&mut self, wanted: bool) -> Option<bool> {
        self.specimen.interrupts(wanted)
    }

    fn reset(&mut self, first_index: u16) {
        self.specimen.reset(first_index);
    }

    fn is_broken(&self) -> bool {
        self.specimen.is_broken()
    }

    fn is_live(&self, head: u16) -> bool {
        self.specimen.is_live(head)
    }

    fn release(self: Box<Self>) {
        Box::new(self.specimen).release();
    }

    fn drop_while_device_runs(self: Box<Self>) {
        Box::new(self.specimen).drop_while_device_runs();
    }
}
