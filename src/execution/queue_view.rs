//! What an execution looks like from outside, to be drawn.

use super::Rig;
use crate::subject::Provided;
use ringstorm_core::SharedMemory;
use ringstorm_sim_device::Geometry;

/// Table and rings as they stand in memory, and what the model knows of the chains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueView {
    /// Where table and rings stand in [`rings`](Self::rings).
    pub geometry: Geometry,
    /// The memory of table and rings.
    pub rings: Vec<u8>,
    /// Whether the rings hold event indexes.
    pub event_index: bool,
    /// Where the device sees the buffers, and how many bytes they are.
    pub buffers: (u64, usize),
    /// By descriptor: the head of the live chain that it is in; none if it is free.
    pub owners: Vec<Option<u16>>,
    /// Heads of the chains that the device has.
    pub in_flight: Vec<u16>,
    /// Heads of the chains that were taken and not freed, oldest first.
    pub taken: Vec<u16>,
    /// Whether the queue said that it is broken.
    pub broken: bool,
}

/// How far an execution has come, in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueCounters {
    /// The available index in memory.
    pub available: u16,
    /// The used index in memory.
    pub used: u16,
    /// Descriptors in no live chain.
    pub free: u32,
    /// Live chains.
    pub live: u32,
}

impl Rig {
    /// The state of the current execution; `None` if it has no subject yet.
    pub fn queue_view(&self) -> Option<QueueView> {
        let run = &self.run;
        run.subject.as_ref()?;
        let Provided { rings: memory, buffers, buffers_address, .. } = &self.provided;
        let mut rings = vec![0; memory.len()];
        memory.copy_out(0, &mut rings);
        let model = &self.sink.model;
        let all = 0..run.geometry.size;
        Some(QueueView {
            geometry: run.geometry,
            rings,
            event_index: run.setup.event_index,
            buffers: (buffers_address.get(), buffers.len()),
            owners: all.clone().map(|descriptor| model.owner(descriptor)).collect(),
            in_flight: all.filter(|head| model.is_in_flight(*head)).collect(),
            taken: run.returned.iter().copied().collect(),
            broken: model.is_broken(),
        })
    }

    /// How far the current execution has come; `None` if it has no subject yet.
    pub fn queue_counters(&self) -> Option<QueueCounters> {
        let run = &self.run;
        run.subject.as_ref()?;
        let (memory, model) = (&self.provided.rings, &self.sink.model);
        let index = |offset| memory.load_u16(offset + 2);
        Some(QueueCounters {
            available: index(run.geometry.available),
            used: index(run.geometry.used),
            free: u32::from(run.geometry.size).saturating_sub(model.live_descriptors()),
            live: model.live_chains(),
        })
    }
}
