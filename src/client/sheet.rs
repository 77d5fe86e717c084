//! The contact sheet: the probe and its array on one page, for a detective's eye.
//!
//! It says what it is: leads, whose, for which reason, found when, and the NOTE word for word. It never says how sure anybody could be:
//! a score is a figure with three decimals, not a part of a hundred.

use std::io::Cursor;

use image::imageops::{self, FilterType};
use image::{ImageFormat, Rgb, RgbImage};
use time::{OffsetDateTime, macros::format_description};

use super::ink::{Colour, Ink, Style, fill, outline, pixel, units};
use crate::api::wire::{CandidateArray, CandidateView};
use crate::inquiry::{NOTE, Purpose, Reference, SearchRequest};

/// The sheet's title.
pub const TITLE: &str = "Investigative leads \u{2013} not identifications";

/// Landscape Letter at 160 dots an inch; A4 prints it with wider margins at the sides.
const PAGE_WIDTH: f32 = 1_754.0;
const PAGE_HEIGHT: f32 = 1_355.0;
const MARGIN: f32 = 48.0;
const GAP: f32 = 16.0;
const PROBE_WIDTH: f32 = 344.0;
const PROBE_GAP: f32 = 40.0;
/// Height over width of a portrait.
const PORTRAIT: f32 = 1.25;
/// Places of a grid with few candidates, whose tiles are larger: across, down.
const FEW: (usize, usize) = (5, 2);
/// Places of a grid with more candidates; more still makes the page longer.
const MANY: (usize, usize) = (7, 3);

const PAPER: Colour = Rgb([255, 255, 255]);
const BLACK: Colour = Rgb([24, 26, 30]);
const GREY: Colour = Rgb([104, 110, 120]);
const HAIRLINE: Colour = Rgb([205, 209, 214]);
const EMPTY: Colour = Rgb([236, 238, 241]);
const FRAME: Colour = Rgb([255, 176, 0]);
const ALARM: Colour = Rgb([176, 20, 32]);

const HEADLINE: Style = Style::new(34.0, BLACK).bold();
const BANNER: Style = Style::new(20.0, PAPER).bold();
const CAPTION: Style = Style::new(14.0, GREY);
const VALUE: Style = Style::new(17.0, BLACK);
const RANK: Style = Style::new(18.0, BLACK).bold();
const NAME: Style = Style::new(16.0, BLACK);
const SMALL: Style = Style::new(14.0, GREY);
const FOOT: Style = Style::new(15.0, BLACK);

/// Everything that a sheet shows.
#[derive(Clone, Debug)]
pub struct Sheet {
    /// The texts around the pictures.
    pub texts: SheetTexts,
    /// The probe as shown, its orientation applied.
    pub probe: RgbImage,
    /// The face that was compared: left edge, upper edge, width, height in pixels of the probe.
    pub frame: [f32; 4],
    /// The candidates in the order of their ranks.
    pub tiles: Vec<Tile>,
}

/// The texts around the pictures.
#[derive(Clone, Debug)]
pub struct SheetTexts {
    /// `real`, `demo` or `test`; all but `real` is marked across the page.
    pub state: String,
    /// What ties the search to a case.
    pub reference: String,
    /// Who asked, and for which agency.
    pub requester: String,
    /// What for.
    pub purpose: String,
    /// Why.
    pub reason: String,
    /// Where the probe came from.
    pub probe_source: String,
    /// Which face was compared, of how many.
    pub face: String,
    /// The search's id.
    pub search: String,
    /// When.
    pub time: String,
    /// What was searched, with which models, and where the log says so.
    pub searched: String,
}

/// One candidate.
#[derive(Clone, Debug)]
pub struct Tile {
    /// The booking's photo; `None` where it could not be had.
    pub photo: Option<RgbImage>,
    /// The face that was compared: left edge, upper edge, width, height in pixels of that photo.
    pub frame: [f32; 4],
    /// Place in the array, from 1.
    pub rank: usize,
    /// Cosine of the two embeddings.
    pub score: f64,
    /// The name as booked.
    pub name: String,
    /// Number of the booking and its agency.
    pub booking: String,
    /// When it was booked.
    pub booked_on: String,
}

