//! The power goes at each write and sync in turn; nothing that was acknowledged may be lost, and
//! what wasn't is there whole or not at all.

mod a_medium_fails;

use std::collections::HashSet;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use smrt::audit::touch::{FaceBox, SearchApproval, verify_registration};
use smrt::audit::{
    Actor, Alarm, CosignerKey, Detail, Edge, Holds, Leaf, LeafKind, LogKey, Note, TileId, entries,
    is_included, leaf_hash,
};
use smrt::booking::{BookingData, BookingNumber, Identifier, Text, VersionId};
use smrt::client::software_key::SoftwareKey;
use smrt::embed::{Models, Pool};
use smrt::face::{Edits, Embedding, ModelId};
use smrt::gallery::EngineChoice;
use smrt::inquiry::{
    Action, Choice, Digest, Disposition, Finding, Frame, InquiryId, Probe, Quality, Who,
};
use smrt::ledger::{Enrolled, Faces, Fated, Ledger, LedgerError, ModelSet, SwitchState, Taken};
use smrt::limits::{FILL_ATTEMPTS_MAX, PROBE_PIECE_BYTES};
use smrt::roster::{Caller, CertificateName, Role};
use smrt::rule::Rule;
use smrt::vault::{Announced, Upload};

use crate::builders::{LOG_KEY, ORIGIN, ledger_setup, request};
use crate::desks::{person, relying_party};
use crate::fake_disk::{Choices, FakeDisk, Forgotten};
use crate::site::{models, plain_models};

const STATE: &str = "/state";
/// How long a start after a cut may take, over so few leaves.
const START_MAX: Duration = Duration::from_secs(1);
/// Bookings of one round of a switch.
const DUE_LEN_MAX: usize = 3;

/// The two models between which the box is switched, loaded once.
static MODEL_SET: LazyLock<(Arc<ModelSet>, [Arc<Pool>; 2])> = LazyLock::new(|| {
    let set = ModelSet::open(&models(), Some(&plain_models()), EngineChoice::Cpu, 1).unwrap();
    let pools = [models(), plain_models()]
        .map(|folder| set.pool(Models::id_of(&folder).unwrap()).unwrap().unwrap());
    (Arc::new(set), pools)
});

/// What the callers were told.
#[derive(Default)]
struct Told {
    bookings: Vec<(u8, Taken)>,
    released: Vec<u8>,
    superseded: Vec<Taken>,
    purged: Vec<(u8, VersionId)>,
    inquired: Inquired,
    refused: u64,
    cosigned: Vec<u64>,
    raised: Option<u64>,
    cleared: bool,
    checkpoints: Vec<String>,
    begun: bool,
    switched: bool,
}

fn open(disk: &FakeDisk) -> Result<Ledger, LedgerError> {
    let disk = Arc::new(disk.clone());
    Ledger::open(ledger_setup(disk, Path::new(STATE), MODEL_SET.0.clone()))
}

fn feed() -> Caller {
    Caller {
        name: CertificateName::parse("smrt:agency/slmpd/feed").unwrap(),
        fingerprint: Digest([0; 32]),
    }
}

fn agency() -> Identifier {
    Identifier::parse("slmpd").unwrap()
}

fn number(n: u8) -> BookingNumber {
    BookingNumber::parse(&format!("26-{n:04}")).unwrap()
}

fn booking(n: u8) -> BookingData {
    serde_json::from_value(serde_json::json!({
        "name": format!("Person {n}"), "booked_on": "2026-11-01",
            "basis": {"kind": "post_arrest_booking"}
    }))
    .unwrap()
}

/// A photo of several sectors, its own for each booking and edition.
fn photo(n: u8, edition: u8) -> Vec<u8> {
    let mut choices = Choices::new(u64::from(n) * 256 + u64::from(edition));
    (0..3000).map(|_| u8::try_from(choices.below(256)).unwrap()).collect()
}

/// What a model makes of a photo here: numbers that both decide.
fn face(photo: &[u8], model: ModelId) -> Enrolled {
    let mut choices = Choices::new(
        u64::from_le_bytes(*photo.first_chunk().unwrap())
            ^ u64::from_le_bytes(*model.0.first_chunk().unwrap()),
    );
    let raw: Vec<f32> =
        (0..128).map(|_| f32::from(u8::try_from(choices.below(256)).unwrap()) - 127.5).collect();
    Enrolled {
        embedding: Embedding::from_raw(&raw).unwrap().0,
        length: 9.0,
        frame: [0.0; 4],
        px: [64, 64],
    }
}

