//! An attacker reads the log: with all leaves, all that the door shows of them and a dictionary of
//! everything that happened, down to the very details, no commitment is guessed and no name is
//! found; with the salts, each is. Nothing ties a release or a review to a booking's or a search's
//! leaf, either; with the box's key, each release is tied to its booking.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;
use std::time::Instant;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use sha2::{Digest, Sha256};
use smrt::api::wire::{SampleOrder, SampleReview};
use smrt::audit::{
    Actor, Checkpoint, Detail, Edge, Entry, Leaf, LeafKind, Note, Opened, Place, Rules,
    SampleFinding, commit,
};
use smrt::booking::{BookingData, Identifier, VersionId};
use smrt::calendar::Time;
use smrt::client::console_session::ConsoleSession;
use smrt::client::log_folder::LogFolder;
use smrt::inquiry::Request;
use smrt::roster::{Person, Role};
use smrt::vault::MasterKey;

use crate::attacker::{Attacker, DOMAIN, Dictionary, Tie, ties, words_in};
use crate::desks::{Hand, official, person};
use crate::photos::{OBAMA_LATER, gradient, photo, several};
use crate::raw::Identity;
use crate::site::{Daemon, ORIGIN, Site, number};

/// Whose booking: agency, number, name, date of birth, charges.
const BOOKINGS: [(&str, &str, &str, &str, [&str; 2]); 12] = [
    (
        "slmpd",
        "26-110482",
        "Abernathy, Josephine",
        "1984-05-17",
        ["trespass first degree", "stealing under $150"],
    ),
    (
        "slmpd",
        "26-110483",
        "Bartholomew, Quincy",
        "1991-11-30",
        ["assault third degree", "resisting arrest"],
    ),
    (
        "slmpd",
        "26-110497",
        "Castellanos, Ignacio",
        "1979-02-08",
        ["burglary second degree", "property damage"],
    ),
    (
        "slmpd",
        "26-110512",
        "Delacroix, Marguerite",
        "2001-07-22",
        ["forgery of a cheque", "identity theft"],
    ),
    (
        "slmpd",
        "26-110530",
        "Eisenhardt, Leopold",
        "1968-12-03",
        ["driving while intoxicated", "leaving the scene"],
    ),
    (
        "slmpd",
        "26-110531",
        "Featherstone, Winifred",
        "1995-09-14",
        ["tampering with a vehicle", "stealing a vehicle"],
    ),
    (
        "stlco",
        "C2026-004417",
        "Grzegorzewski, Tadeusz",
        "1988-03-29",
        ["robbery first degree", "armed criminal action"],
    ),
    (
        "stlco",
        "C2026-004418",
        "Hollingsworth, Araminta",
        "1973-06-11",
        ["receiving stolen property", "trespass second degree"],
    ),
    (
        "stlco",
        "C2026-004425",
        "Iturralde, Concepción",
        "1999-10-05",
        ["possession of a substance", "paraphernalia"],
    ),
    (
        "stlco",
        "C2026-004431",
        "Jankowiak, Bronisława",
        "1982-01-19",
        ["unlawful use of a weapon", "harassment"],
    ),
    (
        "stlco",
        "C2026-004440",
        "Kirchgessner, Anselm",
        "1990-08-27",
        ["failure to appear", "contempt of court"],
    ),
    (
        "stlco",
        "C2026-004452",
        "Abernathy, Josephine",
        "1984-05-17",
        ["trespass first degree", "failure to appear"],
    ),
];

/// What was asked: requester, agency, reference, reason, source, purpose.
type Asked = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    fn() -> serde_json::Value,
);

