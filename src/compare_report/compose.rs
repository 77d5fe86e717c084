//! What all parts of the report are set with: headings, paragraphs, tables of labels and values,
//! boxes, photos.

use super::SheetError;
use super::fonts::{Cut, Ink, Letters, Style};
use super::input::Picture;
use super::layout::{Column, Draw, GUTTER, MARGIN, MEASURE, Mark, Paper, Piece, Role, Tag, Tags};
use super::pdf::Entry;
use super::picture::Printed;

pub(super) const TITLE: Style = Style::new(Cut::Strong, 22.0, 26.0, Ink::Accent);
pub(super) const HEADING: Style = Style::new(Cut::Strong, 13.0, 17.0, Ink::Accent);
pub(super) const SUBHEADING: Style = Style::new(Cut::Strong, 10.5, 14.0, Ink::Black);
pub(super) const BODY: Style = Style::new(Cut::Plain, 9.5, 13.0, Ink::Black);
pub(super) const STRONG: Style = Style { cut: Cut::Strong, ..BODY };
pub(super) const LABEL: Style = Style { ink: Ink::Grey, ..BODY };
pub(super) const SMALL: Style = Style::new(Cut::Plain, 8.0, 10.8, Ink::Black);
pub(super) const SMALL_STRONG: Style = Style { cut: Cut::Strong, ..SMALL };
pub(super) const SMALL_LABEL: Style = Style { ink: Ink::Grey, ..SMALL };
pub(super) const FIXED: Style = Style::new(Cut::Fixed, 7.0, 9.6, Ink::Black);
/// A digest beside words of the body's size.
pub(super) const FIXED_BODY: Style = Style::new(Cut::Fixed, 7.6, 13.0, Ink::Black);

/// The width of labels before their values.
const LABEL_WIDTH: f32 = 126.0;
/// A lower table stands on one page.
const TORN_FROM: f32 = 260.0;
/// Between a box's edge and what is in it.
const PADDING: f32 = 10.0;
const BAR: f32 = 3.0;

/// A report in the making.
pub(super) struct Composer {
    pub(super) letters: Letters,
    pub(super) tags: Tags,
    pub(super) paper: Paper,
    pub(super) pictures: Vec<Printed>,
    pub(super) contents: Vec<Entry>,
}

/// Widths and styles of a table of labels and values.
#[derive(Clone, Copy)]
pub(super) struct Pairs {
    pub(super) label: Style,
    pub(super) value: Style,
    pub(super) label_width: f32,
    pub(super) width: f32,
}

impl Pairs {
    /// Over the whole measure.
    pub(super) const WIDE: Self =
        Self { label: LABEL, value: BODY, label_width: LABEL_WIDTH, width: MEASURE };

    /// The same with values that are digests.
    pub(super) fn fixed(self) -> Self {
        Self {
            value: if self.value == BODY {
                FIXED_BODY
            } else {
                Style { leading: self.value.leading, ..FIXED }
            },
            ..self
        }
    }
}

impl Composer {
    pub(super) fn new(top: f32, bottom: f32) -> Self {
        Self {
            letters: Letters::new(),
            tags: Tags::default(),
            paper: Paper::new(top, bottom),
            pictures: Vec::new(),
            contents: Vec::new(),
        }
    }

    /// Takes a photo into the report and gives its number.
    ///
    /// Errors: it can't be read; `which` says which.
    pub(super) fn picture(
        &mut self,
        picture: &Picture,
        which: impl FnOnce() -> String,
    ) -> Result<usize, SheetError> {
        let printed = Printed::of(picture)
            .map_err(|e| SheetError::Picture { which: which(), what: e.to_string() })?;
        self.pictures.push(printed);
        Ok(self.pictures.len() - 1)
    }

