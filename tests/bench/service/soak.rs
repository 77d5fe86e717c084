//! `--soak`: searches beside bookings, releases, purges and one switch of the model after the
//! other, every answer checked.
//!
//! A state folder of the real writer on the real disk, every commit synced; faces are made up, of
//! each model its own, so that an answer that mixes two models has a score that no booking has. A
//! search sees a booking for certain if it stood from before the search took its generation until
//! after the answer was logged. An answer is wrong if it is out of order, if a score isn't the
//! exact one under the generation's model, if it holds a booking that was released before its leaf
//! was asked for, or misses one that was seen for certain and ranks before its last; or if the
//! generation is of a model that was not in use. At the end the folder is opened again and must
//! hold the same bookings.
//!
//! Memory must not grow either. It moves by steps of some 25 MB in 500 with the models and
//! galleries of each switch and fills for the first minutes, so a run of a minute or two may end
//! with that error: ten minutes are what says something.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use serde_json::json;
use smrt::audit::Actor;
use smrt::audit::touch::{Credential, FaceBox, RelyingParty, SearchApproval, verify_registration};
use smrt::booking::{BookingNumber, Identifier, Text, VersionId};
use smrt::client::software_key::SoftwareKey;
use smrt::disk::RealDisk;
use smrt::embed::Models;
use smrt::face::{Edits, Embedding, ModelId};
use smrt::gallery::{EngineChoice, GalleryError};
use smrt::inquiry::{Action, Choice, Digest, Frame, InquiryId, Probe, Quality, Request, Who};
use smrt::ledger::{Enrolled, Faces, Ledger, LedgerError, LedgerSetup, ModelSet};
use smrt::limits::{REVIEWED_CANDIDATES_MAX, SWITCH_BATCH_LEN_MAX};
use smrt::roster::{Caller, CertificateName};
use smrt::store::StateKind;
use time::OffsetDateTime;

use crate::builders::{ORIGIN, ledger_setup, request};
use crate::lives::{Changes, Clock, GROWTH_MAX, Numbers, Resident};
use crate::start::{booking, embedding};
use crate::switch::unmirrored;

const PUSHERS: u64 = 8;
const SEARCHERS: u64 = 4;
/// Releases that are purged together, because a purge writes all keys anew.
const PURGED_TOGETHER: usize = 64;
/// Searches between two switches.
const SEARCHES_PER_MODEL: u64 = 300;
/// How long whoever has met a new booking waits for its name at most.
const NAME_SECONDS_MAX: u64 = 30;
const PAUSE: Duration = Duration::from_millis(1);

/// A booking's face under each model, and whether it could be found.
struct Life {
    faces: [Embedding; 2],
    shown: Changes<bool>,
    version: Option<VersionId>,
    leaving: bool,
}

#[derive(Default)]
struct Lives {
    of: BTreeMap<u32, Life>,
    numbers: HashMap<VersionId, u32>,
}

struct World {
    ledger: Ledger,
    models: [ModelId; 2],
    rows: u32,
    agency: Identifier,
    feed: Caller,
    console: Caller,
    request: Request,
    key: Mutex<SoftwareKey>,
    relying_party: RelyingParty,
    kept: Credential,
    clock: Clock,
    lives: RwLock<Lives>,
    /// Which of the two models was in use.
    used: Mutex<Changes<usize>>,
    next: AtomicU32,
    stop: AtomicBool,
    searches: AtomicU64,
    again: AtomicU64,
    releases: AtomicU64,
    switches: AtomicU64,
}

