//! The vhost-user frontend: features, memory, rings and eventfds are told to the daemon over its socket.
#![allow(unsafe_code)]

use super::Failure;
use super::options::interrupted;
use ringstorm_core::{Config, DeviceAddress, Layout, MappedMemory, Region, RingIndex, SplitQueue};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};
use vhost::vhost_user::message::{VhostUserConfigFlags, VhostUserHeaderFlag};
use vhost::vhost_user::{Frontend, VhostUserFrontend, VhostUserProtocolFeatures, VhostUserVirtioFeatures};
use vhost::{VhostBackend, VhostUserMemoryRegionInfo, VringConfigData};
use vmm_sys_util::eventfd::{EFD_CLOEXEC, EFD_NONBLOCK, EventFd};

/// `VIRTIO_F_VERSION_1` (6).
pub const VERSION_1: u64 = 1 << 32;
/// `VIRTIO_F_EVENT_IDX` (6).
pub const EVENT_INDEX: u64 = 1 << 29;
/// `VIRTIO_BLK_F_FLUSH` (5.2.3).
pub const FLUSH: u64 = 1 << 9;
/// Each with its name, to be told.
const NAMES: [(u64, &str); 3] =
    [(VERSION_1, "VERSION_1"), (EVENT_INDEX, "RING_EVENT_IDX"), (FLUSH, "BLK_FLUSH")];

/// Where the device sees the rings and the buffers: addresses that mean nothing in this process.
const RINGS_AT: DeviceAddress = DeviceAddress::new(0x1_0000_0000);
const BUFFERS_AT: DeviceAddress = DeviceAddress::new(0x2_0000_0000);
/// The only queue.
const QUEUE: usize = 0;
/// How long a message of the protocol may take.
const PROTOCOL: Duration = Duration::from_secs(10);
/// How often it is looked for Ctrl-C.
const LOOK: Duration = Duration::from_millis(100);

/// A connection to the device.
pub struct Link {
    frontend: Frontend,
    /// The same socket: the daemon says nothing of its own accord on it, but hangs up.
    socket: UnixStream,
    kick: EventFd,
    call: EventFd,
    features: u64,
    /// Size of the disk in sectors of 512 bytes.
    pub sectors: u64,
    /// Notifications sent.
    pub kicks: u64,
    /// Notifications that came.
    pub calls: u64,
}

impl Link {
    /// Connects, and agrees on as many of the `wanted` features as the device offers.
    pub fn connect(path: &Path, wanted: u64) -> Result<Self, Failure> {
        let socket = UnixStream::connect(path)?;
        socket.set_read_timeout(Some(PROTOCOL))?;
        let mut frontend = Frontend::from_stream(socket.try_clone()?, 1);
        frontend.set_owner()?;
        let more = VhostUserVirtioFeatures::PROTOCOL_FEATURES.bits();
        let features = frontend.get_features()? & (wanted | more);
        if features & (VERSION_1 | more) != VERSION_1 | more {
            return Err(Failure::Daemon("offers neither VERSION_1 nor what the protocol needs".to_owned()));
        }
        let needed = VhostUserProtocolFeatures::CONFIG | VhostUserProtocolFeatures::REPLY_ACK;
        let offered = frontend.get_protocol_features()?;
        if !offered.contains(needed) {
            return Err(Failure::Daemon("offers neither its configuration nor replies".to_owned()));
        }
        frontend.set_protocol_features(needed)?;
        // Every message is answered from here on, so that what the daemon refuses is known.
        frontend.set_hdr_flags(VhostUserHeaderFlag::NEED_REPLY);
        frontend.set_features(features)?;
        // The configuration begins with the capacity (5.2.4).
        let (_, capacity) = frontend.get_config(0, 8, VhostUserConfigFlags::empty(), &[0; 8])?;
        let capacity = capacity.try_into().map_err(|_| Failure::Daemon("tells no capacity".to_owned()))?;
        let eventfd = || EventFd::new(EFD_CLOEXEC | EFD_NONBLOCK);
        Ok(Self {
            frontend,
            socket,
            kick: eventfd()?,
            call: eventfd()?,
            features: features & !more,
            sectors: u64::from_le_bytes(capacity),
            kicks: 0,
            calls: 0,
        })
    }

    /// Whether both sides say by indexes when they want to be notified.
    pub const fn event_index(&self) -> bool {
        self.features & EVENT_INDEX != 0
    }

    /// The names of the features.
    pub fn features(&self) -> String {
        let names = NAMES.iter().filter(|(bit, _)| self.features & bit != 0);
        names.map(|(_, name)| *name).collect::<Vec<_>>().join(", ")
    }

