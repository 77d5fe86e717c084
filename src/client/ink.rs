//! Text and shapes on an RGB image: one typeface, measured before it is drawn, so that nothing runs into anything else.

use ab_glyph::{Font, FontRef, GlyphId, PxScale, ScaleFont, point};
use epaint_default_fonts::UBUNTU_LIGHT;
use image::{Rgb, RgbImage};

/// What stands where the typeface has no glyph.
const UNKNOWN: char = '?';
const ELLIPSIS: char = '\u{2026}';
/// How far a second stroke is moved to make a light face bold, as a part of the type size.
const BOLD_STROKE: f32 = 0.035;

/// A colour.
pub(super) type Colour = Rgb<u8>;

/// How a text looks.
#[derive(Clone, Copy)]
pub(super) struct Style {
    /// The em's height in pixels.
    pub(super) size: f32,
    pub(super) colour: Colour,
    pub(super) bold: bool,
}

/// The typeface.
pub(super) struct Ink {
    font: FontRef<'static>,
}

impl Style {
    pub(super) const fn new(size: f32, colour: Colour) -> Self {
        Self { size, colour, bold: false }
    }

    pub(super) const fn bold(self) -> Self {
        Self { bold: true, ..self }
    }

    /// From one baseline to the next.
    pub(super) fn line_height(self) -> f32 {
        (self.size * 1.3).round()
    }
}

impl Ink {
    pub(super) fn new() -> Self {
        Self { font: FontRef::try_from_slice(UBUNTU_LIGHT).expect("the typeface is part of this program and is tested") }
    }

    /// Pixels from a text's first glyph to the end of its last.
    pub(super) fn width(&self, text: &str, style: Style) -> f32 {
        let font = self.font.as_scaled(self.scale(style));
        let (mut width, mut last) = (0.0, None);
        for glyph in self.glyphs(text) {
            width += last.map_or(0.0, |last| font.kern(last, glyph)) + font.h_advance(glyph);
            last = Some(glyph);
        }
        width + if style.bold { style.size * BOLD_STROKE } else { 0.0 }
    }

    /// The text, or as much of it as fits with an ellipsis.
    pub(super) fn elide(&self, text: &str, style: Style, width_max: f32) -> String {
        if self.width(text, style) <= width_max {
            return text.to_owned();
        }
        let mut short: String = text.to_owned();
        while short.pop().is_some() {
            let candidate = format!("{}{ELLIPSIS}", short.trim_end());
            if self.width(&candidate, style) <= width_max {
                return candidate;
            }
        }
        String::new()
    }

    /// The text in lines that fit; what is beyond `lines_max` lines ends in an ellipsis. A word wider than a line is broken.
    pub(super) fn wrap(&self, text: &str, style: Style, width_max: f32, lines_max: usize) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        let mut line = String::new();
        let mut rest: Vec<&str> = text.split_whitespace().rev().collect();
        while let Some(word) = rest.pop() {
            let longer = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
            if self.width(&longer, style) <= width_max {
                line = longer;
                continue;
            }
            if line.is_empty() {
                let fits = self.chars_that_fit(word, style, width_max);
                let (head, tail) = word.split_at(fits);
                head.clone_into(&mut line);
                rest.push(tail);
            } else {
                rest.push(word);
            }
            if lines.len() + 1 == lines_max {
                rest.reverse();
                line = self.elide(&format!("{line} {}", rest.join(" ")), style, width_max);
                rest.clear();
            } else {
                lines.push(std::mem::take(&mut line));
            }
        }
        if !line.is_empty() {
            lines.push(line);
        }
        lines
    }

    /// Draws a text whose upper left corner is at x, y; gives the x where it ends.
    pub(super) fn text(&self, page: &mut RgbImage, x: f32, y: f32, style: Style, text: &str) -> f32 {
        self.stroke(page, x, y, style, text);
        if style.bold {
            self.stroke(page, x + style.size * BOLD_STROKE, y, style, text);
        }
        x + self.width(text, style)
    }

    /// Draws a text that ends at x.
    pub(super) fn text_to(&self, page: &mut RgbImage, x: f32, y: f32, style: Style, text: &str) {
        self.text(page, x - self.width(text, style), y, style, text);
    }

    fn stroke(&self, page: &mut RgbImage, x: f32, y: f32, style: Style, text: &str) {
        let scale = self.scale(style);
        let font = self.font.as_scaled(scale);
        let (mut x, baseline, mut last) = (x, y + font.ascent(), None);
        for glyph in self.glyphs(text) {
            x += last.map_or(0.0, |last| font.kern(last, glyph));
            if let Some(outline) = self.font.outline_glyph(glyph.with_scale_and_position(scale, point(x, baseline))) {
                let corner = outline.px_bounds().min;
                outline.draw(|dx, dy, coverage| blend(page, corner.x + units(dx), corner.y + units(dy), style.colour, coverage));
            }
            x += font.h_advance(glyph);
            last = Some(glyph);
        }
    }

    fn glyphs(&self, text: &str) -> impl Iterator<Item = GlyphId> {
        text.chars().map(|c| {
            let glyph = self.font.glyph_id(if c.is_control() { ' ' } else { c });
            if glyph.0 == 0 { self.font.glyph_id(UNKNOWN) } else { glyph }
        })
    }

    /// How many bytes of a word fit a line: at least one character, so that breaking ends.
    fn chars_that_fit(&self, word: &str, style: Style, width_max: f32) -> usize {
        let ends = word.char_indices().map(|(at, c)| at + c.len_utf8());
        let fits = ends.clone().take_while(|&end| self.width(&word[..end], style) <= width_max).last();
        fits.or_else(|| ends.clone().next()).unwrap_or(0)
    }

    /// The typeface is scaled by the height of its lines, people by the em.
    fn scale(&self, style: Style) -> PxScale {
        PxScale::from(style.size * self.font.height_unscaled() / self.font.units_per_em().unwrap_or(1.0))
    }
}

