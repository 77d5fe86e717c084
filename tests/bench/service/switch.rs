//! `--switch`: a state folder made by the real writer goes over to another model: what the ledger's
//! part of it costs, and how long anybody else waits for the writer meanwhile. Embedding itself is
//! another bench's.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde_json::json;
use smrt::booking::{BookingNumber, Identifier};
use smrt::disk::RealDisk;
use smrt::embed::Models;
use smrt::gallery::EngineChoice;
use smrt::ids::Digest;
use smrt::ledger::{Enrolled, Ledger, ModelSet};
use smrt::limits::SWITCH_BATCH_LEN_MAX;
use smrt::roster::{Caller, CertificateName};

use crate::builders::ledger_setup;
use crate::start::{embedding, make};

/// Makes a folder and switches it.
pub(super) fn measure(bookings: u32, models: &Path, json: bool) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let (state, next) = (folder.path().join("state"), folder.path().join("next"));
    make(&state, bookings, models)?;
    unmirrored(models, &next)?;
    let set = Arc::new(ModelSet::open(models, Some(&next), EngineChoice::Cpu, 1)?);
    let model = Models::id_of(&next)?;
    let ledger = Ledger::open(ledger_setup(Arc::new(RealDisk), &state, set))?;
    let caller = Caller {
        name: CertificateName::parse("smrt:device/admin-1").context("a device's name")?,
        fingerprint: Digest([0; 32]),
    };
    ledger.begin_switch(&caller, model, 0)?;
    let begun = Instant::now();
    let mut after = None;
    loop {
        let due = ledger.due(after, SWITCH_BATCH_LEN_MAX)?;
        let Some(last) = due.last() else { break };
        after = Some(*last);
        let mut faces = Vec::with_capacity(due.len());
        for version in &due {
            let seed = u64::from_le_bytes(*version.0.first_chunk().context("an id has 16 bytes")?);
            faces.push((
                *version,
                Ok(Enrolled {
                    embedding: embedding(seed),
                    length: 9.0,
                    frame: [10.0, 20.0, 100.0, 120.0],
                    px: [240, 320],
                }),
            ));
        }
        ledger.embed(model, faces)?;
    }
    let embedded = begun.elapsed();
    let (activate, wait) = watched(&ledger, || ledger.activate_next(&AtomicBool::new(false)))?;
    let begun = Instant::now();
    while ledger.remove_former()? {}
    let remove = begun.elapsed();
    ensure!(ledger.model() == model, "the switch did not come to its end");
    let (vectors, activate, wait, remove) = (
        f64::from(bookings) / embedded.as_secs_f64(),
        activate.as_secs_f64(),
        wait.as_secs_f64(),
        remove.as_secs_f64(),
    );
    if json {
        println!(
            "{}",
            json!({"bench": "switch", "rows": bookings, "vectors_per_second": vectors,
                "activate_seconds": activate, "writer_wait_seconds_max": wait,
                "remove_seconds": remove})
        );
    } else {
        println!(
            "{bookings} rows: {vectors:.0} vectors a second kept, change-over {activate:.2} s, \
             longest wait for the writer {wait:.3} s, removal {remove:.2} s"
        );
    }
    Ok(())
}

/// How long `work` takes, and the longest that somebody who asks the writer all the time waits
/// meanwhile.
fn watched(
    ledger: &Ledger,
    work: impl FnOnce() -> Result<bool, smrt::ledger::LedgerError>,
) -> anyhow::Result<(Duration, Duration)> {
    let (caller, agency, number) = (
        Caller {
            name: CertificateName::parse("smrt:agency/slmpd/feed").context("a feed's name")?,
            fingerprint: Digest([0; 32]),
        },
        Identifier::parse("slmpd")?,
        BookingNumber::parse("none")?,
    );
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let asker = scope.spawn(|| {
            let mut longest = Duration::ZERO;
            while !done.load(Ordering::Relaxed) {
                let asked = Instant::now();
                // Nothing of this name is there: the writer says so and commits nothing.
                let _ = ledger.release(&caller, &agency, &number, "asked by a bench");
                longest = longest.max(asked.elapsed());
            }
            longest
        });
        let begun = Instant::now();
        let turned = work();
        let took = begun.elapsed();
        done.store(true, Ordering::Relaxed);
        let longest = asker.join().expect("whoever asks does not panic");
        ensure!(turned?, "something is due, or was refused");
        Ok((took, longest))
    })
}

/// A folder of the same models without the mirror.
pub(super) fn unmirrored(models: &Path, folder: &Path) -> anyhow::Result<()> {
    std::fs::create_dir(folder)?;
    for entry in std::fs::read_dir(models)? {
        let path = entry?.path();
        let (Some(name), Some(ending)) = (path.file_name(), path.extension()) else { continue };
        if ending == "toml" {
            std::fs::write(
                folder.join(name),
                std::fs::read_to_string(&path)?.replace("mirror = true", "mirror = false"),
            )?;
        } else if ending == "onnx" {
            std::os::unix::fs::symlink(std::fs::canonicalize(&path)?, folder.join(name))?;
        }
    }
    Ok(())
}