const SEARCHES: [Asked; 6] = [
    (
        "Det. Aurelia Ortiz",
        "slmpd",
        "26-004711",
        "robbery at Grand and Gravois, suspect on store camera",
        "store camera, aisle four",
        || serde_json::json!({"kind": "crime"}),
    ),
    (
        "Sgt. Barnaby Chen",
        "stlco",
        "C26-118204",
        "woman found confused near Creve Coeur Lake, no papers",
        "officer's telephone",
        || serde_json::json!({"kind": "missing_or_endangered"}),
    ),
    (
        "Det. Cordelia Vance",
        "madison",
        "2026-IL-3307",
        "suspect left a getaway car beside the bridge",
        "doorbell camera",
        || serde_json::json!({"kind": "law_violation"}),
    ),
    (
        "Det. Aurelia Ortiz",
        "slmpd",
        "26-004733",
        "man gave three names at a traffic stop downtown",
        "body camera still",
        || serde_json::json!({"kind": "identity_verification"}),
    ),
    (
        "Inv. Dashiell Roemer",
        "slmpd",
        "26-004790",
        "threats against the courthouse by recorded video",
        "video posted by suspect",
        || serde_json::json!({"kind": "terrorism"}),
    ),
    (
        "Det. Evangeline Sykes",
        "stlco",
        "C26-118377",
        "line-up asked for by the circuit attorney's office",
        "photo from a wallet",
        || {
            serde_json::json!({"kind": "court_order", "court": "Circuit Court of the 22nd Circuit",
            "number": "2622-CR00913", "date": "2026-10-28"})
        },
    ),
];

/// Which bookings their agencies release.
const RELEASED: [usize; 2] = [1, 7];
/// Which bookings are put right before.
const REPLACED: [usize; 2] = [3, 7];
const RELEASE_REASON: &str = "expunged by order of Judge Philippa Okonkwo-Reyes";
const REVIEW_NOTE: &str = "complaint number belongs to another case, asked Lt. Thaddeus Brill";
const HOLLOW_REASON: &str = "curiosity";

/// All that is there to attack, and to attack with.
struct Loot {
    leaves: Vec<Vec<u8>>,
    salts: Vec<[u8; 32]>,
    /// What the door gives to everybody in the roster.
    readable: Vec<(String, Vec<u8>)>,
    dictionary: Dictionary,
    /// Details that were put together from what callers saw, by somebody who knows the source.
    put_together: Dictionary,
    /// What is known of any such log: its origin, its key.
    known: Vec<Vec<u8>>,
    /// The one secret of the box, which no attacker has.
    master: MasterKey,
}

fn actor(identity: &Identity, name: &str) -> Actor {
    let certificate = CertificateDer::from_pem_file(&identity.certificate).unwrap();
    Actor {
        certificate: name.to_owned(),
        fingerprint: hex::encode(Sha256::digest(&certificate)),
        person: None,
        agency: None,
    }
}

fn booking_of(
    (_, _, name, born, charges): &(&str, &str, &str, &str, [&str; 2]),
) -> serde_json::Value {
    serde_json::json!({
        "name": name, "date_of_birth": born, "booked_on": "2026-11-01", "charges": charges,
        "basis": {"kind": "other_contact", "contact": "fingerprinted at the front desk"}
    })
}

fn request_of(
    (requester, agency, reference, reason, source, purpose): &Asked,
) -> serde_json::Value {
    serde_json::json!({
        "requester": {"name": requester, "badge": "DSN 5511", "agency": agency},
        "reference": {"kind": "complaint_number", "number": reference}, "purpose": purpose(),
            "reason": reason, "probe_source": source,
        "attestations": {"not_solely_protected": true, "shows_person_sought": true,
            "source_as_stated": true}
    })
}

fn at_device(site: &Site, id: &str) -> Actor {
    actor(&site.console_identity(id), &format!("smrt:device/{id}"))
}

