//! `--commit`: leaves a second through the ledger, every one durable when its writer hears of it,
//! beside a bare redb that commits the same bytes in the same way: one writing thread that takes
//! all that waits as one group.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use redb::{Database, TableDefinition};
use serde_json::json;
use smrt::audit::{Actor, Detail};
use smrt::booking::VersionId;
use smrt::disk::RealDisk;
use smrt::gallery::EngineChoice;

use smrt::ledger::{Ledger, ModelSet};
use smrt::limits::COMMIT_CHANGES_MAX;

use crate::builders::ledger_setup;

const TABLE: TableDefinition<u64, &[u8]> = TableDefinition::new("bytes");
/// Rounds of each, in turns, so that both see the same medium.
const ROUNDS: usize = 3;

/// What a number of writers got.
#[derive(Default)]
struct Got {
    leaves: u64,
    seconds: f64,
    waits_ms: Vec<f64>,
}

/// Measures 1 and 32 writers for so many seconds each, in a folder of this medium.
pub(super) fn measure(seconds: u64, dir: Option<&Path>, as_json: bool) -> anyhow::Result<()> {
    let temporary = match dir {
        Some(dir) => tempfile::tempdir_in(dir)?,
        None => tempfile::tempdir()?,
    };
    let ledger = open(&temporary.path().join("state"))?;
    let bytes = bytes_of_a_leaf(&ledger)?;
    let bare = Bare::open(&temporary.path().join("bare.redb"), bytes)?;
    for writers in [1, 32] {
        let (mut ours, mut theirs) = (Got::default(), Got::default());
        let round = Duration::from_secs(seconds) / u32::try_from(ROUNDS)?;
        for _ in 0..ROUNDS {
            ours.run(writers, round, || log(&ledger))?;
            theirs.run(writers, round, || bare.put())?;
        }
        tell(writers, bytes, ours, theirs, as_json);
    }
    bare.close();
    Ok(())
}

fn open(state: &Path) -> anyhow::Result<Ledger> {
    std::fs::create_dir(state)?;
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
    let set = Arc::new(ModelSet::open(&models, None, EngineChoice::Cpu, 1)?);
    Ok(Ledger::open(ledger_setup(Arc::new(RealDisk), state, set))?)
}

/// Logs what an operator does most: looking at a candidate's photo.
fn log(ledger: &Ledger) -> anyhow::Result<()> {
    let actor = Actor {
        certificate: "smrt:device/rtcc-1".to_owned(),
        fingerprint: "00".repeat(32),
        person: None,
        agency: None,
    };
    let viewed =
        Detail::PhotoViewed { actor, search: "00".repeat(16), version: VersionId([0; 16]) };
    ledger.note(vec![0], Vec::new(), viewed)?;
    Ok(())
}

/// Bytes that one leaf puts into the store: itself, its sealed detail, the tree's edge and the
/// signed checkpoint.
fn bytes_of_a_leaf(ledger: &Ledger) -> anyhow::Result<usize> {
    log(ledger)?;
    let leaf = ledger.log()?.pop().context("it was just logged")?;
    let opened = ledger.open_detail(ledger.leaves() - 1)?.context("it has a detail")?;
    // A nonce and a tag seal the salt with the detail; ten subtrees are what a thousand leaves'
    // edge has at most.
    Ok(leaf.len()
        + 12
        + opened.salt.len()
        + opened.detail.len()
        + 16
        + 8
        + 10 * 32
        + ledger.checkpoint().len())
}

