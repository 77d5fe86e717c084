//! The array of candidates in rank order: first as a table, then each photo beside the probe's.

use super::compose::{BODY, Composer, Pairs, SMALL, SMALL_LABEL, SMALL_STRONG, STRONG, SUBHEADING};
use super::error::CompareReportError;
use super::fonts::{Color, Style};
use super::header_footer::NO_LINE_UP;
use super::layout::{Block, Column, GUTTER, Item, MARGIN, MEASURE, Tag};
use super::report::{CompareReport, Reviewed};
use super::supplement::BookedPhoto;
use super::words::{features, halves, score};
use crate::inquiry::{Disposed, NOTE, Ranked};
use crate::wording::{capital, count};

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
pub(super) fn candidates(
    composer: &mut Composer,
    report: &CompareReport<'_>,
    probe: usize,
) -> Result<(), CompareReportError> {
    composer.section("Array of candidates", 90.0);
    composer.notice(&[(NOTE, BODY), (NO_LINE_UP, STRONG)]);
    composer.pages.gap(8.0);
    let candidates = report.inquiry.candidates();
    let number_of = |those: usize| count(those as u64, "candidate", "candidates");
    let asked = number_of(report.inquiry.request().candidates);
    if candidates.is_empty() {
        composer.paragraph(
            &format!("Up to {asked} had been asked for. No candidate was returned."),
            BODY,
        );
        composer.end_section();
        return Ok(());
    }
    let returned = number_of(candidates.len());
    composer.paragraph(
        &format!(
            "Up to {asked} had been asked for, {returned} came back: all are \
            listed, in the order of their scores."
        ),
        BODY,
    );
    composer.pages.gap(2.0);
    composer.paragraph(WHAT_A_SCORE_IS, BODY);
    composer.pages.gap(6.0);
    let rows: Vec<_> = candidates.iter().map(|candidate| line(report, candidate)).collect();
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
    for candidate in candidates {
        self::candidate(composer, report, candidate, probe)?;
    }
    composer.end_section();
    Ok(())
}

/// A candidate's line in the table.
fn line(report: &CompareReport<'_>, candidate: &Ranked) -> Vec<(String, Style)> {
    let name = report.booking(candidate).map_or_else(
        || "released by its agency".to_owned(),
        |shown| shown.booking.name.to_string(),
    );
    let lead = report.is_lead(candidate);
    let verdict = match (lead, report.is_disputed(candidate)) {
        (true, _) => "Lead",
        (false, true) => "Disagree",
        (false, false) => "",
    };
    [
        candidate.rank.to_string(),
        score(candidate.score),
        name,
        capital(report.first.disposition(candidate)),
        capital(report.second.disposition(candidate)),
        verdict.to_owned(),
    ]
    .map(|text| (text, if lead { SMALL_STRONG } else { SMALL }))
    .to_vec()
}

fn candidate(
    composer: &mut Composer,
    report: &CompareReport<'_>,
    candidate: &Ranked,
    probe: usize,
) -> Result<(), CompareReportError> {
    composer.tags.open(Tag::Section);
    let head = head(composer, report, candidate);
    let rank = candidate.rank;
    let booking = report.booking(candidate);
    let photos = match booking {
        Some(booking) => {
            let at = composer.take_photo(&booking.photo, || format!("the photo of rank {rank}"))?;
            photos(composer, report, (probe, at), rank)
        }
        None => Block::default(),
    };
    let facts_at = if booking.is_some() { 2.0 * PHOTO_WIDTH + 2.0 * GUTTER } else { 0.0 };
    let mut facts = Column::new(facts_at);
    self::facts(composer, &mut facts, report, candidate, MEASURE - facts_at);
    let mut review =
        |x, who, reviewed| disposition(composer, report, (x, who), reviewed, candidate);
    let mut first = review(0.0, "First examiner", report.first);
    let mut second = review(HALF + GUTTER, "Second examiner", report.second);
    composer.tags.close();

    let photos_height = photos.height;
    let above = photos_height.max(facts.height());
    let below = first.height().max(second.height());
    // A page holds a candidate whole, unless somebody wrote more than a page about it.
    composer.pages.gap(8.0);
    composer.pages.reserve((head.height + above + 6.0 + below).min(500.0));
    composer.pages.flow(vec![Column { x: MARGIN, blocks: vec![head] }]);
    facts.x += MARGIN;
    composer.pages.flow(vec![Column { x: MARGIN, blocks: vec![photos] }, facts]);
    composer.pages.gap(6.0);
    first.x += MARGIN;
    second.x += MARGIN;
    composer.pages.flow(vec![first, second]);
    Ok(())
}

