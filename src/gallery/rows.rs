//! The host's master rows: what every answer is scored from, and which of them are live.
//!
//! The invariant: a row's numbers are written once, when it is appended, and once more with zeros, when it is purged. They lie in
//! pieces that never move, so that growing copies nothing and zeroing leaves no older copy behind.

use super::GalleryError;
use crate::face::Embedding;
use crate::limits::ROWS_MAX;
use zeroize::Zeroize;

/// Rows of one piece of memory.
const PIECE_ROWS: u32 = 4_096;
/// Rows that share one word of bits.
const WORD_ROWS: u32 = 32;

/// All rows of one gallery with their bits.
pub(super) struct Rows {
    dimension: usize,
    /// `PIECE_ROWS` rows each, row after row, never reallocated.
    pieces: Vec<Vec<f32>>,
    /// One bit a row, lowest bit first: set while the row may be found. A device reads these words as they are.
    live: Vec<u32>,
    /// One bit a row: set once its numbers are gone.
    zeroed: Vec<u32>,
    len: u32,
    live_len: u32,
}

impl Rows {
    pub(super) fn new(dimension: usize) -> Self {
        Self { dimension, pieces: Vec::new(), live: Vec::new(), zeroed: Vec::new(), len: 0, live_len: 0 }
    }

    /// D.
    pub(super) fn dimension(&self) -> usize {
        self.dimension
    }

    /// Rows ever appended.
    pub(super) fn len(&self) -> u32 {
        self.len
    }

    /// Rows that a search may find.
    pub(super) fn live_len(&self) -> u32 {
        self.live_len
    }

    /// Adds a live row and gives its index.
    pub(super) fn append(&mut self, embedding: &Embedding) -> Result<u32, GalleryError> {
        if embedding.dimension() != self.dimension {
            return Err(GalleryError::Dimension { found: embedding.dimension(), wanted: self.dimension });
        }
        if u64::from(self.len) >= ROWS_MAX {
            return Err(GalleryError::Full { rows: self.len });
        }
        let row = self.len;
        if row.is_multiple_of(PIECE_ROWS) {
            self.pieces.push(Vec::with_capacity(PIECE_ROWS as usize * self.dimension));
        }
        if row.is_multiple_of(WORD_ROWS) {
            self.live.push(0);
            self.zeroed.push(0);
        }
        let piece = self.pieces.last_mut().expect("a piece was pushed for the first row");
        piece.extend_from_slice(embedding.components());
        self.len += 1;
        set_bit(&mut self.live, row, true);
        self.live_len += 1;
        Ok(row)
    }

    /// The D components of a row below `len`.
    pub(super) fn row(&self, row: u32) -> &[f32] {
        let at = (row % PIECE_ROWS) as usize * self.dimension;
        &self.pieces[(row / PIECE_ROWS) as usize][at..at + self.dimension]
    }

    /// Whether a search may find the row.
    pub(super) fn is_live(&self, row: u32) -> bool {
        bit(&self.live, row)
    }

    /// The words with the live bits of the rows from `first`, a multiple of 32, to `end`; rows not there yet have no bit.
    pub(super) fn live_words(&self, first: u32, end: u32) -> &[u32] {
        let words = self.live.len();
        &self.live[((first / WORD_ROWS) as usize).min(words)..(end.div_ceil(WORD_ROWS) as usize).min(words)]
    }

    /// Makes a row live or hides it; gives whether that changed anything.
    pub(super) fn set_live(&mut self, row: u32, live: bool) -> Result<bool, GalleryError> {
        self.check(row)?;
        if live && bit(&self.zeroed, row) {
            return Err(GalleryError::Zeroed { row });
        }
        if self.is_live(row) == live {
            return Ok(false);
        }
        set_bit(&mut self.live, row, live);
        self.live_len = if live { self.live_len + 1 } else { self.live_len - 1 };
        Ok(true)
    }

    /// Hides a row for good and overwrites its numbers.
    pub(super) fn zero(&mut self, row: u32) -> Result<(), GalleryError> {
        self.set_live(row, false)?;
        set_bit(&mut self.zeroed, row, true);
        let at = (row % PIECE_ROWS) as usize * self.dimension;
        self.pieces[(row / PIECE_ROWS) as usize][at..at + self.dimension].zeroize();
        Ok(())
    }

    fn check(&self, row: u32) -> Result<(), GalleryError> {
        if row < self.len { Ok(()) } else { Err(GalleryError::UnknownRow { row, rows: self.len }) }
    }
}

fn bit(words: &[u32], row: u32) -> bool {
    (words[(row / WORD_ROWS) as usize] >> (row % WORD_ROWS)) & 1 == 1
}

fn set_bit(words: &mut [u32], row: u32, on: bool) {
    let word = &mut words[(row / WORD_ROWS) as usize];
    let mask = 1 << (row % WORD_ROWS);
    *word = if on { *word | mask } else { *word & !mask };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(at: usize) -> Embedding {
        let mut components = vec![0.0; 16];
        components[at] = 1.0;
        Embedding::from_grid(components).unwrap()
    }

    #[test]
    fn rows_keep_their_numbers_across_pieces() {
        let mut rows = Rows::new(16);
        for i in 0..PIECE_ROWS + 40 {
            assert_eq!(rows.append(&axis(i as usize % 16)).unwrap(), i);
        }
        assert_eq!(rows.row(PIECE_ROWS - 1), axis((PIECE_ROWS as usize - 1) % 16).components());
        assert_eq!(rows.row(PIECE_ROWS + 3), axis((PIECE_ROWS as usize + 3) % 16).components());
        assert_eq!(rows.live_words(PIECE_ROWS, PIECE_ROWS + 64), [u32::MAX, 0xff]);
        assert!(rows.live_words(PIECE_ROWS + 64, PIECE_ROWS + 128).is_empty());
    }

    #[test]
    fn a_zeroed_row_stays_hidden_and_holds_zeros() {
        let mut rows = Rows::new(16);
        for i in 0..3 {
            rows.append(&axis(i)).unwrap();
        }
        assert!(rows.set_live(1, false).unwrap());
        assert!(!rows.set_live(1, false).unwrap());
        assert!(rows.set_live(1, true).unwrap());
        rows.zero(1).unwrap();
        assert_eq!(rows.row(1), [0.0; 16]);
        assert_eq!((rows.len(), rows.live_len(), rows.is_live(1)), (3, 2, false));
        assert_eq!(rows.set_live(1, true), Err(GalleryError::Zeroed { row: 1 }));
        rows.zero(1).unwrap();
        assert_eq!(rows.live_len(), 2);
    }

    #[test]
    fn what_is_no_row_of_this_gallery_is_refused_by_name() {
        let mut rows = Rows::new(17);
        assert_eq!(rows.append(&axis(0)), Err(GalleryError::Dimension { found: 16, wanted: 17 }));
        assert_eq!(rows.set_live(0, false), Err(GalleryError::UnknownRow { row: 0, rows: 0 }));
        assert_eq!(rows.zero(7), Err(GalleryError::UnknownRow { row: 7, rows: 0 }));
    }
}