fn book(ledger: &Ledger, n: u8, edition: u8) -> Result<Taken, LedgerError> {
    let photo = photo(n, edition);
    let (model, next) = (ledger.model(), ledger.next_pool().map(|pool| pool.id()));
    let faces = Faces {
        model,
        active: face(&photo, model),
        next: next.map(|model| (model, Ok(face(&photo, model)))),
    };
    ledger.book(&feed(), &agency(), &number(n), booking(n), photo.into(), faces)
}

/// The best candidates for a booking's own photo, by the model in use.
fn compare(ledger: &Ledger, n: u8, edition: u8, k: usize) -> Vec<(VersionId, f64)> {
    let generation = ledger.generation();
    generation.compare(&face(&photo(n, edition), generation.model()).embedding, k).unwrap()
}

/// Embeds what is due, at most `rounds` times some of it.
fn embed_due(ledger: &Ledger, rounds: usize) -> Result<(), LedgerError> {
    let Some(next) = ledger.next_pool().map(|pool| pool.id()) else { return Ok(()) };
    for _ in 0..rounds {
        let due = ledger.due(None, DUE_LEN_MAX)?;
        if due.is_empty() {
            break;
        }
        let mut faces = Vec::new();
        for version in due {
            faces.push((
                version,
                Ok(face(&ledger.standing_photo(version)?.expect("it is due"), next)),
            ));
        }
        ledger.embed(next, faces)?;
    }
    Ok(())
}

/// What an inquiry's operator and examiner is told as it goes.
#[derive(Default)]
struct Inquired {
    /// Which of the probes it is about.
    probe: usize,
    id: Option<InquiryId>,
    /// The inquiry's revision after the last step that was acknowledged.
    revision: u64,
    /// Bytes of the probe that are acknowledged.
    received: u64,
    /// Whether a first probe was received, which that one replaces.
    replaces: bool,
    asked: Option<u64>,
    answered: bool,
    reviewed: Option<u64>,
}

/// Probes of one piece and of two, each with what is said of it before its first byte.
static PROBES: LazyLock<[(Vec<u8>, Announced); 2]> = LazyLock::new(|| {
    [3_000, PROBE_PIECE_BYTES + 5_000].map(|bytes| {
        let probe = photo(99, 0).into_iter().cycle().take(bytes).collect::<Vec<_>>();
        let announced = Announced { size: bytes as u64, sha256: sha256(&probe) };
        (probe, announced)
    })
});

/// The probe that the operator hands over first, and then thinks better of.
static FIRST_PROBE: LazyLock<(Vec<u8>, Announced)> = LazyLock::new(|| {
    let probe = photo(98, 0);
    let announced = Announced { size: probe.len() as u64, sha256: sha256(&probe) };
    (probe, announced)
});

fn sha256(bytes: &[u8]) -> Digest {
    Digest(digest(&SHA256, bytes).as_ref().try_into().unwrap())
}

/// Somebody who operates and examines.
fn who() -> Who {
    let of = person("op-1", Role::OperatorExaminer);
    let person = smrt::inquiry::Participant { id: of.id, badge: of.badge, agency: of.agency };
    Who { person, may_operate: true, may_examine: true, may_command: false, may_audit: false }
}

/// What a touch of theirs approves.
fn approval(
    inquiry: InquiryId,
    probe_sha256: Digest,
    revision: u64,
    model: ModelId,
) -> SearchApproval {
    SearchApproval {
        log: ORIGIN.to_owned(),
        inquiry,
        revision,
        fields_sha256: sha256(request().canonical().as_bytes()),
        probe_sha256,
        searched_sha256: Digest([7; 32]),
        face: FaceBox { left: 1, top: 2, width: 3, height: 4 },
        edits: Vec::new(),
        candidates: 20,
        operator: who().person.id,
        device: Identifier::parse("rtcc-1").unwrap(),
        certificate_sha256: Digest([1; 32]),
        model,
        expires: 1_790_000_060,
        nonce: [8; 32],
    }
}