    /// Opens a section with its heading, on a page that has room for some of what follows.
    pub(super) fn section(&mut self, text: &str, follows: f32) {
        self.paper.gap(16.0);
        self.paper.need(HEADING.leading + 8.0 + follows);
        self.tags.open(Tag::Section);
        let role = self.tags.leaf(Tag::Heading(2, text.to_owned()));
        let (page, y) = self.paper.place();
        self.contents.push(Entry { text: text.to_owned(), page, y });
        let mut column = Column::new(MARGIN);
        column.text(&self.letters, text, HEADING, MEASURE, role);
        column.pieces.push(Piece {
            height: 7.0,
            marks: vec![Mark::fill(0.0, 2.0, MEASURE, 0.8, Ink::Accent)],
            keep: true,
        });
        self.paper.flow(vec![column]);
    }

    pub(super) fn end_section(&mut self) {
        self.tags.close();
    }

    /// A smaller heading.
    pub(super) fn subheading(&mut self, text: &str, follows: f32) {
        self.paper.gap(8.0);
        self.paper.need(SUBHEADING.leading + follows);
        let role = self.tags.leaf(Tag::Heading(3, text.to_owned()));
        let mut column = Column::new(MARGIN);
        column.text(&self.letters, text, SUBHEADING, MEASURE, role);
        self.paper.flow(vec![column]);
    }

    pub(super) fn paragraph(&mut self, text: &str, style: Style) {
        let role = self.tags.leaf(Tag::Paragraph);
        let mut column = Column::new(MARGIN);
        column.text(&self.letters, text, style, MEASURE, role);
        self.paper.run_on(column, None);
    }

    /// Words that nobody may overlook: each paragraph with its style, on a ground, behind a bar.
    pub(super) fn notice(&mut self, paragraphs: &[(&str, Style)]) {
        let width = MEASURE - 2.0 * PADDING - BAR;
        let mut within = vec![Piece::gap(PADDING - 3.0)];
        for (at, (text, style)) in paragraphs.iter().enumerate() {
            if at > 0 {
                within.push(Piece::gap(5.0));
            }
            let role = self.tags.leaf(Tag::Paragraph);
            within.extend(Piece::lines(self.letters.wrap(text, *style, width), *style, role));
        }
        within.push(Piece::gap(PADDING - 2.0));
        let mut whole = Piece::whole(within);
        for mark in &mut whole.marks {
            mark.x += BAR + PADDING;
        }
        let height = whole.height;
        let ground = [
            Mark::fill(0.0, 0.0, MEASURE, height, Ink::Ground),
            Mark::fill(0.0, 0.0, BAR, height, Ink::Accent),
        ];
        whole.marks.splice(0..0, ground);
        self.paper.flow(vec![Column { x: MARGIN, pieces: vec![whole] }]);
    }

    /// Opens a table of labels and values.
    pub(super) fn open_pairs(&mut self) {
        self.tags.open(Tag::Table);
        self.tags.open(Tag::TableBody);
    }

    pub(super) fn close_pairs(&mut self) {
        self.tags.close();
        self.tags.close();
    }

    /// One row of such a table.
    pub(super) fn pair(&mut self, column: &mut Column, pairs: Pairs, label: &str, value: &str) {
        self.tags.open(Tag::Row);
        let name = self.tags.leaf(Tag::RowHeader);
        let cell = self.tags.leaf(Tag::Cell);
        self.tags.close();
        let labels = self.letters.wrap(label, pairs.label, pairs.label_width - 6.0);
        let values = self.letters.wrap(value, pairs.value, pairs.width - pairs.label_width);
        let lines = labels.len().max(values.len());
        for at in 0..lines {
            let mut marks = Vec::new();
            if let Some(label) = labels.get(at) {
                marks.push(Mark::line(0.0, 0.0, label, pairs.label, name));
            }
            if let Some(value) = values.get(at) {
                marks.push(Mark::line(pairs.label_width, 0.0, value, pairs.value, cell));
            }
            // A row's first line doesn't stand alone at the foot of a page.
            column.pieces.push(Piece {
                height: pairs.label.leading.max(pairs.value.leading),
                marks,
                keep: at == 0 && lines > 1,
            });
        }
        column.gap(1.5);
    }

