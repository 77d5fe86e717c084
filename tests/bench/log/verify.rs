//! `--verify`: an archive written in bulk, verified as an auditor does, and proofs read from its
//! tiles.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, ensure};
use cpu_time::ProcessTime;
use serde_json::json;
use smrt::audit::{
    CosignerKey, Leaf, LogKey, Note, Quorum, TileId, Witness, inclusion, is_included, leaf_hash,
};
use smrt::calendar::{Span, Time};
use smrt::client::log_folder::{LogFolder, LogFolderError};
use smrt::client::verify_log::{LogVerdict, VerifyOptions, verify};

use crate::maker::{EPISODE, leaf};
use crate::tiles::Tiles;

const ORIGIN: &str = "bench.example/smrt";
const BEGAN: Time = Time::from_cs(179_000_000_000);
/// Seconds between two leaves: ten million of them are a year and a half.
const STEP_SECONDS: u64 = 5;
/// A checkpoint is kept every so many leaves: every day.
const KEPT_EVERY: u64 = 17_280;
const WITHIN_MINUTES: u64 = 60;
const PROOFS: u64 = 1_000;

/// Makes or takes the archive and measures.
pub(super) fn measure(leaves: u64, dir: Option<&Path>, as_json: bool) -> anyhow::Result<()> {
    let temporary = tempfile::tempdir()?;
    let archive = LogFolder::at(dir.unwrap_or(temporary.path()));
    if archive.checkpoint()?.is_some() {
        eprintln!("taking the archive in {} as it is", archive.path().display());
    } else {
        let begun = Instant::now();
        make(&archive, leaves)?;
        eprintln!("{leaves} leaves made in {:.0} s", begun.elapsed().as_secs_f64());
    }
    let all = std::thread::available_parallelism().map_or(1, usize::from);
    // The first time its files come into the page cache.
    for (pass, threads) in [("first", all), ("again", all), ("again", 1)] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
        let (begun, cpu) = (Instant::now(), ProcessTime::now());
        let verdict = pool.install(|| {
            verify(&archive, &VerifyOptions { keys: Some(quorum()?), ..VerifyOptions::default() })
                .context("verifying")
        })?;
        let (seconds, cpu_seconds) = (begun.elapsed().as_secs_f64(), cpu.elapsed().as_secs_f64());
        tell(&verdict, pass, threads, (seconds, cpu_seconds), as_json)?;
    }
    prove(&archive, as_json)
}

/// A core's rate is by what was computed, so that whatever else the machine does takes nothing from
/// it.
fn tell(
    verdict: &LogVerdict,
    pass: &str,
    threads: usize,
    (seconds, cpu_seconds): (f64, f64),
    as_json: bool,
) -> anyhow::Result<()> {
    ensure!(verdict.holds, "{}", verdict.words());
    let a_second = float(verdict.leaves) / seconds;
    let a_core = float(verdict.leaves) / cpu_seconds;
    if as_json {
        let line = json!({
            "bench": "log_verify", "leaves": verdict.leaves, "pass": pass, "threads": threads,
                "seconds": seconds,
            "cpu_seconds": cpu_seconds,
            "leaves_per_second": a_second, "leaves_per_core_second": a_core,
                "checkpoints": verdict.checked.checkpoints,
            "cosignatures": verdict.checked.cosignatures,
        });
        println!("{line}");
    } else {
        println!(
            "{} leaves verified ({pass}) by {threads} threads in {seconds:.1} s, {a_second:.0} a \
             second, {a_core:.0} a core",
            verdict.leaves
        );
    }
    Ok(())
}

/// Reads the proofs of leaves here and there from the archive's files, and checks each.
fn prove(archive: &LogFolder, as_json: bool) -> anyhow::Result<()> {
    let checkpoint =
        archive.checkpoint()?.context("an archive without a checkpoint")?.checkpoint()?;
    let leaves = checkpoint.leaves;
    let mut took = Vec::new();
    for n in 0..PROOFS {
        let index = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) % leaves;
        let begun = Instant::now();
        let proof = inclusion::<LogFolderError>(index, leaves, &mut archive.read_hashes(leaves))?;
        took.push(begun.elapsed().as_secs_f64() * 1e3);
        ensure!(
            is_included(&leaf_hash(&made(index)), index, leaves, &checkpoint.root, &proof),
            "the proof of leaf {index} does not hold"
        );
    }
    took.sort_by(f64::total_cmp);
    let (median, worst) = (took[took.len() / 2], took[took.len() - 1]);
    if as_json {
        println!(
            "{}",
            json!({"bench": "log_inclusion", "leaves": leaves, "proofs": PROOFS, "ms": median,
                "ms_max": worst})
        );
    } else {
        println!(
            "{PROOFS} inclusion proofs of {leaves} leaves from files: {median:.3} ms each, \
             {worst:.3} ms at worst"
        );
    }
    Ok(())
}

/// Writes an archive whose every rule holds, straight to its tiles.
fn make(archive: &LogFolder, leaves: u64) -> anyhow::Result<()> {
    let mut failed = None;
    let mut tiles = Tiles::new(|id: TileId, bytes: &[u8]| {
        if let Err(e) = archive.put_tile(id, bytes, false) {
            failed.get_or_insert(e);
        }
    });
    let key = log_key()?;
    let cosigners = (0..3).map(witness).collect::<Result<Vec<_>, _>>()?;
    let mut kept = Vec::new();
    for index in 0..leaves {
        tiles.push(&made(index));
        let size = index + 1;
        if size.is_multiple_of(KEPT_EVERY) || size == leaves {
            let mut note = Note::parse(&key.sign(size, tiles.root()))?;
            cosigners
                .iter()
                .for_each(|cosigner| cosigner.cosign(&mut note, time_of(size).seconds()));
            kept.push(note);
        }
    }
    tiles.end();
    drop(tiles);
    if let Some(e) = failed {
        return Err(e.into());
    }
    archive.put_checkpoints(&kept)?;
    archive.put_policy(&quorum()?.to_string())?;
    archive.put_checkpoint(kept.last().context("at least one leaf is wanted")?)?;
    Ok(())
}

/// The time of the leaf of an index.
fn time_of(index: u64) -> Time {
    BEGAN + Span::seconds(index * STEP_SECONDS)
}

/// The leaf of an index. Nobody opens its detail, so any bytes are a commitment.
fn made(index: u64) -> Vec<u8> {
    let steps = EPISODE.len() as u64;
    let at = usize::try_from(index % steps).expect("an episode is short");
    let mut commitment = [0x5a; 32];
    commitment[..8].copy_from_slice(&index.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes());
    let leaf: Leaf = leaf(EPISODE[at], index - index % steps, time_of(index), commitment);
    leaf.to_bytes()
}

fn log_key() -> anyhow::Result<LogKey> {
    Ok(LogKey::new(ORIGIN, &[2; 32])?)
}

fn witness(n: u8) -> anyhow::Result<CosignerKey> {
    Ok(CosignerKey::new(&format!("w{n}.example"), &[10 + n; 32])?)
}

fn quorum() -> anyhow::Result<Quorum> {
    let witness = |n| {
        anyhow::Ok(Witness {
            name: format!("w{n}"),
            key: witness(n)?.verifier().clone(),
            independent: n == 2,
        })
    };
    let witnesses = (0..3).map(witness).collect::<Result<_, _>>()?;
    Ok(Quorum::new(log_key()?.verifier().clone(), witnesses, 2, WITHIN_MINUTES)?)
}

/// A count as a number to divide by.
fn float(count: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "what is counted here stays far below 2^53")]
    let float = count as f64;
    float
}