/// A whole inquiry up to its first review: opened, a probe handed over and then another one, in
/// pieces, face chosen, asked, answered, all disposed, finished.
fn inquire(ledger: &Ledger, told: &mut Told) -> Result<(), LedgerError> {
    let device = Caller {
        name: CertificateName::parse("smrt:device/rtcc-1").unwrap(),
        fingerprint: Digest([1; 32]),
    };
    let actor =
        || Actor { person: Some(who().person.id), agency: Some(agency()), ..Actor::from(&device) };
    let today = time::OffsetDateTime::now_utc().date();
    let id = ledger.open_inquiry(actor(), who(), request(), today, None)?;
    (told.inquired.id, told.inquired.revision) = (Some(id), 1);
    told.checkpoints.push(ledger.checkpoint());
    let act = |told: &mut Told, action: Action| {
        ledger.act(id, who(), told.inquired.revision, action)?;
        told.inquired.revision += 1;
        Ok::<_, LedgerError>(())
    };
    let frame = Frame { x: 1, y: 2, width: 3, height: 4 };
    let received = |announced: Announced| {
        let (sha256, media_type) = (announced.sha256, Text::parse("image/jpeg").unwrap());
        Action::ReceiveProbe(Probe {
            sha256,
            bytes: announced.size,
            media_type,
            px: [64, 64],
            faces: vec![frame],
        })
    };
    let (first, announced) = (&FIRST_PROBE.0, FIRST_PROBE.1);
    ledger.upload(id, announced, |mut upload| upload.put(0, first))?;
    ledger.upload(id, announced, Upload::finish)?;
    act(told, received(announced))?;
    told.inquired.replaces = true;
    let (probe, announced) = (&PROBES[told.inquired.probe].0, PROBES[told.inquired.probe].1);
    for offset in (0..probe.len()).step_by(PROBE_PIECE_BYTES) {
        let bytes = &probe[offset..probe.len().min(offset + PROBE_PIECE_BYTES)];
        // Each piece finds out anew how far the upload is, as a request does.
        told.inquired.received =
            ledger.upload(id, announced, |mut upload| upload.put(offset as u64, bytes))?;
    }
    ledger.upload(id, announced, Upload::finish)?;
    act(told, received(announced))?;
    let choice = Choice {
        face: 0,
        faces: 1,
        frame,
        edits: Edits::default(),
        searched: Digest([7; 32]),
        searched_px: [64, 64],
        quality: Quality::default(),
        reason: None,
    };
    act(told, Action::ChooseFace(choice))?;
    let model = ledger.model();
    let mut key = SoftwareKey::new().unwrap();
    let kept =
        verify_registration(&key.register(&[0; 32], &relying_party()), &[0; 32], &relying_party())
            .unwrap();
    let approval = approval(id, announced.sha256, told.inquired.revision, model);
    let touch = key.touch(&approval.challenge(), &relying_party()).unwrap();
    told.inquired.asked = Some(ledger.ask(id, actor(), who(), approval, touch, kept)?);
    told.inquired.revision += 1;
    told.checkpoints.push(ledger.checkpoint());
    let found = compare(ledger, 2, 0, 3);
    assert_eq!(
        ledger.answer(id, actor(), &ledger.generation(), found.clone())?,
        [],
        "nothing was released meanwhile"
    );
    (told.inquired.answered, told.inquired.revision) = (true, told.inquired.revision + 1);
    told.checkpoints.push(ledger.checkpoint());
    act(told, Action::ClaimFirst { order: 3 })?;
    for (candidate, _) in found {
        let note = Text::parse("the photo does not show enough").ok();
        act(
            told,
            Action::Dispose(Finding {
                candidate,
                disposition: Disposition::Inconclusive,
                observations: Vec::new(),
                note,
            }),
        )?;
    }
    told.inquired.reviewed = Some(ledger.finish(id, actor(), who(), told.inquired.revision)?);
    told.inquired.revision += 1;
    told.checkpoints.push(ledger.checkpoint());
    Ok(())
}

