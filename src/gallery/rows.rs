//! Rows in the host's memory: their exact numbers, whether they may be found, and for the
//! processor's engine their codes.
//!
//! The invariant: rows lie in pieces of `PIECE_ROWS` places, in the order of their ids, and keep
//! their ids for ever; the place of a row changes only when `close_gaps_of` closes the gaps that
//! purged rows left. Pieces never move or grow, so no older copy of a row's numbers stays behind:
//! what is zeroed, moved or dropped is overwritten.

use super::blocks::{BLOCK_ROWS, Line, block_lines, put_nothing, put_residual, put_row};
use super::bound::{HIDDEN, quantise_row};
use super::error::GalleryError;
use super::pages::PagedList;
use super::prefetch::prefetch;
use crate::face::Embedding;
use crate::limits::ROWS_MAX;
use zeroize::Zeroize;

/// Places of one piece of memory.
pub(super) const PIECE_ROWS: u32 = 4_096;
/// The most pieces, so that a place is a `u32` too.
const PIECES_MAX: usize = (u32::MAX / PIECE_ROWS) as usize;

/// Whether a row may be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Live,
    Hidden,
    /// Its numbers are gone.
    Zeroed,
}

/// A piece of memory with up to `PIECE_ROWS` rows.
struct Piece {
    /// Ascending.
    ids: Vec<u32>,
    /// One above the largest id that was ever here: ids of rows that are gone lead here, too.
    ids_end: u32,
    states: Vec<State>,
    /// Row after row, D numbers each.
    numbers: PagedList<f32>,
    /// Block after block as `blocks` draws them; without any on a device's gallery.
    blocks: PagedList<Line>,
}

/// All rows of one gallery.
pub(super) struct Rows {
    dimension: usize,
    keeps_codes: bool,
    pieces: Vec<Piece>,
    /// The next row's id.
    next: u32,
    live: u32,
    /// Places of rows that are gone.
    gaps: u32,
    /// A row's codes on their way into a block.
    codes: Vec<i8>,
}

impl Rows {
    /// With codes for the processor's engine, or without.
    pub(super) fn new(dimension: usize, keeps_codes: bool) -> Self {
        Self {
            dimension,
            keeps_codes,
            pieces: Vec::new(),
            next: 0,
            live: 0,
            gaps: 0,
            codes: vec![0; dimension],
        }
    }

    /// D.
    pub(super) fn dimension(&self) -> usize {
        self.dimension
    }

    /// Rows ever appended: the next row's id.
    pub(super) fn len(&self) -> u32 {
        self.next
    }

    /// Rows that a search may find.
    pub(super) fn live(&self) -> u32 {
        self.live
    }

    /// Places of rows that are gone.
    pub(super) fn gaps(&self) -> u32 {
        self.gaps
    }

    /// One above the last place in use.
    pub(super) fn places(&self) -> u32 {
        let Some(last) = self.pieces.last() else { return 0 };
        place(self.pieces.len() - 1, 0) + small(last.ids.len())
    }

    /// Bytes of memory that rows and codes take, filled or not.
    pub(super) fn bytes(&self) -> u64 {
        let of = |piece: &Piece| {
            piece.ids.capacity() * size_of::<u32>()
                + piece.states.capacity() * size_of::<State>()
                + piece.numbers.capacity() * size_of::<f32>()
                + piece.blocks.capacity() * size_of::<Line>()
        };
        self.pieces.iter().map(|piece| of(piece) as u64).sum()
    }

    /// Bytes of codes that one pass of the processor's engine reads.
    pub(super) fn code_bytes(&self) -> u64 {
        self.pieces.iter().map(|piece| size_of_val(&*piece.blocks) as u64).sum()
    }

