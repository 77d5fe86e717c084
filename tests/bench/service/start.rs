//! `--start`: a state folder made by the real writer, closed, and opened again with a cold page
//! cache.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use anyhow::{Context, ensure};
use serde_json::json;
use smrt::booking::{BookingNumber, Identifier};
use smrt::disk::{Disk, DiskFile, OpenMode, RealDisk};
use smrt::embed::Models;
use smrt::face::Embedding;
use smrt::gallery::EngineChoice;
use smrt::ids::Digest;
use smrt::ledger::{Enrolled, Faces, Ledger, LedgerSetup, ModelSet};
use smrt::roster::{Caller, CertificateName};
use smrt::store::{STORE_FILE, StateKind};

use crate::builders::ledger_setup;
use crate::lives::Numbers;

const DIMENSION: usize = 128;
/// Callers at once: two of the writer's groups, so that one is always full while the other is at
/// work.
const CALLERS: usize = 128;
/// Bookings between two lines on how far the making is.
const TOLD_EVERY: u32 = 50_000;

/// Makes or takes the folder, and has a fresh process open it.
pub(super) fn measure(
    bookings: u32,
    state: Option<&Path>,
    models: &Path,
    json: bool,
) -> anyhow::Result<()> {
    let temporary = tempfile::tempdir()?;
    let state = state.map_or_else(|| temporary.path().join("state"), Path::to_owned);
    if state.join(STORE_FILE).exists() {
        eprintln!("taking the state folder {} as it is", state.display());
    } else {
        make(&state, bookings, models)?;
    }
    let cold = drop_caches();
    if !cold {
        eprintln!(
            "the page cache can't be dropped by this user: the figures are those of a warm one"
        );
    }
    let mut open = Command::new(std::env::current_exe()?);
    open.arg("--open").arg(&state).arg("--models").arg(models);
    if json {
        open.arg("--json");
    }
    ensure!(open.status()?.success(), "opening {} failed", state.display());
    Ok(())
}

/// Opens the folder and says what that took; run in a process of its own.
pub(super) fn open(state: &Path, models: &Path, as_json: bool) -> anyhow::Result<()> {
    let ledger = ledger(Arc::new(RealDisk), state, None, models)?;
    let (rows, started) = (ledger.gallery().live(), ledger.started());
    let seconds = started.whole.as_secs_f64();
    let stages: Vec<(&str, f64)> =
        started.stages.iter().map(|(stage, took)| (stage.name(), took.as_secs_f64())).collect();
    let (read, peak) = (proc_figure("io", "read_bytes:")?, proc_figure("status", "VmHWM:")? << 10);
    if as_json {
        let stages: serde_json::Map<_, _> = stages
            .into_iter()
            .map(|(stage, took)| (format!("{stage}_seconds"), took.into()))
            .collect();
        let mut line = json!({"bench": "start", "rows": rows, "seconds": seconds,
            "medium_bytes_read": read, "peak_bytes": peak});
        line.as_object_mut().expect("it was just made one").extend(stages);
        println!("{line}");
    } else {
        for (stage, took) in stages {
            println!("{stage:>8} {took:6.2} s");
        }
        println!(
            "{rows} rows in {seconds:.1} s; {read} bytes read of the medium, at most {peak} bytes \
             of memory"
        );
    }
    Ok(())
}