    /// Gives the queue to the device, whose rings both begin at `first_index`.
    pub fn start(
        &mut self,
        queue: &SplitQueue<MappedMemory>,
        config: &Config,
        first_index: RingIndex,
    ) -> Result<(), Failure> {
        let regions = [queue.rings(), &queue.buffer_regions()[0]].map(told);
        self.frontend.set_mem_table(&regions)?;
        let [table, available, used] = queue.addresses().map(DeviceAddress::get);
        let size = config.size.get();
        self.frontend.set_vring_num(QUEUE, size)?;
        self.frontend.set_vring_base(QUEUE, first_index.get())?;
        let addresses = VringConfigData {
            queue_max_size: size,
            queue_size: size,
            flags: 0,
            desc_table_addr: table,
            used_ring_addr: used,
            avail_ring_addr: available,
            log_addr: None,
        };
        self.frontend.set_vring_addr(QUEUE, &addresses)?;
        self.frontend.set_vring_call(QUEUE, &self.call)?;
        self.frontend.set_vring_kick(QUEUE, &self.kick)?;
        self.frontend.set_vring_enable(QUEUE, true)?;
        Ok(())
    }

    /// Stops the queue. The device says which entry of the available ring it would have looked at next.
    pub fn stop(&self) -> Result<RingIndex, Failure> {
        let index = self.frontend.get_vring_base(QUEUE)?;
        u16::try_from(index).map(RingIndex::new).map_err(|_| Failure::Daemon(format!("is at index {index}")))
    }

    /// Notifies the device.
    pub fn kick(&mut self) -> Result<(), Failure> {
        self.kicks += 1;
        Ok(self.kick.write(1)?)
    }

    /// Waits for a notification of the device.
    pub fn wait(&mut self, patience: Duration, in_flight: u16) -> Result<(), Failure> {
        match woken(&self.call, Some(self.socket.as_fd()), patience)? {
            Woken::Called => {
                self.calls += self.call.read()?;
                Ok(())
            }
            Woken::HungUp => Err(Failure::Gone { in_flight }),
            Woken::TooLate => Err(Failure::Silent { in_flight }),
        }
    }
}

/// Memory for the rings and for the buffers, each a memfd of its own.
pub fn regions(config: &Config) -> Result<[Region<MappedMemory>; 2], Failure> {
    let rings = MappedMemory::shareable(Layout::new(config.size).len())?;
    let buffers = MappedMemory::shareable(config.buffer_size as usize * config.size.as_usize())?;
    Ok([Region::at(rings, RINGS_AT), Region::at(buffers, BUFFERS_AT)])
}

/// A region in the words of the protocol. What it calls a user address is only compared with the rings' addresses.
fn told(region: &Region<MappedMemory>) -> VhostUserMemoryRegionInfo {
    let address = region.address().get();
    VhostUserMemoryRegionInfo {
        guest_phys_addr: address,
        memory_size: region.len() as u64,
        userspace_addr: address,
        mmap_offset: 0,
        mmap_handle: region.memory().file().expect("a shareable mapping has a file").as_raw_fd(),
    }
}

/// What ended a wait.
pub enum Woken {
    /// The eventfd can be read.
    Called,
    /// The socket was closed at the other end.
    HungUp,
    /// Nothing came.
    TooLate,
}

/// Waits for an eventfd, and looks at a socket too. What came before the other side hung up is told first.
pub fn woken(
    call: &impl AsRawFd,
    socket: Option<BorrowedFd<'_>>,
    patience: Duration,
) -> Result<Woken, Failure> {
    // SAFETY: both kinds of eventfd that are waited for own their descriptor, so it stays open while `call` is borrowed.
    let call = unsafe { BorrowedFd::borrow_raw(call.as_raw_fd()) };
    let begin = Instant::now();
    loop {
        if interrupted() {
            return Err(Failure::Interrupted);
        }
        let left = patience.saturating_sub(begin.elapsed());
        let slice = Timespec::try_from(left.min(LOOK)).expect("a short time");
        let mut fds = vec![PollFd::from_borrowed_fd(call, PollFlags::IN)];
        fds.extend(socket.map(|socket| PollFd::from_borrowed_fd(socket, PollFlags::IN)));
        match poll(&mut fds, Some(&slice)) {
            Ok(0) if left.is_zero() => return Ok(Woken::TooLate),
            Ok(0) | Err(Errno::INTR) => {}
            Ok(_) if !fds[0].revents().is_empty() => return Ok(Woken::Called),
            Ok(_) => return Ok(Woken::HungUp),
            Err(error) => return Err(Failure::System(error.into())),
        }
    }
}
