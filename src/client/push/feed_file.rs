//! Parser of an agency's CSV file: one row a booking, read whole before anything is sent, so that
//! what is wrong with a row is known by its line number.
//!
//! A new column is read here and kept in `BookingData`; nothing else names columns.

use std::collections::HashMap;
use std::collections::hash_map;
use std::fs::{self, File};
use std::path::{Component, Path, PathBuf};

use csv::{ByteRecord, ReaderBuilder, StringRecord, Trim};

use super::error::PushError;
use crate::booking::{BasisKind, BookingData, BookingNumber, CollectionBasis, Text, iso_date};
use crate::limits::{CHARGES_MAX, FEED_BYTES_MAX, FEED_ROWS_MAX};

/// Columns that the file may have, in any order.
const COLUMNS: [&str; 8] =
    ["number", "photo", "name", "date_of_birth", "booked_on", "charges", "basis", "basis_detail"];
/// Columns that it must have.
const COLUMNS_NEEDED: [&str; 5] = ["number", "photo", "name", "booked_on", "basis"];
/// Separator of the charges in their column.
const CHARGE_SEPARATOR: char = ';';

/// One row of the file: a booking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FeedRow {
    /// The line on which it begins, counted from 1.
    pub(super) line: u64,
    pub(super) number: BookingNumber,
    /// Path below the feed's folder.
    pub(super) photo: PathBuf,
    pub(super) booking: BookingData,
}

/// A row that can't be booked, or was refused, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedRow {
    /// The line on which it begins, counted from 1.
    pub line: u64,
    /// As written in the file.
    pub number: String,
    /// As written in the file.
    pub photo: String,
    /// What was found and what was wanted.
    pub reason: String,
}

/// The columns for a help text: those that must be there, then those that may.
pub fn column_list() -> String {
    let optional = COLUMNS.into_iter().filter(|column| !COLUMNS_NEEDED.contains(column));
    format!(
        "columns {}; optional: {}",
        COLUMNS_NEEDED.join(", "),
        optional.collect::<Vec<_>>().join(", ")
    )
}

/// Reads the file: each row in its order, or why it can't be booked.
///
/// Of rows with the same number the first counts, later ones are refused.
///
/// Errors: no such file, a file beyond its bounds, a column unknown, missing or named twice.
pub(super) fn read(path: &Path) -> Result<Vec<Result<FeedRow, RefusedRow>>, PushError> {
    let file_error = |source| PushError::File { path: path.to_owned(), source };
    let bytes = fs::metadata(path).map_err(file_error)?.len();
    if bytes > FEED_BYTES_MAX {
        return Err(PushError::Bytes { path: path.to_owned(), found: bytes });
    }
    parse(path, File::open(path).map_err(file_error)?)
}

fn parse(
    path: &Path,
    file: impl std::io::Read,
) -> Result<Vec<Result<FeedRow, RefusedRow>>, PushError> {
    let mut reader = ReaderBuilder::new().flexible(true).trim(Trim::All).from_reader(file);
    let csv_error = |source| PushError::Csv { path: path.to_owned(), source };
    let columns = columns_of(path, &reader.headers().map_err(csv_error)?.clone())?;
    let mut rows = Vec::new();
    let mut first_lines: HashMap<BookingNumber, u64> = HashMap::new();
    let mut record = ByteRecord::new();
    while reader.read_byte_record(&mut record).map_err(csv_error)? {
        if rows.len() == FEED_ROWS_MAX {
            return Err(PushError::Rows { path: path.to_owned() });
        }
        let line = record.position().map_or(0, csv::Position::line);
        let mut row = row_of(&columns, line, record.clone());
        if let Ok(FeedRow { number, photo, .. }) = &row {
            match first_lines.entry(number.clone()) {
                hash_map::Entry::Vacant(entry) => {
                    entry.insert(line);
                }
                hash_map::Entry::Occupied(entry) => {
                    let reason = format!("line {line} repeats the number of line {}", entry.get());
                    row = Err(RefusedRow {
                        line,
                        number: number.to_string(),
                        photo: photo.display().to_string(),
                        reason,
                    });
                }
            }
        }
        rows.push(row);
    }
    Ok(rows)
}

/// Index of each column in a record.
struct Columns {
    len: usize,
    places: HashMap<&'static str, usize>,
}

impl Columns {
    fn field<'r>(&self, record: &'r StringRecord, column: &str) -> &'r str {
        self.places.get(column).and_then(|&at| record.get(at)).unwrap_or("")
    }
}