/// A folder of bookings, made by the real writer on a medium that is synced once at the end.
pub(super) fn make(state: &Path, bookings: u32, models: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(state).with_context(|| format!("making {}", state.display()))?;
    let ledger = ledger(Arc::new(Unsynced(RealDisk)), state, Some(StateKind::Test), models)?;
    let caller = Caller {
        name: CertificateName::parse("smrt:agency/slmpd/feed").context("a feed's name")?,
        fingerprint: Digest([0; 32]),
    };
    let agency = Identifier::parse("slmpd")?;
    let next = AtomicU32::new(0);
    let begun = Instant::now();
    std::thread::scope(|scope| {
        let callers: Vec<_> = (0..CALLERS)
            .map(|_| {
                scope.spawn(|| -> anyhow::Result<()> {
                    loop {
                        let n = next.fetch_add(1, Ordering::Relaxed);
                        if n >= bookings {
                            return Ok(());
                        }
                        let active = Enrolled {
                            embedding: embedding(u64::from(n)),
                            length: 9.0,
                            frame: [10.0, 20.0, 100.0, 120.0],
                            px: [240, 320],
                        };
                        let faces = Faces { model: ledger.model(), active, next: None };
                        let number = BookingNumber::parse(&format!("26-{n:07}"))?;
                        ledger.book(
                            &caller,
                            &agency,
                            &number,
                            booking(n)?,
                            n.to_le_bytes().repeat(16).into(),
                            faces,
                        )?;
                        if n > 0 && n.is_multiple_of(TOLD_EVERY) {
                            eprintln!(
                                "{n} of {bookings} bookings made in {:.0} s",
                                begun.elapsed().as_secs_f64()
                            );
                        }
                    }
                })
            })
            .collect();
        callers.into_iter().try_for_each(|caller| caller.join().expect("a caller does not panic"))
    })?;
    drop(ledger);
    let synced = Command::new("sync").arg("--file-system").arg(state).status()?;
    ensure!(synced.success(), "the medium was not synced");
    eprintln!("{bookings} bookings made in {:.0} s", begun.elapsed().as_secs_f64());
    Ok(())
}

fn ledger(
    disk: Arc<dyn Disk>,
    state: &Path,
    create_as: Option<StateKind>,
    models: &Path,
) -> anyhow::Result<Ledger> {
    let set = ModelSet::open(models, None, EngineChoice::Cpu, 1)?;
    // Loaded before, so that a start's figures are those of its folder.
    let _pool = set.pool(Models::id_of(models)?)?;
    let setup = ledger_setup(disk, state, Arc::new(set));
    Ok(Ledger::open(LedgerSetup { create_as, ..setup })?)
}

pub(super) fn booking(n: u32) -> anyhow::Result<smrt::booking::BookingData> {
    Ok(serde_json::from_value(json!({
        "name": format!("Person {n}"), "date_of_birth": "1980-02-29", "booked_on": "2026-11-01",
            "charges": ["trespass", "assault, third degree"],
        "basis": {"kind": "post_arrest_booking"}
    }))?)
}

/// The same face for the same seed.
pub(super) fn embedding(seed: u64) -> Embedding {
    Numbers(seed).embedding(DIMENSION)
}

/// Empties the page cache, where this user may.
fn drop_caches() -> bool {
    std::fs::write("/proc/sys/vm/drop_caches", "3").is_ok()
}

/// A number of this process from a file below /proc/self.
fn proc_figure(file: &str, name: &str) -> anyhow::Result<u64> {
    let text = std::fs::read_to_string(format!("/proc/self/{file}"))?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(name))
        .with_context(|| format!("no {name} in /proc/self/{file}"))?;
    Ok(line.split_whitespace().next().context("a number")?.parse()?)
}

/// The real disk without its syncs. A folder made on it counts once its file system was synced.
#[derive(Debug)]
struct Unsynced(RealDisk);

#[derive(Debug)]
struct UnsyncedFile(Arc<dyn DiskFile>);

impl Disk for Unsynced {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn DiskFile>> {
        Ok(Arc::new(UnsyncedFile(self.0.open(path, mode)?)))
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.0.rename(from, to)
    }
    fn unlink(&self, path: &Path) -> io::Result<()> {
        self.0.unlink(path)
    }
    fn make_folder(&self, path: &Path) -> io::Result<()> {
        self.0.make_folder(path)
    }
    fn list(&self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        self.0.list(folder)
    }
    fn sync_folder(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }
    fn free_bytes(&self, folder: &Path) -> io::Result<u64> {
        RealDisk.free_bytes(folder)
    }

    fn lock(&self, folder: &Path) -> io::Result<Box<dyn Send + Sync>> {
        self.0.lock(folder)
    }
}

impl DiskFile for UnsyncedFile {
    fn size(&self) -> io::Result<u64> {
        self.0.size()
    }
    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read_at(offset, out)
    }
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.0.write_at(offset, bytes)
    }
    fn set_size(&self, size: u64) -> io::Result<()> {
        self.0.set_size(size)
    }
    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}
