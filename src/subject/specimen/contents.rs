//! Reads what the device wrote to a taken chain.

use super::Defect;
use super::table::Table;
use ringstorm_core::SharedMemory;
use ringstorm_model::Answer;

impl Table {
    /// Copies what the device wrote to a taken chain.
    pub(super) fn read(&self, head: u16, out: &mut [u8]) -> Answer<usize> {
        let chain = self.returned(head)?;
        let available = if self.has(Defect::LengthIgnored) { chain.writable as u32 } else { chain.written };
        let count = out.len().min(available as usize);
        let out = &mut out[..count];
        match self.defect {
            Some(Defect::LoopDetectedAtHeadOnly | Defect::NextUnchecked) => {
                Ok(self.copy(&self.follow(head, chain)?, out))
            }
            Some(Defect::ContentsFromTail) => {
                let tail = chain.indexes.len() - 1;
                let copied = self.copy(&chain.indexes[tail..], out);
                assert!(copied == count, "expected to copy {count} bytes, but copied {copied}");
                Ok(copied)
            }
            _ => Ok(self.copy(&chain.indexes, out)),
        }
    }

    /// Fills `out` from the device-writable buffers of these descriptors. Returns the number of bytes copied.
    fn copy(&self, indexes: &[u16], out: &mut [u8]) -> usize {
        let mut copied = 0;
        for index in indexes {
            let descriptor = self.descriptors[usize::from(*index)];
            if copied == out.len() {
                break;
            }
            let writable = match self.has(Defect::WriteFlagReadBack) {
                true => self.shared(*index).is_writable(),
                false => descriptor.writable,
            };
            if !writable {
                continue;
            }
            let length = match self.has(Defect::LengthReadBack) {
                true => self.shared(*index).length,
                false => descriptor.length,
            };
            let end = out.len().min(copied + length as usize);
            self.buffers.copy_out(self.offset(descriptor.buffer), &mut out[copied..end]);
            copied = end;
        }
        copied
    }
}
