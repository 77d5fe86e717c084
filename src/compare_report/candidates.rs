//! The array in rank order: first as a table, then photo beside probe, candidate by candidate.

use super::SheetError;
use super::compose::{BODY, Composer, Pairs, SMALL, SMALL_LABEL, SMALL_STRONG, STRONG, SUBHEADING};
use super::fonts::{Ink, Style};
use super::header_footer::NO_LINE_UP;
use super::input::{Booking, Candidate, CompareReport, Disposition, Review};
use super::layout::{Column, GUTTER, MARGIN, MEASURE, Mark, Piece, Tag};
use super::words::{capital, count, features, halves, score};
use crate::inquiry::NOTE;

const PHOTO_WIDTH: f32 = 84.0;
const PHOTO_HEIGHT: f32 = 105.0;
const HALF: f32 = (MEASURE - GUTTER) / 2.0;
const WHAT_A_SCORE_IS: &str = "A score is the cosine of two descriptions of faces, a plain number \
    from \u{2212}1 to 1. It says how alike two photos are to the \
software, and nothing about whether they show the same person. Both examiners gave their \
dispositions before they saw it.";

/// The whole array.
///
/// Errors: a photo that can't be read.
pub(super) fn array(
    composer: &mut Composer,
    report: &CompareReport,
    probe: usize,
) -> Result<(), SheetError> {
    composer.section("Array of candidates", 90.0);
    composer.notice(&[(NOTE, BODY), (NO_LINE_UP, STRONG)]);
    composer.paper.gap(8.0);
    let asked = count(report.search.asked_for, "candidate");
    if report.candidates.is_empty() {
        composer.paragraph(
            &format!("Up to {asked} had been asked for. No candidate was returned."),
            BODY,
        );
        composer.end_section();
        return Ok(());
    }
    let returned = count(report.candidates.len(), "candidate");
    composer.paragraph(
        &format!(
            "Up to {asked} had been asked for, {returned} came back: all are \
            listed, in the order of their scores."
        ),
        BODY,
    );
    composer.paper.gap(2.0);
    composer.paragraph(WHAT_A_SCORE_IS, BODY);
    composer.paper.gap(6.0);
    let rows: Vec<_> = report.candidates.iter().map(line).collect();
    composer.table(
        None,
        &[
            ("Rank", 34.0),
            ("Score", 42.0),
            ("Name as booked", 188.0),
            ("First examiner", 96.0),
            ("Second examiner", 96.0),
            ("", 48.0),
        ],
        &rows,
    );
    composer.end_section();
    composer.section("Candidates beside the probe", 200.0);
    composer.paragraph(
        "At the left the probe's face as it was searched, beside it the booking \
        photo as its agency sent it.",
        BODY,
    );
    for candidate in &report.candidates {
        self::candidate(composer, report, candidate, probe)?;
    }
    composer.end_section();
    Ok(())
}

/// A candidate's line in the table.
fn line(candidate: &Candidate) -> Vec<(String, Style)> {
    let name = candidate
        .booking
        .as_ref()
        .map_or_else(|| "released by its agency".to_owned(), |booking| booking.name.to_string());
    let verdict = match (candidate.is_lead(), candidate.is_disputed()) {
        (true, _) => "Lead",
        (false, true) => "Disagree",
        (false, false) => "",
    };
    let style = if candidate.is_lead() { SMALL_STRONG } else { SMALL };
    let words = |disposition: &Disposition| capital(&disposition.words);
    [
        candidate.rank.to_string(),
        score(candidate.score),
        name,
        words(&candidate.first),
        words(&candidate.second),
        verdict.to_owned(),
    ]
    .map(|text| (text, style))
    .to_vec()
}

fn candidate(
    composer: &mut Composer,
    report: &CompareReport,
    candidate: &Candidate,
    probe: usize,
) -> Result<(), SheetError> {
    composer.tags.open(Tag::Section);
    let head = head(composer, candidate);
    let rank = candidate.rank;
    let pictures = match &candidate.booking {
        Some(booking) => {
            let at = composer.picture(&booking.photo, || format!("the photo of rank {rank}"))?;
            photos(composer, report, (probe, at), rank)
        }
        None => Piece::default(),
    };
    let facts_at = if candidate.booking.is_some() { 2.0 * PHOTO_WIDTH + 2.0 * GUTTER } else { 0.0 };
    let mut facts = Column::new(facts_at);
    self::facts(composer, &mut facts, candidate, MEASURE - facts_at);
    let mut first = disposition(composer, 0.0, "First examiner", &report.first, &candidate.first);
    let mut second =
        disposition(composer, HALF + GUTTER, "Second examiner", &report.second, &candidate.second);
    composer.tags.close();

    let photos_height = pictures.height;
    let above = photos_height.max(facts.height());
    let below = first.height().max(second.height());
    // A page holds a candidate whole, unless somebody wrote more than a page about it.
    composer.paper.gap(8.0);
    composer.paper.need((head.height + above + 6.0 + below).min(500.0));
    composer.paper.flow(vec![Column { x: MARGIN, pieces: vec![head] }]);
    facts.x += MARGIN;
    composer.paper.flow(vec![Column { x: MARGIN, pieces: vec![pictures] }, facts]);
    composer.paper.gap(6.0);
    first.x += MARGIN;
    second.x += MARGIN;
    composer.paper.flow(vec![first, second]);
    Ok(())
}