/// Runs for so many seconds.
pub(super) fn measure(
    seconds: u64,
    rows: u32,
    models: &Path,
    engine: &str,
    json: bool,
) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let (state, next) = (folder.path().join("state"), folder.path().join("next"));
    std::fs::create_dir(&state)?;
    unmirrored(models, &next)?;
    let engine: EngineChoice = engine.parse()?;
    let open = |create_as| -> anyhow::Result<Ledger> {
        let set = Arc::new(ModelSet::open(models, Some(&next), engine, 1)?);
        let setup = ledger_setup(Arc::new(RealDisk), &state, set);
        Ok(Ledger::open(LedgerSetup { create_as, ..setup })?)
    };
    let named = |name| {
        CertificateName::parse(name)
            .map(|name| Caller { name, fingerprint: Digest([0; 32]) })
            .context("a certificate's name")
    };
    let (key, relying_party) = (SoftwareKey::new()?, RelyingParty::new("https://localhost")?);
    let kept =
        verify_registration(&key.register(&[0; 32], &relying_party), &[0; 32], &relying_party)?;
    let world = World {
        ledger: open(Some(StateKind::Test))?,
        models: [Models::id_of(models)?, Models::id_of(&next)?],
        rows,
        agency: Identifier::parse("slmpd")?,
        feed: named("smrt:agency/slmpd/feed")?,
        console: named("smrt:device/rtcc-1")?,
        request: Request { candidates: REVIEWED_CANDIDATES_MAX, ..request() },
        key: Mutex::new(key),
        relying_party,
        kept,
        clock: Clock::default(),
        lives: RwLock::default(),
        used: Mutex::new(Changes::begun(0, 0, 0)),
        next: AtomicU32::new(0),
        stop: AtomicBool::new(false),
        searches: AtomicU64::new(0),
        again: AtomicU64::new(0),
        releases: AtomicU64::new(0),
        switches: AtomicU64::new(0),
    };
    let resident = world.run(Duration::from_secs(seconds))?;
    let (bytes, growth) = resident.growth();
    let count = |of: &AtomicU64| of.load(Ordering::Relaxed);
    let (searches, switches) = (count(&world.searches), count(&world.switches));
    drop(world.ledger);
    let world = World { ledger: open(None)?, ..world };
    world.reopened()?;
    let (booked, live) = (world.next.load(Ordering::Relaxed), world.ledger.gallery().live());
    let leaves = world.ledger.leaves();
    if json {
        println!(
            "{}",
            json!({
                "bench": "soak of the ledger", "engine": world.ledger.gallery().engine(),
                    "seconds": seconds, "searches": searches, "wrong": 0,
                "run_again": count(&world.again), "switches": switches, "bookings": booked,
                    "releases": count(&world.releases), "live": live,
                "leaves": leaves, "resident_bytes": bytes, "growth": growth
            })
        );
    } else {
        println!(
            "{seconds} s: {searches} searches, none wrong, {} run again; {switches} switches, \
             {booked} bookings, {} releases, {live} live; {leaves} \
             leaves; {:.0} MiB resident, {growth:.3} times what it was in the second quarter",
            count(&world.again),
            count(&world.releases),
            bytes / f64::from(1 << 20)
        );
    }
    ensure!(
        searches > 0 && switches > 1,
        "{searches} searches and {switches} switches say nothing"
    );
    ensure!(
        growth <= GROWTH_MAX,
        "memory grew by {growth:.3} from the second quarter to the last, at most {GROWTH_MAX} is \
         no growth"
    );
    Ok(())
}