    /// Adds a live row and gives its id and place.
    pub(super) fn append(&mut self, embedding: &Embedding) -> Result<(u32, u32), GalleryError> {
        if embedding.dimension() != self.dimension {
            return Err(GalleryError::Dimension {
                found: embedding.dimension(),
                wanted: self.dimension,
            });
        }
        let full = self.pieces.last().is_none_or(Piece::is_full);
        if u64::from(self.next) >= ROWS_MAX || full && self.pieces.len() == PIECES_MAX {
            return Err(GalleryError::Full { rows: self.next });
        }
        if full {
            self.pieces.push(Piece::new(self.dimension, self.keeps_codes));
        }
        let at = self.pieces.len() - 1;
        let id = self.next;
        self.pieces[at].push(id, State::Live, embedding.components(), &mut self.codes);
        self.next += 1;
        self.live += 1;
        Ok((id, self.places() - 1))
    }

    /// Where a row is; none once its numbers are gone and its place is taken.
    ///
    /// Errors: no such row.
    pub(super) fn place_of(&self, id: u32) -> Result<Option<u32>, GalleryError> {
        if id >= self.next {
            return Err(GalleryError::UnknownRow { row: id, rows: self.next });
        }
        let at = self.pieces.partition_point(|piece| piece.ids_end <= id);
        let offset = self.pieces.get(at).and_then(|piece| piece.ids.binary_search(&id).ok());
        Ok(offset.map(|offset| place(at, offset)))
    }

    /// The id and the D numbers of the row in a place that a search found.
    pub(super) fn row(&self, place: u32) -> (u32, &[f32]) {
        let (piece, offset) = self.at(place);
        (piece.ids[offset], piece.numbers(offset, self.dimension))
    }

    /// Asks the processor to have the row in a place near when it is read soon.
    pub(super) fn prefetch(&self, place: u32) {
        let (piece, offset) = self.at(place);
        prefetch(&piece.ids[offset..=offset]);
        prefetch(piece.numbers(offset, self.dimension));
    }

    /// The numbers of a row that may be found; none for places without one.
    pub(super) fn live_row(&self, place: u32) -> Option<(u32, &[f32])> {
        let (piece, offset) = self
            .pieces
            .get((place / PIECE_ROWS) as usize)
            .map(|piece| (piece, (place % PIECE_ROWS) as usize))?;
        (piece.states.get(offset) == Some(&State::Live)).then(|| self.row(place))
    }

    /// The blocks of the piece that begins at this place, for the processor's engine.
    pub(super) fn blocks(&self, first: u32) -> &[Line] {
        &self.at(first).0.blocks
    }

    /// Makes a row live or hides it; gives its place if that changed anything.
    pub(super) fn set_live(&mut self, id: u32, live: bool) -> Result<Option<u32>, GalleryError> {
        let place = self.place_of(id)?;
        let wanted = if live { State::Live } else { State::Hidden };
        let found = place.map_or(State::Zeroed, |place| {
            let (piece, offset) = self.at(place);
            piece.states[offset]
        });
        match (found, place) {
            (State::Zeroed, _) | (_, None) if live => Err(GalleryError::Zeroed { row: id }),
            (State::Zeroed, _) | (_, None) => Ok(None),
            (found, _) if found == wanted => Ok(None),
            (_, Some(place)) => {
                let (at, offset) = split(place);
                let piece = &mut self.pieces[at];
                piece.states[offset] = wanted;
                piece.set_visible(offset, live, self.dimension, &mut self.codes);
                self.live = if live { self.live + 1 } else { self.live - 1 };
                Ok(Some(place))
            }
        }
    }

    /// Hides a row for good and overwrites its numbers; gives its place if they were still there.
    pub(super) fn zero(&mut self, id: u32) -> Result<Option<u32>, GalleryError> {
        self.set_live(id, false)?;
        let Some(place) = self.place_of(id)? else { return Ok(None) };
        let (at, offset) = split(place);
        if self.pieces[at].states[offset] == State::Zeroed {
            return Ok(None);
        }
        self.pieces[at].wipe(offset, self.dimension);
        self.gaps += 1;
        Ok(Some(place))
    }