/// Fills a rectangle; what lies off the page is left out.
pub(super) fn fill(page: &mut RgbImage, x: f32, y: f32, width: f32, height: f32, colour: Colour) {
    for row in pixel(y)..pixel(y + height).min(page.height()) {
        for column in pixel(x)..pixel(x + width).min(page.width()) {
            page.put_pixel(column, row, colour);
        }
    }
}

/// Draws a rectangle's edge inwards from its outline.
pub(super) fn outline(page: &mut RgbImage, x: f32, y: f32, width: f32, height: f32, thickness: f32, colour: Colour) {
    fill(page, x, y, width, thickness, colour);
    fill(page, x, y + height - thickness, width, thickness, colour);
    fill(page, x, y, thickness, height, colour);
    fill(page, x + width - thickness, y, thickness, height, colour);
}

/// A length in whole pixels; what is negative or not a number is 0.
pub(super) fn pixel(length: f32) -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast from f32 saturates, and pages are small")]
    let whole = length.round() as u32;
    whole
}

/// Whole pixels as a length.
pub(super) fn units(pixels: u32) -> f32 {
    #[expect(clippy::cast_precision_loss, reason = "photos and pages have sides far below 2^24 pixels")]
    let length = pixels as f32;
    length
}

fn blend(page: &mut RgbImage, x: f32, y: f32, colour: Colour, coverage: f32) {
    if x < 0.0 || y < 0.0 {
        return;
    }
    let Some(under) = page.get_pixel_mut_checked(pixel(x), pixel(y)) else { return };
    for (under, over) in under.0.iter_mut().zip(colour.0) {
        let mixed = f32::from(*under) + (f32::from(over) - f32::from(*under)) * coverage.clamp(0.0, 1.0);
        *under = u8::try_from(pixel(mixed)).unwrap_or(u8::MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STYLE: Style = Style::new(16.0, Rgb([0, 0, 0]));

    #[test]
    fn the_typeface_has_what_the_note_and_names_need() {
        let ink = Ink::new();
        let needed = "\u{2013}\u{2026}\u{b7}\u{e9}\u{f1}\u{fc}\u{141}\u{150}" /* dashes, dots, letters of European names */;
        for c in needed.chars() {
            assert_ne!(ink.font.glyph_id(c).0, 0, "{c}");
        }
        let question_mark = ink.font.glyph_id(UNKNOWN);
        assert_eq!(ink.glyphs("\u{4eba}").collect::<Vec<_>>(), [question_mark], "what it lacks is a question mark");
    }

    #[test]
    fn long_texts_are_elided_to_their_width() {
        let ink = Ink::new();
        let short = ink.elide("Maximiliana Featherstonehaugh-Cholmondeley", STYLE, 120.0);
        assert!(short.ends_with(ELLIPSIS) && ink.width(&short, STYLE) <= 120.0, "{short}");
        assert_eq!(ink.elide("Roe", STYLE, 120.0), "Roe");
        assert_eq!(ink.elide("Roe", STYLE, 1.0), "");
    }

    #[test]
    fn wrapped_lines_fit_keep_every_word_and_end_in_an_ellipsis_only_when_cut() {
        let ink = Ink::new();
        let text = format!("{} {} end", crate::inquiry::NOTE, "x".repeat(300));
        let lines = ink.wrap(&text, STYLE, 200.0, 100);
        assert!(lines.iter().all(|line| ink.width(line, STYLE) <= 200.0));
        let squeeze = |s: &str| s.split_whitespace().collect::<String>();
        assert_eq!(squeeze(&lines.concat()), squeeze(&text));
        let cut = ink.wrap(&text, STYLE, 200.0, 3);
        assert_eq!(cut.len(), 3);
        assert!(cut[2].ends_with(ELLIPSIS) && ink.width(&cut[2], STYLE) <= 200.0);
        assert_eq!(ink.wrap("a", STYLE, 200.0, 1), ["a"]);
    }

    #[test]
    fn drawing_off_the_page_does_nothing() {
        let mut page = RgbImage::new(20, 20);
        let ink = Ink::new();
        ink.text(&mut page, -30.0, -30.0, STYLE, "abc");
        ink.text(&mut page, 30.0, 30.0, STYLE, "abc");
        fill(&mut page, 30.0, -10.0, 5.0, 5.0, Rgb([255, 0, 0]));
        assert!(page.pixels().all(|p| p.0 == [0, 0, 0]));
    }
}
