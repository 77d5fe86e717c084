//! Pages, filled from top to bottom: pieces of a certain height stand in columns, and what doesn't
//! fit goes on over the page.
//!
//! Everything that is drawn belongs to a leaf of the tree of tags, by which a reader that can't see
//! the page is told what it is, or is an artifact of the page.
//!
//! Units: points, 72 to the inch, from the upper left corner of the page.

use super::fonts::{Ink, Letters, Style};

/// US Letter.
pub(super) const PAGE_WIDTH: f32 = 612.0;
pub(super) const PAGE_HEIGHT: f32 = 792.0;
pub(super) const MARGIN: f32 = 54.0;
/// Between the margins.
pub(super) const MEASURE: f32 = PAGE_WIDTH - 2.0 * MARGIN;
/// Between columns.
pub(super) const GUTTER: f32 = 12.0;

/// What a part of the report is.
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

/// Where a mark belongs: a leaf of the tree of tags, or none where it is an artifact.
pub(super) type Role = Option<usize>;

/// Something to draw.
#[derive(Clone, Debug)]
pub(super) enum Draw {
    /// A line of text; x and y are its upper left corner.
    Line { text: String, style: Style },
    /// A filled rectangle.
    Fill { width: f32, height: f32, ink: Ink },
    /// A picture, by its number, whole; or the part of it that lies within left, upper, width and
    /// height of the whole.
    Picture { at: usize, width: f32, height: f32, part: Option<[f32; 4]> },
    /// The outline of a rectangle.
    Outline { width: f32, height: f32, line: f32, ink: Ink },
    /// A QR code, its modules from the top row by row.
    Modules { side: usize, dark: Vec<bool>, size: f32 },
}

/// Something drawn at its place.
#[derive(Clone, Debug)]
pub(super) struct Mark {
    pub(super) x: f32,
    pub(super) y: f32,
    pub(super) draw: Draw,
    pub(super) role: Role,
}

/// What a column is made of: it isn't torn.
#[derive(Clone, Debug, Default)]
pub(super) struct Piece {
    pub(super) height: f32,
    /// Their places are from the piece's own corner.
    pub(super) marks: Vec<Mark>,
    /// It doesn't stand last on a page.
    pub(super) keep: bool,
}

/// Pieces, one below the other.
pub(super) struct Column {
    pub(super) x: f32,
    pub(super) pieces: Vec<Piece>,
}

/// The pages so far.
pub(super) struct Paper {
    pub(super) pages: Vec<Vec<Mark>>,
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