/// Searches with all that their people see; the leaves in which they were asked for.
fn searches(
    daemon: &Daemon<'_>,
    operators: &[(&str, ConsoleSession, Person); 2],
    seen: &mut Dictionary,
    put_together: &mut Dictionary,
) -> Vec<u64> {
    let mut asked = Vec::new();
    for (at, search) in SEARCHES.iter().enumerate() {
        let (requester, id, reference, reason, source, _) = search;
        let (device_id, desk, operator) = &operators[at % 2];
        let request: Request = serde_json::from_value(request_of(search)).unwrap();
        let probe = photo(OBAMA_LATER);
        let array = desk.search(&request, &probe).unwrap();
        let (view, shown) = (&array.view, &array.view.candidates[at]);
        desk.photo(view.inquiry, shown.version).unwrap();
        let inquiry = view.inquiry.to_string();
        seen.document(&request_of(search));
        seen.whole(&serde_json::to_vec(&request).unwrap());
        seen.document(&serde_json::to_value(view).unwrap());
        seen.file(&probe);
        seen.record(&[
            requester,
            id,
            reference,
            reason,
            source,
            &inquiry,
            &shown.version.to_string(),
        ]);
        // What operator and examiner saw is all that these details say. A search's own name they
        // never see.
        let actor = Actor {
            person: Some(operator.id.clone()),
            agency: Some(operator.agency.clone()),
            ..at_device(daemon.site, device_id)
        };
        let opened =
            Detail::InquiryOpened { actor: actor.clone(), inquiry: inquiry.clone(), request };
        let findings =
            view.candidates.iter().filter_map(|candidate| candidate.own.clone()).collect();
        let (released, disagreements) = (Vec::new(), 0);
        let reviewed = Detail::Reviewed { actor, inquiry, findings, released, disagreements };
        [opened, reviewed].iter().for_each(|detail| put_together.whole(&detail.to_bytes()));
        asked.push(view.asked.unwrap());
    }
    asked
}

/// What is refused that day.
fn refusals(daemon: &Daemon<'_>, site: &Site, seen: &mut Dictionary) {
    let mut hollow = request_of(&SEARCHES[0]);
    hollow["reason"] = HOLLOW_REASON.into();
    assert!(daemon.desk("rtcc-1").open(&serde_json::from_value(hollow.clone()).unwrap()).is_err());
    for stranger in [site.feed_identity("slmpd"), site.console_identity("unlisted")] {
        assert_eq!(Hand::new(daemon, &stranger).post("/v1/inquiries", &hollow).status, 403);
    }
    let data = serde_json::from_value(booking_of(&BOOKINGS[0])).unwrap();
    assert!(daemon.feed("stlco").put_booking(&number("C2026-004499"), &data, &gradient()).is_err());
    seen.file(&gradient());
    [RELEASE_REASON, REVIEW_NOTE, HOLLOW_REASON, "C2026-004499"]
        .iter()
        .for_each(|word| seen.word(word));
}

/// A busy day at the box: bookings of two agencies, searches of several people, photos viewed,
/// releases, refusals, an audit. Whoever was there writes everything down.
///
/// Gives the versions that are to be purged: what was replaced, and one that was released with what
/// it had replaced.
fn busy_day(
    daemon: &Daemon<'_>,
    site: &Site,
    seen: &mut Dictionary,
    put_together: &mut Dictionary,
) -> [VersionId; 3] {
    let agency = |id: &str| actor(&site.feed_identity(id), &format!("smrt:agency/{id}/feed"));
    for actor in ["rtcc-1", "rtcc-2", "audit-1", "unlisted"]
        .map(|id| at_device(site, id))
        .into_iter()
        .chain(["slmpd", "stlco"].map(agency))
    {
        seen.record(&[&actor.certificate, &actor.fingerprint]);
    }
    let mut versions = Vec::new();
    for (booking, photo) in BOOKINGS.iter().zip(several(BOOKINGS.len())) {
        let (id, n, name, born, charges) = booking;
        let data: BookingData = serde_json::from_value(booking_of(booking)).unwrap();
        let booked = daemon.feed(id).put_booking(&number(n), &data, &photo).unwrap();
        versions.push(booked.version);
        seen.document(&booking_of(booking));
        seen.whole(&serde_json::to_vec(&data).unwrap());
        seen.file(&photo);
        seen.record(&[id, n, name, born, "2026-11-01", charges[0], &booked.version.to_string()]);
    }
    // Bookings are put right; one of them stands, the other is released later.
    let photos = several(BOOKINGS.len());
    let former = REPLACED.map(|at| {
        let (id, n, ..) = BOOKINGS[at];
        let mut right = booking_of(&BOOKINGS[at]);
        right["charges"] = serde_json::json!(["receiving stolen property"]);
        seen.document(&right);
        let data: BookingData = serde_json::from_value(right).unwrap();
        let booked = daemon.feed(id).put_booking(&number(n), &data, &photos[at]).unwrap();
        std::mem::replace(&mut versions[at], booked.version)
    });
    let operators = [
        ("rtcc-1", person("hpetrosyan", Role::OperatorExaminer)),
        ("rtcc-2", person("wmbeki", Role::OperatorExaminer)),
    ];
    let operators = operators.map(|(id, operator)| (id, daemon.desk_of(id, &operator), operator));
    let asked = searches(daemon, &operators, seen, put_together);
    all_of_the_people(daemon, seen, operators.map(|(_, desk, operator)| (desk, operator)));
    for at in RELEASED {
        let (id, n, ..) = BOOKINGS[at];
        daemon.feed(id).release(&number(n), RELEASE_REASON).unwrap();
        let agency_id = Identifier::parse(id).unwrap();
        let versions =
            [versions[at]].into_iter().chain((at == REPLACED[1]).then_some(former[1])).collect();
        let released = Detail::Released {
            actor: agency(id),
            agency: agency_id,
            versions,
            reason: RELEASE_REASON.to_owned(),
        };
        put_together.whole(&released.to_bytes());
    }
    refusals(daemon, site, seen);

    let auditor = daemon.console("audit-1");
    auditor.details(asked[0], asked[0] + 1).unwrap();
    let sample = auditor
        .draw_sample(&SampleOrder { seed: 7, rate_ppm: 1_000_000, first: 0, end: None })
        .unwrap();
    let (finding, note) = (SampleFinding::Irregular, REVIEW_NOTE.to_owned());
    auditor
        .review_sample(&SampleReview {
            sample: sample.sample,
            asked: sample.asked[2],
            finding,
            note,
        })
        .unwrap();
    [former[0], former[1], versions[REPLACED[1]]]
}