/// A morning's work: bookings, one sent again with another photo, an inquiry, a release, a purge.
fn work(ledger: &Ledger, told: &mut Told) -> Result<(), LedgerError> {
    let noted = |told: &mut Told| told.checkpoints.push(ledger.checkpoint());
    for n in 0..4 {
        told.bookings.push((n, book(ledger, n, 0)?));
        noted(told);
    }
    let replaced = told.bookings[1].1;
    let taken = book(ledger, 1, 1)?;
    told.bookings[1].1 = taken;
    told.superseded.push(replaced);
    noted(told);
    inquire(ledger, told)?;
    let device = Caller {
        name: CertificateName::parse("smrt:device/rtcc-1").unwrap(),
        fingerprint: Digest([1; 32]),
    };
    // Refusals, the first with a leaf and the others gathered; witnesses; an alarm.
    for _ in 0..3 {
        let (actor, rule, reason) =
            (Actor::from(&feed()), Rule::NoFace, "no face found".to_owned());
        ledger.refused(Detail::BookingRefused { actor, rule, reason })?;
        told.refused += 1;
        noted(told);
    }
    for witness in 0..2 {
        let key = witness_key(witness);
        let mut note = Note::parse(&ledger.checkpoint())?;
        key.cosign(&mut note, 1_790_000_000);
        ledger.keep_cosignature(note, key.verifier())?;
        told.cosigned.push(ledger.leaves());
    }
    told.raised = Some(ledger.raise(Alarm::DiskLow, "little room")?);
    noted(told);
    ledger.release(&feed(), &agency(), &number(2), "record expunged")?;
    told.released.push(2);
    noted(told);
    ledger.clear(Alarm::DiskLow, told.raised.expect("it was just raised"), "room again")?;
    told.cleared = true;
    noted(told);
    let version = told.bookings[2].1.version;
    ledger.purge(vec![version])?;
    told.purged.push((2, version));
    noted(told);
    told.bookings.push((4, book(ledger, 4, 0)?));
    noted(told);
    // The model is switched while work goes on.
    ledger.begin_switch(&device, MODEL_SET.1[1].id(), 0)?;
    told.begun = true;
    noted(told);
    embed_due(ledger, 1)?;
    told.bookings.push((5, book(ledger, 5, 0)?));
    noted(told);
    ledger.release(&feed(), &agency(), &number(3), "record expunged")?;
    told.released.push(3);
    noted(told);
    embed_due(ledger, usize::MAX)?;
    assert!(ledger.activate_next(&AtomicBool::new(false))?, "everything is embedded");
    told.switched = true;
    noted(told);
    while ledger.remove_former()? {}
    told.bookings.push((6, book(ledger, 6, 0)?));
    noted(told);
    Ok(())
}

/// Opens what the cut left and holds it against what the callers were told.
fn check(disk: &FakeDisk, told: &Told) -> Result<(), String> {
    let unopened = disk.copy();
    let open = |disk: &FakeDisk| {
        open(disk).map_err(|e| format!("the folder does not open: {}", e.chain()))
    };
    let ledger = open(disk)?;
    let mut took = ledger.started().whole;
    // A machine that is busy with others is slow once: the same medium is opened again.
    for _ in 0..2 {
        if took > START_MAX {
            took = took.min(open(&unopened.copy())?.started().whole);
        }
    }
    if took > START_MAX {
        return Err(format!("the start took {took:?}, wanted less than {START_MAX:?}"));
    }
    let leaves = ledger.log().map_err(|e| e.chain())?;
    let key = LogKey::new(ORIGIN, &LOG_KEY).unwrap();
    for note in &told.checkpoints {
        let checkpoint = key.open(note).map_err(|e| e.to_string())?;
        let mut edge = Edge::default();
        for leaf in leaves.iter().take(usize::try_from(checkpoint.leaves).unwrap()) {
            edge.append(leaf);
        }
        if (edge.leaves(), edge.root()) != (checkpoint.leaves, checkpoint.root) {
            return Err(format!(
                "the log of {} leaves is not a continuation of a checkpoint over {}",
                leaves.len(),
                checkpoint.leaves
            ));
        }
    }
    for index in 0..leaves.len() as u64 {
        ledger
            .detail(index)
            .map_err(|e| e.chain())?
            .ok_or(format!("leaf {index} has no detail"))?;
    }
    // Nothing told of the switch is undone, and where it stopped it goes on to its end.
    let next = MODEL_SET.1[1].id();
    let switched = ledger.model() == next;
    if told.switched && !switched || told.begun && !switched && ledger.next_pool().is_none() {
        return Err("the switch of the model was forgotten".to_owned());
    }
    check_log(&ledger, told)?;
    check_bookings(&ledger, told)?;
    if ledger.next_pool().is_some() {
        embed_due(&ledger, usize::MAX).map_err(|e| e.chain())?;
        if !ledger.activate_next(&AtomicBool::new(false)).map_err(|e| e.chain())?
            || ledger.model() != next
        {
            return Err("the switch does not come to its end".to_owned());
        }
        check_bookings(&ledger, told)?;
    }
    while ledger.remove_former().map_err(|e| e.chain())? {}
    let standing = ledger.model_standing().map_err(|e| e.chain())?;
    if standing.state != SwitchState::None {
        return Err(format!("the switch is over and leaves {standing:?}"));
    }
    let taken = told
        .inquired
        .id
        .map(|id| ledger.find_inquiry(id))
        .transpose()
        .map_err(|e| e.chain())?
        .and_then(|inquiry| inquiry.probe().cloned());
    let uploads =
        disk.names().into_iter().filter(|p| p.extension().is_some_and(|e| e == "upload")).count();
    if uploads > 0
        && taken.is_some_and(|probe| probe.sha256 == PROBES[told.inquired.probe].1.sha256)
    {
        return Err(
            "the probe that was received lies there as an upload, and the one before it in \
            its place"
                .to_owned(),
        );
    }
    let parts = disk
        .names()
        .into_iter()
        .filter(|p| p.extension().is_some_and(|e| e == "part" || e == "new"))
        .count();
    if parts > 0 {
        return Err(format!("{parts} half-written files are left"));
    }
    // Work goes on: whatever is missing is pushed again.
    for n in [0, 1, 4, 5, 6] {
        match book(&ledger, n, u8::from(n == 1)) {
            Ok(_) => {}
            Err(e) => return Err(format!("booking {n} can't be pushed again: {}", e.chain())),
        }
    }
    Ok(())
}

