//! The medium is full, damaged, held by another daemon, or in the hands of a thief.

use std::path::Path;

use smrt::disk::{Disk, OpenMode, read_whole};
use smrt::ledger::{Ledger, LedgerError};

use super::{
    STATE, Told, agency, book, check, compare, feed, number, open, photo, work, worked_base,
};

#[test]
fn a_full_disk_refuses_a_booking_and_keeps_everything_else() {
    let disk = worked_base();
    let ledger = open(&disk).unwrap();
    let taken = book(&ledger, 0, 0).unwrap();
    // Full while the photo is written: the slot was written before.
    disk.full_at(Some(disk.operations() + 3));
    assert!(matches!(book(&ledger, 1, 0), Err(LedgerError::DiskFull)));
    assert_eq!(ledger.standing(&agency(), &number(0)).unwrap().version, taken.version);
    disk.full_at(None);
    assert!(book(&ledger, 1, 0).unwrap().new, "with room again the same push goes through");
    drop(ledger);
    let told = Told { bookings: vec![(0, taken)], ..Told::default() };
    assert_eq!(check(&disk, &told), Ok(()));
}

#[test]
fn a_commit_without_room_halts_and_the_next_start_has_all_that_was_told() {
    let disk = worked_base();
    let ledger = open(&disk).unwrap();
    let mut told = Told::default();
    told.bookings.push((0, book(&ledger, 0, 0).unwrap()));
    let full = disk.operations();
    disk.full_at(Some(full + 7));
    let halted = (1..40).find_map(|n| book(&ledger, n, 0).err()).expect("the store has to grow");
    assert!(matches!(halted, LedgerError::Halted { .. } | LedgerError::DiskFull), "{halted}");
    drop(ledger);
    disk.full_at(None);
    assert_eq!(check(&disk, &told), Ok(()));
}

#[test]
fn a_damaged_key_slot_suppresses_its_booking_alone_until_it_is_pushed_again() {
    let disk = worked_base();
    let ledger = open(&disk).unwrap();
    for n in 0..3 {
        book(&ledger, n, 0).unwrap();
    }
    drop(ledger);
    let slots = disk.open(&Path::new(STATE).join("slots.1"), OpenMode::Existing).unwrap();
    slots.write_at(64 + 20, &[0; 8]).unwrap();
    let ledger = open(&disk).unwrap();
    let everybody = |ledger: &Ledger| compare(ledger, 0, 0, 10).len();
    assert_eq!(everybody(&ledger), 2);
    assert!(matches!(ledger.standing(&agency(), &number(1)), Err(LedgerError::Unreadable)));
    let again = book(&ledger, 1, 0).unwrap();
    assert!(again.new, "what comes again takes the place of what doesn't open");
    assert_eq!(everybody(&ledger), 3);
    // A purge of another booking moves every key that opens to a new epoch.
    ledger.release(&feed(), &agency(), &number(2), "record expunged").unwrap();
    let released = ledger.standing(&agency(), &number(2)).unwrap().version;
    ledger.purge(vec![released]).unwrap();
    drop(ledger);
    let ledger = open(&disk).unwrap();
    assert_eq!(everybody(&ledger), 2);
    assert_eq!(ledger.photo(again.version).unwrap(), Some(photo(1, 0)));
}

#[test]
fn nothing_on_the_medium_is_readable_without_its_key() {
    let disk = worked_base();
    let ledger = open(&disk).unwrap();
    work(&ledger, &mut Told::default()).unwrap();
    drop(ledger);
    let number = number(3);
    let secrets: [&[u8]; 4] =
        [b"Person 3", number.as_str().as_bytes(), &photo(3, 0)[..32], b"Ortiz"];
    for bytes in disk.medium() {
        for secret in secrets {
            assert!(
                !bytes.windows(secret.len()).any(|w| w == secret),
                "{:?}",
                String::from_utf8_lossy(secret)
            );
        }
    }
}

#[test]
fn a_purged_bookings_key_is_on_no_page_of_the_medium() {
    let disk = worked_base();
    let ledger = open(&disk).unwrap();
    let purged = book(&ledger, 0, 0).unwrap().version;
    let stays = book(&ledger, 1, 0).unwrap().version;
    let bytes = |name: &str| read_whole(&disk, &Path::new(STATE).join(name), 1 << 20).unwrap();
    let (anchor, slots) = (bytes("slots-anchor.1"), bytes("slots.1"));
    ledger.release(&feed(), &agency(), &number(0), "record expunged").unwrap();
    ledger.purge(vec![purged]).unwrap();
    for page in disk.medium() {
        // Without the anchor the old slots' wrapped keys are noise; the photo's ciphertext is too.
        assert!(
            !page.windows(anchor.len()).any(|w| w == anchor),
            "the old epoch's key lies on the medium"
        );
    }
    assert_ne!(bytes("slots.2")[..64], slots[..64]);
    assert_eq!(
        ledger.photo(stays).unwrap(),
        Some(photo(1, 0)),
        "the other booking's key moved to the new epoch"
    );
    assert!(ledger.photo(purged).unwrap().is_none());
}

#[test]
fn a_second_daemon_on_the_same_folder_is_refused() {
    let disk = worked_base();
    let first = open(&disk).unwrap();
    let second = open(&disk).err().expect("the folder is held");
    assert!(second.to_string().contains("another daemon holds /state"), "{second}");
    drop(first);
    assert!(open(&disk).is_ok());
}

#[test]
fn a_folder_that_lost_its_store_is_not_made_anew() {
    let disk = worked_base();
    let ledger = open(&disk).unwrap();
    book(&ledger, 0, 0).unwrap();
    drop(ledger);
    disk.unlink(&Path::new(STATE).join("smrt.redb")).unwrap();
    let refused = open(&disk).err().expect("photos are there");
    assert!(refused.to_string().contains("sealed photos in /state and no smrt.redb"), "{refused}");
}