impl World {
    fn run(&self, time: Duration) -> anyhow::Result<Resident> {
        let begun = Instant::now();
        let mut resident = Resident::default();
        std::thread::scope(|scope| {
            let mut workers: Vec<_> = (0..PUSHERS).map(|_| scope.spawn(|| self.push())).collect();
            workers.push(scope.spawn(|| self.release()));
            workers.push(scope.spawn(|| self.switch()));
            workers.extend((0..SEARCHERS).map(|seed| scope.spawn(move || self.search(seed))));
            while begun.elapsed() < time && workers.iter().all(|worker| !worker.is_finished()) {
                std::thread::sleep(Duration::from_millis(200));
                resident.look();
            }
            self.stop.store(true, Ordering::Release);
            let results = workers.into_iter().map(|worker| {
                worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            });
            results.collect::<Vec<_>>().into_iter().collect::<anyhow::Result<()>>()
        })?;
        Ok(resident)
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    fn live(&self) -> usize {
        self.lives.read().expect("nobody panics with it").numbers.len()
    }

    fn push(&self) -> anyhow::Result<()> {
        while !self.stopped() {
            // As many come as go, once there are enough.
            if self.live() >= self.rows as usize {
                std::thread::sleep(PAUSE);
                continue;
            }
            let n = self.next.fetch_add(1, Ordering::Relaxed);
            let faces = [face(n, 0), face(n, 1)];
            let mut shown = Changes::default();
            shown.sent(self.clock.now(), true);
            let life = Life { faces: faces.clone(), shown, version: None, leaving: false };
            self.lives.write().expect("nobody panics with it").of.insert(n, life);
            let number = BookingNumber::parse(&format!("26-{n:07}"))?;
            let taken = loop {
                match self.ledger.book(
                    &self.feed,
                    &self.agency,
                    &number,
                    booking(n)?,
                    photo(n),
                    self.examined(&faces)?,
                ) {
                    Err(LedgerError::ModelChanged) => {}
                    Err(LedgerError::Busy) => std::thread::sleep(PAUSE),
                    taken => break taken?,
                }
            };
            let acknowledged = self.clock.now();
            let mut lives = self.lives.write().expect("nobody panics with it");
            let life = lives.of.get_mut(&n).context("only a released booking is forgotten")?;
            life.shown.acknowledged(acknowledged);
            life.version = Some(taken.version);
            lives.numbers.insert(taken.version, n);
        }
        Ok(())
    }

    /// What the models make of a booking's photo, in the order in which the service asks them.
    fn examined(&self, faces: &[Embedding; 2]) -> anyhow::Result<Faces> {
        let next = self.ledger.next_pool().map(|pool| pool.id());
        let model = self.ledger.model();
        let active = enrolled(&faces[self.index(model)?]);
        let next = next
            .map(|id| Ok::<_, anyhow::Error>((id, Ok(enrolled(&faces[self.index(id)?])))))
            .transpose()?;
        Ok(Faces { model, active, next })
    }

    fn index(&self, model: ModelId) -> anyhow::Result<usize> {
        self.models.iter().position(|&one| one == model).context("a third model")
    }

    fn release(&self) -> anyhow::Result<()> {
        let mut numbers = Numbers(17);
        let mut suppressed = Vec::new();
        let mut gone = VecDeque::new();
        while !self.stopped() {
            let n = self.next.load(Ordering::Relaxed);
            if self.live() < self.rows as usize * 9 / 10 || n == 0 {
                std::thread::sleep(PAUSE);
                continue;
            }
            let from =
                u32::try_from(numbers.below(u64::from(n))).context("a number of a booking")?;
            let sent = self.clock.now();
            let chosen = {
                let mut lives = self.lives.write().expect("nobody panics with it");
                let next = lives
                    .of
                    .range_mut(from..)
                    .find(|(_, life)| life.version.is_some() && !life.leaving);
                next.map(|(&n, life)| {
                    life.shown.sent(sent, false);
                    life.leaving = true;
                    (n, life.version)
                })
            };
            let Some((n, Some(version))) = chosen else { continue };
            let number = BookingNumber::parse(&format!("26-{n:07}"))?;
            again(|| {
                self.ledger.release(
                    &self.feed,
                    &self.agency,
                    &number,
                    "charges dropped, says the soak",
                )
            })?;
            let acknowledged = self.clock.now();
            self.lives
                .write()
                .expect("nobody panics with it")
                .of
                .get_mut(&n)
                .context("it is there")?
                .shown
                .acknowledged(acknowledged);
            gone.push_back((acknowledged, n, version));
            suppressed.push(version);
            self.releases.fetch_add(1, Ordering::Relaxed);
            if suppressed.len() == PURGED_TOGETHER {
                again(|| self.ledger.purge(suppressed.clone()))?;
                suppressed.clear();
            }
            // Searches that are under way may still have seen what is gone.
            let oldest = self.clock.oldest();
            let mut lives = self.lives.write().expect("nobody panics with it");
            while let Some((_, n, version)) =
                gone.pop_front_if(|(acknowledged, ..)| *acknowledged < oldest)
            {
                lives.of.remove(&n);
                lives.numbers.remove(&version);
            }
        }
        Ok(())
    }

    fn switch(&self) -> anyhow::Result<()> {
        for to in [1, 0].into_iter().cycle() {
            let until = self.searches.load(Ordering::Relaxed) + SEARCHES_PER_MODEL;
            while self.searches.load(Ordering::Relaxed) < until
                || self.live() < self.rows as usize / 2
            {
                if self.stopped() {
                    return Ok(());
                }
                std::thread::sleep(PAUSE);
            }
            again(|| self.ledger.begin_switch(&self.console, self.models[to], 0))?;
            let sent = self.clock.now();
            self.used.lock().expect("nobody panics with it").sent(sent, to);
            let turned = loop {
                self.embed(to)?;
                let turned = self.ledger.activate_next(&AtomicBool::new(false))?;
                if turned || self.stopped() {
                    break turned;
                }
            };
            if !turned {
                return Ok(());
            }
            let acknowledged = self.clock.now();
            self.used.lock().expect("nobody panics with it").acknowledged(acknowledged);
            self.switches.fetch_add(1, Ordering::Relaxed);
            // The former model's vectors wait for its last search.
            while self.ledger.remove_former()? && !self.stopped() {
                std::thread::sleep(PAUSE);
            }
        }
        Ok(())
    }

    /// Embeds all photos that have no vector of the model to come.
    fn embed(&self, to: usize) -> anyhow::Result<()> {
        let mut after = None;
        loop {
            let due = self.ledger.due(after, SWITCH_BATCH_LEN_MAX)?;
            let Some(&last) = due.last() else {
                if after.is_none() {
                    return Ok(());
                }
                after = None;
                continue;
            };
            after = Some(last);
            let mut faces = Vec::with_capacity(due.len());
            for version in due {
                // Purged since.
                let Some(photo) = self.ledger.standing_photo(version)? else { continue };
                let n = u32::from_le_bytes(*photo.first_chunk().context("a photo of 64 bytes")?);
                faces.push((version, Ok(enrolled(&face(n, to)))));
            }
            again(|| self.ledger.embed(self.models[to], faces.clone()))?;
        }
    }

    fn search(&self, seed: u64) -> anyhow::Result<()> {
        let mut numbers = Numbers(100 + seed);
        while !self.stopped() {
            let begin = self.clock.begin();
            let answered = self.search_once(begin, &mut numbers);
            self.clock.end(begin);
            answered?;
            self.searches.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    fn search_once(&self, begin: u64, numbers: &mut Numbers) -> anyhow::Result<()> {
        let generation = self.ledger.generation();
        let taken = self.clock.now();
        let model = self.index(generation.model())?;
        {
            let (was, meanwhile) =
                self.used.lock().expect("nobody panics with it").between(begin, taken);
            ensure!(
                was == Some(model) || meanwhile.contains(&model),
                "a search was given model {model}, in use was {was:?}"
            );
        }
        let probe = match numbers.below(4) {
            0 => numbers.embedding(generation.gallery().dimension()),
            _ => self
                .near_a_booking(model, numbers)
                .unwrap_or_else(|| numbers.embedding(generation.gallery().dimension())),
        };
        let k = [1, 10, 20, REVIEWED_CANDIDATES_MAX][usize::try_from(numbers.below(4))?];
        let id = self.asked(generation.model())?;
        loop {
            let found = again(|| self.ledger.compare(&generation, &probe, k))?;
            let asked = self.clock.now();
            let gone = again(|| {
                self.ledger.answer(id, Actor::from(&self.console), &generation, found.clone())
            })?;
            if gone.is_empty() {
                return self.check(&probe, k, &found, model, (begin, asked, self.clock.now()));
            }
            // A generation that was in use before a switch hears of no release after it.
            for version in gone {
                generation.mask(version)?;
            }
            self.again.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// An inquiry whose search was approved and asked for; its probe is one that nobody looks at.
    fn asked(&self, model: ModelId) -> anyhow::Result<InquiryId> {
        let text = |words| Text::parse(words);
        let operator = Identifier::parse("operator")?;
        let person = smrt::inquiry::Participant {
            id: operator.clone(),
            badge: text("4711")?,
            agency: self.agency.clone(),
        };
        let who = Who {
            person,
            may_operate: true,
            may_examine: true,
            may_command: false,
            may_audit: false,
        };
        let actor = || Actor::from(&self.console);
        let today = OffsetDateTime::now_utc().date();
        let id = again(|| {
            self.ledger.open_inquiry(actor(), who.clone(), self.request.clone(), today, None)
        })?;
        let frame = Frame { x: 0, y: 0, width: 100, height: 100 };
        let probe = Probe {
            sha256: Digest([1; 32]),
            bytes: 64,
            media_type: text("image/jpeg")?,
            px: [64, 64],
            faces: vec![frame],
        };
        again(|| self.ledger.act(id, who.clone(), 1, Action::ReceiveProbe(probe.clone())))?;
        let (searched, quality) = (Digest([2; 32]), Quality::default());
        let choice = Choice {
            face: 0,
            faces: 1,
            frame,
            edits: Edits::default(),
            searched,
            searched_px: [64, 64],
            quality,
            reason: None,
        };
        again(|| self.ledger.act(id, who.clone(), 2, Action::ChooseFace(choice.clone())))?;
        let approval = SearchApproval {
            log: ORIGIN.to_owned(),
            inquiry: id,
            revision: 3,
            fields_sha256: Digest([0; 32]),
            probe_sha256: Digest([1; 32]),
            searched_sha256: Digest([2; 32]),
            face: FaceBox { left: 0, top: 0, width: 100, height: 100 },
            edits: Vec::new(),
            candidates: self.request.candidates as u64,
            operator,
            device: Identifier::parse("rtcc-1")?,
            certificate_sha256: Digest([0; 32]),
            model,
            expires: u64::MAX,
            nonce: [3; 32],
        };
        let touch = self
            .key
            .lock()
            .expect("nobody panics with it")
            .touch(&approval.challenge(), &self.relying_party)?;
        again(|| {
            self.ledger.ask(
                id,
                actor(),
                who.clone(),
                approval.clone(),
                touch.clone(),
                self.kept.clone(),
            )
        })?;
        Ok(id)
    }

    fn near_a_booking(&self, model: usize, numbers: &mut Numbers) -> Option<Embedding> {
        let lives = self.lives.read().expect("nobody panics with it");
        let from =
            u32::try_from(numbers.below(u64::from(self.next.load(Ordering::Relaxed).max(1))))
                .ok()?;
        Some(numbers.near(&lives.of.range(from..).next()?.1.faces[model]))
    }

    /// Shapes: `moments` are when the search began, when its last leaf was asked for, and when that
    /// was acknowledged.
    fn check(
        &self,
        probe: &Embedding,
        k: usize,
        answer: &[(VersionId, f64)],
        model: usize,
        moments: (u64, u64, u64),
    ) -> anyhow::Result<()> {
        let (begin, asked, end) = moments;
        ensure!(answer.windows(2).all(|pair| pair[0].1 >= pair[1].1), "an answer out of order");
        let mut found = HashSet::new();
        for &(version, score) in answer {
            let n = self.named(version)?;
            ensure!(found.insert(n), "booking {n} was found twice");
            let lives = self.lives.read().expect("nobody panics with it");
            let life = lives
                .of
                .get(&n)
                .with_context(|| format!("booking {n} was found long after its release"))?;
            let exact = life.faces[model].score(probe);
            ensure!(
                exact.to_bits() == score.to_bits(),
                "booking {n} was given {score}, its score under model {model} is {exact}"
            );
            ensure!(
                life.shown.seen(asked, end).1,
                "booking {n} was released before the answer was logged"
            );
        }
        let lives = self.lives.read().expect("nobody panics with it");
        for (n, life) in
            lives.of.iter().filter(|(n, life)| !found.contains(n) && life.shown.seen(begin, end).0)
        {
            let score = life.faces[model].score(probe);
            // Equal scores stand in the order of their rows, which nobody outside knows.
            if answer.len() < k || score > answer[k - 1].1 {
                bail!(
                    "booking {n} with score {score} is missing from an answer of {}",
                    answer.len()
                );
            }
        }
        Ok(())
    }

    /// The number of a version; a booking that was just taken gets its name soon.
    fn named(&self, version: VersionId) -> anyhow::Result<u32> {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(NAME_SECONDS_MAX) {
            if let Some(&n) =
                self.lives.read().expect("nobody panics with it").numbers.get(&version)
            {
                return Ok(n);
            }
            std::thread::sleep(PAUSE);
        }
        bail!("version {version} was found, and nobody pushed it")
    }

    /// Whether the folder that was opened again has what the last one had.
    fn reopened(&self) -> anyhow::Result<()> {
        let live = self
            .lives
            .read()
            .expect("nobody panics with it")
            .of
            .values()
            .filter(|life| !life.leaving)
            .count();
        let found = self.ledger.gallery().live() as usize;
        ensure!(
            found == live,
            "{found} bookings can be found after opening again, {live} are right"
        );
        let mut numbers = Numbers(1);
        for _ in 0..100 {
            self.search_once(self.clock.now(), &mut numbers)?;
        }
        Ok(())
    }
}

/// Comes again while a queue is full.
fn again<T>(mut work: impl FnMut() -> Result<T, LedgerError>) -> Result<T, LedgerError> {
    loop {
        match work() {
            Err(LedgerError::Busy | LedgerError::Gallery(GalleryError::Busy { .. })) => {
                std::thread::sleep(PAUSE)
            }
            done => return done,
        }
    }
}

/// A booking's face under one of the two models.
fn face(n: u32, model: usize) -> Embedding {
    embedding(u64::from(n) * 2 + model as u64)
}

/// Bytes from which the booking's number can be read.
fn photo(n: u32) -> Arc<[u8]> {
    n.to_le_bytes().repeat(16).into()
}

fn enrolled(face: &Embedding) -> Enrolled {
    Enrolled {
        embedding: face.clone(),
        length: 9.0,
        frame: [10.0, 20.0, 100.0, 120.0],
        px: [240, 320],
    }
}