fn witness_key(n: u8) -> CosignerKey {
    CosignerKey::new(&format!("w{n}.example"), &[n + 40; 32]).unwrap()
}

/// Holds tiles, cosignatures, refusals and alarms against what the callers were told.
fn check_log(ledger: &Ledger, told: &Told) -> Result<(), String> {
    let chain = |e: LedgerError| e.chain();
    for (witness, &leaves) in (0..).zip(&told.cosigned) {
        let notes = ledger.cosigned(leaves..leaves + 1, 1).map_err(chain)?;
        let note = notes
            .first()
            .and_then(|note| Note::parse(note).ok())
            .ok_or(format!("the checkpoint over {leaves} leaves is lost"))?;
        if witness_key(witness).verifier().cosigned(&note).is_none() {
            return Err(format!("the cosignature of witness {witness} is lost"));
        }
    }
    let kinds: Vec<_> = ledger
        .log()
        .map_err(chain)?
        .iter()
        .map(|leaf| Leaf::from_bytes(leaf).map(|leaf| leaf.kind))
        .collect::<Result<_, _>>()
        .map_err(|e| e.to_string())?;
    let first = kinds.iter().filter(|kind| **kind == LeafKind::BookingRefused).count() as u64;
    let waiting: u64 = ledger
        .gathered()
        .map_err(chain)?
        .iter()
        .map(
            |detail| {
                if let Detail::RefusalsGathered { refusals, .. } = detail { *refusals } else { 0 }
            },
        )
        .sum();
    // One more may have come through without its caller hearing of it.
    if !(told.refused..=told.refused + 1).contains(&(first + waiting)) {
        return Err(format!(
            "{} refusals were told, {first} have leaves and {waiting} wait",
            told.refused
        ));
    }
    let stands = ledger.standing_alarms().map_err(chain)?.first().map(|(_, leaf, _)| *leaf);
    match (told.raised, told.cleared) {
        (Some(raised), false)
            if stands != Some(raised) && !kinds.contains(&LeafKind::AlarmCleared) =>
        {
            return Err("an alarm that was logged does not stand".to_owned());
        }
        (_, true) if stands.is_some() => return Err("an alarm that was cleared stands".to_owned()),
        _ => {}
    }
    let (leaves, newest) =
        (ledger.leaves(), Note::parse(&ledger.checkpoint()).and_then(|note| note.checkpoint()));
    if leaves > 0 {
        let newest = newest.map_err(|e| e.to_string())?;
        for leaf in [0, leaves / 2, leaves - 1] {
            let proof = ledger.proof(leaf).map_err(chain)?;
            let bundle = ledger
                .tile(TileId { holds: Holds::Entries, index: 0, width: leaves })
                .map_err(chain)?
                .ok_or("a bundle is missing")?;
            let entries =
                entries(TileId { holds: Holds::Entries, index: 0, width: leaves }, &bundle)
                    .map_err(|e| e.to_string())?;
            let hash = leaf_hash(entries[usize::try_from(leaf).unwrap()]);
            if !is_included(&hash, leaf, newest.leaves, &newest.root, &proof.path) {
                return Err(format!("leaf {leaf} can't be proven"));
            }
        }
    }
    Ok(())
}

