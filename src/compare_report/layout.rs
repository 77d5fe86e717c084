//! Layout: pages are filled from top to bottom with blocks of a certain height, which stand in
//! columns; what doesn't fit goes on over the page.
//!
//! Everything that is drawn belongs to a leaf of the tree of tags, by which a reader that can't see
//! the page is told what it is, or is an artifact of the page.
//!
//! Units: points, 72 to the inch, from the upper left corner of the page.

use super::fonts::{Color, Fonts, Style};

/// US Letter.
pub(super) const PAGE_WIDTH: f32 = 612.0;
pub(super) const PAGE_HEIGHT: f32 = 792.0;
pub(super) const MARGIN: f32 = 54.0;
/// Between the margins.
pub(super) const MEASURE: f32 = PAGE_WIDTH - 2.0 * MARGIN;
/// Between columns.
pub(super) const GUTTER: f32 = 12.0;

/// A structure type of tagged PDF: what a part of the report is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Tag {
    Section,
    Heading(u16, String),
    Paragraph,
    /// With words for who can't see it.
    Figure(String),
    Table,
    TableHead,
    TableBody,
    Row,
    /// A cell that names its row.
    RowHeader,
    /// A cell that names its column.
    ColumnHeader,
    Cell,
    Code,
}

/// A node of the tree of tags.
pub(super) struct Node {
    pub(super) tag: Tag,
    pub(super) children: Vec<usize>,
}

/// The tree of tags, built in the order of reading.
#[derive(Default)]
pub(super) struct Tags {
    pub(super) nodes: Vec<Node>,
    pub(super) roots: Vec<usize>,
    open: Vec<usize>,
}

/// The leaf of the tree of tags that an item belongs to; none where it is an artifact.
pub(super) type TagRef = Option<usize>;

/// A drawing.
#[derive(Clone, Debug)]
pub(super) enum Draw {
    /// A line of text; x and y are its upper left corner.
    Line { text: String, style: Style },
    /// A filled rectangle.
    Fill { width: f32, height: f32, color: Color },
    /// A picture, by its number, whole; or the part of it that lies within left, upper, width and
    /// height of the whole.
    Picture { at: usize, width: f32, height: f32, part: Option<[f32; 4]> },
    /// The outline of a rectangle.
    Outline { width: f32, height: f32, line: f32, color: Color },
    /// A QR code, its modules from the top row by row.
    QrCode { side: usize, dark: Vec<bool>, size: f32 },
}

/// A drawing at its place.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) x: f32,
    pub(super) y: f32,
    pub(super) draw: Draw,
    pub(super) role: TagRef,
}

/// A block of a column: it isn't torn over two pages.
#[derive(Clone, Debug, Default)]
pub(super) struct Block {
    pub(super) height: f32,
    /// Their places are from the block's own corner.
    pub(super) items: Vec<Item>,
    /// It doesn't stand last on a page.
    pub(super) keep: bool,
}

/// A column: blocks, one below the other.
pub(super) struct Column {
    pub(super) x: f32,
    pub(super) blocks: Vec<Block>,
}

/// The pages so far.
pub(super) struct Pages {
    pub(super) all: Vec<Vec<Item>>,
    top: f32,
    bottom: f32,
    y: f32,
}

impl Tags {
    /// Opens a part that holds others.
    pub(super) fn open(&mut self, tag: Tag) {
        let node = self.add(tag);
        self.open.push(node);
    }

    /// Closes the part that was opened last.
    pub(super) fn close(&mut self) {
        self.open.pop().expect("what is closed was opened");
    }

    /// A part that holds items.
    pub(super) fn leaf(&mut self, tag: Tag) -> TagRef {
        Some(self.add(tag))
    }

    fn add(&mut self, tag: Tag) -> usize {
        let node = self.nodes.len();
        self.nodes.push(Node { tag, children: Vec::new() });
        match self.open.last() {
            Some(&parent) => self.nodes[parent].children.push(node),
            None => self.roots.push(node),
        }
        node
    }
}

