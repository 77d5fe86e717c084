//! A reader of the CBOR that security keys write (CTAP2's canonical form of RFC 8949): it borrows,
//! allocates nothing, and takes definite lengths, shortest heads and a few levels of nesting only.
//! Bytes come from whoever calls, so every step is bounded by what is left of them.

use crate::limits::CBOR_DEPTH_MAX;

const UNSIGNED: u8 = 0;
const NEGATIVE: u8 = 1;
const BYTES: u8 = 2;
const TEXT: u8 = 3;
const ARRAY: u8 = 4;
const MAP: u8 = 5;
const SIMPLE: u8 = 7;

/// What is left to read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'b> {
    rest: &'b [u8],
}

/// The bytes are no CBOR of this form, or another item than was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

impl<'b> Reader<'b> {
    pub(super) fn new(bytes: &'b [u8]) -> Self {
        Self { rest: bytes }
    }

    /// What is left.
    pub(super) fn rest(&self) -> &'b [u8] {
        self.rest
    }

    /// The number of entries of the map that begins here.
    pub(super) fn map(&mut self) -> Result<u64, Malformed> {
        self.head_of(MAP)
    }

    /// The number of items of the array that begins here.
    pub(super) fn array(&mut self) -> Result<u64, Malformed> {
        self.head_of(ARRAY)
    }

    /// The byte string that begins here.
    pub(super) fn bytes(&mut self) -> Result<&'b [u8], Malformed> {
        let length = self.head_of(BYTES)?;
        self.take(length)
    }

    /// The text that begins here.
    pub(super) fn text(&mut self) -> Result<&'b str, Malformed> {
        let length = self.head_of(TEXT)?;
        str::from_utf8(self.take(length)?).map_err(|_| Malformed)
    }

    /// The whole number that begins here.
    pub(super) fn number(&mut self) -> Result<i64, Malformed> {
        match self.head()? {
            (UNSIGNED, value) => value.try_into().map_err(|_| Malformed),
            (NEGATIVE, value) => {
                i64::try_from(value).map(|value| -1 - value).map_err(|_| Malformed)
            }
            _ => Err(Malformed),
        }
    }

    /// Goes past one item, whatever it is, and gives its bytes.
    pub(super) fn skip(&mut self) -> Result<&'b [u8], Malformed> {
        let from = self.rest;
        self.skip_below(CBOR_DEPTH_MAX)?;
        Ok(&from[..from.len() - self.rest.len()])
    }

    fn skip_below(&mut self, depth: usize) -> Result<(), Malformed> {
        let (major, value) = self.head()?;
        let items = match major {
            UNSIGNED | NEGATIVE | SIMPLE => return Ok(()),
            BYTES => return self.take(value).map(|_| ()),
            TEXT => return str::from_utf8(self.take(value)?).map(|_| ()).map_err(|_| Malformed),
            ARRAY => value,
            MAP => value.checked_mul(2).ok_or(Malformed)?,
            // Tags, which CTAP2 doesn't have.
            _ => return Err(Malformed),
        };
        let depth = depth.checked_sub(1).ok_or(Malformed)?;
        // Each item takes a byte at least, so a length that was made up ends the loop where the
        // bytes end.
        (0..items).try_for_each(|_| self.skip_below(depth))
    }

    fn head_of(&mut self, wanted: u8) -> Result<u64, Malformed> {
        let (major, value) = self.head()?;
        if major == wanted { Ok(value) } else { Err(Malformed) }
    }

    /// Major type and argument.
    fn head(&mut self) -> Result<(u8, u64), Malformed> {
        let (&first, rest) = self.rest.split_first().ok_or(Malformed)?;
        self.rest = rest;
        let (major, short) = (first >> 5, first & 0x1f);
        let length = match short {
            0..24 => return Ok((major, u64::from(short))),
            24..28 => 1 << (short - 24),
            // Reserved, or an item without a length.
            _ => return Err(Malformed),
        };
        let value = self.take(length)?.iter().fold(0, |value, &byte| value << 8 | u64::from(byte));
        // Where a shorter head would do, or the same number could be written twice; floats aside,
        // whose bytes are no number.
        let least = match short {
            24 if major == SIMPLE => 32,
            _ if major == SIMPLE => 0,
            24 => 24,
            25 => 1 << 8,
            26 => 1 << 16,
            _ => 1 << 32,
        };
        if value < least { Err(Malformed) } else { Ok((major, value)) }
    }

    fn take(&mut self, length: u64) -> Result<&'b [u8], Malformed> {
        let length = usize::try_from(length).map_err(|_| Malformed)?;
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(Malformed)?;
        self.rest = rest;
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skipped(digits: &str) -> Result<usize, Malformed> {
        let bytes = hex::decode(digits).unwrap();
        Reader::new(&bytes).skip().map(<[u8]>::len)
    }

    #[test]
    fn items_of_every_kind_are_passed_to_their_last_byte() {
        for (digits, length) in [
            ("00", 1),
            ("1818", 2),
            ("390100", 3),
            ("1b0000000100000000", 9),
            ("43010203ff", 4),
            ("62c3bcff", 3),
            ("83010203ff", 4),
            ("a201026161f5ff", 6),
            ("f4", 1),
            ("f6", 1),
            ("f93c00", 3),
            ("fb3ff0000000000000", 9),
            ("a0", 1),
        ] {
            assert_eq!(skipped(digits), Ok(length), "{digits}");
        }
    }

    #[test]
    fn longer_heads_lengths_without_end_tags_and_bytes_that_are_missing_are_refused() {
        for digits in [
            "",
            "18",
            "1817",
            "1900ff",
            "1a0000ffff",
            "1b00000000ffffffff",
            "5f4101ff",
            "9fff",
            "bfff",
            "ff",
            "1c",
            "c000",
            "4301",
            "62c328",
            "8301",
            "a101",
            "5bffffffffffffffff",
            "9bffffffffffffffff",
            "bbffffffffffffffff",
            "f81f",
        ] {
            assert_eq!(skipped(digits), Err(Malformed), "{digits}");
        }
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |levels: usize| "81".repeat(levels) + "00";
        assert_eq!(skipped(&nested(CBOR_DEPTH_MAX)), Ok(CBOR_DEPTH_MAX + 1));
        assert_eq!(skipped(&nested(CBOR_DEPTH_MAX + 1)), Err(Malformed));
        assert_eq!(skipped(&nested(100_000)), Err(Malformed));
    }

    #[test]
    fn what_is_asked_for_is_what_is_there_or_refused() {
        let bytes = hex::decode("a1636b65794101").unwrap();
        let mut reader = Reader::new(&bytes);
        assert_eq!((reader.map(), reader.text(), reader.bytes()), (Ok(1), Ok("key"), Ok(&[1][..])));
        assert!(reader.rest().is_empty());
        assert_eq!(Reader::new(&[0x26]).number(), Ok(-7));
        assert_eq!(Reader::new(&[0x39, 0x01, 0x00]).number(), Ok(-257));
        assert_eq!(
            Reader::new(&hex::decode("1bffffffffffffffff").unwrap()).number(),
            Err(Malformed)
        );
        assert_eq!(Reader::new(&[0x40]).text(), Err(Malformed));
        assert_eq!(Reader::new(&[0x00]).map(), Err(Malformed));
    }
}
