//! Fonts: what a line of text measures, where it wraps, and what stands for characters that the
//! typefaces lack.

use std::borrow::Cow;
use std::fmt::Write;

use krilla::text::{Font, GlyphId, KrillaGlyph};
use rustybuzz::{Face, UnicodeBuffer};

/// The typefaces' files, in the order of `Typeface`.
const FILES: [&[u8]; 3] = [
    include_bytes!("fonts/IBMPlexSans-Regular.ttf"),
    include_bytes!("fonts/IBMPlexSans-SemiBold.ttf"),
    include_bytes!("fonts/IBMPlexMono-Regular.ttf"),
];

/// One of the typefaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Typeface {
    Regular,
    SemiBold,
    Mono,
}

/// The colours of the report. It is printed in grey more often than not, so the one that isn't grey
/// is dark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Color {
    Black,
    Grey,
    Hairline,
    Ground,
    White,
    Accent,
}

/// The style of a line of text.
///
/// Units: points.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Style {
    pub(super) typeface: Typeface,
    pub(super) size: f32,
    /// From one baseline to the next.
    pub(super) leading: f32,
    pub(super) color: Color,
}

/// The typefaces, read once for a report.
pub(super) struct Fonts {
    faces: [Face<'static>; 3],
    fonts: [Font; 3],
}

/// A line that is ready to be drawn.
pub(super) struct Shaped {
    pub(super) glyphs: Vec<KrillaGlyph>,
    /// Units: points.
    pub(super) width: f32,
}

impl Style {
    pub(super) const fn new(typeface: Typeface, size: f32, leading: f32, color: Color) -> Self {
        Self { typeface, size, leading, color }
    }

    /// From the top of a line to its baseline.
    pub(super) fn ascent(self) -> f32 {
        (self.leading - self.size) / 2.0 + self.size * 0.82
    }
}

impl Fonts {
    pub(super) fn new() -> Self {
        Self {
            faces: FILES.map(|file| {
                Face::from_slice(file, 0).expect("the typefaces are part of the program")
            }),
            fonts: FILES.map(|file| {
                Font::new(file.into(), 0).expect("the typefaces are part of the program")
            }),
        }
    }

    pub(super) fn font(&self, typeface: Typeface) -> Font {
        self.fonts[typeface as usize].clone()
    }

    /// The line as it is drawn.
    pub(super) fn shape(&self, text: &str, style: Style) -> Shaped {
        let face = &self.faces[style.typeface as usize];
        let per_em = f32::from(u16::try_from(face.units_per_em()).unwrap_or(1_000));
        let mut buffer = UnicodeBuffer::new();
        buffer.push_str(text);
        buffer.guess_segment_properties();
        let shaped = rustybuzz::shape(face, &[], buffer);
        let (infos, positions) = (shaped.glyph_infos(), shaped.glyph_positions());
        let em = |units: i32| units_of(units) / per_em;
        let mut width = 0.0;
        let mut glyphs = Vec::with_capacity(infos.len());
        for (at, (info, position)) in infos.iter().zip(positions).enumerate() {
            let begin = info.cluster as usize;
            let end = infos[at..]
                .iter()
                .map(|next| next.cluster as usize)
                .find(|&next| next > begin)
                .unwrap_or(text.len());
            width += em(position.x_advance) * style.size;
            glyphs.push(KrillaGlyph::new(
                GlyphId::new(info.glyph_id),
                em(position.x_advance),
                em(position.x_offset),
                em(position.y_offset),
                em(position.y_advance),
                begin..end,
                None,
            ));
        }
        Shaped { glyphs, width }
    }

    /// Units: points.
    pub(super) fn width(&self, text: &str, style: Style) -> f32 {
        self.shape(text, style).width
    }

    /// The text with what no typeface here has written as its code: `[U+4E2D]`. What shows nothing
    /// or turns the direction of writing is written out too, so that nothing in a name is there
    /// unseen.
    pub(super) fn printable<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if text.chars().all(|c| self.has(c)) {
            return Cow::Borrowed(text);
        }
        let mut shown = String::with_capacity(text.len() * 2);
        for c in text.chars() {
            match c {
                '\t' => shown.push(' '),
                '\r' => {}
                c if self.has(c) => shown.push(c),
                c => write!(shown, "[U+{:04X}]", u32::from(c))
                    .expect("a string takes all that is written"),
            }
        }
        Cow::Owned(shown)
    }

