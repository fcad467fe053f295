//! A device in another process, which maps the files of a shareable queue and serves it.
#![cfg(target_os = "linux")]

mod support;

use ringstorm_core::{
    Completion, Config, DeviceAddress, Layout, MappedMemory, QueueSize, Region, SplitQueue,
};
use std::fs::OpenOptions;
use std::os::fd::AsRawFd;
use std::process::{Command, id};
use support::{BUFFERS_AT, pattern};

const SIZE: u16 = 8;
const BUFFER_SIZE: u32 = 4096;

/// The test that this binary runs again in another process, as the device.
const NAME: &str = "a_device_in_another_process_serves_the_queue";

/// The prefix of an argument with the two paths. The test runner takes the argument for the name of a test that it
/// does not find.
const ARGUMENT_PREFIX: &str = "device:";

fn respond(request: Vec<u8>) -> Vec<u8> {
    request.iter().rev().map(|byte| !byte).collect()
}

/// Serves the chains that were published before this process started, and ends.
fn be_the_device(paths: &str) {
    let attach = |path| {
        let file = OpenOptions::new().read(true).write(true).open(path).unwrap();
        MappedMemory::attach(file).unwrap()
    };
    let (rings, buffers) = paths.split_once(':').unwrap();
    let (rings, buffers) = (attach(rings), attach(buffers));
    let mut device = support::Device::new(SIZE, &rings, vec![(BUFFERS_AT, &buffers)], 0);
    assert_eq!(device.serve(respond), 3);
}

#[test]
fn a_device_in_another_process_serves_the_queue() {
    if let Some(paths) = std::env::args().find_map(|arg| arg.strip_prefix(ARGUMENT_PREFIX).map(String::from))
    {
        return be_the_device(&paths);
    }
    let size = QueueSize::new(SIZE.into()).unwrap();
    let config = Config { buffer_size: BUFFER_SIZE, ..Config::new(size) };
    let rings = MappedMemory::shareable(Layout::new(size).len()).unwrap();
    let buffers = MappedMemory::shareable((BUFFER_SIZE * u32::from(SIZE)) as usize).unwrap();
    let path = |memory: &MappedMemory| {
        format!("/proc/{}/fd/{}", id(), memory.file().expect("shareable").as_raw_fd())
    };
    let device = format!("{ARGUMENT_PREFIX}{}:{}", path(&rings), path(&buffers));
    let at = |memory, base| Region::at(memory, DeviceAddress::new(base));
    let mut queue = SplitQueue::new(config, at(rings, 0x1000), at(buffers, BUFFERS_AT)).unwrap();

    let payloads = [pattern(1, 1), pattern(2, 4096), pattern(3, 3000)];
    let heads = payloads.each_ref().map(|payload| queue.submit(&[payload], &[BUFFER_SIZE]).unwrap());
    let _ = queue.publish();
    let child = Command::new(std::env::current_exe().unwrap()).args(["--exact", NAME, &device]).output();
    let child = child.unwrap();
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stdout));
    for (head, payload) in heads.into_iter().zip(payloads) {
        let answer = respond(payload);
        assert_eq!(queue.take(), Ok(Some(Completion { head, written: answer.len() as u32 })));
        let mut out = vec![0; answer.len()];
        assert_eq!(queue.read(head, &mut out), Ok(answer.len()));
        assert_eq!(out, answer);
        queue.free(head).unwrap();
    }
    assert_eq!(queue.take(), Ok(None));
    assert_eq!(queue.free_count(), SIZE);
}