    /// A table of labels and values over the whole measure; what is empty is left out.
    pub(super) fn pairs(&mut self, rows: &[(&str, String)]) {
        self.open_pairs();
        let mut column = Column::new(MARGIN);
        for (label, value) in rows.iter().filter(|(_, value)| !value.is_empty()) {
            self.pair(&mut column, Pairs::WIDE, label, value);
        }
        self.close_pairs();
        self.paper.run_on(column, None);
    }

    /// A table with a head, below a heading of its own where it has one; each column has its width.
    pub(super) fn table(
        &mut self,
        heading: Option<&str>,
        heads: &[(&str, f32)],
        rows: &[Vec<(String, Style)>],
    ) {
        let mut column = Column::new(MARGIN);
        if let Some(text) = heading {
            self.paper.gap(8.0);
            let role = self.tags.leaf(Tag::Heading(3, text.to_owned()));
            column.text(&self.letters, text, SUBHEADING, MEASURE, role);
            column.pieces.iter_mut().for_each(|piece| piece.keep = true);
        }
        self.tags.open(Tag::Table);
        self.tags.open(Tag::TableHead);
        let cells: Vec<(String, Style)> =
            heads.iter().map(|(text, _)| ((*text).to_owned(), SMALL_LABEL)).collect();
        let mut head = self.row(heads, &cells, &Tag::ColumnHeader);
        head.keep = true;
        self.tags.close();
        self.tags.open(Tag::TableBody);
        column.pieces.push(head.clone());
        for cells in rows {
            let row = self.row(heads, cells, &Tag::Cell);
            column.pieces.push(row);
        }
        self.tags.close();
        self.tags.close();
        let height = column.height();
        if height < TORN_FROM {
            self.paper.need(height);
        }
        self.paper.run_on(column, Some(&head));
    }

    /// A row that isn't torn, with a hairline below it.
    fn row(&mut self, heads: &[(&str, f32)], cells: &[(String, Style)], tag: &Tag) -> Piece {
        self.tags.open(Tag::Row);
        let mut marks = Vec::new();
        let (mut x, mut height) = (0.0, 0.0f32);
        for ((text, style), (_, width)) in cells.iter().zip(heads) {
            let role = self.tags.leaf(tag.clone());
            let lines = self.letters.wrap(text, *style, width - GUTTER / 2.0);
            let piece = Piece::whole(Piece::lines(lines, *style, role));
            height = height.max(piece.height);
            marks.extend(piece.marks.into_iter().map(|mark| Mark {
                x: mark.x + x,
                y: mark.y + 2.0,
                ..mark
            }));
            x += width;
        }
        self.tags.close();
        height += 4.0;
        marks.push(Mark::fill(0.0, height - 0.5, MEASURE, 0.5, Ink::Hairline));
        Piece { height, marks, keep: false }
    }

    /// A photo in a box of this size, in its own proportions, with a hairline around it; or a part
    /// of it that has the box's proportions.
    pub(super) fn photo(
        &mut self,
        at: usize,
        (x, y): (f32, f32),
        (width, height): (f32, f32),
        part: Option<[f32; 4]>,
        words: &str,
    ) -> Vec<Mark> {
        let role: Role = self.tags.leaf(Tag::Figure(words.to_owned()));
        let (wide, high) =
            if part.is_some() { (width, height) } else { self.pictures[at].fitted(width, height) };
        vec![
            Mark { x, y, draw: Draw::Picture { at, width: wide, height: high, part }, role },
            Mark {
                x,
                y,
                draw: Draw::Outline { width: wide, height: high, line: 0.5, ink: Ink::Hairline },
                role: None,
            },
        ]
    }
}