    fn has(&self, c: char) -> bool {
        let unseen = matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}');
        c == '\n'
            || !unseen
                && !c.is_control()
                && self.faces.iter().all(|face| face.glyph_index(c).is_some())
    }

    /// The text in lines of at most this width: broken at white space and, but for digests and
    /// signatures, after hyphens and slashes; within a word only where it is longer than a line. A
    /// line's end in the text stays one.
    pub(super) fn wrap(&self, text: &str, style: Style, width: f32) -> Vec<String> {
        let text = self.printable(text);
        let mut lines = Vec::new();
        for paragraph in text.trim_end().split('\n') {
            let mut line = String::new();
            let mut used = 0.0;
            for word in words(paragraph, style.typeface) {
                let bare = self.width(word.trim_end(), style);
                if used + bare > width && !line.is_empty() {
                    lines.push(std::mem::take(&mut line));
                    used = 0.0;
                }
                if bare > width {
                    for c in word.chars() {
                        let wide = self.width(c.encode_utf8(&mut [0; 4]), style);
                        if used + wide > width && !line.is_empty() {
                            lines.push(std::mem::take(&mut line));
                            used = 0.0;
                        }
                        line.push(c);
                        used += wide;
                    }
                } else {
                    line.push_str(word);
                    used += self.width(word, style);
                }
            }
            lines.push(line);
        }
        lines.iter_mut().for_each(|line| line.truncate(line.trim_end().len()));
        lines
    }
}

/// Pieces between which a line may be broken, each with the white space behind it.
fn words(text: &str, typeface: Typeface) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let mut before = None;
        let end = rest.char_indices().find_map(|(at, c)| {
            let breaks = match before {
                Some(' ') => c != ' ',
                // Not within a number or a date, and not before what closes.
                Some('-' | '/') => typeface != Typeface::Mono && c.is_alphabetic(),
                _ => false,
            };
            before = Some(c);
            breaks.then_some(at)
        });
        let (word, after) = rest.split_at(end.unwrap_or(rest.len()));
        rest = after;
        (!word.is_empty()).then_some(word)
    })
}

fn units_of(units: i32) -> f32 {
    f32::from(i16::try_from(units).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STYLE: Style = Style::new(Typeface::Regular, 9.5, 13.0, Color::Black);

    #[test]
    fn no_line_is_wider_than_it_may_be_and_no_word_is_lost() {
        let fonts = Fonts::new();
        let text = "Robbery at Grand and Gravois; the suspect's face is on a store camera \
            (north-west door), exported as a still.";
        for width in [40.0, 90.0, 246.0, 504.0] {
            let lines = fonts.wrap(text, STYLE, width);
            assert!(
                lines.iter().all(|line| fonts.width(line, STYLE) <= width + 0.5),
                "{width}: {lines:?}"
            );
            assert_eq!(lines.concat().replace(' ', ""), text.replace(' ', ""));
        }
        assert_eq!(fonts.wrap("one\ntwo\n\nthree\n", STYLE, 100.0), ["one", "two", "", "three"]);
        assert_eq!(fonts.wrap("", STYLE, 100.0), [""]);
    }

    #[test]
    fn a_word_longer_than_a_line_is_broken_where_the_line_ends() {
        let fonts = Fonts::new();
        let digest = "0123456789abcdef".repeat(4);
        let lines = fonts.wrap(&digest, Style { typeface: Typeface::Mono, ..STYLE }, 200.0);
        assert!(lines.len() > 1 && lines.concat() == digest, "{lines:?}");
        assert!(
            lines
                .iter()
                .all(|line| fonts.width(line, Style { typeface: Typeface::Mono, ..STYLE }) <= 200.0)
        );
    }

    #[test]
    fn dates_and_numbers_are_not_broken_at_their_hyphens() {
        let fonts = Fonts::new();
        let lines = fonts.wrap("booked 2026-11-01 under 26-004711", STYLE, 70.0);
        assert!(
            lines.iter().any(|line| line.contains("2026-11-01"))
                && lines.iter().any(|line| line.contains("26-004711")),
            "{lines:?}"
        );
    }

    #[test]
    fn accents_greek_and_cyrillic_are_printed() {
        let fonts = Fonts::new();
        for name in [
            "José Peña-Núñez",
            "Łukasz Żółć",
            "Nguyễn Thị Ánh",
            "Ђорђе Ћирић",
            "Søren Ægir Ðórðarson",
            "O’Brien – “Mick”",
        ] {
            assert_eq!(fonts.printable(name), name);
        }
    }

    #[test]
    fn what_the_typefaces_lack_stands_as_its_code() {
        let fonts = Fonts::new();
        assert_eq!(fonts.printable("中 A"), "[U+4E2D] A");
        assert_eq!(fonts.printable("a\u{202e}b\u{200b}\u{0}"), "a[U+202E]b[U+200B][U+0000]");
    }

    #[test]
    fn an_accent_of_its_own_code_is_drawn_over_its_letter() {
        let fonts = Fonts::new();
        assert_eq!(fonts.printable("Jose\u{301}"), "Jose\u{301}");
        assert!((fonts.width("Jose\u{301}", STYLE) - fonts.width("José", STYLE)).abs() < 0.01);
    }
}
