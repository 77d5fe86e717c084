//! The PDF file of laid-out pages: PDF/A-2a, tagged, with its language, title and dates, and
//! nothing by chance.

use std::num::NonZeroU16;

use krilla::color::rgb;
use krilla::configure::{Accessibility, Archival, Configuration, ConfigurationBuilder};
use krilla::destination::XyzDestination;
use krilla::error::KrillaError;
use krilla::geom::{Path, PathBuilder, Point, Rect, Size, Transform};
use krilla::metadata::{DateTime, Metadata};
use krilla::num::NormalizedF32;
use krilla::outline::{Outline, OutlineNode};
use krilla::page::PageSettings;
use krilla::paint::{Fill, FillRule};
use krilla::surface::Surface;
use krilla::tagging::{
    Artifact, ArtifactType, BBox, ContentTag, Identifier, SpanTag, TableHeaderScope, Tag as PdfTag,
    TagGroup, TagKind, TagTree,
};
use krilla::{Document, SerializeSettings};
use time::OffsetDateTime;

use super::error::CompareReportError;
use super::fonts::{Color, Fonts};
use super::layout::{Draw, Item, Node, PAGE_HEIGHT, PAGE_WIDTH, Tag, Tags};
use super::photo::PagePhoto;

/// The document's metadata.
pub(super) struct DocumentInfo {
    pub(super) title: String,
    pub(super) subject: String,
    pub(super) author: String,
    pub(super) creator: String,
    pub(super) id: String,
    pub(super) date: OffsetDateTime,
}

/// A heading in the list of bookmarks that readers show beside the pages.
pub(super) struct Bookmark {
    pub(super) text: String,
    pub(super) page: usize,
    pub(super) y: f32,
}

/// The marked content of a node of the tree.
#[derive(Default)]
struct Held {
    ids: Vec<Identifier>,
    /// Where it stands, if it is a picture.
    place: Option<BBox>,
}

/// The pages as a file.
///
/// Errors: what PDF/A-2a or PDF/UA-1 forbids, named; none of it can be brought about by a text.
pub(super) fn write(
    pages: &[Vec<Item>],
    tags: &Tags,
    photos: &[PagePhoto],
    fonts: &Fonts,
    info: &DocumentInfo,
    bookmarks: &[Bookmark],
) -> Result<Vec<u8>, CompareReportError> {
    let mut document = Document::new_with(SerializeSettings {
        configuration: configuration(),
        ..SerializeSettings::default()
    });
    let mut held: Vec<Held> = tags.nodes.iter().map(|_| Held::default()).collect();
    let settings =
        PageSettings::from_wh(PAGE_WIDTH, PAGE_HEIGHT).expect("a page has a width and a height");
    for (number, items) in pages.iter().enumerate() {
        let mut page = document.start_page_with(settings.clone());
        let mut surface = page.surface();
        for item in items {
            let content = match (item.role, &item.draw) {
                (None, _) => {
                    ContentTag::Artifact(Artifact::with_kind(ArtifactType::PaginationOther))
                }
                (Some(_), Draw::Line { .. }) => ContentTag::Span(SpanTag::empty()),
                (Some(_), _) => ContentTag::Other,
            };
            let id = surface.start_tagged(content);
            draw(&mut surface, item, photos, fonts);
            surface.end_tagged();
            if let Some(node) = item.role {
                held[node].ids.push(id);
                held[node].place = held[node].place.or_else(|| place(number, item));
            }
        }
        surface.finish();
        page.finish();
    }
    let mut tree = TagTree::new().with_lang(Some("en-US".to_owned()));
    for &root in &tags.roots {
        if let Some(group) = group(root, &tags.nodes, &mut held, fonts) {
            tree.push(group);
        }
    }
    document.set_tag_tree(tree);
    let mut outline = Outline::new();
    for Bookmark { text, page, y } in bookmarks {
        outline.push_child(OutlineNode::new(
            fonts.printable(text).into_owned(),
            XyzDestination::new(*page, Point::from_xy(0.0, *y)),
        ));
    }
    document.set_outline(outline);
    document.set_metadata(metadata(info));
    document.finish().map_err(|e| CompareReportError::Pdf { what: said(&e) })
}