/// Everything that is known of the people: names, badges, keys, sessions, and that one of them
/// goes.
fn all_of_the_people(
    daemon: &Daemon<'_>,
    seen: &mut Dictionary,
    operators: [(ConsoleSession, Person); 2],
) {
    let administrator = official(daemon, "administrator");
    for account in administrator.people().unwrap() {
        let (of, key) = (&account.account.person, account.key.as_ref().unwrap());
        seen.record(&[
            of.id.as_str(),
            of.name.as_str(),
            of.badge.as_str(),
            of.agency.as_str(),
            &key.id.to_string(),
        ]);
        let account = serde_json::to_value(&account).unwrap();
        seen.document(&account);
        for part in ["id", "public_key"] {
            seen.bytes(&URL_SAFE_NO_PAD.decode(account["key"][part].as_str().unwrap()).unwrap());
        }
    }
    for (desk, of) in &operators {
        let (_, secret) = desk.cookie().split_once('=').unwrap();
        seen.record(&[of.id.as_str(), of.name.as_str(), secret]);
    }
    administrator.send(&format!("/v1/people/{}/confirm", operators[0].1.id), &()).unwrap();
    operators[0].0.log_off().unwrap();
    administrator.send(&format!("/v1/people/{}/off", operators[1].1.id), &()).unwrap();
}

/// What the door gives to anybody in the roster: the log as an export writes it, checkpoints, every
/// proof.
fn all_that_is_readable(daemon: &Daemon<'_>, folder: &Path) -> Vec<(String, Vec<u8>)> {
    let leaves = daemon
        .console("audit-1")
        .export(&LogFolder::at(folder), &[], false, &mut |_, _| {})
        .unwrap();
    let mut readable = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                readable.push((path.display().to_string(), fs::read(&path).unwrap()));
            }
        }
    }
    let feed = daemon.feed("stlco");
    readable.push(("the checkpoint".to_owned(), feed.checkpoint().unwrap().into_bytes()));
    readable.push((
        "the checkpoint for witnesses".to_owned(),
        feed.pending_checkpoint().unwrap().to_string().into_bytes(),
    ));
    for leaf in 0..leaves {
        readable.push((
            format!("the proof of leaf {leaf}"),
            feed.proof(leaf).unwrap().to_text().into_bytes(),
        ));
        readable.push((
            format!("the consistency with {leaf}"),
            feed.consistency(leaf, leaves).unwrap().concat(),
        ));
    }
    readable
}

