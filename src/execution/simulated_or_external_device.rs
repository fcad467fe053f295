//! Holds the device of an execution: the simulated one, or an external one in its place.

use super::BUFFERS_ADDRESS;
use super::external_device::ExternalDevice;
use super::external_device_trait::HonestDevice;
use super::observation::to_model;
use crate::subject::Provided;
use ringstorm_model::ObservedDescriptor;
use ringstorm_sim_device::{
    AddressSpace, Change, Device, DeviceSide, DeviceState, Effect, Fault, Geometry, Reply,
};
use std::rc::Rc;

/// The device of an execution.
pub(super) struct SimulatedOrExternalDevice {
    /// If there is an external device, this one only reads the shared memory.
    simulated: Device<DeviceSide>,
    external: Option<Box<ExternalDevice>>,
}

impl SimulatedOrExternalDevice {
    pub(super) fn new(provided: &Provided, geometry: Geometry) -> Self {
        Self { simulated: simulated(provided, geometry), external: None }
    }

    /// Replaces the simulated device with an external one.
    pub(super) fn replace_with(&mut self, device: Box<dyn HonestDevice>) {
        self.external = Some(Box::new(ExternalDevice::new(device)));
    }

    pub(super) const fn is_external(&self) -> bool {
        self.external.is_some()
    }

    /// Uses other memory.
    pub(super) fn move_to(&mut self, provided: &Provided, geometry: Geometry) {
        self.simulated = simulated(provided, geometry);
    }

    /// A device that reads the shared memory: the simulated device, which does nothing meanwhile.
    #[inline(always)]
    pub(super) const fn observer(&self) -> &Device<DeviceSide> {
        &self.simulated
    }

    pub(super) fn restart(&mut self, geometry: Geometry, first_index: u16, event_index: bool) {
        match &mut self.external {
            None => self.simulated.restart(geometry, first_index, event_index),
            Some(external) => {
                self.simulated.restart(geometry, first_index, false);
                external.restart(&self.simulated, first_index, event_index);
            }
        }
    }

    pub(super) fn reset(&mut self, first_index: u16) {
        self.simulated.reset(first_index);
        if let Some(external) = &mut self.external {
            external.reset(&self.simulated, first_index);
        }
    }

    #[inline(always)]
    pub(super) fn notified(&mut self) {
        match &mut self.external {
            None => self.simulated.notified(),
            Some(external) => external.notified(&self.simulated),
        }
    }

    /// Takes an available chain. Returns its head and whether the chain is valid. Writes its descriptors to
    /// `descriptors` and its device-readable bytes to `payload`.
    #[inline(always)]
    pub(super) fn take(
        &mut self,
        descriptors: &mut Vec<ObservedDescriptor>,
        payload: &mut Vec<u8>,
    ) -> Option<(u16, bool)> {
        if let Some(external) = &mut self.external {
            return external.take(&self.simulated, descriptors, payload);
        }
        let (head, whole) = self.simulated.take().map(|taken| (taken.head, taken.error.is_none()))?;
        to_model(self.simulated.newest(), descriptors);
        payload.clear();
        if whole {
            self.simulated.space().gather(self.simulated.newest(), false, u64::MAX, payload);
        }
        Some((head, whole))
    }

    #[inline(always)]
    pub(super) fn return_chain(&mut self, pick: u8, reply: impl FnOnce(u64) -> Reply) -> bool {
        match &mut self.external {
            None => self.simulated.return_chain(pick, reply),
            Some(external) => external.return_chain(&self.simulated, pick, reply),
        }
    }

    #[inline(always)]
    pub(super) fn publish(&mut self) {
        match &mut self.external {
            None => self.simulated.publish(),
            Some(external) => external.publish(&self.simulated),
        }
    }

    pub(super) fn set_notifications(&mut self, wanted: bool) {
        match &mut self.external {
            None => self.simulated.set_notifications(wanted),
            Some(external) => external.set_notifications(&self.simulated, wanted),
        }
    }

    pub(super) fn set_event(&mut self, ahead: u16) -> bool {
        match &mut self.external {
            None => self.simulated.set_event(ahead),
            Some(external) => external.set_event(&self.simulated, ahead),
        }
    }

    /// Whether the device did something since the effects were last taken.
    #[inline(always)]
    pub(super) fn has_effects(&self) -> bool {
        match &self.external {
            None => self.simulated.has_effects(),
            Some(external) => external.has_effects(),
        }
    }

    #[inline(always)]
    pub(super) fn take_effects(&mut self, out: &mut Vec<Effect>) {
        match &mut self.external {
            None => self.simulated.take_effects(out),
            Some(external) => external.take_effects(out),
        }
    }

    /// Commits a fault, if it is possible now. An external device commits no faults; do not call this for one.
    #[inline(always)]
    pub(super) fn misbehave(&mut self, fault: Fault, pick: u8, value: u32) -> bool {
        self.simulated.misbehave(fault, pick, value)
    }

    pub(super) fn needs_reset(&self) -> bool {
        self.simulated.needs_reset()
    }

    /// Stops all faults, so that the device returns every chain. An external device has no faults to stop.
    pub(super) fn stop_faults(&mut self) {
        if self.external.is_none() {
            self.simulated.stop_faults();
        }
    }

    pub(super) fn trap_triggered(&mut self, change: Change) {
        self.simulated.trap_triggered(change);
    }

    pub(super) fn available_index_moved(&mut self) {
        self.simulated.available_index_moved();
    }

    /// The state of the simulated device; `None` for an external device.
    pub(super) fn state(&self) -> Option<DeviceState> {
        self.external.is_none().then(|| self.simulated.state())
    }

    pub(super) fn restore(&mut self, state: &DeviceState) {
        self.simulated.restore(state);
    }
}

fn simulated(provided: &Provided, geometry: Geometry) -> Device<DeviceSide> {
    let Provided { rings, buffers, .. } = provided;
    let space = AddressSpace::new([(BUFFERS_ADDRESS.get(), DeviceSide::new(Rc::clone(buffers)))]);
    Device::new(DeviceSide::new(Rc::clone(rings)), geometry, space, 0)
}