impl SheetTexts {
    /// The texts for a search and its answer.
    ///
    /// Units: `time` is shown in UTC to the second.
    pub fn of(request: &SearchRequest, array: &CandidateArray, time: OffsetDateTime) -> Self {
        let stamp = format_description!("[year]-[month]-[day] [hour]:[minute]:[second] UTC");
        let time = time.to_offset(time::UtcOffset::UTC).format(stamp).unwrap_or_default();
        Self {
            state: array.state.clone(),
            reference: reference_in_words(&request.reference),
            requester: format!("{}, {}", request.requester, request.agency),
            purpose: purpose_in_words(&request.purpose),
            reason: request.reason.trim().to_owned(),
            probe_source: request.probe_source.to_string(),
            face: format!("face {} of {}", array.face + 1, array.faces.len().max(1)),
            search: array.search.clone(),
            time,
            searched: format!(
                "{} bookings compared by model {} on {}; log entries {} and {}",
                array.gallery_rows,
                array.model.get(..12).unwrap_or(&array.model),
                array.engine,
                array.asked,
                array.answered
            ),
        }
    }
}

impl Tile {
    /// The tile of a candidate.
    pub fn of(candidate: &CandidateView, photo: Option<RgbImage>) -> Self {
        Self {
            photo,
            frame: candidate.frame,
            rank: candidate.rank,
            score: candidate.score,
            name: candidate.booking.name.to_string(),
            // The number first: it is what a person looks a booking up by, and the end is what a narrow tile leaves out.
            booking: format!("{} \u{b7} {}", candidate.number, candidate.agency),
            booked_on: format!("booked {}", candidate.booking.booked_on),
        }
    }
}

impl Sheet {
    /// Draws the page.
    ///
    /// Shapes: `PAGE_WIDTH` wide and at least `PAGE_HEIGHT` high, in whole pixels; more rows of candidates make it longer.
    pub fn draw(&self) -> RgbImage {
        let ink = Ink::new();
        let grid = Grid::of(self.tiles.len());
        let note = ink.wrap(NOTE, FOOT, PAGE_WIDTH - 2.0 * MARGIN, usize::MAX);
        let foot_height =
            GAP * 0.75 + count(note.len()) * FOOT.line_height() + 8.0 + CAPTION.line_height() + MARGIN * 0.3 + self.banner_height();
        let reason = ink.wrap(&self.texts.reason, VALUE, PAGE_WIDTH - 2.0 * MARGIN, 3);
        let head_height = self.banner_height()
            + MARGIN * 0.6
            + HEADLINE.line_height()
            + GAP
            + 2.0 * (CAPTION.line_height() + 4.0)
            + (1.0 + count(reason.len())) * VALUE.line_height()
            + GAP * 2.0;
        let height = PAGE_HEIGHT.max(head_height + grid.height() + foot_height);
        let mut page = RgbImage::from_pixel(pixel(PAGE_WIDTH), pixel(height), PAPER);
        self.draw_banners(&mut page, &ink);
        self.draw_head(&mut page, &ink, &reason);
        self.draw_probe(&mut page, &ink, head_height);
        for (at, tile) in self.tiles.iter().enumerate() {
            let (x, y) = grid.corner(at);
            tile.draw(&mut page, &ink, MARGIN + PROBE_WIDTH + PROBE_GAP + x, head_height + y, grid.tile_width);
        }
        if self.tiles.is_empty() {
            ink.text(&mut page, MARGIN + PROBE_WIDTH + PROBE_GAP, head_height, VALUE, "No candidate was returned.");
        }
        self.draw_foot(&mut page, &ink, height - foot_height, &note);
        page
    }

    /// The page as PNG.
    ///
    /// Errors: the encoder's.
    pub fn png(&self) -> Result<Vec<u8>, image::ImageError> {
        let mut bytes = Cursor::new(Vec::new());
        self.draw().write_to(&mut bytes, ImageFormat::Png)?;
        Ok(bytes.into_inner())
    }

    fn banner(&self) -> Option<String> {
        let state = self.texts.state.to_uppercase();
        (self.texts.state != "real").then(|| format!("{state} \u{2013} not police data, not for casework"))
    }

    fn banner_height(&self) -> f32 {
        if self.banner().is_some() { 36.0 } else { 0.0 }
    }

    fn draw_banners(&self, page: &mut RgbImage, ink: &Ink) {
        let Some(banner) = self.banner() else { return };
        let (width, height) = (units(page.width()), units(page.height()));
        let x = (width - ink.width(&banner, BANNER)) / 2.0;
        for y in [0.0, height - self.banner_height()] {
            fill(page, 0.0, y, width, self.banner_height(), ALARM);
            ink.text(page, x, y + 5.0, BANNER, &banner);
        }
    }