fn columns_of(path: &Path, header: &StringRecord) -> Result<Columns, PushError> {
    let mut places = HashMap::new();
    for (at, found) in header.iter().enumerate() {
        let known = COLUMNS.into_iter().find(|&column| column == found);
        let new = known.is_some_and(|column| places.insert(column, at).is_none());
        if !new {
            return Err(PushError::Column {
                path: path.to_owned(),
                found: found.to_owned(),
                wanted: COLUMNS.join(", "),
            });
        }
    }
    match COLUMNS_NEEDED.into_iter().find(|column| !places.contains_key(column)) {
        Some(wanted) => Err(PushError::NoColumn { path: path.to_owned(), wanted }),
        None => Ok(Columns { len: header.len(), places }),
    }
}

fn row_of(columns: &Columns, line: u64, record: ByteRecord) -> Result<FeedRow, RefusedRow> {
    let record = StringRecord::from_byte_record(record).map_err(|e| {
        let reason = format!("line {line} is not UTF-8");
        let lossy = StringRecord::from_byte_record_lossy(e.into_byte_record());
        refusal(columns, line, &lossy, reason)
    })?;
    if record.len() != columns.len {
        let reason =
            format!("line {line} has {} fields, the header has {}", record.len(), columns.len);
        return Err(refusal(columns, line, &record, reason));
    }
    booking_of(columns, &record)
        .map(|(number, photo, booking)| FeedRow { line, number, photo, booking })
        .map_err(|reason| refusal(columns, line, &record, format!("line {line}: {reason}")))
}

fn refusal(columns: &Columns, line: u64, record: &StringRecord, reason: String) -> RefusedRow {
    let field = |column| columns.field(record, column).to_owned();
    RefusedRow { line, number: field("number"), photo: field("photo"), reason }
}

fn booking_of(
    columns: &Columns,
    record: &StringRecord,
) -> Result<(BookingNumber, PathBuf, BookingData), String> {
    let field = |column: &str| columns.field(record, column);
    let text = |column: &str| Text::parse(field(column)).map_err(|e| format!("{column}: {e}"));
    let date = |column: &str| {
        iso_date::parse(field(column)).map_err(|_| {
            format!("{column}: '{}' is not a date of the form YYYY-MM-DD", field(column))
        })
    };
    let number = BookingNumber::parse(field("number")).map_err(|e| e.to_string())?;
    let photo = photo_path(field("photo"))?;
    let charges = field("charges")
        .split(CHARGE_SEPARATOR)
        .filter(|charge| !charge.trim().is_empty())
        .map(|charge| Text::parse(charge).map_err(|e| format!("charges: {e}")))
        .collect::<Result<Vec<_>, _>>()?;
    if charges.len() > CHARGES_MAX {
        return Err(format!(
            "charges: {} of them, at most {CHARGES_MAX} are accepted",
            charges.len()
        ));
    }
    let kind = BasisKind::named(field("basis")).ok_or_else(|| {
        let names = BasisKind::ALL.map(BasisKind::name).join(", ");
        format!("basis: '{}', wanted one of {names}", field("basis"))
    })?;
    let wants_none = !kind.has_detail() && field("basis_detail").is_empty();
    let detail = if wants_none { None } else { Some(text("basis_detail")?) };
    let basis = CollectionBasis::new(kind, detail)
        .ok_or_else(|| format!("basis_detail: wanted none with {}", kind.name()))?;
    let date_of_birth =
        if field("date_of_birth").is_empty() { None } else { Some(date("date_of_birth")?) };
    let mut booking = BookingData::new(text("name")?, date("booked_on")?, basis);
    booking.date_of_birth = date_of_birth;
    booking.charges = charges;
    Ok((number, photo, booking))
}