/// The bounding box of a picture.
fn place(page: usize, item: &Item) -> Option<BBox> {
    let (width, height) = match item.draw {
        Draw::Picture { width, height, .. } => (width, height),
        Draw::QrCode { size, .. } => (size, size),
        _ => return None,
    };
    Rect::from_xywh(item.x, item.y, width, height).map(|rectangle| BBox::new(page, rectangle))
}

fn configuration() -> Configuration {
    let builder = ConfigurationBuilder::new()
        .with_archival_validator(Archival::A2_A)
        .with_accessibility_validator(Accessibility::UA1);
    builder.finish().expect("both standards are about PDF 1.7")
}

fn metadata(info: &DocumentInfo) -> Metadata {
    let date = info.date;
    let year = u16::try_from(date.year()).unwrap_or_default();
    let date = DateTime::new(year)
        .month(u8::from(date.month()))
        .day(date.day())
        .hour(date.hour())
        .minute(date.minute())
        .second(date.second())
        .utc_offset_hour(0)
        .utc_offset_minute(0);
    Metadata::new()
        .title(info.title.clone())
        .description(info.subject.clone())
        .authors(vec![info.author.clone()])
        .creator(info.creator.clone())
        .producer("krilla".to_owned())
        .language("en-US".to_owned())
        .creation_date(date)
        .document_id(info.id.clone())
}

/// A part with all that belongs to it; none where nothing of it is on a page.
fn group(at: usize, nodes: &[Node], held: &mut [Held], fonts: &Fonts) -> Option<TagGroup> {
    let mut group = TagGroup::new(kind(&nodes[at].tag, held[at].place, fonts));
    held[at].ids.drain(..).for_each(|id| group.push(id));
    for &child in &nodes[at].children {
        if let Some(child) = self::group(child, nodes, held, fonts) {
            group.push(child);
        }
    }
    // An empty cell is a cell all the same: a row without it would have too few.
    let cell = matches!(nodes[at].tag, Tag::Cell | Tag::RowHeader | Tag::ColumnHeader);
    (cell || !group.children.is_empty()).then_some(group)
}

fn kind(tag: &Tag, place: Option<BBox>, fonts: &Fonts) -> TagKind {
    let plain = |text: &str| fonts.printable(text).replace('\n', " ");
    match tag {
        Tag::Section => PdfTag::Section.into(),
        Tag::Heading(level, text) => {
            PdfTag::Hn(NonZeroU16::new(*level).unwrap_or(NonZeroU16::MIN), Some(plain(text))).into()
        }
        Tag::Paragraph => PdfTag::P.into(),
        Tag::Figure(words) => PdfTag::Figure(Some(plain(words))).with_bbox(place).into(),
        Tag::Table => PdfTag::Table.into(),
        Tag::TableHead => PdfTag::THead.into(),
        Tag::TableBody => PdfTag::TBody.into(),
        Tag::Row => PdfTag::TR.into(),
        Tag::RowHeader => PdfTag::TH(TableHeaderScope::Row).into(),
        Tag::ColumnHeader => PdfTag::TH(TableHeaderScope::Column).into(),
        Tag::Cell => PdfTag::TD.into(),
        Tag::Code => PdfTag::Code.into(),
    }
}

