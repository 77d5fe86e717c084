//! The embedding chain's figures: milliseconds of each stage, one photo at a time, and photos a
//! second on every core.
//!
//! `cargo bench --bench embed -- --json` prints one JSON object; `--photos DIR` measures on the
//! photos of a folder instead of the portrait.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use serde_json::json;
use smrt::embed::{ExaminedPhoto, FaceChoice, Models, Pool};

/// The portrait is measured so many times.
const ROUNDS: usize = 40;
/// Photos of a folder that are measured, most.
const PHOTOS_MAX: usize = 200;

fn main() -> ExitCode {
    let mut json = false;
    let mut photos = None;
    let mut models = Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--json" => json = true,
            // Cargo says so to every bench.
            "--bench" => {}
            "--photos" => photos = args.next().map(PathBuf::from),
            "--models" => models = args.next().map_or(models, PathBuf::from),
            other => {
                eprintln!("unknown argument {other}, wanted --json, --photos DIR or --models DIR");
                return ExitCode::FAILURE;
            }
        }
    }
    match measure(&models, photos.as_deref(), json) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
    }
}

fn measure(models_dir: &Path, photos_dir: Option<&Path>, json: bool) -> Result<(), String> {
    let begin = Instant::now();
    let models = Models::load(models_dir).map_err(|e| format!("{}: {e}", models_dir.display()))?;
    let load_ms = begin.elapsed().as_secs_f64() * 1e3;
    let models = Arc::new(models);
    let photos = photos(photos_dir)?;
    models.examine(&photos[0], FaceChoice::Central).map_err(|e| format!("the first photo: {e}"))?;

    let portraits: Vec<ExaminedPhoto> =
        photos.iter().filter_map(|p| models.examine(p, FaceChoice::Central).ok()).collect();
    let stage = |ms: fn(&ExaminedPhoto) -> f64| median(portraits.iter().map(ms).collect());
    let (decode, detect) = (stage(|p| p.timings.decode_ms), stage(|p| p.timings.detect_ms));
    let (align, embed) = (stage(|p| p.timings.align_ms), stage(|p| p.timings.embed_ms));

    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let pool = Pool::start(Arc::clone(&models), workers).map_err(|e| e.to_string())?;
    let shared: Vec<Arc<[u8]>> = photos.iter().map(|p| Arc::from(p.as_slice())).collect();
    let begin = Instant::now();
    std::thread::scope(|scope| {
        for caller in 0..workers {
            let (pool, shared) = (&pool, &shared);
            scope.spawn(move || {
                for photo in shared.iter().skip(caller).step_by(workers) {
                    // A photo without a face takes its time as well.
                    let _ = pool.examine(Arc::clone(photo), FaceChoice::Central);
                }
            });
        }
    });
    #[expect(clippy::cast_precision_loss, reason = "a few hundred photos, a few hundred cores")]
    let per_core = shared.len() as f64 / begin.elapsed().as_secs_f64() / workers as f64;

    let (width, height) = (portraits[0].width, portraits[0].height);
    if json {
        println!(
            "{}",
            json!({
                "bench": "embed", "model": models.id().to_string(), "photos": photos.len(),
                    "first_photo_px": [width, height],
                "workers": workers, "load_ms": load_ms, "decode_ms": decode, "detect_ms": detect,
                    "align_ms": align, "embed_ms": embed,
                "photos_per_second_per_core": per_core,
            })
        );
    } else {
        println!(
            "{} photos, the first {width}x{height} px; models loaded in {load_ms:.0} ms",
            photos.len()
        );
        println!(
            "median ms: decode {decode:.2}, detect {detect:.2}, align {align:.2}, embed {embed:.2}"
        );
        println!("{per_core:.2} photos a second on each of {workers} cores");
    }
    Ok(())
}

fn photos(dir: Option<&Path>) -> Result<Vec<Vec<u8>>, String> {
    let Some(dir) = dir else {
        return Ok(vec![
            include_bytes!("../../src/embed/test_photos/astronaut.jpg").to_vec();
            ROUNDS
        ]);
    };
    let said = |e: std::io::Error| format!("{}: {e}", dir.display());
    let mut paths: Vec<PathBuf> = fs::read_dir(dir)
        .map_err(said)?
        .map(|e| e.map(|e| e.path()))
        .collect::<Result<_, _>>()
        .map_err(said)?;
    let photo = |p: &PathBuf| {
        p.extension().is_some_and(|e| {
            ["jpg", "jpeg", "png", "jp2"].iter().any(|k| e.eq_ignore_ascii_case(k))
        })
    };
    paths.retain(photo);
    paths.sort();
    paths.truncate(PHOTOS_MAX);
    if paths.is_empty() {
        return Err(format!(
            "{} has no .jpg, .png or .jp2 files, wanted at least one",
            dir.display()
        ));
    }
    paths.iter().map(|p| fs::read(p).map_err(said)).collect()
}

fn median(mut ms: Vec<f64>) -> f64 {
    ms.sort_by(f64::total_cmp);
    ms[ms.len() / 2]
}