/// A photo lies below the feed's folder: a file made elsewhere must not send another file of this
/// machine.
fn photo_path(found: &str) -> Result<PathBuf, String> {
    let path = Path::new(found);
    let inside = !found.is_empty()
        && path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if inside {
        Ok(path.to_owned())
    } else {
        Err(format!("photo: '{found}', wanted a path below the feed's folder"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "number,photo,name,date_of_birth,booked_on,charges,basis,basis_detail\n";

    fn parse_text(text: &str) -> Result<Vec<Result<FeedRow, RefusedRow>>, PushError> {
        parse(Path::new("feed.csv"), text.as_bytes())
    }

    fn reason_of(row: &str) -> String {
        parse_text(&format!("{HEADER}{row}\n")).unwrap().remove(0).unwrap_err().reason
    }

    #[test]
    fn a_row_becomes_a_booking() {
        let rows = parse_text(&format!(
            "\u{feff}{HEADER}B-1,p/1.jpg,\"Roe, Jane\",1980-02-29,2026-11-01,trespass; theft \
             ;,post_arrest_booking,\n\
             B-2,2.jpg,John Doe,,2026-11-02,,other_contact,registration\n"
        ))
        .unwrap();
        let first = rows[0].as_ref().unwrap();
        assert_eq!(
            (first.line, first.number.as_str(), first.photo.as_path()),
            (2, "B-1", Path::new("p/1.jpg"))
        );
        assert_eq!(first.booking.name.as_str(), "Roe, Jane");
        assert_eq!(
            first.booking.charges.iter().map(Text::as_str).collect::<Vec<_>>(),
            ["trespass", "theft"]
        );
        let second = rows[1].as_ref().unwrap();
        assert_eq!(second.booking.date_of_birth, None);
        assert_eq!(
            second.booking.basis,
            CollectionBasis::OtherContact { contact: Text::parse("registration").unwrap() }
        );
    }

    #[test]
    fn optional_columns_may_be_absent_and_columns_may_stand_in_any_order() {
        let rows = parse_text(
            "basis,name,photo,number,booked_on\npost_arrest_booking,A,1.jpg,B-1,2026-11-01\n",
        )
        .unwrap();
        assert!(rows[0].is_ok());
    }

    #[test]
    fn an_unknown_a_missing_or_a_repeated_column_refuses_the_file() {
        assert!(matches!(parse_text("number,photo,race\n"),
                Err(PushError::Column { found, .. }) if found == "race"));
        assert!(matches!(parse_text("number,photo,number\n"),
                Err(PushError::Column { found, .. }) if found == "number"));
        assert!(matches!(
            parse_text("number,photo,name,basis\n"),
            Err(PushError::NoColumn { wanted: "booked_on", .. })
        ));
        assert!(matches!(parse_text(""), Err(PushError::NoColumn { wanted: "number", .. })));
    }

    #[test]
    fn a_malformed_row_is_refused_by_its_line_and_the_rest_goes_on() {
        for (row, wanted) in [
            ("B/1,1.jpg,A,,2026-11-01,,post_arrest_booking,", "line 2: booking number 'B/1'"),
            ("B-1,,A,,2026-11-01,,post_arrest_booking,", "photo: '', wanted a path below"),
            ("B-1,../1.jpg,A,,2026-11-01,,post_arrest_booking,", "photo: '../1.jpg'"),
            ("B-1,/etc/1.jpg,A,,2026-11-01,,post_arrest_booking,", "photo: '/etc/1.jpg'"),
            ("B-1,1.jpg,,,2026-11-01,,post_arrest_booking,", "name: a text has 0 characters"),
            (
                "B-1,1.jpg,A,1980-02-30,2026-11-01,,post_arrest_booking,",
                "date_of_birth: '1980-02-30' is not a date",
            ),
            ("B-1,1.jpg,A,,,,post_arrest_booking,", "booked_on: '' is not a date"),
            (
                "B-1,1.jpg,A,,2026-11-01,,protest,",
                "basis: 'protest', wanted one of post_arrest_booking",
            ),
            ("B-1,1.jpg,A,,2026-11-01,,other_contact,", "basis_detail: a text has 0"),
            ("B-1,1.jpg,A,,2026-11-01,,post_arrest_booking,why", "basis_detail: wanted none"),
            ("B-1,1.jpg,A", "line 2 has 3 fields, the header has 8"),
        ] {
            let reason = reason_of(row);
            assert!(reason.contains(wanted), "{row}: {reason}");
        }
        let many = vec!["a"; CHARGES_MAX + 1].join(";");
        assert!(
            reason_of(&format!("B-1,1.jpg,A,,2026-11-01,{many},post_arrest_booking,"))
                .contains("65 of them")
        );
        let rows = parse_text(&format!(
            "{HEADER}B-1,1.jpg\nB-2,2.jpg,A,,2026-11-01,,post_arrest_booking,\n"
        ))
        .unwrap();
        assert!(rows[0].is_err() && rows[1].as_ref().is_ok_and(|row| row.line == 3));
    }

    #[test]
    fn a_repeated_number_is_refused_and_both_lines_are_named() {
        let row = "B-1,1.jpg,A,,2026-11-01,,post_arrest_booking,\n";
        let rows = parse_text(&format!("{HEADER}{row}{row}")).unwrap();
        assert!(rows[0].is_ok());
        assert_eq!(rows[1].as_ref().unwrap_err().reason, "line 3 repeats the number of line 2");
    }

    #[test]
    fn a_row_that_is_not_utf8_is_refused_alone() {
        let mut bytes = HEADER.as_bytes().to_vec();
        bytes.extend_from_slice(b"B-1,1.jpg,Jos\xe9,,2026-11-01,,post_arrest_booking,\n");
        bytes.extend_from_slice(b"B-2,2.jpg,A,,2026-11-01,,post_arrest_booking,\n");
        let rows = parse(Path::new("feed.csv"), &bytes[..]).unwrap();
        assert_eq!(rows[0].as_ref().unwrap_err().reason, "line 2 is not UTF-8");
        assert!(rows[1].is_ok());
    }
}
