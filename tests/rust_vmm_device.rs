//! rust-vmm's device in place of the simulated one: a short storm without a difference, and devices with an error, each of
//! which the comparison must notice.

#[path = "../examples/rust_vmm_device/device.rs"]
mod device;
#[path = "../examples/rust_vmm_device/differential.rs"]
mod differential;
#[path = "../examples/rust_vmm_device/memory.rs"]
mod memory;
#[path = "../examples/rust_vmm_device/notifications.rs"]
mod notifications;

use device::RustVmmDevice;
use differential::{Counts, Differential};
use ringstorm::execution::{DeviceMemory, HonestDevice, Rig, TakenChain};
use ringstorm::outcome::Verdict;
use ringstorm::scenario::{Draw, Profile, generate};
use ringstorm::subject::{QueueSize, SubjectKind};

const STEPS: usize = 128;
/// The queue size (`None`: the seed draws it), and the number of seeds.
const SIZES: [(Option<u32>, u64); 5] =
    [(None, 60), (Some(1), 10), (Some(2), 10), (Some(256), 5), (Some(32768), 2)];

#[test]
fn the_simulated_device_and_rust_vmms_device_behave_the_same() {
    let device = RustVmmDevice::new();
    let (wants_notification, refused_writes) = (device.wants_notification(), device.refused_writes());
    let mut both = Differential::new(device, wants_notification, refused_writes).expect("there is memory");
    let mut counts = Counts::default();
    for kind in [SubjectKind::Core, SubjectKind::Specimen(None)] {
        for (size, seeds) in SIZES {
            let queue_size = size.map(|size| QueueSize::new(size).expect("a power of two"));
            let draw = Draw { profile: Profile::Honest, steps: STEPS, queue_size };
            for seed in 0..seeds {
                let difference = both.run(kind, &draw.scenario(seed), &mut counts).expect("there is memory");
                assert_eq!(difference, None, "seed {seed}, size {size:?}");
            }
        }
    }
    assert!(counts.effective_steps > 15_000 && counts.events > 80_000, "too little happened: {counts:?}");
}

/// The error of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrong {
    LengthLongerByOne,
    NeighboursHead,
    ElementTwice,
    ReplyBeginsWithAnotherByte,
    PayloadCut,
    WholeChainRefused,
    WishInverted,
    EventOneFurther,
    FirstIndexForgotten,
    NotificationInverted,
    WrittenAfterReturn,
}

/// rust-vmm's device with one error.
struct WrongDevice(RustVmmDevice, Wrong);

impl HonestDevice for WrongDevice {
    fn start(&mut self, memory: &DeviceMemory<'_>, first_index: u16, event_index: bool) {
        let forgotten = self.1 == Wrong::FirstIndexForgotten;
        self.0.start(memory, if forgotten { 0 } else { first_index }, event_index);
    }

    fn take(&mut self, memory: &DeviceMemory<'_>, chain: &mut TakenChain) -> bool {
        let taken = self.0.take(memory, chain);
        match self.1 {
            Wrong::PayloadCut => {
                chain.payload.pop();
            }
            Wrong::WholeChainRefused => chain.whole = false,
            _ => {}
        }
        taken
    }

    fn write(&mut self, memory: &DeviceMemory<'_>, head: u16, bytes: &[u8]) {
        let mut bytes = bytes.to_vec();
        if let (Wrong::ReplyBeginsWithAnotherByte, [first, ..]) = (self.1, &mut *bytes) {
            *first ^= 1;
        }
        self.0.write(memory, head, &bytes);
    }

    fn return_chain(&mut self, memory: &DeviceMemory<'_>, head: u16, written: u32) {
        let neighbour = (head + 1) % memory.geometry.size;
        match self.1 {
            Wrong::LengthLongerByOne => self.0.return_chain(memory, head, written + 1),
            Wrong::NeighboursHead => self.0.return_chain(memory, neighbour, written),
            Wrong::ElementTwice => {
                self.0.return_chain(memory, head, written);
                self.0.return_chain(memory, head, written);
            }
            Wrong::WrittenAfterReturn => {
                self.0.return_chain(memory, head, written);
                self.0.write(memory, head, &[1]);
            }
            _ => self.0.return_chain(memory, head, written),
        }
    }

    fn publish(&mut self, memory: &DeviceMemory<'_>) {
        self.0.publish(memory);
        let wants_notification = self.0.wants_notification();
        wants_notification.set(wants_notification.get() != (self.1 == Wrong::NotificationInverted));
    }

    fn set_notifications(&mut self, memory: &DeviceMemory<'_>, wanted: bool) {
        self.0.set_notifications(memory, wanted != (self.1 == Wrong::WishInverted));
    }

    fn set_event(&mut self, memory: &DeviceMemory<'_>, ahead: u16) {
        let further = u16::from(self.1 == Wrong::EventOneFurther);
        self.0.set_event(memory, ahead.wrapping_add(further));
    }
}

/// Without this test, a comparison that notices nothing would look like one that found no difference.
#[test]
fn every_error_of_a_device_is_noticed() {
    let errors = [
        Wrong::LengthLongerByOne,
        Wrong::NeighboursHead,
        Wrong::ElementTwice,
        Wrong::ReplyBeginsWithAnotherByte,
        Wrong::PayloadCut,
        Wrong::WholeChainRefused,
        Wrong::WishInverted,
        Wrong::EventOneFurther,
        Wrong::FirstIndexForgotten,
        Wrong::NotificationInverted,
        Wrong::WrittenAfterReturn,
    ];
    for wrong in errors {
        let device = RustVmmDevice::new();
        let (wants_notification, refused_writes) = (device.wants_notification(), device.refused_writes());
        let mut both = Differential::new(WrongDevice(device, wrong), wants_notification, refused_writes)
            .expect("there is memory");
        let noticed = (0..50).find_map(|seed| {
            let scenario = generate(seed, Profile::Honest, STEPS);
            both.run(SubjectKind::Core, &scenario, &mut Counts::default()).expect("there is memory")
        });
        let difference = noticed.unwrap_or_else(|| panic!("{wrong:?} was not noticed"));
        assert!(
            difference.contains("driver"),
            "{wrong:?}: the difference contains no scenario:\n{difference}"
        );
    }
}

/// An external device is honest: the faults of a scenario are skipped, and the queue drains.
#[test]
fn faults_are_skipped_with_an_external_device() {
    let mut rig = Rig::new().expect("there is memory").with_device(Box::new(RustVmmDevice::new()));
    let mut skipped = 0;
    for seed in 0..50 {
        let outcome = rig.run(SubjectKind::Core, &generate(seed, Profile::Hostile, STEPS), &mut ());
        let outcome = outcome.expect("there is memory");
        assert_eq!(outcome.verdict, Verdict::Pass, "seed {seed}");
        assert_eq!(outcome.last_fault, None, "seed {seed}");
        skipped += outcome.skipped_steps;
    }
    assert!(skipped > 500, "only {skipped} faults were skipped");
}