fn loot() -> Loot {
    let site = Site::staffed();
    let daemon = site.start("test");
    let (mut dictionary, mut put_together) = (Dictionary::default(), Dictionary::default());
    let purged = busy_day(&daemon, &site, &mut dictionary, &mut put_together);
    let readable = all_that_is_readable(&daemon, &site.path("exported"));
    assert_eq!(daemon.stop(), Some(0));
    let ledger = site.ledger();
    ledger.purge(purged.to_vec()).unwrap();
    let leaves = ledger.log().unwrap();
    let (mut salts, mut rules, mut edge) = (Vec::new(), Rules::new(true), Edge::default());
    for (leaf, bytes) in (0..).zip(&leaves) {
        let opened = ledger.open_detail(leaf).unwrap().unwrap();
        salts.push(opened.salt);
        edge.append(bytes);
        let detail = Opened {
            salt: &opened.salt,
            text: std::str::from_utf8(&opened.detail).unwrap(),
            place: Place::Log,
        };
        rules.leaf(&Entry::read(bytes).unwrap(), Some(detail), &mut || edge.root());
        // At worst the attacker guesses all of it right, to the byte.
        dictionary.whole(&opened.detail);
        dictionary.document(&serde_json::from_slice(&opened.detail).unwrap());
    }
    // The log's own name stands in every approval, and is no secret.
    dictionary.forget(ORIGIN);
    let ruled = rules.end();
    assert!(ruled.violations.is_empty(), "an auditor finds all in order: {:?}", ruled.violations);
    let verifier = site.log_verifier();
    let known = vec![
        verifier.name().as_bytes().to_vec(),
        verifier.public().to_vec(),
        verifier.to_string().into_bytes(),
    ];
    let master = MasterKey::new(&fs::read(site.path("master.key")).unwrap()).unwrap();
    Loot { leaves, salts, readable, dictionary, put_together, known, master }
}

impl Loot {
    fn attacker(&self) -> Attacker {
        let known: Vec<&[u8]> = self.known.iter().map(Vec::as_slice).collect();
        Attacker::new(&self.leaves, &known)
    }
}

/// One day serves all of them.
static LOOT: LazyLock<Loot> = LazyLock::new(loot);

#[test]
fn an_attacker_with_all_but_the_salts_finds_no_commitment_and_no_name() {
    let loot = &*LOOT;
    let kinds: BTreeSet<LeafKind> =
        loot.leaves.iter().map(|leaf| Leaf::from_bytes(leaf).unwrap().kind).collect();
    assert!(
        loot.leaves.len() >= 70 && kinds.len() >= 25,
        "{} leaves of {kinds:?}",
        loot.leaves.len()
    );
    let began = Instant::now();
    let mut attacker = loot.attacker();
    attacker.guess(&loot.dictionary);
    attacker.guess(&loot.put_together);
    assert!(attacker.found.is_empty(), "{:?}", attacker.found);
    assert!(attacker.tried > 1_000_000);
    let words = words_in(&loot.dictionary, &loot.readable, &loot.leaves);
    assert!(words.is_empty(), "{words:#?}");
    println!(
        "{} leaves of {} kinds; words, joined, wholes, files: {:?}; {} hashes in {:?}; looked \
         through {} bytes",
        loot.leaves.len(),
        kinds.len(),
        loot.dictionary.sizes(),
        attacker.tried,
        began.elapsed(),
        loot.readable.iter().map(|(_, bytes)| bytes.len()).sum::<usize>()
    );
}

#[test]
fn nothing_in_the_log_points_at_one_person() {
    let loot = &*LOOT;
    let mut under = loot.known.clone();
    under.extend([b"smrt booking tag v1\0".to_vec(), vec![0; 32], Vec::new()]);
    assert_eq!(ties(&loot.leaves, &under, None), BTreeSet::new());
    let tied = ties(&loot.leaves, &under, Some(&|leaf| loot.master.booking_tag(leaf)));
    assert_eq!(
        tied.len(),
        RELEASED.len() + REPLACED.len() + 3,
        "the box knows what was released, replaced and purged: {tied:?}"
    );
}