    /// A part that holds marks.
    pub(super) fn leaf(&mut self, tag: Tag) -> Role {
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

impl Mark {
    pub(super) fn line(x: f32, y: f32, text: impl Into<String>, style: Style, role: Role) -> Self {
        Self { x, y, draw: Draw::Line { text: text.into(), style }, role }
    }

    pub(super) fn fill(x: f32, y: f32, width: f32, height: f32, ink: Ink) -> Self {
        Self { x, y, draw: Draw::Fill { width, height, ink }, role: None }
    }
}

impl Piece {
    /// Room.
    pub(super) fn gap(height: f32) -> Self {
        Self { height, ..Self::default() }
    }

    /// Lines of one height, one piece each.
    pub(super) fn lines(lines: Vec<String>, style: Style, role: Role) -> Vec<Self> {
        let piece = |line: String| Self {
            height: style.leading,
            marks: vec![Mark::line(0.0, 0.0, line, style, role)],
            keep: false,
        };
        lines.into_iter().map(piece).collect()
    }

    /// Several pieces as one that isn't torn.
    pub(super) fn whole(pieces: Vec<Self>) -> Self {
        let mut whole = Self::default();
        for piece in pieces {
            let below = whole.height;
            whole
                .marks
                .extend(piece.marks.into_iter().map(|mark| Mark { y: mark.y + below, ..mark }));
            whole.height += piece.height;
        }
        whole
    }
}

impl Column {
    pub(super) fn new(x: f32) -> Self {
        Self { x, pieces: Vec::new() }
    }

    pub(super) fn height(&self) -> f32 {
        self.pieces.iter().map(|piece| piece.height).sum()
    }

    pub(super) fn gap(&mut self, height: f32) {
        self.pieces.push(Piece::gap(height));
    }

    /// A text in as many lines as it needs.
    pub(super) fn text(
        &mut self,
        letters: &Letters,
        text: &str,
        style: Style,
        width: f32,
        role: Role,
    ) {
        self.pieces.extend(Piece::lines(letters.wrap(text, style, width), style, role));
    }
}

impl Paper {
    /// Pages whose text stands between these heights.
    pub(super) fn new(top: f32, bottom: f32) -> Self {
        Self { pages: vec![Vec::new()], top, bottom, y: top }
    }

    pub(super) fn turn(&mut self) {
        self.pages.push(Vec::new());
        self.y = self.top;
    }

    /// The number of the page that is being filled, from 0, and how far it is filled.
    pub(super) fn place(&self) -> (usize, f32) {
        (self.pages.len() - 1, self.y)
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
    pub(super) fn need(&mut self, height: f32) {
        if height > self.left() && self.y > self.top {
            self.turn();
        }
    }

    /// Sets columns beside each other, from here on down and over as many pages as they need.
    /// Columns that fit on one page are not torn.
    pub(super) fn flow(&mut self, columns: Vec<Column>) {
        let height = columns.iter().map(Column::height).fold(0.0, f32::max);
        if height <= self.bottom - self.top {
            self.need(height);
        }
        self.run(columns, None);
    }

    /// Sets one column that may be torn between any two pieces but those that are kept; where it
    /// goes on over the page, `head` stands above it once more.
    pub(super) fn run_on(&mut self, column: Column, head: Option<&Piece>) {
        self.run(vec![column], head);
    }

    fn run(&mut self, columns: Vec<Column>, head: Option<&Piece>) {
        let mut columns: Vec<_> = columns
            .into_iter()
            .map(|column| (column.x, column.pieces.into_iter().peekable()))
            .collect();
        let mut fresh = self.y <= self.top;
        loop {
            let (begin, mut lowest) = (self.y, self.y);
            for (x, pieces) in &mut columns {
                let mut y = begin;
                let mut kept: Vec<Piece> = Vec::new();
                while let Some(piece) = pieces.peek() {
                    let above: f32 = kept.iter().map(|piece| piece.height).sum();
                    // What is higher than a page stands on one of its own, and is cut by its end.
                    if y + above + piece.height > self.bottom + 0.01 && !(fresh && y <= begin) {
                        break;
                    }
                    let Some(piece) = pieces.next() else { break };
                    let last = !piece.keep;
                    kept.push(piece);
                    if last || pieces.peek().is_none() {
                        for piece in kept.drain(..) {
                            y = self.set(*x, y, piece);
                        }
                    }
                }
                if !kept.is_empty() {
                    let rest: Vec<Piece> = kept.drain(..).chain(pieces.by_ref()).collect();
                    *pieces = rest.into_iter().peekable();
                }
                lowest = lowest.max(y);
            }
            self.y = lowest;
            if columns.iter_mut().all(|(_, pieces)| pieces.peek().is_none()) {
                return;
            }
            self.turn();
            fresh = true;
            if let Some(head) = head {
                // Who hears the page has heard the head once.
                let marks =
                    head.marks.iter().map(|mark| Mark { role: None, ..mark.clone() }).collect();
                let x = columns[0].0;
                self.y = self.set(x, self.y, Piece { marks, ..head.clone() });
            }
        }
    }

    fn set(&mut self, x: f32, y: f32, piece: Piece) -> f32 {
        let page = self.pages.last_mut().expect("there is always a page");
        page.extend(piece.marks.into_iter().map(|mark| Mark {
            x: mark.x + x,
            y: mark.y + y,
            ..mark
        }));
        y + piece.height
    }
}

#[cfg(test)]
mod tests {
    use super::super::fonts::Cut;
    use super::*;

    const STYLE: Style = Style::new(Cut::Plain, 10.0, 20.0, Ink::Black);

    fn column(x: f32, lines: usize) -> Column {
        let lines = (0..lines).map(|line| format!("{x} {line}")).collect();
        Column { x, pieces: Piece::lines(lines, STYLE, None) }
    }

    fn texts(page: &[Mark]) -> Vec<&str> {
        page.iter()
            .filter_map(|mark| {
                if let Draw::Line { text, .. } = &mark.draw { Some(text.as_str()) } else { None }
            })
            .collect()
    }

    #[test]
    fn columns_that_fit_on_a_page_are_not_torn_and_longer_ones_go_on() {
        let mut paper = Paper::new(0.0, 100.0);
        paper.flow(vec![column(0.0, 2)]);
        paper.flow(vec![column(1.0, 4), column(2.0, 1)]);
        assert_eq!((paper.pages.len(), texts(&paper.pages[0])), (2, vec!["0 0", "0 1"]));
        paper.flow(vec![column(3.0, 7), column(4.0, 2)]);
        assert_eq!(paper.pages.len(), 4);
        assert_eq!(texts(&paper.pages[1]).len(), 7, "one line of each new column is left room for");
        assert_eq!((texts(&paper.pages[2]).len(), texts(&paper.pages[3]).len()), (6, 1));
        assert!(paper.pages.iter().flatten().all(|mark| mark.y >= 0.0 && mark.y + 20.0 <= 100.0));
    }

    #[test]
    fn what_is_kept_with_the_next_goes_over_the_page_with_it_and_a_tables_head_stands_there_again()
    {
        let mut paper = Paper::new(0.0, 100.0);
        let mut long = column(0.0, 9);
        long.pieces[4].keep = true;
        let head = Piece::whole(Piece::lines(vec!["head".to_owned()], STYLE, Some(0)));
        paper.run_on(long, Some(&head));
        assert_eq!(texts(&paper.pages[0]), ["0 0", "0 1", "0 2", "0 3"]);
        assert_eq!(texts(&paper.pages[1]), ["head", "0 4", "0 5", "0 6", "0 7"]);
        assert_eq!(texts(&paper.pages[2]), ["head", "0 8"]);
        assert!(paper.pages[1][0].role.is_none());
    }

    #[test]
    fn a_piece_higher_than_a_page_ends_the_layout_all_the_same() {
        let mut paper = Paper::new(0.0, 100.0);
        paper.flow(vec![column(0.0, 1)]);
        paper.flow(vec![Column { x: 0.0, pieces: vec![Piece::gap(250.0), Piece::gap(10.0)] }]);
        assert_eq!(paper.pages.len(), 3);
    }
}
