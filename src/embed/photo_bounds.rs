//! Bounds of a photo: what its header claims is held against `limits` before a decoder runs.

use super::error::EmbedError;
use super::format::Format;
use crate::limits::{DECODE_BYTES_MAX, PHOTO_PIXELS_MAX, PHOTO_SIDE_PX_MAX, PHOTO_SIDE_PX_MIN};

/// Checks width and height against the limits of a photo.
pub(super) fn check_size(width: u32, height: u32) -> Result<(), EmbedError> {
    if width > PHOTO_SIDE_PX_MAX
        || height > PHOTO_SIDE_PX_MAX
        || u64::from(width) * u64::from(height) > PHOTO_PIXELS_MAX
    {
        return Err(EmbedError::TooLarge { width, height });
    }
    if width < PHOTO_SIDE_PX_MIN || height < PHOTO_SIDE_PX_MIN {
        return Err(EmbedError::TooSmall { width, height });
    }
    Ok(())
}

/// Checks the memory that decoding takes against its limit.
pub(super) fn check_memory(
    format: Format,
    width: u32,
    height: u32,
    bytes_per_pixel: u64,
) -> Result<(), EmbedError> {
    let needed = u64::from(width) * u64::from(height) * bytes_per_pixel;
    if needed > DECODE_BYTES_MAX { Err(EmbedError::Memory { format, needed }) } else { Ok(()) }
}