#[test]
fn an_attacker_with_the_salts_finds_every_commitment() {
    let loot = &*LOOT;
    // Told what an auditor is told, it needs nobody's word for what a leaf says.
    let mut told = loot.attacker();
    told.tell(&loot.salts);
    told.guess(&loot.put_together);
    let opened_reviewed_released = 2 * SEARCHES.len() + RELEASED.len();
    assert_eq!(
        told.found.len(),
        opened_reviewed_released,
        "what callers saw is enough for these: {:?}",
        told.found
    );
    told.guess_wholes(&loot.dictionary);
    assert_eq!(told.found.len(), loot.leaves.len(), "every commitment is of its detail");
    assert!(told.found.values().all(|(_, way)| *way == "domain, salt, guess"), "{:?}", told.found);
}

fn followed(kind: LeafKind, follows: &[u64], counts: &[u64]) -> Vec<u8> {
    let (follows, counts) = (follows.to_vec(), counts.to_vec());
    let time = Time::from_cs(179_000_000_000);
    Leaf { kind, time, follows, counts, commitment: [9; 32] }.to_bytes()
}

/// A booking, an inquiry and its search.
fn three_leaves() -> [Vec<u8>; 3] {
    [
        followed(LeafKind::BookingIn, &[], &[0]),
        followed(LeafKind::InquiryOpened, &[], &[]),
        followed(LeafKind::Asked, &[1], &[]),
    ]
}

/// What the attacker ties to the three by a fourth leaf.
fn tied_by(last: Vec<u8>) -> BTreeSet<Tie> {
    let keys = [Vec::new(), b"weak.example/log".to_vec()];
    ties(&[&three_leaves()[..], &[last]].concat(), &keys, None)
}

#[test]
fn the_attacker_finds_every_leaf_that_points_at_a_booking_or_a_search() {
    for (kind, follows) in [
        (LeafKind::Released, 0),
        (LeafKind::Purged, 0),
        (LeafKind::SampleReviewed, 2),
        (LeafKind::ProbeOpened, 2),
    ] {
        assert_eq!(
            tied_by(followed(kind, &[follows], &[])),
            BTreeSet::from([(3, follows)]),
            "{kind:?}"
        );
    }
    assert_eq!(tied_by(followed(LeafKind::Interrupted, &[2], &[])), BTreeSet::new());
}

#[test]
fn the_attacker_finds_every_tag_that_can_be_worked_out() {
    let first = |bytes: &[u8]| u64::from_le_bytes(*bytes.first_chunk().unwrap());
    let keyed =
        hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, b"weak.example/log"), &0_u64.to_le_bytes());
    let weak = [
        179_000_000_000,
        first(&[9; 8]),
        first(&Sha256::digest(0_u64.to_be_bytes())),
        first(&Sha256::digest(smrt::audit::leaf_hash(&three_leaves()[0]))),
        first(keyed.as_ref()),
    ];
    for tag in weak {
        assert_eq!(
            tied_by(followed(LeafKind::Released, &[], &[tag])),
            BTreeSet::from([(3, 0)]),
            "{tag}"
        );
    }
    assert_eq!(
        tied_by(followed(LeafKind::Released, &[], &[0x0123_4567_89ab_cdef])),
        BTreeSet::new()
    );
}