    /// Closes the gaps of one piece with rows of those after it and gives the places that changed,
    /// first and end.
    ///
    /// Called for piece after piece from the first on, it leaves no gap but at the end. Rows keep
    /// their order.
    pub(super) fn close_gaps_of(&mut self, at: usize) -> Vec<(u32, u32)> {
        let mut changed = Vec::new();
        let mut fresh = Piece::new(self.dimension, self.keeps_codes);
        for from in at..self.pieces.len() {
            if fresh.is_full() {
                break;
            }
            let piece = &self.pieces[from];
            let (mut taken, before) = (0, piece.ids.len());
            for (offset, &state) in piece.states.iter().enumerate() {
                match state {
                    State::Zeroed => self.gaps -= 1,
                    _ if fresh.is_full() => break,
                    _ => fresh.push(
                        piece.ids[offset],
                        state,
                        piece.numbers(offset, self.dimension),
                        &mut self.codes,
                    ),
                }
                taken = offset + 1;
            }
            fresh.ids_end = piece.ids.get(taken).copied().unwrap_or(piece.ids_end);
            if from > at {
                let mut rest = Piece::new(self.dimension, self.keeps_codes);
                for offset in taken..before {
                    rest.push(
                        piece.ids[offset],
                        piece.states[offset],
                        piece.numbers(offset, self.dimension),
                        &mut self.codes,
                    );
                }
                rest.ids_end = piece.ids_end;
                self.pieces[from] = rest;
                changed.push((place(from, 0), place(from, 0) + small(before)));
            }
        }
        if let Some(piece) = self.pieces.get_mut(at) {
            changed
                .push((place(at, 0), place(at, 0) + small(piece.ids.len().max(fresh.ids.len()))));
            *piece = fresh;
        }
        while self.pieces.last().is_some_and(|piece| piece.ids.is_empty()) {
            self.pieces.pop();
        }
        changed
    }

    /// Pieces there are.
    pub(super) fn pieces(&self) -> usize {
        self.pieces.len()
    }

    fn at(&self, place: u32) -> (&Piece, usize) {
        let (at, offset) = split(place);
        (&self.pieces[at], offset)
    }
}

impl Piece {
    fn new(dimension: usize, keeps_codes: bool) -> Self {
        let rows = PIECE_ROWS as usize;
        let lines = if keeps_codes { rows / BLOCK_ROWS * block_lines(dimension) } else { 0 };
        Self {
            ids: Vec::with_capacity(rows),
            ids_end: 0,
            states: Vec::with_capacity(rows),
            numbers: PagedList::new(rows * dimension),
            blocks: PagedList::new(lines),
        }
    }

    fn is_full(&self) -> bool {
        self.ids.len() == PIECE_ROWS as usize
    }

    fn numbers(&self, offset: usize, dimension: usize) -> &[f32] {
        &self.numbers[offset * dimension..][..dimension]
    }

    /// Adds a row behind the others.
    fn push(&mut self, id: u32, state: State, numbers: &[f32], codes: &mut [i8]) {
        let offset = self.ids.len();
        self.ids.push(id);
        self.ids_end = id + 1;
        self.states.push(state);
        self.numbers.extend(numbers);
        if self.blocks.capacity() == 0 {
            return;
        }
        let lines = block_lines(numbers.len());
        if offset.is_multiple_of(BLOCK_ROWS) {
            let first = self.blocks.len();
            self.blocks.extend_zeroed(lines);
            (0..BLOCK_ROWS).for_each(|row| put_residual(&mut self.blocks[first..], row, HIDDEN));
        }
        if state != State::Zeroed {
            let bound = quantise_row(numbers, codes);
            let residual = if state == State::Live { bound.residual } else { HIDDEN };
            put_row(self.block(offset, lines), offset % BLOCK_ROWS, codes, bound.scale, residual);
        }
    }

    /// Lets the engine find a row or not.
    fn set_visible(&mut self, offset: usize, live: bool, dimension: usize, codes: &mut [i8]) {
        if self.blocks.is_empty() {
            return;
        }
        let residual = if live {
            quantise_row(self.numbers(offset, dimension), codes).residual
        } else {
            HIDDEN
        };
        put_residual(self.block(offset, block_lines(dimension)), offset % BLOCK_ROWS, residual);
    }

