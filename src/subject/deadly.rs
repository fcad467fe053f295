//! Queues that end their process or never return. They test isolation (running subjects in child processes).

use super::{Capabilities, Provided, Specimen, Subject};
use crate::scenario::Setup;
use ringstorm_model::{Answer, Completion, HandleAge};
use ringstorm_sim_device::Geometry;
use std::hint::black_box;
use strum::{EnumString, IntoStaticStr, VariantArray};

/// The numbers of device-readable and device-writable buffers of the chain that triggers the action.
const TRIGGER: (usize, usize) = (6, 8);

/// How a queue ends its process, or never returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "kebab-case")]
pub enum ProcessEnd {
    /// It aborts.
    Abort,
    /// It exits with a status of its own.
    Exit,
    /// It recurses until the stack overflows.
    Overflow,
    /// It loops forever and accesses no memory.
    Spin,
}

impl ProcessEnd {
    /// Its text name.
    pub fn name(self) -> &'static str {
        self.into()
    }

    fn run(self) {
        match self {
            Self::Abort => std::process::abort(),
            Self::Exit => std::process::exit(7),
            Self::Overflow => {
                black_box(recurse(0));
            }
            Self::Spin => loop {
                std::hint::spin_loop();
            },
        }
    }
}

/// Recurses deeper than any stack.
#[inline(never)]
fn recurse(depth: u64) -> u64 {
    let here = black_box([depth; 64]);
    if black_box(depth) == u64::MAX { 0 } else { recurse(depth + 1) + here[0] }
}

/// A specimen without a defect, except that one chain triggers the action.
#[derive(Debug)]
pub(super) struct Deadly {
    end: ProcessEnd,
    specimen: Specimen,
}

impl Deadly {
    pub(super) const CAPABILITIES: Capabilities = Specimen::CAPABILITIES;

    /// Creates a queue over this memory.
    pub(super) fn new(end: ProcessEnd, setup: &Setup, provided: &Provided) -> Self {
        Self { end, specimen: Specimen::new(None, setup, provided) }
    }
}

impl Subject for Deadly {
    fn geometry(&self) -> Geometry {
        self.specimen.geometry()
    }

    fn submit(&mut self, readable: &[&[u8]], writable: &[u32]) -> Answer<u16> {
        if (readable.len(), writable.len()) == TRIGGER {
            self.end.run();
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

    fn set_used_notifications(&mut self, wanted: bool) -> Option<bool> {
        self.specimen.set_used_notifications(wanted)
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
