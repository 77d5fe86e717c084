//! Composition: styles, and what all parts of the report are made of: headings, paragraphs,
//! notices, tables and photos.

use super::error::CompareReportError;
use super::fonts::{Color, Fonts, Style, Typeface};
use super::layout::{Block, Column, Draw, GUTTER, Item, MARGIN, MEASURE, Pages, Tag, TagRef, Tags};
use super::pdf::Bookmark;
use super::photo::PagePhoto;
use super::supplement::Jpeg;

pub(super) const TITLE: Style = Style::new(Typeface::SemiBold, 22.0, 26.0, Color::Accent);
pub(super) const HEADING: Style = Style::new(Typeface::SemiBold, 13.0, 17.0, Color::Accent);
pub(super) const SUBHEADING: Style = Style::new(Typeface::SemiBold, 10.5, 14.0, Color::Black);
pub(super) const BODY: Style = Style::new(Typeface::Regular, 9.5, 13.0, Color::Black);
pub(super) const STRONG: Style = Style { typeface: Typeface::SemiBold, ..BODY };
pub(super) const LABEL: Style = Style { color: Color::Grey, ..BODY };
pub(super) const SMALL: Style = Style::new(Typeface::Regular, 8.0, 10.8, Color::Black);
pub(super) const SMALL_STRONG: Style = Style { typeface: Typeface::SemiBold, ..SMALL };
pub(super) const SMALL_LABEL: Style = Style { color: Color::Grey, ..SMALL };
pub(super) const FIXED: Style = Style::new(Typeface::Mono, 7.0, 9.6, Color::Black);
/// A digest beside words of the body's size.
pub(super) const FIXED_BODY: Style = Style::new(Typeface::Mono, 7.6, 13.0, Color::Black);

/// The width of labels before their values.
const LABEL_WIDTH: f32 = 126.0;
/// A lower table stands on one page.
const TORN_FROM: f32 = 260.0;
/// Between a box's edge and what is in it.
const PADDING: f32 = 10.0;
const BAR: f32 = 3.0;

