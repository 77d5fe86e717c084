//! Findings of a log check: place and reason. Long lists are cut and counted, so that a log that is
//! wrong throughout makes no endless report.

use std::fmt::{Display, Formatter};

use serde::Serialize;
use time::macros::format_description;

use crate::calendar::Time;
use crate::limits::REMARKS_MAX;

/// Where something was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Place {
    /// The log as a whole.
    Log,
    /// Leaves of the log, from the first to the one before the end.
    Leaves {
        /// Index of the first.
        first: u64,
        /// One more than the index of the last.
        end: u64,
    },
    /// A file.
    File {
        /// Its path below the log's folder, or as it was given.
        path: String,
    },
    /// A line of a file.
    Line {
        /// Its path below the log's folder.
        path: String,
        /// The line, counted from 1.
        line: usize,
    },
    /// A hash in a tile.
    Hash {
        /// The tile's path below the log's folder.
        path: String,
        /// Which of its hashes, counted from 0.
        position: u64,
    },
}

/// Something that was found, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Remark {
    /// Where.
    pub place: Place,
    /// What, in words.
    pub what: String,
}

/// What was found, in the order of finding; only the first `REMARKS_MAX` are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Remarks {
    /// Those that were kept.
    pub list: Vec<Remark>,
    /// How many more there were.
    pub more: u64,
}

impl Place {
    /// One leaf.
    pub fn leaf(index: u64) -> Self {
        Self::Leaves { first: index, end: index + 1 }
    }

    /// Whether it is this leaf, or some leaves with this one among them.
    pub fn covers(&self, index: u64) -> bool {
        matches!(self, Self::Leaves { first, end } if (*first..*end).contains(&index))
    }

    /// The file that it lies in; none where it is leaves or the log.
    pub fn path(&self) -> Option<&str> {
        match self {
            Self::File { path } | Self::Line { path, .. } | Self::Hash { path, .. } => Some(path),
            Self::Log | Self::Leaves { .. } => None,
        }
    }
}

impl Remarks {
    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How much was found.
    pub fn count(&self) -> u64 {
        self.list.len() as u64 + self.more
    }

    /// Adds what was found; the same of the next leaf lengthens the last remark instead.
    pub fn add(&mut self, place: Place, what: impl Into<String>) {
        let what = what.into();
        if let (
            Some(Remark { place: Place::Leaves { end, .. }, what: before }),
            Place::Leaves { first, end: new },
        ) = (self.list.last_mut(), &place)
            && end == first
            && *before == what
        {
            *end = *new;
        } else if self.list.len() < REMARKS_MAX {
            self.list.push(Remark { place, what });
        } else {
            self.more += 1;
        }
    }

    /// Takes over what somebody else found.
    pub fn append(&mut self, other: Self) {
        self.more += other.more;
        other.list.into_iter().for_each(|Remark { place, what }| self.add(place, what));
    }
}

/// A time in words.
pub fn when(time: Time) -> String {
    let words = time.in_calendar().and_then(|time| {
        time.format(format_description!("[year]-[month]-[day] [hour]:[minute]:[second] UTC")).ok()
    });
    words.unwrap_or_else(|| format!("{} s after the beginning of 1970", time.seconds()))
}

impl Display for Place {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Log => write!(f, "the log"),
            Self::Leaves { first, end } if *end <= first + 1 => write!(f, "leaf {first}"),
            Self::Leaves { first, end } => write!(f, "leaves {first} to {}", end - 1),
            Self::File { path } => write!(f, "file {path}"),
            Self::Line { path, line } => write!(f, "file {path}, line {line}"),
            Self::Hash { path, position } => {
                write!(f, "file {path}, hash {position} of it (counted from 0)")
            }
        }
    }
}

impl Display for Remark {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_of_leaves_in_a_row_is_said_once_and_a_long_list_is_cut_and_counted() {
        let mut remarks = Remarks::default();
        [3, 4, 5, 7].into_iter().for_each(|leaf| remarks.add(Place::leaf(leaf), "late"));
        remarks.add(Place::leaf(8), "early");
        let words: Vec<String> = remarks.list.iter().map(Remark::to_string).collect();
        assert_eq!(words, ["leaves 3 to 5: late", "leaf 7: late", "leaf 8: early"]);
        assert!(remarks.list[0].place.covers(5) && !remarks.list[0].place.covers(6));
        (0..2 * REMARKS_MAX).for_each(|_| remarks.add(Place::Log, "odd"));
        assert_eq!(
            (remarks.list.len(), remarks.count()),
            (REMARKS_MAX, 3 + 2 * REMARKS_MAX as u64)
        );
    }
}