impl Item {
    pub(super) fn line(
        x: f32,
        y: f32,
        text: impl Into<String>,
        style: Style,
        role: TagRef,
    ) -> Self {
        Self { x, y, draw: Draw::Line { text: text.into(), style }, role }
    }

    pub(super) fn fill(x: f32, y: f32, width: f32, height: f32, color: Color) -> Self {
        Self { x, y, draw: Draw::Fill { width, height, color }, role: None }
    }
}

impl Block {
    /// Room.
    pub(super) fn gap(height: f32) -> Self {
        Self { height, ..Self::default() }
    }

    /// Lines of one height, one block each.
    pub(super) fn lines(lines: Vec<String>, style: Style, role: TagRef) -> Vec<Self> {
        let block = |line: String| Self {
            height: style.leading,
            items: vec![Item::line(0.0, 0.0, line, style, role)],
            keep: false,
        };
        lines.into_iter().map(block).collect()
    }

    /// Several blocks as one that isn't torn.
    pub(super) fn whole(blocks: Vec<Self>) -> Self {
        let mut whole = Self::default();
        for block in blocks {
            let below = whole.height;
            whole
                .items
                .extend(block.items.into_iter().map(|item| Item { y: item.y + below, ..item }));
            whole.height += block.height;
        }
        whole
    }
}

impl Column {
    pub(super) fn new(x: f32) -> Self {
        Self { x, blocks: Vec::new() }
    }

    pub(super) fn height(&self) -> f32 {
        self.blocks.iter().map(|block| block.height).sum()
    }

    pub(super) fn gap(&mut self, height: f32) {
        self.blocks.push(Block::gap(height));
    }

    /// A text in as many lines as it needs.
    pub(super) fn text(
        &mut self,
        fonts: &Fonts,
        text: &str,
        style: Style,
        width: f32,
        role: TagRef,
    ) {
        self.blocks.extend(Block::lines(fonts.wrap(text, style, width), style, role));
    }
}

impl Pages {
    /// Pages whose text stands between these heights.
    pub(super) fn new(top: f32, bottom: f32) -> Self {
        Self { all: vec![Vec::new()], top, bottom, y: top }
    }

    pub(super) fn new_page(&mut self) {
        self.all.push(Vec::new());
        self.y = self.top;
    }

    /// The number of the page that is being filled, from 0, and how far it is filled.
    pub(super) fn place(&self) -> (usize, f32) {
        (self.all.len() - 1, self.y)
    }

    /// What is left of the page.
    pub(super) fn left(&self) -> f32 {
        self.bottom - self.y
    }

    /// Room, unless the page begins here.
    pub(super) fn gap(&mut self, height: f32) {
        if self.y > self.top {
            self.y += height;
        }
    }

    /// Goes on over the page unless so much is left of this one.
    pub(super) fn reserve(&mut self, height: f32) {
        if height > self.left() && self.y > self.top {
            self.new_page();
        }
    }

    /// Sets columns beside each other, from here on down and over as many pages as they need.
    /// Columns that fit on one page are not torn.
    pub(super) fn flow(&mut self, columns: Vec<Column>) {
        let height = columns.iter().map(Column::height).fold(0.0, f32::max);
        if height <= self.bottom - self.top {
            self.reserve(height);
        }
        self.run(columns, None);
    }

    /// Sets one column that may be torn between any two blocks but those that are kept; where it
    /// goes on over the page, `head` stands above it once more.
    pub(super) fn run_on(&mut self, column: Column, head: Option<&Block>) {
        self.run(vec![column], head);
    }