/// Rank, name and score on a ground.
fn head(composer: &mut Composer, candidate: &Candidate) -> Piece {
    const HEIGHT: f32 = 20.0;
    let released = "Released by the agency that booked it".to_owned();
    let name = candidate.booking.as_ref().map_or(released, |booking| booking.name.to_string());
    let mut title = format!("{}  {name}", candidate.rank);
    if candidate.is_lead() {
        title += "  \u{2013}  lead";
    }
    let score = format!("score {}", score(candidate.score));
    let score_width = composer.letters.width(&score, SUBHEADING);
    let mut lines = composer.letters.wrap(&title, SUBHEADING, MEASURE - score_width - 3.0 * GUTTER);
    let role = composer.tags.leaf(Tag::Heading(3, title));
    let score_role = composer.tags.leaf(Tag::Paragraph);
    let mut marks =
        vec![Mark::line(MEASURE - score_width - 6.0, 3.0, score, SUBHEADING, score_role)];
    let mut y = 3.0;
    for line in lines.drain(..) {
        marks.push(Mark::line(6.0, y, line, SUBHEADING, role));
        y += SUBHEADING.leading;
    }
    let height = (y + 3.0).max(HEIGHT);
    marks.insert(0, Mark::fill(0.0, 0.0, MEASURE, height, Ink::Ground));
    if candidate.is_lead() {
        marks.insert(1, Mark::fill(0.0, 0.0, 3.0, height, Ink::Accent));
    }
    Piece { height: height + 6.0, marks, keep: true }
}

/// Probe and photo, side by side.
fn photos(
    composer: &mut Composer,
    report: &CompareReport,
    (probe, photo): (usize, usize),
    rank: usize,
) -> Piece {
    let part = report
        .probe
        .face
        .map(|face| composer.pictures[probe].around(face, PHOTO_WIDTH / PHOTO_HEIGHT));
    let size = (PHOTO_WIDTH, PHOTO_HEIGHT);
    let mut marks = composer.photo(probe, (0.0, 0.0), size, part, "The probe's face as searched.");
    marks.extend(composer.photo(
        photo,
        (PHOTO_WIDTH + GUTTER, 0.0),
        size,
        None,
        &format!("The booking photo of rank {rank}."),
    ));
    Piece { height: PHOTO_HEIGHT, marks, keep: false }
}

/// Basic booking data.
fn facts(composer: &mut Composer, column: &mut Column, candidate: &Candidate, width: f32) {
    let pairs = Pairs { label: SMALL_LABEL, value: SMALL, label_width: 74.0, width };
    composer.open_pairs();
    match &candidate.booking {
        Some(Booking {
            photo_sha256, date_of_birth, booked_on, charges, number, agency, ..
        }) => {
            let charges: Vec<String> = charges.iter().map(ToString::to_string).collect();
            let born = date_of_birth.map(|date| date.to_string());
            composer.pair(column, pairs, "Date of birth", born.as_deref().unwrap_or("not given"));
            composer.pair(column, pairs, "Booked on", &booked_on.to_string());
            composer.pair(
                column,
                pairs,
                "Charges",
                if charges.is_empty() { "none given".to_owned() } else { charges.join("; ") }
                    .as_str(),
            );
            composer.pair(column, pairs, "Booking", &format!("{number}, {agency}"));
            composer.pair(column, pairs.fixed(), "Version", &candidate.version.to_string());
            composer.pair(column, pairs.fixed(), "Photo SHA-256", &halves(photo_sha256));
        }
        None => {
            let why = "Its agency released this booking after the search. Photo and data are not \
                shown; the version is what the log names.";
            composer.pair(column, pairs, "Booking", why);
            composer.pair(column, pairs.fixed(), "Version", &candidate.version.to_string());
        }
    }
    composer.close_pairs();
}

/// What an examiner made of it.
fn disposition(
    composer: &mut Composer,
    x: f32,
    who: &str,
    review: &Review,
    disposition: &Disposition,
) -> Column {
    let mut column = Column::new(x);
    let role = composer.tags.leaf(Tag::Paragraph);
    let mut words = format!("{who} ({}): {}", review.examiner.name, disposition.words);
    if disposition.lead && !disposition.words.to_lowercase().contains("lead") {
        words += " (lead)";
    }
    column.text(&composer.letters, &words, SMALL_STRONG, HALF, role);
    let recorded = features(disposition);
    if recorded.is_empty() {
        let role = composer.tags.leaf(Tag::Paragraph);
        column.text(&composer.letters, "No features recorded.", SMALL_LABEL, HALF, role);
    }
    for (finding, names) in recorded {
        let role = composer.tags.leaf(Tag::Paragraph);
        column.text(&composer.letters, &format!("{finding}: {names}."), SMALL, HALF, role);
    }
    if !disposition.remark.trim().is_empty() {
        let role = composer.tags.leaf(Tag::Paragraph);
        column.text(
            &composer.letters,
            &format!("Remark: {}", disposition.remark.trim()),
            SMALL,
            HALF,
            role,
        );
    }
    column
}
