//! The state of one execution, except for the model's state and the memory.

use super::chain_tokens::Tokens;
use super::fault_attribution::FaultAttribution;
use super::memory_failure::Visible;
use super::simulated_or_external_device::SimulatedOrExternalDevice;
use super::{Skip, geometry_check, subject_panics, submit_many_and_rounds};
use crate::depth::DepthMeter;
use crate::outcome::Call;
use crate::scenario::Setup;
use crate::subject::{Capabilities, Provided, Subject};
use ringstorm_core::{QueueSize, SharedMemory};
use ringstorm_sim_device::{Change, FailingAccess, Geometry};
use std::collections::VecDeque;
use std::ops::Range;

/// The state of one execution.
pub(super) struct ExecutionState {
    pub(super) can: Capabilities,
    pub(super) setup: Setup,
    pub(super) subject: Option<Box<dyn Subject>>,
    pub(super) device: SimulatedOrExternalDevice,
    pub(super) geometry: Geometry,
    /// The used ring, as a range of bytes of the rings' memory: the driver must not write there.
    pub(super) device_part: Range<usize>,
    /// The available index that was observed last.
    pub(super) available: u16,
    /// Heads of the chains that were taken and not freed, oldest first.
    pub(super) taken: VecDeque<u16>,
    pub(super) tokens: Tokens,
    /// By head: how many chains have started there.
    pub(super) chains_started: Vec<u32>,
    pub(super) submissions: u32,
    pub(super) resets: u32,
    /// The limit of memory accesses in one call.
    pub(super) call_limit: u64,
    pub(super) call: Call,
    pub(super) effective: bool,
    pub(super) steps: u64,
    pub(super) effective_steps: u64,
    pub(super) skipped_steps: u64,
    pub(super) faults: FaultAttribution,
    /// What the current trap changes.
    pub(super) trap: Option<Change>,
    /// The access of the driver that is to fail, and what the device could see before the last call in which it could
    /// fail.
    pub(super) failing: FailingAccess,
    pub(super) visible: Visible,
    /// Whether an access failed in the current step.
    pub(super) memory_failed: bool,
    /// The last call in which an access failed.
    pub(super) unwound: Option<Call>,
    /// The head of the last chain that the caller tried to free by its current handle.
    pub(super) freeing: Option<u16>,
    /// How often steps of this execution may still repeat what they do.
    pub(super) repetitions_left: u32,
    /// How deep executions lead, since the depth was taken last.
    pub(super) depth: DepthMeter,
    /// Whether the queue refused the last chain that was submitted.
    pub(super) refused_to_submit: bool,
    /// Whether the device is stopped because memory failed in a reset.
    pub(super) stopped: bool,
}

impl ExecutionState {
    /// Makes the state before the first execution, with a device on this memory.
    pub(super) fn new(provided: &Provided) -> Self {
        let geometry = Geometry { size: 1, table: 0, available: 0, used: 0 };
        let mut run = Self {
            can: Capabilities::NONE,
            setup: Setup::default(),
            subject: None,
            device: SimulatedOrExternalDevice::new(provided, geometry),
            geometry,
            device_part: 0..0,
            available: 0,
            taken: VecDeque::new(),
            tokens: Tokens::default(),
            chains_started: Vec::new(),
            submissions: 0,
            resets: 0,
            call_limit: 0,
            call: Call::Construct,
            effective: false,
            steps: 0,
            effective_steps: 0,
            skipped_steps: 0,
            faults: FaultAttribution::default(),
            trap: None,
            failing: FailingAccess::default(),
            visible: Visible::default(),
            memory_failed: false,
            unwound: None,
            freeing: None,
            repetitions_left: 0,
            depth: DepthMeter::default(),
            refused_to_submit: false,
            stopped: false,
        };
        run.begin(Capabilities::NONE, &Setup::default());
        run
    }

    /// Gives other memory to the device.
    pub(super) fn move_to(&mut self, provided: &Provided) {
        self.device.move_to(provided, self.geometry);
    }

    /// Starts an execution. The subject does not exist yet.
    pub(super) fn begin(&mut self, can: Capabilities, setup: &Setup) {
        let Self {
            can: own_can,
            setup: own_setup,
            subject,
            // `attach_subject` sets these.
            device: _,
            geometry: _,
            device_part: _,
            available,
            taken,
            tokens,
            chains_started,
            submissions,
            resets,
            call_limit,
            call,
            effective,
            steps,
            effective_steps,
            skipped_steps,
            faults,
            trap,
            failing,
            visible,
            memory_failed,
            unwound,
            freeing,
            repetitions_left,
            depth,
            refused_to_submit,
            stopped,
        } = self;
        (*own_can, *own_setup, *subject) = (can, *setup, None);
        *available = setup.first_index.get();
        taken.clear();
        tokens.clear();
        chains_started.clear();
        chains_started.resize(setup.queue_size.as_usize(), 0);
        (*submissions, *resets) = (0, 0);
        (*call_limit, *call) = (self::call_limit(setup.queue_size), Call::Construct);
        (*effective, *steps, *effective_steps, *skipped_steps) = (false, 0, 0, 0);
        faults.begin(can.lengths);
        *trap = None;
        failing.set(None);
        (*visible, *freeing, *stopped) = (Visible::default(), None, false);
        (*memory_failed, *unwound, *refused_to_submit) = (false, None, false);
        *repetitions_left = submit_many_and_rounds::MAX_REPETITIONS;
        depth.restart();
    }

    /// The driver notifies the device.
    pub(super) fn notify_device(&mut self) {
        self.device.notified();
        self.depth.notified();
    }

    /// What the subject calls the chain at `head`.
    #[inline(always)]
    pub(super) fn name_of(&self, head: u16) -> u16 {
        if self.can.tokens { self.tokens.name_of(head) } else { head }
    }

    /// Why there is no chain that was taken and not freed.
    pub(super) const fn why_none_taken(&self) -> Skip {
        if self.can.free { Skip::NothingThere } else { Skip::Incapable("free") }
    }

    /// Restores the limits that a reset had changed.
    pub(super) fn restore_limits(&mut self, provided: &Provided) {
        self.call_limit = call_limit(self.setup.queue_size);
        provided.rings.reserve_for_device(self.device_part.clone());
    }

    /// Attaches the new subject, and starts the device where the subject placed its rings.
    ///
    /// # Errors
    /// The geometry, if the queue has computed a wrong one. The subject is released then.
    pub(super) fn attach_subject(
        &mut self,
        subject: Box<dyn Subject>,
        provided: &Provided,
    ) -> Result<(), Geometry> {
        let geometry = subject_panics::call_adapter("geometry", || subject.geometry());
        let (size, length) = (self.setup.queue_size, provided.rings.len());
        if !geometry_check::check(&geometry, size, length, self.can.computes_geometry) {
            subject_panics::release(Some(subject));
            return Err(geometry);
        }
        self.geometry = geometry;
        self.device_part = self.geometry.used..self.geometry.used + self.geometry.used_bytes();
        self.device.restart(self.geometry, self.available, self.setup.event_index);
        self.subject = Some(subject);
        Ok(())
    }
}

/// The limit of memory accesses in one call: several times what a chain of all descriptors needs.
pub(super) const fn call_limit(size: QueueSize) -> u64 {
    256 + 32 * size.get() as u64
}