/// A report in the making.
pub(super) struct Composer {
    pub(super) fonts: Fonts,
    pub(super) tags: Tags,
    pub(super) pages: Pages,
    pub(super) photos: Vec<PagePhoto>,
    pub(super) bookmarks: Vec<Bookmark>,
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
            fonts: Fonts::new(),
            tags: Tags::default(),
            pages: Pages::new(top, bottom),
            photos: Vec::new(),
            bookmarks: Vec::new(),
        }
    }

    /// Takes a photo into the report and gives its number.
    ///
    /// Errors: it can't be read; `which` says which.
    pub(super) fn take_photo(
        &mut self,
        photo: &Jpeg,
        which: impl FnOnce() -> String,
    ) -> Result<usize, CompareReportError> {
        let page_photo = PagePhoto::of(photo)
            .map_err(|e| CompareReportError::Picture { which: which(), what: e.to_string() })?;
        self.photos.push(page_photo);
        Ok(self.photos.len() - 1)
    }

    /// Opens a section with its heading, on a page that has room for some of what follows.
    pub(super) fn section(&mut self, text: &str, follows: f32) {
        self.pages.gap(16.0);
        self.pages.reserve(HEADING.leading + 8.0 + follows);
        self.tags.open(Tag::Section);
        let role = self.tags.leaf(Tag::Heading(2, text.to_owned()));
        let (page, y) = self.pages.place();
        self.bookmarks.push(Bookmark { text: text.to_owned(), page, y });
        let mut column = Column::new(MARGIN);
        column.text(&self.fonts, text, HEADING, MEASURE, role);
        column.blocks.push(Block {
            height: 7.0,
            items: vec![Item::fill(0.0, 2.0, MEASURE, 0.8, Color::Accent)],
            keep: true,
        });
        self.pages.flow(vec![column]);
    }

    pub(super) fn end_section(&mut self) {
        self.tags.close();
    }

    /// A smaller heading.
    pub(super) fn subheading(&mut self, text: &str, follows: f32) {
        self.pages.gap(8.0);
        self.pages.reserve(SUBHEADING.leading + follows);
        let role = self.tags.leaf(Tag::Heading(3, text.to_owned()));
        let mut column = Column::new(MARGIN);
        column.text(&self.fonts, text, SUBHEADING, MEASURE, role);
        self.pages.flow(vec![column]);
    }

    pub(super) fn paragraph(&mut self, text: &str, style: Style) {
        let role = self.tags.leaf(Tag::Paragraph);
        let mut column = Column::new(MARGIN);
        column.text(&self.fonts, text, style, MEASURE, role);
        self.pages.run_on(column, None);
    }

    /// Words that nobody may overlook: each paragraph with its style, on a ground, behind a bar.
    pub(super) fn notice(&mut self, paragraphs: &[(&str, Style)]) {
        let width = MEASURE - 2.0 * PADDING - BAR;
        let mut within = vec![Block::gap(PADDING - 3.0)];
        for (at, (text, style)) in paragraphs.iter().enumerate() {
            if at > 0 {
                within.push(Block::gap(5.0));
            }
            let role = self.tags.leaf(Tag::Paragraph);
            within.extend(Block::lines(self.fonts.wrap(text, *style, width), *style, role));
        }
        within.push(Block::gap(PADDING - 2.0));
        let mut whole = Block::whole(within);
        for item in &mut whole.items {
            item.x += BAR + PADDING;
        }
        let height = whole.height;
        let ground = [
            Item::fill(0.0, 0.0, MEASURE, height, Color::Ground),
            Item::fill(0.0, 0.0, BAR, height, Color::Accent),
        ];
        whole.items.splice(0..0, ground);
        self.pages.flow(vec![Column { x: MARGIN, blocks: vec![whole] }]);
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
        let labels = self.fonts.wrap(label, pairs.label, pairs.label_width - 6.0);
        let values = self.fonts.wrap(value, pairs.value, pairs.width - pairs.label_width);
        let lines = labels.len().max(values.len());
        for at in 0..lines {
            let mut items = Vec::new();
            if let Some(label) = labels.get(at) {
                items.push(Item::line(0.0, 0.0, label, pairs.label, name));
            }
            if let Some(value) = values.get(at) {
                items.push(Item::line(pairs.label_width, 0.0, value, pairs.value, cell));
            }
            // A row's first line doesn't stand alone at the foot of a page.
            column.blocks.push(Block {
                height: pairs.label.leading.max(pairs.value.leading),
                items,
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
        self.pages.run_on(column, None);
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
            self.pages.gap(8.0);
            let role = self.tags.leaf(Tag::Heading(3, text.to_owned()));
            column.text(&self.fonts, text, SUBHEADING, MEASURE, role);
            column.blocks.iter_mut().for_each(|block| block.keep = true);
        }
        self.tags.open(Tag::Table);
        self.tags.open(Tag::TableHead);
        let cells: Vec<(String, Style)> =
            heads.iter().map(|(text, _)| ((*text).to_owned(), SMALL_LABEL)).collect();
        let mut head = self.row(heads, &cells, &Tag::ColumnHeader);
        head.keep = true;
        self.tags.close();
        self.tags.open(Tag::TableBody);
        column.blocks.push(head.clone());
        for cells in rows {
            let row = self.row(heads, cells, &Tag::Cell);
            column.blocks.push(row);
        }
        self.tags.close();
        self.tags.close();
        let height = column.height();
        if height < TORN_FROM {
            self.pages.reserve(height);
        }
        self.pages.run_on(column, Some(&head));
    }

    /// A row that isn't torn, with a hairline below it.
    fn row(&mut self, heads: &[(&str, f32)], cells: &[(String, Style)], tag: &Tag) -> Block {
        self.tags.open(Tag::Row);
        let mut items = Vec::new();
        let (mut x, mut height) = (0.0, 0.0f32);
        for ((text, style), (_, width)) in cells.iter().zip(heads) {
            let role = self.tags.leaf(tag.clone());
            let lines = self.fonts.wrap(text, *style, width - GUTTER / 2.0);
            let block = Block::whole(Block::lines(lines, *style, role));
            height = height.max(block.height);
            items.extend(block.items.into_iter().map(|item| Item {
                x: item.x + x,
                y: item.y + 2.0,
                ..item
            }));
            x += width;
        }
        self.tags.close();
        height += 4.0;
        items.push(Item::fill(0.0, height - 0.5, MEASURE, 0.5, Color::Hairline));
        Block { height, items, keep: false }
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
    ) -> Vec<Item> {
        let role: TagRef = self.tags.leaf(Tag::Figure(words.to_owned()));
        let (wide, high) =
            if part.is_some() { (width, height) } else { self.photos[at].fitted(width, height) };
        vec![
            Item { x, y, draw: Draw::Picture { at, width: wide, height: high, part }, role },
            Item {
                x,
                y,
                draw: Draw::Outline {
                    width: wide,
                    height: high,
                    line: 0.5,
                    color: Color::Hairline,
                },
                role: None,
            },
        ]
    }
}