    /// Overwrites a row's numbers and codes.
    fn wipe(&mut self, offset: usize, dimension: usize) {
        self.states[offset] = State::Zeroed;
        self.numbers[offset * dimension..][..dimension].zeroize();
        if !self.blocks.is_empty() {
            put_nothing(self.block(offset, block_lines(dimension)), offset % BLOCK_ROWS);
            put_residual(self.block(offset, block_lines(dimension)), offset % BLOCK_ROWS, HIDDEN);
        }
    }

    fn block(&mut self, offset: usize, lines: usize) -> &mut [Line] {
        &mut self.blocks[offset / BLOCK_ROWS * lines..][..lines]
    }
}

fn split(place: u32) -> (usize, usize) {
    ((place / PIECE_ROWS) as usize, (place % PIECE_ROWS) as usize)
}

fn place(piece: usize, offset: usize) -> u32 {
    small(piece) * PIECE_ROWS + small(offset)
}

fn small(x: usize) -> u32 {
    u32::try_from(x).expect("places are below 2^32")
}

#[cfg(test)]
mod tests {
    use super::super::blocks::residual;
    use super::super::tests::Numbers;
    use super::*;

    fn axis(at: usize) -> Embedding {
        let mut components = vec![0.0; 16];
        components[at % 16] = 1.0;
        Embedding::from_grid(components).unwrap()
    }

    fn filled(rows: u32) -> Rows {
        let mut all = Rows::new(16, true);
        for id in 0..rows {
            assert_eq!(all.append(&axis(id as usize)).unwrap().0, id);
        }
        all
    }

    #[test]
    fn rows_keep_their_numbers_across_pieces() {
        let rows = filled(PIECE_ROWS + 40);
        for place in [0, 15, PIECE_ROWS - 1, PIECE_ROWS, PIECE_ROWS + 39] {
            assert_eq!(rows.row(place), (place, axis(place as usize).components()));
            assert_eq!(rows.place_of(place), Ok(Some(place)));
        }
        assert_eq!(
            (rows.places(), rows.pieces(), rows.live()),
            (PIECE_ROWS + 40, 2, PIECE_ROWS + 40)
        );
        assert_eq!(rows.live_row(PIECE_ROWS + 40), None);
        assert_eq!(rows.live_row(u32::MAX), None);
        // 40 rows begin two blocks of 32.
        assert_eq!(rows.blocks(PIECE_ROWS).len(), 2 * block_lines(16));
    }

    #[test]
    fn a_row_takes_no_more_memory_than_promised() {
        for dimension in [64, 128, 512] {
            let mut numbers = Numbers::new(51);
            let mut rows = Rows::new(dimension, true);
            for _ in 0..10 * PIECE_ROWS {
                rows.append(&numbers.embedding(dimension)).unwrap();
            }
            let promised =
                u64::from(rows.len()) * (dimension as u64 + 8 + 4 * dimension as u64) * 11 / 10;
            assert!(
                rows.bytes() <= promised,
                "D {dimension}: {} bytes, promised {promised}",
                rows.bytes()
            );
        }
    }

    #[test]
    fn a_zeroed_row_stays_hidden_and_holds_zeros() {
        let mut rows = filled(3);
        assert_eq!(rows.set_live(1, false), Ok(Some(1)));
        assert_eq!(rows.set_live(1, false), Ok(None));
        assert_eq!(rows.live_row(1), None);
        assert_eq!(rows.set_live(1, true), Ok(Some(1)));
        assert_eq!(rows.zero(1), Ok(Some(1)));
        assert_eq!(rows.row(1), (1, &[0.0; 16][..]));
        assert!(
            rows.blocks(0)[..block_lines(16) - 2]
                .iter()
                .step_by(2)
                .all(|line| line[4..8] == [0; 4])
        );
        assert_eq!((rows.len(), rows.live(), rows.gaps()), (3, 2, 1));
        assert_eq!(rows.set_live(1, true), Err(GalleryError::Zeroed { row: 1 }));
        assert_eq!(rows.zero(1), Ok(None));
        assert_eq!(rows.set_live(1, false), Ok(None));
        assert_eq!((rows.live(), rows.gaps()), (2, 1));
    }

