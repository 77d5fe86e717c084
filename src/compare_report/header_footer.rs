//! What stands on every page: whose report it is, its state where that isn't real, the order's
//! NOTE, and which page of how many.

use super::compose::{Composer, SMALL_LABEL};
use super::fonts::{Cut, Ink, Style};
use super::input::CompareReport;
use super::layout::{Draw, MARGIN, MEASURE, Mark, PAGE_HEIGHT, PAGE_WIDTH};
use crate::inquiry::NOTE;

/// What the order's NOTE leaves unsaid, and what went wrong elsewhere.
pub(super) const NO_LINE_UP: &str =
    "Do not build a line-up from this photo without independent evidence.";
pub(super) const TITLE_TEXT: &str = "Facial Recognition Image Compare Report";

/// What a page says that shows a character by its code.
const LACKING: &str = "[U+...] stands for the character of that Unicode code point, which the \
    typefaces of this report lack.";
const EVIDENCE: &str = "EVIDENCE";
const EVIDENCE_STYLE: Style = Style::new(Cut::Strong, 12.0, 16.0, Ink::Black);
const HEAD_AT: f32 = 34.0;
const HEAD_RULE_AT: f32 = 48.0;
const BAND_AT: f32 = 54.0;
const BAND_HEIGHT: f32 = 34.0;
const FOOT_RULE_AT: f32 = 712.0;
const FOOT_NOTE: Style = Style::new(Cut::Plain, 6.9, 8.8, Ink::Black);
const FOOT_STRONG: Style = Style { cut: Cut::Strong, ..FOOT_NOTE };
const BAND_WORD: Style = Style::new(Cut::Strong, 26.0, BAND_HEIGHT, Ink::White);
const BAND_WORDS: Style = Style::new(Cut::Plain, 10.0, BAND_HEIGHT, Ink::White);
const PAGE_OF: Style = Style { ink: Ink::Black, ..SMALL_LABEL };

/// Where the text of a page begins and ends.
pub(super) fn body(report: &CompareReport) -> (f32, f32) {
    let top =
        if report.state.word().is_some() { BAND_AT + BAND_HEIGHT + 16.0 } else { BAND_AT + 12.0 };
    (top, FOOT_RULE_AT - 14.0)
}

/// Adds it to all pages.
pub(super) fn furnish(composer: &mut Composer, report: &CompareReport) {
    let pages = composer.paper.pages.len();
    for at in 0..pages {
        let mut marks = head(composer, report);
        marks.extend(foot(composer, report, at + 1, pages));
        composer.paper.pages[at].extend(marks);
    }
}

fn head(composer: &Composer, report: &CompareReport) -> Vec<Mark> {
    let letters = &composer.letters;
    let right = PAGE_WIDTH - MARGIN;
    let inquiry = letters.printable(&format!("Inquiry {}", report.inquiry)).into_owned();
    let mut marks = vec![
        Mark::line(MARGIN, HEAD_AT, TITLE_TEXT, SMALL_LABEL, None),
        Mark::line(
            right - letters.width(&inquiry, SMALL_LABEL),
            HEAD_AT,
            inquiry,
            SMALL_LABEL,
            None,
        ),
        Mark::fill(MARGIN, HEAD_RULE_AT, MEASURE, 0.5, Ink::Hairline),
    ];
    if report.evidence.is_some() {
        let width = letters.width(EVIDENCE, EVIDENCE_STYLE);
        let x = (PAGE_WIDTH - width) / 2.0;
        let (wide, high) = (width + 16.0, EVIDENCE_STYLE.leading + 2.0);
        let frame = Draw::Outline { width: wide, height: high, line: 1.2, ink: Ink::Black };
        marks.push(Mark { x: x - 8.0, y: HEAD_RULE_AT - high - 3.0, draw: frame, role: None });
        marks.push(Mark::line(x, HEAD_RULE_AT - high - 2.0, EVIDENCE, EVIDENCE_STYLE, None));
    }
    if let Some(word) = report.state.word() {
        let words = "not police data, not for casework";
        let gap = 12.0;
        let width = letters.width(word, BAND_WORD) + gap + letters.width(words, BAND_WORDS);
        let x = (PAGE_WIDTH - width) / 2.0;
        marks.push(Mark::fill(MARGIN, BAND_AT, MEASURE, BAND_HEIGHT, Ink::Black));
        marks.push(Mark::line(x, BAND_AT, word, BAND_WORD, None));
        marks.push(Mark::line(
            x + letters.width(word, BAND_WORD) + gap,
            BAND_AT + 4.0,
            words,
            BAND_WORDS,
            None,
        ));
    }
    marks
}

fn foot(composer: &Composer, report: &CompareReport, page: usize, of: usize) -> Vec<Mark> {
    let letters = &composer.letters;
    let mut marks = vec![Mark::fill(MARGIN, FOOT_RULE_AT, MEASURE, 0.5, Ink::Hairline)];
    if composer.paper.pages[page - 1]
        .iter()
        .any(|mark| matches!(&mark.draw, Draw::Line { text, .. } if text.contains("[U+")))
    {
        marks.push(Mark::line(MARGIN, FOOT_RULE_AT - 10.0, LACKING, FOOT_NOTE, None));
    }
    let mut y = FOOT_RULE_AT + 4.0;
    for line in letters.wrap(NOTE, FOOT_NOTE, MEASURE) {
        marks.push(Mark::line(MARGIN, y, line, FOOT_NOTE, None));
        y += FOOT_NOTE.leading;
    }
    marks.push(Mark::line(MARGIN, y, NO_LINE_UP, FOOT_STRONG, None));
    y += FOOT_NOTE.leading + 3.0;
    let issuer = letters.printable(&report.issuer).into_owned();
    let number = format!("page {page} of {of}");
    let number_at = PAGE_WIDTH - MARGIN - letters.width(&number, PAGE_OF);
    // An issuer of many words gives way to the number of the page.
    let issuer = letters.wrap(&issuer, SMALL_LABEL, MEASURE - 120.0).swap_remove(0);
    marks.push(Mark::line(MARGIN, y, issuer, SMALL_LABEL, None));
    marks.push(Mark::line(number_at, y, number, PAGE_OF, None));
    debug_assert!(y + PAGE_OF.leading <= PAGE_HEIGHT - 18.0, "the foot is within the page");
    marks
}