/// Holds bookings and searches against what the callers were told.
fn check_bookings(ledger: &Ledger, told: &Told) -> Result<(), String> {
    for (n, taken) in &told.bookings {
        if told.released.contains(n) {
            continue;
        }
        let standing = ledger
            .standing(&agency(), &number(*n))
            .map_err(|e| format!("booking {n}: {}", e.chain()))?;
        // Only what was at work when the power went may have come through without its
        // acknowledgement: booking 1's next photo, the release of booking 2 or 3. Anything else
        // that differs from what was told is a loss.
        let replaced = *n == 1 && !told.superseded.is_empty();
        if standing.version != taken.version {
            if *n == 1 && !replaced {
                continue;
            }
            return Err(format!("booking {n} stands as another version than was told"));
        }
        if standing.leaf != taken.leaf {
            return Err(format!(
                "booking {n} stands at leaf {}, told was {}",
                standing.leaf, taken.leaf
            ));
        }
        if standing.released.is_some() {
            if *n == 2 || *n == 3 {
                continue;
            }
            return Err(format!("booking {n} is released and nobody released it"));
        }
        let edition = u8::from(replaced);
        let kept = ledger.photo(taken.version).map_err(|e| format!("photo {n}: {}", e.chain()))?;
        if kept.as_deref() != Some(&photo(*n, edition)) {
            return Err(format!("the photo of booking {n} is not the one that came"));
        }
        // Of another model the score would be anything but this.
        let found = compare(ledger, *n, edition, 1)
            .iter()
            .any(|(version, score)| *version == taken.version && *score > 0.999);
        if !found {
            return Err(format!("booking {n} is not found"));
        }
    }
    let findable: HashSet<VersionId> =
        compare(ledger, 0, 0, 100).into_iter().map(|(version, _)| version).collect();
    let photos = ledger.photo_ids().map_err(|e| e.chain())?;
    for taken in told
        .superseded
        .iter()
        .chain(told.bookings.iter().filter(|(n, _)| told.released.contains(n)).map(|(_, t)| t))
    {
        if findable.contains(&taken.version) {
            return Err("a booking that was replaced or released is found".to_owned());
        }
    }
    for (n, version) in &told.purged {
        if photos.contains(version) || ledger.photo(*version).map_err(|e| e.chain())?.is_some() {
            return Err(format!("booking {n} was purged and its photo is there"));
        }
        if !matches!(ledger.standing(&agency(), &number(*n)), Err(LedgerError::Released { .. })) {
            return Err(format!("booking {n} was purged and has no tombstone"));
        }
    }
    for version in &findable {
        if !photos.contains(version) {
            return Err("a booking is found that has no photo".to_owned());
        }
    }
    check_inquiry(ledger, &told.inquired)
}