    fn draw_head(&self, page: &mut RgbImage, ink: &Ink, reason: &[String]) {
        let texts = &self.texts;
        let right = PAGE_WIDTH - MARGIN;
        let mut y = self.banner_height() + MARGIN * 0.6;
        ink.text(page, MARGIN, y, HEADLINE, TITLE);
        ink.text_to(page, right, y + 2.0, VALUE, &texts.time);
        ink.text_to(page, right, y + 4.0 + VALUE.line_height(), SMALL, &format!("search {}", texts.search));
        y += HEADLINE.line_height() + GAP;
        let columns = [
            ("Reference", &texts.reference),
            ("Requester", &texts.requester),
            ("Purpose", &texts.purpose),
            ("Probe source", &texts.probe_source),
        ];
        let width = (right - MARGIN - 3.0 * GAP) / 4.0;
        let mut x = MARGIN;
        for (caption, value) in columns {
            ink.text(page, x, y, CAPTION, caption);
            ink.text(page, x, y + CAPTION.line_height(), VALUE, &ink.elide(value, VALUE, width));
            x += width + GAP;
        }
        y += CAPTION.line_height() + VALUE.line_height() + 8.0;
        ink.text(page, MARGIN, y, CAPTION, "Reason");
        y += CAPTION.line_height();
        for line in reason {
            ink.text(page, MARGIN, y, VALUE, line);
            y += VALUE.line_height();
        }
        fill(page, MARGIN, y + GAP * 0.6, right - MARGIN, 1.0, HAIRLINE);
    }

    /// The probe whole with its face framed, and below it that face alone, cut like the candidates' portraits.
    fn draw_probe(&self, page: &mut RgbImage, ink: &Ink, top: f32) {
        let (width, height) = (units(self.probe.width()), units(self.probe.height()));
        let scale = (PROBE_WIDTH / width).min(PROBE_WIDTH / height);
        let (shown_width, shown_height) = (width * scale, height * scale);
        let x = MARGIN + (PROBE_WIDTH - shown_width) / 2.0;
        paste(page, &resized(&self.probe, pixel(shown_width).max(1), pixel(shown_height).max(1)), x, top);
        let [left, upper, wide, high] = self.frame;
        outline(page, x + left * scale, top + upper * scale, wide * scale, high * scale, 3.0, FRAME);
        let mut y = top + shown_height + 8.0;
        let text = format!("Probe, {}", self.texts.face);
        ink.text(page, MARGIN, y, NAME, &ink.elide(&text, NAME, PROBE_WIDTH));
        y += NAME.line_height() + GAP;
        if let Some(face) = around(&self.probe, self.frame) {
            let portrait = portrait_of(&face, pixel(PROBE_WIDTH));
            paste(page, &portrait, MARGIN, y);
            outline(page, MARGIN, y, PROBE_WIDTH, units(portrait.height()), 3.0, FRAME);
            ink.text(page, MARGIN, y + units(portrait.height()) + 8.0, SMALL, "The face that was compared");
        }
    }

    fn draw_foot(&self, page: &mut RgbImage, ink: &Ink, top: f32, note: &[String]) {
        fill(page, MARGIN, top, PAGE_WIDTH - 2.0 * MARGIN, 1.0, HAIRLINE);
        let mut y = top + GAP * 0.75;
        for line in note {
            ink.text(page, MARGIN, y, FOOT, line);
            y += FOOT.line_height();
        }
        let scores = "A score is the cosine of two embeddings, from -1 to 1.";
        let width = PAGE_WIDTH - 2.0 * MARGIN - ink.width(scores, CAPTION) - GAP;
        ink.text(page, MARGIN, y + 8.0, CAPTION, &ink.elide(&self.texts.searched, CAPTION, width));
        ink.text_to(page, PAGE_WIDTH - MARGIN, y + 8.0, CAPTION, scores);
    }
}

impl Tile {
    /// From the top of a tile to the top of the next below it.
    fn height(width: f32) -> f32 {
        (width * PORTRAIT).round() + 6.0 + RANK.line_height() + NAME.line_height() + 2.0 * SMALL.line_height() + GAP
    }

    fn draw(&self, page: &mut RgbImage, ink: &Ink, x: f32, top: f32, width: f32) {
        let high = (width * PORTRAIT).round();
        match &self.photo {
            Some(photo) => {
                // The same cut around the face as the probe's, so that like stands beside like.
                let face = around(photo, self.frame);
                paste(page, &portrait_of(face.as_ref().unwrap_or(photo), pixel(width)), x, top);
            }
            None => {
                fill(page, x, top, width, high, EMPTY);
                ink.text(page, x + 10.0, top + 10.0, SMALL, "photo not available");
            }
        }
        let mut y = top + high + 6.0;
        ink.text(page, x, y, RANK, &self.rank.to_string());
        ink.text_to(page, x + width, y, RANK, &format!("{:.3}", self.score));
        y += RANK.line_height();
        ink.text(page, x, y, NAME, &ink.elide(&self.name, NAME, width));
        y += NAME.line_height();
        ink.text(page, x, y, SMALL, &ink.elide(&self.booking, SMALL, width));
        y += SMALL.line_height();
        ink.text(page, x, y, SMALL, &ink.elide(&self.booked_on, SMALL, width));
    }
}