    fn run(&mut self, columns: Vec<Column>, head: Option<&Block>) {
        let mut columns: Vec<_> = columns
            .into_iter()
            .map(|column| (column.x, column.blocks.into_iter().peekable()))
            .collect();
        let mut fresh = self.y <= self.top;
        loop {
            let (begin, mut lowest) = (self.y, self.y);
            for (x, blocks) in &mut columns {
                let mut y = begin;
                let mut kept: Vec<Block> = Vec::new();
                while let Some(block) = blocks.peek() {
                    let above: f32 = kept.iter().map(|block| block.height).sum();
                    // What is higher than a page stands on one of its own, and is cut by its end.
                    if y + above + block.height > self.bottom + 0.01 && !(fresh && y <= begin) {
                        break;
                    }
                    let Some(block) = blocks.next() else { break };
                    let last = !block.keep;
                    kept.push(block);
                    if last || blocks.peek().is_none() {
                        for block in kept.drain(..) {
                            y = self.set(*x, y, block);
                        }
                    }
                }
                if !kept.is_empty() {
                    let rest: Vec<Block> = kept.drain(..).chain(blocks.by_ref()).collect();
                    *blocks = rest.into_iter().peekable();
                }
                lowest = lowest.max(y);
            }
            self.y = lowest;
            if columns.iter_mut().all(|(_, blocks)| blocks.peek().is_none()) {
                return;
            }
            self.new_page();
            fresh = true;
            if let Some(head) = head {
                // Who hears the page has heard the head once.
                let items =
                    head.items.iter().map(|item| Item { role: None, ..item.clone() }).collect();
                let x = columns[0].0;
                self.y = self.set(x, self.y, Block { items, ..head.clone() });
            }
        }
    }

    fn set(&mut self, x: f32, y: f32, block: Block) -> f32 {
        let page = self.all.last_mut().expect("there is always a page");
        page.extend(block.items.into_iter().map(|item| Item {
            x: item.x + x,
            y: item.y + y,
            ..item
        }));
        y + block.height
    }
}

#[cfg(test)]
mod tests {
    use super::super::fonts::Typeface;
    use super::*;

    const STYLE: Style = Style::new(Typeface::Regular, 10.0, 20.0, Color::Black);

    fn column(x: f32, lines: usize) -> Column {
        let lines = (0..lines).map(|line| format!("{x} {line}")).collect();
        Column { x, blocks: Block::lines(lines, STYLE, None) }
    }

    fn texts(page: &[Item]) -> Vec<&str> {
        page.iter()
            .filter_map(|item| {
                if let Draw::Line { text, .. } = &item.draw { Some(text.as_str()) } else { None }
            })
            .collect()
    }

    #[test]
    fn columns_that_fit_on_a_page_are_not_torn_and_longer_ones_go_on() {
        let mut pages = Pages::new(0.0, 100.0);
        pages.flow(vec![column(0.0, 2)]);
        pages.flow(vec![column(1.0, 4), column(2.0, 1)]);
        assert_eq!((pages.all.len(), texts(&pages.all[0])), (2, vec!["0 0", "0 1"]));
        pages.flow(vec![column(3.0, 7), column(4.0, 2)]);
        assert_eq!(pages.all.len(), 4);
        assert_eq!(texts(&pages.all[1]).len(), 7, "one line of each new column is left room for");
        assert_eq!((texts(&pages.all[2]).len(), texts(&pages.all[3]).len()), (6, 1));
        assert!(pages.all.iter().flatten().all(|item| item.y >= 0.0 && item.y + 20.0 <= 100.0));
    }

    #[test]
    fn a_kept_block_goes_over_the_page_with_the_next_below_a_repeated_head() {
        let mut pages = Pages::new(0.0, 100.0);
        let mut long = column(0.0, 9);
        long.blocks[4].keep = true;
        let head = Block::whole(Block::lines(vec!["head".to_owned()], STYLE, Some(0)));
        pages.run_on(long, Some(&head));
        assert_eq!(texts(&pages.all[0]), ["0 0", "0 1", "0 2", "0 3"]);
        assert_eq!(texts(&pages.all[1]), ["head", "0 4", "0 5", "0 6", "0 7"]);
        assert_eq!(texts(&pages.all[2]), ["head", "0 8"]);
        assert!(pages.all[1][0].role.is_none());
    }

    #[test]
    fn a_piece_higher_than_a_page_ends_the_layout_all_the_same() {
        let mut pages = Pages::new(0.0, 100.0);
        pages.flow(vec![column(0.0, 1)]);
        pages.flow(vec![Column { x: 0.0, blocks: vec![Block::gap(250.0), Block::gap(10.0)] }]);
        assert_eq!(pages.all.len(), 3);
    }
}