/// Holds an inquiry against what its operator and examiner was told: it stands at that step or the
/// next, and its leaves say the same.
fn check_inquiry(ledger: &Ledger, told: &Inquired) -> Result<(), String> {
    let Some(id) = told.id else { return Ok(()) };
    let (probe, announced) = (&PROBES[told.probe].0, PROBES[told.probe].1);
    let inquiry = ledger.find_inquiry(id).map_err(|e| format!("the inquiry: {}", e.chain()))?;
    // A release of a candidate and an interruption raise it, too.
    if inquiry.revision() < told.revision {
        return Err(format!(
            "the inquiry stands at revision {}, told was {}",
            inquiry.revision(),
            told.revision
        ));
    }
    if inquiry.under_way() {
        return Err("a search that nobody answers any more is under way".to_owned());
    }
    let recorded = inquiry.probe().map(|probe| probe.sha256);
    if told.replaces && recorded.is_none() {
        return Err("the probe that was to be replaced is gone".to_owned());
    }
    if let Some(recorded) = recorded {
        let kept = ledger.probe(id).map_err(|e| format!("the probe: {}", e.chain()))?;
        if kept.is_none_or(|kept| sha256(&kept) != recorded)
            || ![announced.sha256, FIRST_PROBE.1.sha256].contains(&recorded)
        {
            return Err("the probe is not the one that came".to_owned());
        }
    }
    if told.replaces && recorded != Some(announced.sha256) {
        // It goes on where it was, to the same end.
        let received = ledger
            .upload(id, announced, |upload| Ok(upload.received()))
            .map_err(|e| format!("the upload: {}", e.chain()))?;
        if received < told.received {
            return Err(format!(
                "{received} bytes of the probe are there, told were {}",
                told.received
            ));
        }
        let mut at = received;
        while at < probe.len() as u64 {
            let from = usize::try_from(at).unwrap();
            let piece = &probe[from..probe.len().min(from + PROBE_PIECE_BYTES)];
            at = ledger
                .upload(id, announced, |mut upload| upload.put(at, piece))
                .map_err(|e| format!("a piece: {}", e.chain()))?;
        }
        ledger
            .upload(id, announced, Upload::finish)
            .map_err(|e| format!("its end: {}", e.chain()))?;
    }
    let detail = |leaf: u64| {
        ledger.detail(leaf).map_err(|e| e.chain())?.ok_or(format!("leaf {leaf} has no detail"))
    };
    if let Some(asked) = told.asked
        && (detail(asked)?["detail"] != "asked"
            || inquiry.searches().last().is_none_or(|search| search.leaf != asked))
    {
        return Err(format!("leaf {asked} is not the search that it was"));
    }
    if told.answered && inquiry.answer().is_none() {
        return Err("an answer that was shown is not there".to_owned());
    }
    if let Some(reviewed) = told.reviewed
        && (detail(reviewed)?["detail"] != "reviewed"
            || inquiry.first().and_then(|review| review.leaf) != Some(reviewed))
    {
        return Err("a review that was finished is not".to_owned());
    }
    // Each search that was logged has its end in the log.
    let ends = |leaf: u64| {
        Ok::<_, String>(matches!(
            detail(leaf)?["detail"].as_str(),
            Some("answered" | "interrupted")
        ))
    };
    let asked = inquiry.searches().iter().map(|search| search.leaf);
    for asked in asked {
        let mut ended = false;
        for leaf in asked + 1..ledger.leaves() {
            ended |= ends(leaf)?;
        }
        if !ended {
            return Err(format!("the search of leaf {asked} has no end"));
        }
    }
    Ok(())
}

/// What is done until the power goes.
type Work = fn(&Ledger, &mut Told) -> Result<(), LedgerError>;

/// Works on a copy of `base` until the power goes at `cut`, then checks what is left. Gives whether
/// the power went at all.
fn cut_once(
    base: &FakeDisk,
    work: Work,
    cut: u64,
    seed: u64,
    forgotten: Option<Forgotten>,
) -> (bool, Result<(), String>) {
    let disk = base.copy();
    if let Some(forgotten) = forgotten {
        disk.forget(forgotten);
    }
    disk.cut_at(cut);
    let mut told = Told::default();
    let done = open(&disk).and_then(|ledger| work(&ledger, &mut told));
    let left = disk.after_cut(&mut Choices::new(seed * 1_000_003 + cut));
    (done.is_err(), check(&left, &told))
}

fn worked_base() -> FakeDisk {
    let disk = FakeDisk::with_folder(Path::new(STATE));
    drop(open(&disk).expect("an empty folder can be made a state folder"));
    disk.copy()
}

/// Cuts at every operation of the work with each seed until `stop` says so; gives the number of
/// cuts and the first violation.
fn cut_everywhere(
    base: &FakeDisk,
    work: Work,
    seeds: std::ops::Range<u64>,
    forgotten: Option<Forgotten>,
) -> (usize, Option<String>) {
    let mut cuts = 0;
    for seed in seeds {
        for cut in 0.. {
            let (went, checked) = cut_once(base, work, cut, seed, forgotten);
            if !went {
                // The power stays on to the end, and then it goes.
                if let Err(violation) = checked {
                    return (cuts, Some(format!("seed {seed}, after all work: {violation}")));
                }
                break;
            }
            cuts += 1;
            if let Err(violation) = checked {
                return (cuts, Some(format!("seed {seed}, cut at operation {cut}: {violation}")));
            }
        }
    }
    (cuts, None)
}

#[test]
fn no_power_cut_at_any_write_or_sync_loses_what_was_acknowledged() {
    let (cuts, violation) = cut_everywhere(&worked_base(), work, 0..5, None);
    assert_eq!(violation, None, "after {cuts} cuts");
    assert!(cuts >= 2_000, "{cuts} cuts");
    println!("{cuts} power cuts");
}

