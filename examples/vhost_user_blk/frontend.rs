//! The vhost-user frontend: sends features, memory, rings and eventfds to the daemon over its socket.
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
/// The names of these features, for the output.
const NAMES: [(u64, &str); 3] =
    [(VERSION_1, "VERSION_1"), (EVENT_INDEX, "RING_EVENT_IDX"), (FLUSH, "BLK_FLUSH")];

/// Device addresses of the rings and of the buffers. They are not addresses of this process.
const RINGS_AT: DeviceAddress = DeviceAddress::new(0x1_0000_0000);
const BUFFERS_AT: DeviceAddress = DeviceAddress::new(0x2_0000_0000);
/// The only queue.
const QUEUE: usize = 0;
/// Longest wait for the reply to a message.
const PROTOCOL: Duration = Duration::from_secs(10);
/// Interval at which a wait checks for Ctrl-C.
const LOOK: Duration = Duration::from_millis(100);

/// A connection to the device.
pub struct Link {
    frontend: Frontend,
    /// The same socket. The daemon sends only replies on it, so an event during a wait means that the daemon closed it.
    socket: UnixStream,
    kick: EventFd,
    call: EventFd,
    features: u64,
    /// Size of the disk in sectors of 512 bytes.
    pub sectors: u64,
    /// Number of available-buffer notifications.
    pub kicks: u64,
    /// Number of used-buffer notifications.
    pub calls: u64,
}

impl Link {
    /// Connects, and negotiates those of the `wanted` features that the device offers.
    pub fn connect(path: &Path, wanted: u64) -> Result<Self, Failure> {
        let socket = UnixStream::connect(path)?;
        socket.set_read_timeout(Some(PROTOCOL))?;
        let mut frontend = Frontend::from_stream(socket.try_clone()?, 1);
        frontend.set_owner()?;
        let more = VhostUserVirtioFeatures::PROTOCOL_FEATURES.bits();
        let features = frontend.get_features()? & (wanted | more);
        if features & (VERSION_1 | more) != VERSION_1 | more {
            return Err(Failure::Daemon(
                "does not offer VERSION_1 and PROTOCOL_FEATURES, which are both needed".to_owned(),
            ));
        }
        let needed = VhostUserProtocolFeatures::CONFIG | VhostUserProtocolFeatures::REPLY_ACK;
        let offered = frontend.get_protocol_features()?;
        if !offered.contains(needed) {
            return Err(Failure::Daemon(
                "does not offer CONFIG and REPLY_ACK, which are both needed".to_owned(),
            ));
        }
        frontend.set_protocol_features(needed)?;
        // From now on the daemon replies to every message, so that an error is reported.
        frontend.set_hdr_flags(VhostUserHeaderFlag::NEED_REPLY);
        frontend.set_features(features)?;
        // The configuration begins with the capacity (5.2.4).
        let (_, capacity) = frontend.get_config(0, 8, VhostUserConfigFlags::empty(), &[0; 8])?;
        let capacity = capacity
            .try_into()
            .map_err(|_| Failure::Daemon("sent a capacity of a wrong length".to_owned()))?;
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

    /// Whether `VIRTIO_F_EVENT_IDX` was negotiated.
    pub const fn event_index(&self) -> bool {
        self.features & EVENT_INDEX != 0
    }

    /// The names of the negotiated features.
    pub fn features(&self) -> String {
        let names = NAMES.iter().filter(|(bit, _)| self.features & bit != 0);
        names.map(|(_, name)| *name).collect::<Vec<_>>().join(", ")
    }

    /// Starts the queue at the device. Both rings begin at `first_index`.
    pub fn start(
        &mut self,
        queue: &SplitQueue<MappedMemory>,
        config: &Config,
        first_index: RingIndex,
    ) -> Result<(), Failure> {
        let regions = [queue.rings(), &queue.buffer_regions()[0]].map(region_info);
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

    /// Stops the queue. Returns the index of the next available entry that the device would have read.
    pub fn stop(&self) -> Result<RingIndex, Failure> {
        let index = self.frontend.get_vring_base(QUEUE)?;
        u16::try_from(index)
            .map(RingIndex::new)
            .map_err(|_| Failure::Daemon(format!("stopped at index {index}, which has more than 16 bits")))
    }

    /// Sends an available-buffer notification.
    pub fn kick(&mut self) -> Result<(), Failure> {
        self.kicks += 1;
        Ok(self.kick.write(1)?)
    }

    /// Waits for a used-buffer notification.
    pub fn wait(&mut self, patience: Duration, in_flight: u16) -> Result<(), Failure> {
        match wait_for(&self.call, Some(self.socket.as_fd()), patience)? {
            WaitEnd::Notified => {
                self.calls += self.call.read()?;
                Ok(())
            }
            WaitEnd::Closed => Err(Failure::Gone { in_flight }),
            WaitEnd::TimedOut => Err(Failure::Silent { in_flight }),
        }
    }
}

/// Memory for the rings and for the buffers, each a memfd of its own.
pub fn regions(config: &Config) -> Result<[Region<MappedMemory>; 2], Failure> {
    let rings = MappedMemory::shareable(Layout::new(config.size).len())?;
    let buffers = MappedMemory::shareable(config.buffer_size as usize * config.size.as_usize())?;
    Ok([Region::at(rings, RINGS_AT), Region::at(buffers, BUFFERS_AT)])
}

/// A region as the protocol describes it. The daemon uses the user address only to translate the rings' addresses.
fn region_info(region: &Region<MappedMemory>) -> VhostUserMemoryRegionInfo {
    let address = region.address().get();
    VhostUserMemoryRegionInfo {
        guest_phys_addr: address,
        memory_size: region.len() as u64,
        userspace_addr: address,
        mmap_offset: 0,
        mmap_handle: region.memory().file().expect("a shareable mapping has a file").as_raw_fd(),
    }
}

/// The reason why a wait ended.
pub enum WaitEnd {
    /// The eventfd can be read.
    Notified,
    /// The other side closed the socket.
    Closed,
    /// Nothing happened in time.
    TimedOut,
}

/// Waits for an eventfd or the end of a socket. A notification that arrived before the end is reported first.
pub fn wait_for(
    call: &impl AsRawFd,
    socket: Option<BorrowedFd<'_>>,
    patience: Duration,
) -> Result<WaitEnd, Failure> {
    // SAFETY: both eventfd types that callers pass own their descriptor, so it stays open while `call` is borrowed.
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
            Ok(0) if left.is_zero() => return Ok(WaitEnd::TimedOut),
            Ok(0) | Err(Errno::INTR) => {}
            Ok(_) if !fds[0].revents().is_empty() => return Ok(WaitEnd::Notified),
            Ok(_) => return Ok(WaitEnd::Closed),
            Err(error) => return Err(Failure::System(error.into())),
        }
    }
}