    #[test]
    fn what_is_no_row_of_this_gallery_is_refused_by_name() {
        let mut rows = Rows::new(17, false);
        assert_eq!(rows.append(&axis(0)), Err(GalleryError::Dimension { found: 16, wanted: 17 }));
        assert_eq!(rows.set_live(0, false), Err(GalleryError::UnknownRow { row: 0, rows: 0 }));
        assert_eq!(rows.zero(7), Err(GalleryError::UnknownRow { row: 7, rows: 0 }));
    }

    #[test]
    fn closing_gaps_keeps_every_row_its_id_and_its_numbers_and_wipes_what_it_leaves() {
        let mut numbers = Numbers::new(52);
        for share in [0, 3, 50, 97, 100] {
            let count = 5 * PIECE_ROWS + 100;
            let mut rows = filled(count);
            let mut states = vec![State::Live; count as usize];
            for id in 0..count {
                if numbers.below(100) < share {
                    rows.zero(id).unwrap();
                    states[id as usize] = State::Zeroed;
                } else if numbers.below(10) == 0 {
                    rows.set_live(id, false).unwrap();
                    states[id as usize] = State::Hidden;
                }
            }
            let mut at = 0;
            while at < rows.pieces() {
                let before: Vec<_> =
                    (0..rows.places()).map(|place| rows.live_row(place).map(|row| row.0)).collect();
                let changed = rows.close_gaps_of(at);
                // What a device isn't told of must be as it was.
                for place in (0..PIECE_ROWS * 6).filter(|place| {
                    !changed.iter().any(|&(first, end)| (first..end).contains(place))
                }) {
                    let row = rows.live_row(place).map(|row| row.0);
                    assert_eq!(row, before.get(place as usize).copied().flatten());
                }
                for (id, &state) in (0..).zip(&states) {
                    let place = rows.place_of(id).unwrap();
                    match state {
                        State::Zeroed => {
                            assert!(place.is_none_or(|place| rows.row(place).1 == [0.0; 16]))
                        }
                        state => {
                            let place = place.unwrap();
                            assert_eq!(rows.row(place), (id, axis(id as usize).components()));
                            assert_eq!(rows.live_row(place).is_some(), state == State::Live);
                            let (offset, lines) =
                                (place as usize % PIECE_ROWS as usize, block_lines(16));
                            let blocks = rows.blocks(place - place % PIECE_ROWS);
                            let residual = residual(
                                &blocks[offset / BLOCK_ROWS * lines..][..lines],
                                offset % BLOCK_ROWS,
                            );
                            assert_eq!(residual == HIDDEN, state == State::Hidden);
                        }
                    }
                }
                at += 1;
            }
            let kept = states.iter().filter(|&&state| state != State::Zeroed).count();
            assert_eq!((rows.gaps(), rows.places() as usize, rows.len()), (0, kept, count));
            assert_eq!(rows.pieces(), kept.div_ceil(PIECE_ROWS as usize));
            // Rows that are gone are known to be gone, and new ones go on.
            if let Some(gone) = states.iter().position(|&state| state == State::Zeroed) {
                let gone = u32::try_from(gone).unwrap();
                assert_eq!(rows.set_live(gone, true), Err(GalleryError::Zeroed { row: gone }));
                assert_eq!((rows.set_live(gone, false), rows.zero(gone)), (Ok(None), Ok(None)));
            }
            assert_eq!(rows.append(&axis(3)).unwrap(), (count, u32::try_from(kept).unwrap()));
            assert_eq!(rows.place_of(count), Ok(Some(u32::try_from(kept).unwrap())));
        }
    }
}
