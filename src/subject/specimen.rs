//! A naive queue with a switch for each known defect.

use super::{Capabilities, CoreQueue, Provided, Subject};
use crate::scenario::Setup;
use ringstorm_model::{Answer, Completion, Name};
use ringstorm_sim_device::Geometry;
use strum::{EnumMessage, EnumString, IntoStaticStr, VariantArray};

/// One defect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, EnumMessage, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "kebab-case")]
pub enum Defect {
    /// A head equal to the queue size passes the range check.
    HeadAtSize,
}

impl Defect {
    /// The name.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// A naive queue.
pub struct Specimen(CoreQueue);

impl Specimen {
    pub(super) const CAPABILITIES: Capabilities = CoreQueue::CAPABILITIES;
    /// A specimen.
    pub fn new(_: Option<Defect>, setup: &Setup, provided: &Provided) -> Self {
        Self(CoreQueue::new(setup, provided))
    }
}

impl Subject for Specimen {
    fn geometry(&self) -> Geometry {
        self.0.geometry()
    }
    fn submit(&mut self, readable: &[&[u8]], writable: &[u32]) -> Answer<u16> {
        self.0.submit(readable, writable)
    }
    fn publish(&mut self) -> bool {
        self.0.publish()
    }
    fn take(&mut self) -> Answer<Option<Completion>> {
        self.0.take()
    }
    fn read(&mut self, head: u16, out: &mut [u8]) -> Answer<usize> {
        self.0.read(head, out)
    }
    fn free(&mut self, head: u16, name: Name) -> Answer<()> {
        self.0.free(head, name)
    }
    fn release(self: Box<Self>) {
        Box::new(self.0).release()
    }
}