impl Got {
    fn run(
        &mut self,
        writers: usize,
        round: Duration,
        put: impl Fn() -> anyhow::Result<()> + Sync,
    ) -> anyhow::Result<()> {
        let (stop, waits, failed) =
            (AtomicBool::new(false), Mutex::new(Vec::new()), Mutex::new(None));
        let begun = Instant::now();
        std::thread::scope(|scope| {
            for _ in 0..writers {
                scope.spawn(|| {
                    let mut own = Vec::new();
                    while !stop.load(Ordering::Relaxed) {
                        let begun = Instant::now();
                        if let Err(e) = put() {
                            *failed.lock().expect("nobody panics with it") = Some(e);
                            return;
                        }
                        own.push(begun.elapsed().as_secs_f64() * 1e3);
                    }
                    waits.lock().expect("nobody panics with it").append(&mut own);
                });
            }
            std::thread::sleep(round);
            stop.store(true, Ordering::Relaxed);
        });
        let seconds = begun.elapsed().as_secs_f64();
        if let Some(e) = failed.into_inner().expect("nobody panics with it") {
            return Err(e);
        }
        let mut waits = waits.into_inner().expect("nobody panics with it");
        ensure!(!waits.is_empty(), "nothing was written in {seconds} s");
        self.leaves += waits.len() as u64;
        self.seconds += seconds;
        self.waits_ms.append(&mut waits);
        Ok(())
    }

    fn a_second(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a bench writes fewer than 2^53 leaves")]
        let leaves = self.leaves as f64;
        leaves / self.seconds
    }

    /// Median and 99th percentile.
    fn waits(&mut self) -> [f64; 2] {
        self.waits_ms.sort_by(f64::total_cmp);
        let last = self.waits_ms.len() - 1;
        [self.waits_ms[last / 2], self.waits_ms[last - last / 100]]
    }
}

fn tell(writers: usize, bytes: usize, mut ours: Got, mut theirs: Got, as_json: bool) {
    let (a_second, bare) = (ours.a_second(), theirs.a_second());
    let ([median, p99], [bare_median, bare_p99]) = (ours.waits(), theirs.waits());
    let ratio = bare / a_second;
    if as_json {
        let line = json!({
            "bench": "log_commit", "writers": writers, "bytes_per_leaf": bytes,
                "leaves": ours.leaves, "leaves_per_second": a_second,
            "wait_ms_median": median, "wait_ms_p99": p99, "bare_redb_per_second": bare,
                "bare_redb_wait_ms_median": bare_median,
            "bare_redb_wait_ms_p99": bare_p99, "times_bare_redb": ratio,
        });
        println!("{line}");
    } else {
        println!(
            "{writers} writers: {a_second:.0} leaves a second, {median:.1} ms ({p99:.1} ms in the \
             worst hundredth); bare redb {bare:.0} \
             a second, {ratio:.2} times ours"
        );
    }
}

/// A redb that commits plain bytes.
struct Bare {
    queue: SyncSender<SyncSender<()>>,
    thread: std::thread::JoinHandle<()>,
}

impl Bare {
    fn open(path: &Path, bytes: usize) -> anyhow::Result<Self> {
        let database = Database::create(path)?;
        let (queue, jobs) = sync_channel::<SyncSender<()>>(256);
        let thread = std::thread::spawn(move || {
            let (mut next, value) = (0u64, vec![7; bytes]);
            while let Ok(first) = jobs.recv() {
                let group: Vec<_> = std::iter::once(first)
                    .chain(jobs.try_iter().take(COMMIT_CHANGES_MAX - 1))
                    .collect();
                let mut transaction =
                    database.begin_write().expect("the bare store takes a transaction");
                transaction.set_quick_repair(true);
                {
                    let mut table =
                        transaction.open_table(TABLE).expect("the bare store has its table");
                    for _ in &group {
                        table.insert(next, &value[..]).expect("the bare store takes a row");
                        next += 1;
                    }
                }
                transaction.commit().expect("the bare store commits");
                for writer in group {
                    // Its writer may have stopped waiting.
                    let _ = writer.send(());
                }
            }
        });
        Ok(Self { queue, thread })
    }

    fn put(&self) -> anyhow::Result<()> {
        let (done, wait) = sync_channel(1);
        self.queue.send(done)?;
        Ok(wait.recv()?)
    }

    fn close(self) {
        drop(self.queue);
        self.thread.join().expect("the bare store's thread ends");
    }
}