/// Where the tiles stand.
struct Grid {
    across: usize,
    down: usize,
    tile_width: f32,
}

impl Grid {
    fn of(tiles: usize) -> Self {
        let (across, down) = if tiles <= FEW.0 * FEW.1 { FEW } else { (MANY.0, tiles.div_ceil(MANY.0).max(MANY.1)) };
        let width = PAGE_WIDTH - 2.0 * MARGIN - PROBE_WIDTH - PROBE_GAP;
        Self { across, down, tile_width: ((width - GAP * (count(across) - 1.0)) / count(across)).floor() }
    }

    fn corner(&self, at: usize) -> (f32, f32) {
        (count(at % self.across) * (self.tile_width + GAP), count(at / self.across) * Tile::height(self.tile_width))
    }

    fn height(&self) -> f32 {
        count(self.down) * Tile::height(self.tile_width)
    }
}

/// The largest portrait around the centre of a photo, at the wanted width.
fn portrait_of(photo: &RgbImage, width: u32) -> RgbImage {
    let high = pixel((units(width) * PORTRAIT).round());
    let (from_width, from_height) = (units(photo.width()), units(photo.height()));
    let crop_width = from_width.min(from_height / PORTRAIT).max(1.0);
    let crop_height = from_height.min(from_width * PORTRAIT).max(1.0);
    let (x, y) = ((from_width - crop_width) / 2.0, (from_height - crop_height) / 2.0);
    let crop = imageops::crop_imm(photo, pixel(x.floor()), pixel(y.floor()), pixel(crop_width.floor()), pixel(crop_height.floor()));
    resized(&crop.to_image(), width.max(1), high.max(1))
}

/// The face with a head's room around it, as much of it as the photo has.
fn around(photo: &RgbImage, [left, upper, wide, high]: [f32; 4]) -> Option<RgbImage> {
    let side_room = (wide.max(high / PORTRAIT)) * 0.8;
    let (x, y) = (left + wide / 2.0, upper + high / 2.0);
    let (x0, x1) = (pixel(x - side_room), pixel(x + side_room).min(photo.width()));
    let (y0, y1) = (pixel(y - side_room * PORTRAIT), pixel(y + side_room * PORTRAIT).min(photo.height()));
    (x0 < x1 && y0 < y1).then(|| imageops::crop_imm(photo, x0, y0, x1 - x0, y1 - y0).to_image())
}

fn resized(photo: &RgbImage, width: u32, height: u32) -> RgbImage {
    // A box filter first: the better filter's cost grows with the photo, and far above its size the two look the same.
    if photo.width() > width * 4 && photo.height() > height * 4 {
        return imageops::resize(&imageops::thumbnail(photo, width * 2, height * 2), width, height, FilterType::Lanczos3);
    }
    imageops::resize(photo, width, height, FilterType::Lanczos3)
}

fn paste(page: &mut RgbImage, photo: &RgbImage, x: f32, y: f32) {
    imageops::replace(page, photo, i64::from(pixel(x)), i64::from(pixel(y)));
}

fn count(n: usize) -> f32 {
    units(u32::try_from(n).unwrap_or(u32::MAX))
}

fn reference_in_words(reference: &Reference) -> String {
    match reference {
        Reference::ComplaintNumber { number } => format!("complaint number {number}"),
        Reference::Other { description, number } => format!("{description} {number}"),
    }
}

fn purpose_in_words(purpose: &Purpose) -> String {
    match purpose {
        Purpose::Crime => "crime".to_owned(),
        Purpose::LawViolation => "violation of law".to_owned(),
        Purpose::Terrorism => "terrorism".to_owned(),
        Purpose::MissingOrEndangered => "missing or endangered person".to_owned(),
        Purpose::IdentityVerification => "identity verification".to_owned(),
        Purpose::Other { description, supervisor } => format!("{description}; supervisor {supervisor}"),
        Purpose::CourtOrder { court, number, date } => format!("order {number} of {date}, {court}"),
    }
}

#[cfg(test)]
mod tests;
