//! Constants and the header of virtio-blk requests (5.2.6).

/// Request types.
pub mod kind {
    /// `VIRTIO_BLK_T_IN`.
    pub const IN: u32 = 0;
    /// `VIRTIO_BLK_T_OUT`.
    pub const OUT: u32 = 1;
    /// `VIRTIO_BLK_T_FLUSH`.
    pub const FLUSH: u32 = 4;
    /// `VIRTIO_BLK_T_GET_ID`.
    pub const GET_ID: u32 = 8;
}

/// Status values.
pub mod status {
    /// `VIRTIO_BLK_S_OK`.
    pub const OK: u8 = 0;
    /// `VIRTIO_BLK_S_IOERR`.
    pub const IO_ERROR: u8 = 1;
    /// `VIRTIO_BLK_S_UNSUPP`.
    pub const UNSUPPORTED: u8 = 2;
}

/// Bytes of a sector, whatever the block size (5.2.4).
pub const SECTOR: usize = 512;

/// Bytes of a device id.
pub const ID: u32 = 20;

/// The header of a request: type, 32 reserved bits, first sector.
pub fn header(kind: u32, sector: u64) -> [u8; 16] {
    let mut header = [0; 16];
    header[..4].copy_from_slice(&kind.to_le_bytes());
    header[8..].copy_from_slice(&sector.to_le_bytes());
    header
}