fn draw(surface: &mut Surface<'_>, item: &Item, photos: &[PagePhoto], fonts: &Fonts) {
    match &item.draw {
        Draw::Line { text, style } => {
            // A word at a line's end is no part of the next one, which whoever reads the characters
            // alone must be told.
            let text = format!("{text} ");
            let shaped = fonts.shape(&text, *style);
            surface.set_fill(Some(fill(style.color)));
            let start = Point::from_xy(item.x, item.y + style.ascent());
            surface.draw_glyphs(
                start,
                &shaped.glyphs,
                fonts.font(style.typeface),
                &text,
                style.size,
                false,
            );
        }
        Draw::Fill { width, height, color } => {
            surface.set_fill(Some(fill(*color)));
            draw_path(surface, &[(item.x, item.y, *width, *height)]);
        }
        Draw::Outline { width, height, line, color } => {
            surface.set_fill(Some(fill(*color)));
            let (x, y, line) = (item.x, item.y, *line);
            draw_path(
                surface,
                &[
                    (x, y, *width, line),
                    (x, y + height - line, *width, line),
                    (x, y + line, line, height - 2.0 * line),
                    (x + width - line, y + line, line, height - 2.0 * line),
                ],
            );
        }
        Draw::Picture { at, width, height, part } => {
            let [left, upper, wide, high] = part.unwrap_or([0.0, 0.0, 1.0, 1.0]);
            let (whole_width, whole_height) = (width / wide, height / high);
            let frame = path(&[(item.x, item.y, *width, *height)]);
            let size = Size::from_wh(whole_width, whole_height);
            if let (Some(frame), Some(size)) = (frame, size) {
                surface.push_clip_path(&frame, &FillRule::NonZero);
                surface.push_transform(&Transform::from_translate(
                    item.x - left * whole_width,
                    item.y - upper * whole_height,
                ));
                surface.draw_image(photos[*at].image.clone(), size);
                surface.pop();
                surface.pop();
            }
        }
        Draw::QrCode { side, dark, size } => {
            #[expect(
                clippy::cast_precision_loss,
                reason = "a QR code has at most 177 modules along a side"
            )]
            let step = size / *side as f32;
            #[expect(clippy::cast_precision_loss, reason = "as above")]
            let place = |at: usize| {
                (item.x + (at % side) as f32 * step, item.y + (at / side) as f32 * step, step, step)
            };
            let squares: Vec<_> = (0..dark.len()).filter(|&at| dark[at]).map(place).collect();
            surface.set_fill(Some(fill(Color::Black)));
            draw_path(surface, &squares);
        }
    }
}

fn draw_path(surface: &mut Surface<'_>, rectangles: &[(f32, f32, f32, f32)]) {
    if let Some(path) = path(rectangles) {
        surface.draw_path(&path);
    }
}

fn path(rectangles: &[(f32, f32, f32, f32)]) -> Option<Path> {
    let mut builder = PathBuilder::new();
    for &(x, y, width, height) in rectangles {
        if let Some(rectangle) = Rect::from_xywh(x, y, width, height) {
            builder.push_rect(rectangle);
        }
    }
    builder.finish()
}

fn fill(color: Color) -> Fill {
    let [r, g, b] = match color {
        Color::Black => [0x11, 0x11, 0x11],
        Color::Grey => [0x55, 0x55, 0x55],
        Color::Hairline => [0xb4, 0xb4, 0xb4],
        Color::Ground => [0xf0, 0xf1, 0xf3],
        Color::White => [0xff, 0xff, 0xff],
        Color::Accent => [0x1c, 0x3a, 0x63],
    };
    Fill {
        paint: rgb::Color::new(r, g, b).into(),
        opacity: NormalizedF32::ONE,
        rule: FillRule::NonZero,
    }
}

/// The fault in words, without the text of the report that it was found in.
fn said(error: &KrillaError) -> String {
    match error {
        KrillaError::Validation(found) => {
            let names: Vec<String> = found.iter().map(|(what, _)| name_of(what)).collect();
            names.join(", ")
        }
        KrillaError::Font(_, what) => format!("a typeface: {what}"),
        KrillaError::Image(_, _, what) => format!("a photo: {what}"),
        _ => "the file's own structure".to_owned(),
    }
}

/// The name of a breach alone: what follows it may be a text of the report.
fn name_of(what: &impl std::fmt::Debug) -> String {
    format!("{what:?}").chars().take_while(|c| c.is_ascii_alphanumeric()).collect()
}
