//! Well-formed and malformed requests, in batches, over a queue whose indexes wrap.

use super::device::{Device, NAME};
use super::driver::{BUFFER, Driver, Exchange, queue};
use super::request::{ID, SECTOR, header, kind, status};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use ringstorm_core::{DeviceStopped, QueueSize, RingIndex};
use std::error::Error;
use std::io::Write;
use std::sync::mpsc::channel;
use std::thread;

/// Descriptors of the queue.
const SIZE: u16 = 128;
/// Sectors of the disk.
const SECTORS: usize = 2048;
/// Sectors of the longest request, which takes several buffers.
const LONGEST: usize = 9;
/// First ring index, shortly before the wrap.
const FIRST: RingIndex = RingIndex::new(0xfff0);

/// Runs the driver and the device in two threads and writes the results to `out`.
pub fn run(requests: u64, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let queue = queue(QueueSize::new(SIZE.into())?, FIRST)?;
    let device = Device::new(&queue, SIZE, FIRST, SECTORS)?;
    let ((kick, kicks), (calls, call)) = (channel(), channel());
    let device = thread::spawn(move || device.run(&kicks, &calls));

    let mut driver = Driver::new(queue, kick, call);
    let special = special_requests();
    let count = special.len();
    for exchange in special {
        driver.submit(exchange)?;
        driver.finish()?;
    }
    writeln!(out, "answered  {count} special and malformed requests, each as expected")?;
    let disk = reads_and_writes(&mut driver, requests)?;
    let [kicks, calls] = driver.notifications;
    let queue = driver.close();

    // The driver dropped its end of the channel, so the device ends.
    let theirs = device.join().map_err(|_| "the device panicked")??;
    queue.release(DeviceStopped::confirmed());
    if theirs != disk {
        return Err("the disk differs from what was written".into());
    }
    let begin = FIRST.get();
    writeln!(
        out,
        "verified  {requests} reads, writes and flushes from index {begin:#x} on, and the disk at the end"
    )?;
    writeln!(out, "notified  {kicks} times to the device, {calls} times from it")?;
    Ok(())
}

/// Special and malformed requests, each with the expected answer.
fn special_requests() -> Vec<Exchange> {
    let end = SECTORS as u64;
    let sector = [0; SECTOR];
    let failed =
        |what, kind, at, data: &[u8], room: &[u8], status| Exchange::new(what, kind, at, data, room, status);
    let io = status::IO_ERROR;
    let cut = |what, readable: Vec<Vec<u8>>, writable: Vec<u32>, answer: Vec<u8>| Exchange {
        what,
        readable,
        writable,
        answer,
    };
    let id = header(kind::GET_ID, 0);
    vec![
        Exchange::new("its id", kind::GET_ID, 0, &[], NAME, status::OK),
        Exchange::new("a flush", kind::FLUSH, 0, &[], &[], status::OK),
        failed("too little room for an id", kind::GET_ID, 0, &[], &[0; ID as usize - 1], io),
        failed("a request of no kind", 0x7fff_ffff, 0, &[], &[], status::UNSUPPORTED),
        failed("a read at the end", kind::IN, end, &[], &sector, io),
        failed("a read across the end", kind::IN, end - 1, &[], &[0; 2 * SECTOR], io),
        failed("a read where no disk has a sector", kind::IN, u64::MAX, &[], &sector, io),
        failed("a read whose end wraps", kind::IN, u64::MAX / SECTOR as u64, &[], &sector, io),
        failed("a read of half a sector", kind::IN, 0, &[], &[0; SECTOR / 2], io),
        failed("a read of nothing", kind::IN, 0, &[], &[], io),
        failed("a write at the end", kind::OUT, end, &sector, &[], io),
        failed("a write of a sector and a byte", kind::OUT, 0, &[1; SECTOR + 1], &[], io),
        failed("a write of nothing", kind::OUT, 0, &[], &[], io),
        cut(
            "a header cut short",
            vec![id[..15].to_vec()],
            vec![ID, 1],
            [vec![0; ID as usize], vec![io]].concat(),
        ),
        cut(
            "a header in three buffers, and an answer in two",
            vec![id[..1].to_vec(), id[1..7].to_vec(), id[7..].to_vec()],
            vec![7, ID - 7 + 1],
            [&NAME[..], &[status::OK]].concat(),
        ),
        cut("no header at all", vec![], vec![1], vec![io]),
        cut("no room for a status", vec![header(kind::FLUSH, 0).to_vec()], vec![], vec![]),
    ]
}

/// Sends random requests in batches, as many as fit. The device serves them in order, so the expected answer is known at
/// submission. Returns the expected contents of the disk.
fn reads_and_writes(driver: &mut Driver, requests: u64) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(1);
    let mut disk = vec![0; SECTORS * SECTOR];
    for _ in 0..requests {
        let sector = random.random_range(0..SECTORS - LONGEST);
        let place = &mut disk[sector * SECTOR..][..random.random_range(1..=LONGEST) * SECTOR];
        let exchange = match random.random_range(0..16) {
            0 => Exchange::new("a flush", kind::FLUSH, 0, &[], &[], status::OK),
            1..8 => {
                random.fill(place);
                Exchange::write(sector as u64, place)
            }
            _ => Exchange::read(sector as u64, place),
        };
        while !driver.has_room(&exchange) {
            driver.turn()?;
        }
        driver.submit(exchange)?;
        // End the batch at random.
        if random.random_range(0..BUFFER) < 64 {
            driver.turn()?;
        }
    }
    driver.finish()?;
    Ok(disk)
}
