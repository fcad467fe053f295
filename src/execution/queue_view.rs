//! Shows the state of a queue: for drawings, and as a few numbers.

use super::Rig;
use crate::subject::Provided;
use ringstorm_core::SharedMemory;
use ringstorm_sim_device::Geometry;

/// The table and the rings in memory, and the model's knowledge of the chains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct QueueView {
    /// The offsets of the table and the rings in [`rings`](Self::rings).
    pub geometry: Geometry,
    /// The memory of the table and the rings.
    pub rings: Vec<u8>,
    /// Whether the rings contain `used_event` and `avail_event`.
    pub event_index: bool,
    /// The device address of the buffers, and their length in bytes.
    pub buffers: (u64, usize),
    /// By descriptor: the head of its live chain; `None` if the descriptor is free.
    pub owners: Vec<Option<u16>>,
    /// Heads of the chains in flight.
    pub in_flight: Vec<u16>,
    /// Heads in the available ring that the last call has published, but the model has not accepted yet.
    pub not_yet_in_flight: Vec<u16>,
    /// Heads of the chains that were taken and not freed, oldest first.
    pub taken: Vec<u16>,
    /// Whether the queue has reported that it is broken.
    pub broken: bool,
}

/// Indexes and counts of a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct QueueCounters {
    /// The available index in memory.
    pub available: u16,
    /// The used index in memory.
    pub used: u16,
    /// Free descriptors.
    pub free: u32,
    /// Live chains.
    pub live: u32,
}

impl Rig {
    /// The table, rings and chains of the current execution; `None` before its subject is constructed.
    pub(crate) fn queue_view(&self) -> Option<QueueView> {
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
            not_yet_in_flight: self.heads_not_yet_in_flight(),
            taken: run.taken.iter().copied().collect(),
            broken: model.is_broken(),
        })
    }

    /// The entries of the available ring that the model has not accepted. There are some only if the call that published them
    /// violated an invariant. An index that moved by more than the queue size covers no entries to show.
    fn heads_not_yet_in_flight(&self) -> Vec<u16> {
        let (device, next) = (self.run.device.observer(), self.sink.model.next_available());
        let new = device.available_index().wrapping_sub(next);
        let entry = |step| device.available_entry(next.wrapping_add(step));
        if new > device.size() { Vec::new() } else { (0..new).map(entry).collect() }
    }

    /// The indexes and counts of the current execution; `None` before its subject is constructed.
    pub(crate) fn queue_counters(&self) -> Option<QueueCounters> {
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