/// Rank, name and score on a ground.
fn head(composer: &mut Composer, report: &CompareReport<'_>, candidate: &Ranked) -> Block {
    const HEIGHT: f32 = 20.0;
    let released = "Released by the agency that booked it".to_owned();
    let name = report.booking(candidate).map_or(released, |shown| shown.booking.name.to_string());
    let mut title = format!("{}  {name}", candidate.rank);
    if report.is_lead(candidate) {
        title += "  \u{2013}  lead";
    }
    let score = format!("score {}", score(candidate.score));
    let score_width = composer.fonts.width(&score, SUBHEADING);
    let mut lines = composer.fonts.wrap(&title, SUBHEADING, MEASURE - score_width - 3.0 * GUTTER);
    let role = composer.tags.leaf(Tag::Heading(3, title));
    let score_role = composer.tags.leaf(Tag::Paragraph);
    let mut items =
        vec![Item::line(MEASURE - score_width - 6.0, 3.0, score, SUBHEADING, score_role)];
    let mut y = 3.0;
    for line in lines.drain(..) {
        items.push(Item::line(6.0, y, line, SUBHEADING, role));
        y += SUBHEADING.leading;
    }
    let height = (y + 3.0).max(HEIGHT);
    items.insert(0, Item::fill(0.0, 0.0, MEASURE, height, Color::Ground));
    if report.is_lead(candidate) {
        items.insert(1, Item::fill(0.0, 0.0, 3.0, height, Color::Accent));
    }
    Block { height: height + 6.0, items, keep: true }
}

/// Probe and photo, side by side.
fn photos(
    composer: &mut Composer,
    report: &CompareReport<'_>,
    (probe, photo): (usize, usize),
    rank: usize,
) -> Block {
    let part = Some(composer.photos[probe].around(report.face(), PHOTO_WIDTH / PHOTO_HEIGHT));
    let size = (PHOTO_WIDTH, PHOTO_HEIGHT);
    let mut items = composer.photo(probe, (0.0, 0.0), size, part, "The probe's face as searched.");
    items.extend(composer.photo(
        photo,
        (PHOTO_WIDTH + GUTTER, 0.0),
        size,
        None,
        &format!("The booking photo of rank {rank}."),
    ));
    Block { height: PHOTO_HEIGHT, items, keep: false }
}

/// Basic booking data.
fn facts(
    composer: &mut Composer,
    column: &mut Column,
    report: &CompareReport<'_>,
    candidate: &Ranked,
    width: f32,
) {
    let pairs = Pairs { label: SMALL_LABEL, value: SMALL, label_width: 74.0, width };
    composer.open_pairs();
    let version = candidate.version.to_string();
    match report.booking(candidate) {
        Some(BookedPhoto { photo_sha256, booking, number, agency, .. }) => {
            let charges: Vec<String> = booking.charges.iter().map(ToString::to_string).collect();
            let charges =
                if charges.is_empty() { "none given".to_owned() } else { charges.join("; ") };
            let born = booking.date_of_birth.map(|date| date.to_string());
            composer.pair(column, pairs, "Date of birth", born.as_deref().unwrap_or("not given"));
            composer.pair(column, pairs, "Booked on", &booking.booked_on.to_string());
            composer.pair(column, pairs, "Charges", &charges);
            let booking = format!("{number}, {}", report.agency(agency));
            composer.pair(column, pairs, "Booking", &booking);
            composer.pair(column, pairs.fixed(), "Version", &version);
            composer.pair(column, pairs.fixed(), "Photo SHA-256", &halves(*photo_sha256));
        }
        None => {
            let why = "Its agency released this booking after the search. Photo and data are not \
                shown; the version is what the log names.";
            composer.pair(column, pairs, "Booking", why);
            composer.pair(column, pairs.fixed(), "Version", &version);
        }
    }
    composer.close_pairs();
}

/// An examiner's disposition of a candidate, with the features compared.
fn disposition(
    composer: &mut Composer,
    report: &CompareReport<'_>,
    (x, who): (f32, &str),
    reviewed: Reviewed<'_>,
    candidate: &Ranked,
) -> Column {
    let examiner = report.name(&reviewed.review.examiner);
    let words = format!("{who} ({examiner}): {}", reviewed.disposition(candidate));
    let mut lines = vec![(words, SMALL_STRONG)];
    let finding = match reviewed.review.disposed(candidate) {
        Some(Disposed::By(finding)) => Some(finding),
        _ => None,
    };
    let recorded = finding.map(|finding| features(&finding.observations)).unwrap_or_default();
    if recorded.is_empty() {
        lines.push(("No features recorded.".to_owned(), SMALL_LABEL));
    }
    lines.extend(recorded.into_iter().map(|(seen, names)| (format!("{seen}: {names}."), SMALL)));
    if let Some(note) = finding.and_then(|finding| finding.note.as_ref()) {
        lines.push((format!("Note: {note}"), SMALL));
    }
    let mut column = Column::new(x);
    for (text, style) in lines {
        let role = composer.tags.leaf(Tag::Paragraph);
        column.text(&composer.fonts, &text, style, HALF, role);
    }
    column
}
