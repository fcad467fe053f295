//! `VirtQueue` of any size behind a trait, since the size is a part of its type.

use super::platform::Harness;
use super::transport::RecordingTransport;
use virtio_drivers::Result;
use virtio_drivers::queue::VirtQueue;

/// The largest queue size. The queue contains 32 bytes for each descriptor and is moved a few times while it is made. This size
/// fits on the stack of a thread in a debug build.
pub const LARGEST: u16 = 1024;

/// The methods of the crate's queue, unchanged.
pub trait AnyQueue: std::fmt::Debug {
    /// # Safety
    /// As `VirtQueue::add`: "The input and output buffers must remain valid and not be accessed until a call to
    /// `pop_used` with the returned token succeeds."
    unsafe fn add<'a, 'b>(&mut self, inputs: &'a [&'b [u8]], outputs: &'a mut [&'b mut [u8]]) -> Result<u16>;
    fn peek_used(&self) -> Option<u16>;
    /// # Safety
    /// As `VirtQueue::pop_used`: "The buffers in `inputs` and `outputs` must match the set of buffers originally added to
    /// the queue by `add` when it returned the token being passed in here."
    unsafe fn pop_used<'a>(
        &mut self,
        token: u16,
        inputs: &'a [&'a [u8]],
        outputs: &'a mut [&'a mut [u8]],
    ) -> Result<u32>;
    fn can_pop(&self) -> bool;
    fn should_notify(&self) -> bool;
    fn set_dev_notify(&mut self, enable: bool);
    fn available_desc(&self) -> usize;
}

impl<const SIZE: usize> AnyQueue for VirtQueue<Harness, SIZE> {
    unsafe fn add<'a, 'b>(&mut self, inputs: &'a [&'b [u8]], outputs: &'a mut [&'b mut [u8]]) -> Result<u16> {
        // SAFETY: the same contract.
        unsafe { self.add(inputs, outputs) }
    }
    fn peek_used(&self) -> Option<u16> {
        self.peek_used()
    }
    unsafe fn pop_used<'a>(
        &mut self,
        token: u16,
        inputs: &'a [&'a [u8]],
        outputs: &'a mut [&'a mut [u8]],
    ) -> Result<u32> {
        // SAFETY: the same contract.
        unsafe { self.pop_used(token, inputs, outputs) }
    }
    fn can_pop(&self) -> bool {
        self.can_pop()
    }
    fn should_notify(&self) -> bool {
        self.should_notify()
    }
    fn set_dev_notify(&mut self, enable: bool) {
        self.set_dev_notify(enable);
    }
    fn available_desc(&self) -> usize {
        self.available_desc()
    }
}

/// Makes a queue of this size and announces it to the transport.
pub fn new(size: u16, transport: &mut RecordingTransport, event_index: bool) -> Box<dyn AnyQueue> {
    macro_rules! of_size {
        ($($size:literal)*) => {
            match size {
                $($size => Box::new(
                    VirtQueue::<Harness, $size>::new(transport, 0, false, event_index).expect("the transport accepts any queue"),
                ),)*
                _ => unreachable!("the harness makes no larger queue"),
            }
        };
    }
    of_size!(1 2 4 8 16 32 64 128 256 512 1024)
}