#[test]
fn no_power_cut_loses_a_piece_of_a_probe_that_takes_several() {
    fn work(ledger: &Ledger, told: &mut Told) -> Result<(), LedgerError> {
        told.bookings.push((2, book(ledger, 2, 0)?));
        told.inquired.probe = 1;
        inquire(ledger, told)
    }
    let (cuts, violation) = cut_everywhere(&worked_base(), work, 0..1, None);
    assert_eq!(violation, None, "after {cuts} cuts");
    println!("{cuts} power cuts");
}

#[test]
fn no_power_cut_while_a_state_folder_is_made_leaves_one_that_does_not_open() {
    let empty = FakeDisk::with_folder(Path::new(STATE));
    let whole = {
        let disk = empty.copy();
        drop(open(&disk).unwrap());
        disk.operations()
    };
    for cut in 0..whole {
        for seed in 0..2 {
            let disk = empty.copy();
            disk.cut_at(cut);
            let _ = open(&disk);
            let left = disk.after_cut(&mut Choices::new(seed * 31 + cut));
            let checked = check(&left, &Told::default());
            assert_eq!(checked, Ok(()), "cut at operation {cut} of {whole}, seed {seed}");
        }
    }
}

#[test]
fn a_build_that_forgets_any_one_sync_is_caught() {
    let mutants: [(&str, Forgotten); 9] = [
        ("booking slots", |p| name(p).starts_with("slots.")),
        ("probe slots", |p| name(p).starts_with("probe-slots.")),
        ("epoch anchors", |p| name(p).starts_with("slots-anchor.")),
        ("photo files", |p| {
            p.extension().is_some_and(|e| e == "part") && p.starts_with("/state/photos")
        }),
        ("probe files", |p| {
            p.extension().is_some_and(|e| e == "upload") && p.starts_with("/state/probes")
        }),
        ("photo folders", |p| p.extension().is_none() && p.starts_with("/state/photos")),
        ("probe folders", |p| p.extension().is_none() && p.starts_with("/state/probes")),
        ("the store", |p| name(p).starts_with("smrt.redb")),
        ("the state folder", |p| p == Path::new(STATE)),
    ];
    let base = worked_base();
    for (what, forgotten) in mutants {
        let (cuts, violation) = cut_everywhere(&base, work, 0..40, Some(forgotten));
        let violation = violation.unwrap_or_else(|| {
            panic!("{cuts} power cuts did not show that the sync of {what} is missing")
        });
        println!("without the sync of {what}: {violation}");
    }
}

#[test]
fn a_gallery_that_takes_the_process_down_each_time_is_not_begun_for_ever() {
    let (ended, go_on) = (AtomicBool::new(true), AtomicBool::new(false));
    let state = |ledger: &Ledger| ledger.model_standing().unwrap().state;
    let mut disk = worked_base();
    let ledger = open(&disk).unwrap();
    book(&ledger, 0, 0).unwrap();
    ledger.begin_switch(&feed(), MODEL_SET.1[1].id(), 0).unwrap();
    embed_due(&ledger, usize::MAX).unwrap();
    let before = disk.operations();
    assert!(!ledger.activate_next(&ended).unwrap());
    assert_eq!(state(&ledger), SwitchState::Embedding, "one that is left in order doesn't count");
    // One commit says that a gallery is begun, another that it was left.
    let begin = (disk.operations() - before) / 2;
    drop(ledger);
    for n in 1..=FILL_ATTEMPTS_MAX {
        let ledger = open(&disk).unwrap();
        assert_eq!(state(&ledger), SwitchState::Embedding, "begun {n} times");
        disk.cut_at(disk.operations() + begin + 1);
        assert!(ledger.activate_next(&go_on).is_err());
        drop(ledger);
        disk = disk.after_cut(&mut Choices::new(n.into()));
    }
    let ledger = open(&disk).unwrap();
    assert!(state(&ledger) == SwitchState::Blocked && !ledger.activate_next(&go_on).unwrap());
    ledger.begin_switch(&feed(), MODEL_SET.1[1].id(), 0).unwrap();
    assert!(ledger.activate_next(&go_on).unwrap(), "asked for again, it is tried again");
    assert_eq!(ledger.model(), MODEL_SET.1[1].id());
}

fn name(path: &Path) -> &str {
    path.file_name().and_then(|n| n.to_str()).unwrap_or_default()
}
