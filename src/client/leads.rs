//! What a person gets to see of an array: a table for a terminal, and the pictures of the contact sheet.

use image::RgbImage;
use time::OffsetDateTime;

use super::sheet::{Sheet, SheetTexts, Tile};
use super::{Client, ClientError};
use crate::api::wire::{CandidateArray, CandidateView, FaceView};
use crate::embed::decode;
use crate::inquiry::{NOTE, SearchRequest};

/// Characters of the charges in a table, where several may be many words.
const CHARGES_CHARS: usize = 40;
const HEADINGS: [&str; 7] = ["rank", "score", "name", "agency", "number", "booked on", "charges"];

/// The array as a table, with the NOTE beneath.
pub fn table(array: &CandidateArray) -> String {
    let mut text = String::new();
    if array.state != "real" {
        text += &format!("{}: not police data, not for casework\n\n", array.state.to_uppercase());
    }
    if array.candidates.is_empty() {
        text += "No candidate was returned.\n";
    } else {
        let rows: Vec<[String; 7]> = std::iter::once(HEADINGS.map(str::to_owned)).chain(array.candidates.iter().map(cells)).collect();
        let widths: [usize; 7] = std::array::from_fn(|at| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0));
        for row in &rows {
            let line: Vec<String> = row.iter().zip(widths).enumerate().map(|(at, (cell, width))| pad(at, cell, width)).collect();
            text += line.join("  ").trim_end();
            text.push('\n');
        }
    }
    text += &format!(
        "\nsearch {}; {} bookings compared on {}; log entries {} and {}\n\n{NOTE}\n",
        array.search, array.gallery_rows, array.engine, array.asked, array.answered
    );
    text
}

/// The faces of a probe with the number by which each is chosen.
pub fn face_list(faces: &[FaceView]) -> String {
    let lines = faces.iter().enumerate().map(|(at, face)| {
        let [left, upper, width, height] = face.frame;
        format!(
            "  face {at}: {width:.0}x{height:.0} px at {left:.0}, {upper:.0} from the upper left corner, confidence {:.2}\n",
            face.score
        )
    });
    lines.collect()
}

/// The contact sheet of an array, with the candidates' photos fetched.
///
/// Errors: a photo can't be fetched for another reason than that its booking is no longer to be seen; such a one is left blank.
pub fn contact_sheet(
    client: &Client,
    request: &SearchRequest,
    array: &CandidateArray,
    probe: RgbImage,
    time: OffsetDateTime,
) -> Result<Sheet, ClientError> {
    let tiles = array.candidates.iter().map(|candidate| {
        let photo = match client.photo(&array.search, candidate.version) {
            // A box only keeps photos that it could decode.
            Ok(photo) => decode(&photo).ok().map(|photo| photo.rgb),
            // Released since the search: the array said who, the photo is no longer shown.
            Err(ClientError::Refused { .. }) => None,
            Err(e) => return Err(e),
        };
        Ok(Tile::of(candidate, photo))
    });
    let frame = array.faces.get(array.face).map_or([0.0; 4], |face| face.frame);
    Ok(Sheet { texts: SheetTexts::of(request, array, time), probe, frame, tiles: tiles.collect::<Result<_, _>>()? })
}

fn cells(candidate: &CandidateView) -> [String; 7] {
    let booking = &candidate.booking;
    let charges = booking.charges.iter().map(|charge| charge.as_str()).collect::<Vec<_>>().join("; ");
    [
        candidate.rank.to_string(),
        format!("{:.3}", candidate.score),
        booking.name.to_string(),
        candidate.agency.to_string(),
        candidate.number.to_string(),
        booking.booked_on.to_string(),
        clip(&charges),
    ]
}

/// Figures stand at the right of their column, words at the left.
fn pad(at: usize, cell: &str, width: usize) -> String {
    if at < 2 { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
}

fn clip(text: &str) -> String {
    if text.chars().count() <= CHARGES_CHARS {
        return text.to_owned();
    }
    text.chars().take(CHARGES_CHARS - 1).chain(['\u{2026}']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn array(candidates: usize) -> CandidateArray {
        let one = |rank: usize| {
            serde_json::json!({
                "rank": rank, "version": "0f".repeat(16), "score": 0.71234, "agency": "slmpd", "number": format!("B-{rank}"),
                "booking": {"name": "Roe, Jane", "booked_on": "2026-11-01", "charges": ["trespass", "a long charge of very many words"],
                            "basis": {"kind": "post_arrest_booking"}}, "frame": [0.0, 0.0, 9.0, 9.0]
            })
        };
        serde_json::from_value(serde_json::json!({
            "search": "ab".repeat(16), "state": "demo", "note": NOTE, "face": 0, "faces": [], "quality": 9.0, "gallery_rows": 5,
            "engine": "cpu", "model": "ab", "asked": 1, "answered": 2, "candidates": (1..=candidates).map(one).collect::<Vec<_>>()
        }))
        .unwrap()
    }

    #[test]
    fn the_table_is_aligned_and_ends_with_the_note() {
        let text = table(&array(10));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "DEMO: not police data, not for casework");
        assert_eq!(lines[2], "rank  score  name       agency  number  booked on   charges");
        assert_eq!(lines[3], "   1  0.712  Roe, Jane  slmpd   B-1     2026-11-01  trespass; a long charge of very many wo\u{2026}");
        assert_eq!(lines.last(), Some(&NOTE));
    }

    #[test]
    fn an_empty_array_is_an_answer_too() {
        assert!(table(&array(0)).contains("No candidate was returned.\n"));
    }
}
