//! Header and footer of every page: whose report it is, its state where that isn't real, the
//! special order's NOTE, and which page of how many.

use super::compose::{Composer, SMALL_LABEL};
use super::fonts::{Color, Style, Typeface};
use super::layout::{Draw, Item, MARGIN, MEASURE, PAGE_HEIGHT, PAGE_WIDTH};
use super::report::CompareReport;
use crate::inquiry::NOTE;

/// A warning that the order's NOTE leaves unsaid: elsewhere, such line-ups went wrong.
pub(super) const NO_LINE_UP: &str =
    "Do not build a line-up from this photo without independent evidence.";
pub(super) const TITLE_TEXT: &str = "Facial Recognition Image Compare Report";

/// The footnote of a page that shows a character by its code.
const LACKING: &str = "[U+...] stands for the character of that Unicode code point, which the \
    typefaces of this report lack.";
const EVIDENCE: &str = "EVIDENCE";
const EVIDENCE_STYLE: Style = Style::new(Typeface::SemiBold, 12.0, 16.0, Color::Black);
const HEAD_AT: f32 = 34.0;
const HEAD_RULE_AT: f32 = 48.0;
const BAND_AT: f32 = 54.0;
const BAND_HEIGHT: f32 = 34.0;
const FOOT_RULE_AT: f32 = 712.0;
const FOOT_NOTE: Style = Style::new(Typeface::Regular, 6.9, 8.8, Color::Black);
const FOOT_STRONG: Style = Style { typeface: Typeface::SemiBold, ..FOOT_NOTE };
const BAND_WORD: Style = Style::new(Typeface::SemiBold, 26.0, BAND_HEIGHT, Color::White);
const BAND_WORDS: Style = Style::new(Typeface::Regular, 10.0, BAND_HEIGHT, Color::White);
const PAGE_OF: Style = Style { color: Color::Black, ..SMALL_LABEL };

/// Top and bottom of a page's text, between header and footer.
pub(super) fn body(report: &CompareReport<'_>) -> (f32, f32) {
    let top = if report.supplement.state.mark().is_some() {
        BAND_AT + BAND_HEIGHT + 16.0
    } else {
        BAND_AT + 12.0
    };
    (top, FOOT_RULE_AT - 14.0)
}

/// Adds header and footer to all pages.
pub(super) fn add(composer: &mut Composer, report: &CompareReport<'_>) {
    let pages = composer.pages.all.len();
    for at in 0..pages {
        let mut items = head(composer, report);
        items.extend(foot(composer, report, at + 1, pages));
        composer.pages.all[at].extend(items);
    }
}

fn head(composer: &Composer, report: &CompareReport<'_>) -> Vec<Item> {
    let fonts = &composer.fonts;
    let right = PAGE_WIDTH - MARGIN;
    let inquiry = fonts.printable(&format!("Inquiry {}", report.inquiry.id())).into_owned();
    let mut items = vec![
        Item::line(MARGIN, HEAD_AT, TITLE_TEXT, SMALL_LABEL, None),
        Item::line(right - fonts.width(&inquiry, SMALL_LABEL), HEAD_AT, inquiry, SMALL_LABEL, None),
        Item::fill(MARGIN, HEAD_RULE_AT, MEASURE, 0.5, Color::Hairline),
    ];
    if !report.inquiry.evidence().is_empty() {
        let width = fonts.width(EVIDENCE, EVIDENCE_STYLE);
        let x = (PAGE_WIDTH - width) / 2.0;
        let (wide, high) = (width + 16.0, EVIDENCE_STYLE.leading + 2.0);
        let frame = Draw::Outline { width: wide, height: high, line: 1.2, color: Color::Black };
        items.push(Item { x: x - 8.0, y: HEAD_RULE_AT - high - 3.0, draw: frame, role: None });
        items.push(Item::line(x, HEAD_RULE_AT - high - 2.0, EVIDENCE, EVIDENCE_STYLE, None));
    }
    if let Some(word) = report.supplement.state.mark() {
        let words = "not police data, not for casework";
        let gap = 12.0;
        let width = fonts.width(word, BAND_WORD) + gap + fonts.width(words, BAND_WORDS);
        let x = (PAGE_WIDTH - width) / 2.0;
        items.push(Item::fill(MARGIN, BAND_AT, MEASURE, BAND_HEIGHT, Color::Black));
        items.push(Item::line(x, BAND_AT, word, BAND_WORD, None));
        items.push(Item::line(
            x + fonts.width(word, BAND_WORD) + gap,
            BAND_AT + 4.0,
            words,
            BAND_WORDS,
            None,
        ));
    }
    items
}

fn foot(composer: &Composer, report: &CompareReport<'_>, page: usize, of: usize) -> Vec<Item> {
    let fonts = &composer.fonts;
    let mut items = vec![Item::fill(MARGIN, FOOT_RULE_AT, MEASURE, 0.5, Color::Hairline)];
    if composer.pages.all[page - 1]
        .iter()
        .any(|item| matches!(&item.draw, Draw::Line { text, .. } if text.contains("[U+")))
    {
        items.push(Item::line(MARGIN, FOOT_RULE_AT - 10.0, LACKING, FOOT_NOTE, None));
    }
    let mut y = FOOT_RULE_AT + 4.0;
    for line in fonts.wrap(NOTE, FOOT_NOTE, MEASURE) {
        items.push(Item::line(MARGIN, y, line, FOOT_NOTE, None));
        y += FOOT_NOTE.leading;
    }
    items.push(Item::line(MARGIN, y, NO_LINE_UP, FOOT_STRONG, None));
    y += FOOT_NOTE.leading + 3.0;
    let issuer = fonts.printable(&report.supplement.issuer).into_owned();
    let number = format!("page {page} of {of}");
    let number_at = PAGE_WIDTH - MARGIN - fonts.width(&number, PAGE_OF);
    // An issuer of many words gives way to the number of the page.
    let issuer = fonts.wrap(&issuer, SMALL_LABEL, MEASURE - 120.0).swap_remove(0);
    items.push(Item::line(MARGIN, y, issuer, SMALL_LABEL, None));
    items.push(Item::line(number_at, y, number, PAGE_OF, None));
    debug_assert!(y + PAGE_OF.leading <= PAGE_HEIGHT - 18.0, "the foot is within the page");
    items
}
