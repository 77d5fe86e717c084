//! The store can't grow: the box can't know what counts, so it ends, and starting it again is the
//! recovery.

use crate::photos::{COLLINS, photo};
use crate::site::{Site, booking, number, request};

/// A little more than a fresh store needs.
const BLOCKS_OF_512: u32 = 320;

#[test]
fn a_store_that_can_not_grow_halts_the_box_and_loses_nothing_acknowledged() {
    let site = Site::new();
    let daemon = site.start_bounded(BLOCKS_OF_512);
    let (feed, photo) = (daemon.feed("slmpd"), photo(COLLINS));
    let numbers: Vec<_> = (0..200).map(|n| number(&format!("26-{n}"))).collect();
    let mut taken = Vec::new();
    let lost = numbers.iter().find_map(|number| {
        match feed.put_booking(number, &booking("Roe, Jane"), &photo) {
            Ok(booked) => {
                taken.push(booked);
                None
            }
            Err(e) => Some((number, e)),
        }
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

#[test]
fn a_medium_with_little_room_takes_releases_only_and_says_so() {
    let site = Site::staffed();
    let daemon = site.start("test");
    daemon
        .feed("slmpd")
        .put_booking(&number("26-1"), &booking("Roe, Jane"), &photo(COLLINS))
        .unwrap();
    daemon.desk("rtcc-1");
    assert_eq!(daemon.stop(), Some(0));
    // More than any medium has: from here on there is too little of it.
    site.configure("disk_reserve_mib = 1000000000000");
    let daemon = site.start("test");
    let refused = daemon
        .feed("slmpd")
        .put_booking(&number("26-2"), &booking("Roe, Jane"), &photo(COLLINS))
        .unwrap_err();
    assert_eq!(
        (refused.problem().unwrap().status, &*refused.problem().unwrap().kind),
        (507, "disk-full"),
        "{refused}"
    );
    assert!(refused.to_string().contains("are kept for releases, purges and the log"), "{refused}");
    let searched = daemon.desk("rtcc-1").search(&request(), &photo(COLLINS)).unwrap_err();
    assert_eq!(searched.problem().unwrap().status, 507, "{searched}");
    daemon.feed("slmpd").release(&number("26-1"), "record expunged").unwrap();
    let health = daemon.console("rtcc-1").health().unwrap();
    assert_eq!((health.gallery_rows, &*health.alarms[0].alarm), (0, "disk_low"), "{health:?}");
    assert!(site.journal().contains("alarm disk_low:"), "{}", site.journal());
    assert_eq!(daemon.stop(), Some(0));
}
