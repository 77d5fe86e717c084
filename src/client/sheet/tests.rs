//! The page's size, its texts' places, and what must and must not stand on it.

use super::*;

fn tile(rank: usize) -> Tile {
    Tile {
        frame: [10.0, 10.0, 40.0, 50.0],
        photo: (rank < 3).then(|| RgbImage::from_pixel(60, 80, Rgb([90, 120, 150]))),
        rank,
        score: 0.8123,
        name: "Maximiliana Featherstonehaugh-Cholmondeley de la Fontaine".to_owned(),
        booking: "st-louis-county-police-dept \u{b7} 2026-000123456789".to_owned(),
        booked_on: "booked 2026-11-01".to_owned(),
    }
}

fn sheet(tiles: usize, state: &str) -> Sheet {
    let texts = SheetTexts {
        state: state.to_owned(),
        reference: "complaint number 26-004711".to_owned(),
        requester: "Det. A. Ortiz, slmpd".to_owned(),
        purpose: "crime".to_owned(),
        reason: "robbery at Grand and Gravois ".repeat(60),
        probe_source: "store camera, exported still, ".repeat(6),
        face: "face 1 of 2".to_owned(),
        search: "0f".repeat(16),
        time: "2026-11-23 04:00:00 UTC".to_owned(),
        searched: "100 bookings compared by model 0f0f0f0f0f0f on gpu; log entries 12 and 13".to_owned(),
    };
    let probe = RgbImage::from_pixel(64, 48, Rgb([150, 120, 90]));
    Sheet { texts, probe, frame: [50.0, 30.0, 20.0, 25.0], tiles: (1..=tiles).map(tile).collect() }
}

#[test]
fn a_page_has_the_same_size_and_pixels_every_time() {
    for tiles in [0, 10, 21] {
        for state in ["real", "demo"] {
            assert_eq!(sheet(tiles, state).draw().dimensions(), (1_754, 1_355), "{tiles} candidates");
        }
    }
    assert_eq!(sheet(2, "real").draw(), sheet(2, "real").draw());
    assert!(sheet(100, "real").draw().height() > 1_355, "more candidates make it longer");
}

#[test]
fn tiles_stand_apart_on_the_page_and_above_the_foot() {
    for tiles in [1, 5, 10, 20, 100] {
        let grid = Grid::of(tiles);
        for at in 0..tiles {
            let (x, y) = grid.corner(at);
            assert!(MARGIN + PROBE_WIDTH + PROBE_GAP + x + grid.tile_width <= PAGE_WIDTH - MARGIN);
            assert!(y + Tile::height(grid.tile_width) <= grid.height() + 0.5);
        }
        let ink = Ink::new();
        let tile = tile(1);
        for (text, style) in [(&tile.name, NAME), (&tile.booking, SMALL), (&tile.booked_on, SMALL)] {
            let shown = ink.elide(text, style, grid.tile_width);
            assert!(!shown.is_empty() && ink.width(&shown, style) <= grid.tile_width, "{shown}");
        }
        let (rank, score) = (ink.width("1000", RANK), ink.width("-0.123", RANK));
        assert!(rank + score + 4.0 <= grid.tile_width, "rank and score stand side by side");
    }
}

#[test]
fn between_tiles_the_paper_is_blank() {
    let page = sheet(20, "real").draw();
    let grid = Grid::of(20);
    let x = pixel(MARGIN + PROBE_WIDTH + PROBE_GAP + grid.tile_width) + 3;
    let rows = pixel(PAGE_HEIGHT) / 2 - 100..pixel(PAGE_HEIGHT) / 2 + 100;
    assert!(rows.clone().all(|y| page.get_pixel(x, y) == &PAPER), "no long name runs into its neighbour");
}

#[test]
fn all_but_a_real_state_is_marked_across_the_page() {
    let (real, demo, test) = (sheet(3, "real"), sheet(3, "demo"), sheet(3, "test"));
    assert_eq!(real.banner(), None);
    assert!(demo.banner().unwrap().starts_with("DEMO") && test.banner().unwrap().starts_with("TEST"));
    let (page, width) = (demo.draw(), pixel(PAGE_WIDTH));
    for y in [0, page.height() - 1] {
        assert!((0..width).all(|x| page.get_pixel(x, y) == &ALARM));
    }
    assert_eq!(real.draw().get_pixel(0, 0), &PAPER);
}

#[test]
fn the_pages_own_words_promise_nothing() {
    let words = [TITLE, NOTE, &sheet(1, "demo").banner().unwrap()].concat().to_lowercase();
    for word in ["match", "%", "percent", "probab", "hit"] {
        assert!(!words.contains(word), "{word}");
    }
}

#[test]
fn odd_pictures_are_drawn_without_complaint() {
    let mut odd = sheet(2, "demo");
    odd.probe = RgbImage::new(1, 1);
    odd.frame = [-50.0, f32::NAN, 1e9, -3.0];
    odd.tiles[0].photo = Some(RgbImage::new(1, 900));
    odd.tiles[1].photo = None;
    odd.draw();
}

#[test]
fn a_page_becomes_a_png() {
    let bytes = sheet(2, "demo").png().unwrap();
    assert_eq!(image::load_from_memory(&bytes).unwrap().to_rgb8().dimensions(), (1_754, 1_355));
}

#[test]
fn a_search_and_its_answer_give_the_texts() {
    let request: SearchRequest = serde_json::from_value(serde_json::json!({
        "reference": {"kind": "other", "description": "warrant", "number": "77"},
        "requester": "Det. A. Ortiz", "agency": "slmpd",
        "purpose": {"kind": "court_order", "court": "22nd Circuit", "number": "12", "date": "2026-11-01"},
        "reason": " identity of the man on the still ", "probe_source": "store camera",
    }))
    .unwrap();
    let array = CandidateArray {
        search: "0f".repeat(16),
        state: "demo".to_owned(),
        note: NOTE.to_owned(),
        face: 1,
        faces: Vec::new(),
        quality: 9.0,
        gallery_rows: 5,
        engine: "cpu".to_owned(),
        model: "ab".repeat(32),
        asked: 1,
        answered: 2,
        candidates: Vec::new(),
    };
    let texts = SheetTexts::of(&request, &array, time::macros::datetime!(2026-11-23 05:00 +1));
    assert_eq!(texts.reference, "warrant 77");
    assert_eq!(texts.purpose, "order 12 of 2026-11-01, 22nd Circuit");
    assert_eq!(texts.time, "2026-11-23 04:00:00 UTC");
    assert_eq!(texts.searched, "5 bookings compared by model abababababab on cpu; log entries 1 and 2");
}
