//! The store can't grow: the box can't know what counts, so it ends, and starting it again is the recovery.

use crate::photos::{COLLINS, photo};
use crate::site::{Site, booking, number};

/// A little more than a fresh store needs.
const BLOCKS_OF_512: u32 = 320;

#[test]
fn a_store_that_can_not_grow_halts_the_box_and_the_next_start_has_all_that_was_acknowledged() {
    let site = Site::new();
    let daemon = site.start_bounded(BLOCKS_OF_512);
    let (feed, photo) = (daemon.feed("slmpd"), photo(COLLINS));
    let numbers: Vec<_> = (0..200).map(|n| number(&format!("26-{n}"))).collect();
    let mut taken = Vec::new();
    let lost = numbers.iter().find_map(|number| match feed.put_booking(number, &booking("Roe, Jane"), &photo) {
        Ok(booked) => {
            taken.push(booked);
            None
        }
        Err(e) => Some((number, e)),
    });
    let (number, error) = lost.expect("the store has to grow for two hundred bookings");
    assert!(error.problem().is_none(), "the connection drops without an answer: {error}");
    assert_eq!(daemon.exit_status(), Some(70));
    assert!(site.journal().contains("state unknown, the daemon ends"), "{}", site.journal());

    let daemon = site.start("test");
    let feed = daemon.feed("slmpd");
    for booked in &taken {
        let view = feed.booking(&booked.number).unwrap();
        assert_eq!((view.version, view.leaf), (booked.version, booked.leaf));
    }
    feed.put_booking(number, &booking("Roe, Jane"), &photo).unwrap();
    assert_eq!(feed.health().unwrap().gallery_rows, taken.len() as u64 + 1);
    assert_eq!(daemon.stop(), Some(0));
}