#[test]
fn the_attacker_finds_every_commitment_whose_salt_is_nothing_or_can_be_worked_out() {
    let detail = br#"{"detail":"released","reason":"expunged by order of the court"}"#;
    let leaf = |at: u64, commitment| Leaf {
        kind: LeafKind::Released,
        time: Time::from_cs(179_000_000_000 + at),
        follows: vec![at],
        counts: Vec::new(),
        commitment,
    };
    let padded = |bytes: &[u8]| {
        let mut salt = [0; 32];
        salt[..bytes.len()].copy_from_slice(bytes);
        salt
    };
    let sha = |parts: &[&[u8]]| <[u8; 32]>::from(Sha256::digest(parts.concat()));
    let keyed = |key: &[u8]| {
        hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), detail).as_ref().try_into().unwrap()
    };
    let mut leaves: Vec<Vec<u8>> = Vec::new();
    let mut edge = Edge::default();
    // Each commitment may be made of what is known before its own leaf: its index is the length so
    // far.
    type Weak<'w> = Box<dyn Fn(u64, &Edge, &[Vec<u8>]) -> [u8; 32] + 'w>;
    let weak: Vec<Weak<'_>> = vec![
        Box::new(|_, _, _| sha(&[detail])),
        Box::new(|_, _, _| sha(&[&sha(&[detail])])),
        Box::new(|_, _, _| sha(&[DOMAIN, detail])),
        Box::new(|_, _, _| commit(&[0; 32], detail)),
        Box::new(|_, _, _| commit(&[255; 32], detail)),
        Box::new(|_, _, _| commit(&sha(&[b"weak.example/log"]), detail)),
        Box::new(|_, _, _| commit(&sha(&[detail]), detail)),
        Box::new(|at, _, _| commit(&padded(&at.to_le_bytes()), detail)),
        Box::new(|at, _, _| commit(&sha(&[&at.to_be_bytes()]), detail)),
        Box::new(|at, _, _| commit(&padded(&(179_000_000_000 + at).to_le_bytes()), detail)),
        Box::new(|_, edge, _| commit(&edge.root(), detail)),
        Box::new(|_, _, leaves| commit(&smrt::audit::leaf_hash(leaves.last().unwrap()), detail)),
        Box::new(|at, _, _| sha(&[detail, &at.to_le_bytes()])),
        Box::new(|_, _, _| keyed(b"weak.example/log")),
        Box::new(|_, edge, _| keyed(&edge.root())),
        Box::new(|_, _, _| sha(&[&[0], detail])),
    ];
    for weak in &weak {
        let at = leaves.len() as u64;
        let leaf = leaf(at, weak(at, &edge, &leaves)).to_bytes();
        edge.append(&leaf);
        leaves.push(leaf);
    }
    let strong =
        leaf(leaves.len() as u64, commit(&sha(&[b"as good as random"]), detail)).to_bytes();
    leaves.push(strong);
    let mut attacker = Attacker::new(&leaves, &[b"weak.example/log"]);
    attacker.guess_one(detail);
    assert_eq!(
        attacker.found.keys().copied().collect::<Vec<_>>(),
        (0..weak.len() as u64).collect::<Vec<_>>(),
        "{:?}",
        attacker.found
    );
}

#[test]
fn the_attacker_finds_a_planted_name_number_or_digest_however_it_is_written() {
    let mut dictionary = Dictionary::default();
    let (name, id) = ("Abernathy, Josephine", "26-110482");
    let photo = digest(&SHA256, b"a photo");
    dictionary.record(&[name, id, "smith"]);
    dictionary.file(b"a photo");
    let clean = Leaf {
        kind: LeafKind::BookingIn,
        time: Time::from_cs(179_000_000_000),
        follows: vec![3],
        counts: vec![5],
        commitment: [0x5a; 32],
    };
    let found = |leaf: Vec<u8>| words_in(&dictionary, &[], &[leaf]).len();
    assert_eq!(found(clean.to_bytes()), 0);
    let planted: [Vec<u8>; 12] = [
        name.into(),
        name.to_uppercase().into(),
        name.bytes().rev().collect(),
        hex::encode(name).into(),
        hex::encode_upper(name).into(),
        STANDARD.encode(name).into(),
        STANDARD.encode(format!("x{name}x")).into(),
        STANDARD.encode(format!("xy{name}")).into(),
        id.into(),
        photo.as_ref().to_vec(),
        photo.as_ref()[..8].to_vec(),
        b"smith".to_vec(),
    ];
    for planted in planted {
        assert!(
            found([clean.to_bytes(), planted.clone()].concat()) > 0,
            "{}",
            String::from_utf8_lossy(&planted)
        );
    }
    let numbered = Leaf { counts: vec![26_110_482], ..clean };
    assert!(found(numbered.to_bytes()) > 0, "a number in a count");
    let checkpoint =
        Checkpoint { origin: "Abernathy,Josephine/log".to_owned(), leaves: 1, root: [1; 32] }
            .text();
    let note = Note::parse(&format!("{checkpoint}\n\u{2014} x AAAAAA==\n"))
        .unwrap()
        .to_string()
        .into_bytes();
    let mut spaceless = Dictionary::default();
    spaceless.word("Abernathy,Josephine");
    assert!(!words_in(&spaceless, &[("a checkpoint".to_owned(), note)], &[]).is_empty());
}
