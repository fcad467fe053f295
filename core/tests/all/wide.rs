//! Numbers that need all their bits: serial numbers, lengths, counts and offsets that a defect could truncate.

use crate::support::vast::Vast;
use crate::support::{BUFFERS_AT, Device, Memory, Queue, pattern};
use ringstorm_core::{
    AfterFault, Completion, DeviceFault, Head, HeapMemory, Misuse, OverLong, Policies, SharedMemory,
};

/// A completed chain of one device-writable buffer, whose first two bytes the device has written.
fn returned(queue: &mut Queue<'_>, device: &mut Device<'_, HeapMemory>) -> Head {
    let head = queue.submit(&[], &[4]).unwrap();
    let _ = queue.publish();
    device.poll().unwrap();
    device.answer(head.index(), b"ab");
    assert_eq!(queue.take(), Ok(Some(Completion { head, written: 2 })));
    head
}

/// A stale handle is refused forever, however many chains have used its descriptor since. A part of the serial number
/// would not be enough.
#[test]
fn a_stale_handle_is_refused_forever() {
    let memory = Memory::new(1, 8);
    let (mut queue, mut device) = (memory.queue(), memory.device());
    let old = returned(&mut queue, &mut device);
    let mut newest = old;
    for since in 1..=65_536_u32 {
        queue.free(newest).unwrap();
        newest = returned(&mut queue, &mut device);
        if since.is_power_of_two() {
            assert_eq!(newest.serial(), old.serial() + u64::from(since));
            assert_eq!(queue.read(old, &mut [0; 8]), Err(Misuse::HeadStale(old)));
            assert_eq!(queue.free(old), Err(Misuse::HeadStale(old)));
            assert!(queue.buffers(old).is_err());
            assert_eq!(queue.read(newest, &mut [0; 8]), Ok(2));
        }
    }
}

/// A handle is refused if no chain has its serial number yet, or if the number differs in one bit.
#[test]
fn a_forged_handle_is_refused() {
    let memory = Memory::new(1, 8);
    let (mut queue, mut device) = (memory.queue(), memory.device());
    let head = returned(&mut queue, &mut device);
    let forged = (0..64).map(|bit| head.serial() ^ 1 << bit).chain([head.serial() + 7, u64::MAX, 0]);
    for serial in forged {
        let forged = Head::from_parts(queue.id(), head.index(), serial);
        assert!(queue.read(forged, &mut [0; 8]).is_err(), "{forged}");
        assert!(queue.free(forged).is_err(), "{forged}");
        assert!(queue.buffers(forged).is_err(), "{forged}");
    }
    assert_eq!(queue.free(head), Ok(()));
}

#[test]
fn all_bits_of_a_length_are_compared() {
    let memory = Memory::new(4, 4096);
    let mut table = memory.table();
    for length in [4097, 65_536, 65_537, 1 << 24, u32::MAX] {
        let refused = |position| Misuse::BufferTooLarge { position, length: length as usize, limit: 4096 };
        assert_eq!(table.create(&[], &[1, length]), Err(refused(1)));
        assert_eq!(table.create_with(&[length], &[], |_| Ok(())), Err(refused(0)));
    }
    let long = vec![0; 65_537];
    let refused = Misuse::BufferTooLarge { position: 0, length: 65_537, limit: 4096 };
    assert_eq!(table.create(&[&long], &[]), Err(refused));
}

#[test]
fn all_bits_of_a_length_are_written() {
    const LENGTH: u32 = 65_537;
    let memory = Memory::new(4, 2 * LENGTH);
    let mut queue = memory.queue();
    let payload = pattern(1, LENGTH as usize);
    let head = queue.submit(&[&payload], &[LENGTH]).unwrap();
    let lengths: Vec<u32> = queue.buffers(head).unwrap().map(|buffer| buffer.length).collect();
    assert_eq!(lengths, [LENGTH; 2]);
    for descriptor in [0, 1] {
        assert_eq!(memory.rings.load_u64(16 * descriptor + 8) as u32, LENGTH);
    }
    let mut last = [0; 3];
    memory.buffers.copy_out(LENGTH as usize - 3, &mut last);
    assert_eq!(last, payload[payload.len() - 3..]);
}

/// More device-readable buffers than 8 bits can count, followed by a device-writable one.
#[test]
fn many_readable_buffers_are_skipped() {
    for readable in [255, 256, 257, 511] {
        let memory = Memory::new(512, 8);
        let (mut queue, mut device) = (memory.queue(), memory.device());
        let byte: &[u8] = b"r";
        let head = queue.submit(&vec![byte; readable], &[4]).unwrap();
        let _ = queue.publish();
        device.poll().unwrap();
        device.answer(head.index(), b"back");
        assert_eq!(queue.take(), Ok(Some(Completion { head, written: 4 })));
        let mut answer = [0; 4];
        assert_eq!(queue.read(head, &mut answer), Ok(4));
        assert_eq!(&answer, b"back", "behind {readable} buffers");
    }
}

/// Buffers of nearly 4 GiB each. The offset of the second one needs more than 32 bits.
#[test]
fn a_buffer_offset_has_more_than_32_bits() {
    let places = |lengths: usize| (0..lengths as u64).map(|index| BUFFERS_AT + index * u64::from(u32::MAX));
    let (rings, buffers) = Vast::rings_and_buffers();
    let mut queue = Vast::queue(&rings, &buffers);
    let head = queue.submit(&[], &[1; 4]).unwrap();
    assert!(queue.buffers(head).unwrap().map(|buffer| buffer.address.get()).eq(places(4)));
    let written = (0..4).map(|descriptor| rings.load_u64(16 * descriptor));
    assert!(written.eq(places(4)));
}

/// A broken queue returns the error each time, whether or not the device claims an element.
#[test]
fn a_broken_queue_returns_the_error_without_new_elements() {
    let memory = Memory::new(4, 8);
    let (mut queue, mut device) = (memory.queue(), memory.device());
    queue.submit(&[b"r"], &[]).unwrap();
    let _ = queue.publish();
    device.poll().unwrap();
    device.return_chain(99, 0);
    assert_eq!(queue.take(), Err(DeviceFault::IdOutOfRange { id: 99 }));
    for _ in 0..3 {
        assert_eq!(queue.take(), Err(DeviceFault::Broken));
    }
}

/// For a chain without device-writable bytes, a length of one is too long.
#[test]
fn an_over_long_answer_to_a_chain_without_writable_buffers_is_refused() {
    let policies =
        Policies { after_fault: AfterFault::Continue, over_long: OverLong::Refuse, ..Policies::default() };
    for claimed in [1, u32::MAX] {
        let memory = Memory::new(4, 8).with(policies);
        let (mut queue, mut device) = (memory.queue(), memory.device());
        let head = queue.submit(&[b"r"], &[]).unwrap();
        let _ = queue.publish();
        device.poll().unwrap();
        device.return_chain(head.index().into(), claimed);
        assert_eq!(queue.take(), Err(DeviceFault::LengthTooLong { head, claimed, writable: 0 }));
        assert_eq!(queue.free(head), Ok(()));
    }
}
