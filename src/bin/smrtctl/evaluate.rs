//! `smrtctl evaluate`: accuracy of the models, measured over a labelled folder.

mod outcome;
mod plot;
mod quality;
mod worn;

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, bail};
use clap::Args;
use indicatif::ProgressBar;
use serde::Serialize;
use smrt::embed::{EmbedError, FaceChoice, Models, QualitySheet};
use smrt::face::{Edits, Embedding};
use smrt::limits::PHOTO_BYTES_MAX;

use outcome::{CANDIDATES, PhotoRole, Row, SearchResults, first_mate};
use quality::{QualityFigures, Searched, Went};
use worn::Wear;

/// Rates of false alarms at which misses are reported.
const FALSE_ALARMS: [f64; 3] = [0.1, 0.05, 0.01];

/// Measure accuracy over a labelled folder, in memory; opens no state folder and talks to no
/// daemon.
///
/// DIR holds photos and `index.csv` with the columns file, subject and role: `enrol` puts a photo
/// into the gallery, `mated-probe` searches for a subject who is enrolled, `non-mated-probe` for
/// one who isn't. Of a photo with several faces the one nearest the middle is taken, size counting
/// in its favour. A photo without a face is counted as failed; as a probe it finds nobody.
#[derive(Args)]
pub(crate) struct EvaluateCommand {
    /// The labelled folder.
    dir: PathBuf,
    /// Print all figures as one JSON object.
    #[arg(long)]
    json: bool,
    /// Also write the curves to this SVG: mates found by rank, and misses against false alarms.
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    /// Also say what each measure of a probe's quality sheet tells about misses. The probes are
    /// searched again small, soft, dark and compressed, which takes twice as long as all else. With
    /// --json they come as one more field, which `smrtctl report` doesn't take.
    #[arg(long)]
    quality: bool,
    /// Folder of the models.
    #[arg(long, value_name = "DIR", default_value = "models")]
    models: PathBuf,
    /// Photos examined at the same time.
    #[arg(long, value_name = "N",
        default_value_t = std::thread::available_parallelism().map_or(1, usize::from))]
    threads: usize,
}

/// Everything measured. A rate without probes to measure it on is null.
#[derive(Debug, Serialize)]
struct Figures {
    model: String,
    enrolled: usize,
    mated: usize,
    non_mated: usize,
    failed: usize,
    rank1: Option<f64>,
    rank10: Option<f64>,
    rank20: Option<f64>,
    rank50: Option<f64>,
    #[serde(rename = "fnir_at_fpir_0.1")]
    fnir_at_10: Option<f64>,
    #[serde(rename = "fnir_at_fpir_0.05")]
    fnir_at_5: Option<f64>,
    #[serde(rename = "fnir_at_fpir_0.01")]
    fnir_at_1: Option<f64>,
    #[serde(rename = "threshold_at_fpir_0.1")]
    threshold_at_10: Option<f64>,
    #[serde(rename = "threshold_at_fpir_0.05")]
    threshold_at_5: Option<f64>,
    #[serde(rename = "threshold_at_fpir_0.01")]
    threshold_at_1: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quality: Option<QualityFigures>,
}

/// A photo's embedding and quality.
struct Examined {
    embedding: Embedding,
    sheet: QualitySheet,
}

impl EvaluateCommand {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let rows = read_index(&self.dir)?;
        let models = Models::load(&self.models)
            .with_context(|| format!("the models of {} can't be used", self.models.display()))?;
        let as_they_are: Vec<(&Row, Option<Wear>)> = rows.iter().map(|row| (row, None)).collect();
        let examined = examine_all(&as_they_are, &self.dir, &models, self.threads.max(1))?;
        let embeddings: Vec<Option<Embedding>> =
            examined.iter().map(|e| e.as_ref().map(|e| e.embedding.clone())).collect();
        let outcome = SearchResults::of(&rows, &embeddings);
        let enrolled = rows
            .iter()
            .zip(&embeddings)
            .filter(|(r, e)| r.role == PhotoRole::Enrol && e.is_some())
            .count();
        let failed = embeddings.iter().filter(|e| e.is_none()).count();
        let mut figures = Figures::of(&outcome, models.id().to_string(), enrolled, failed);
        if self.quality {
            let probes = rows.iter().filter(|row| row.role != PhotoRole::Enrol);
            let worn: Vec<(&Row, Option<Wear>)> =
                probes.flat_map(|row| Wear::ALL.map(|wear| (row, Some(wear)))).collect();
            let worn_examined = examine_all(&worn, &self.dir, &models, self.threads.max(1))?;
            let all = as_they_are.iter().zip(&examined).chain(worn.iter().zip(&worn_examined));
            let all: Vec<(&Row, Option<&Examined>)> =
                all.map(|((row, _), examined)| (*row, examined.as_ref())).collect();
            figures.quality = Some(quality_of(
                &all,
                rows.len(),
                outcome.threshold(FALSE_ALARMS[1]).unwrap_or(f64::NEG_INFINITY),
            ));
        }
        if let Some(path) = &self.plot {
            fs::write(path, plot::svg(&outcome))
                .with_context(|| format!("the plot {} can't be written", path.display()))?;
        }
        if self.json {
            println!("{}", serde_json::to_string(&figures)?);
        } else {
            print!("{figures}");
        }
        Ok(())
    }
}

/// Reads the index and sees that every photo is there, before an hour is spent on the others.
fn read_index(dir: &Path) -> anyhow::Result<Vec<Row>> {
    let path = dir.join("index.csv");
    let mut reader =
        csv::Reader::from_path(&path).with_context(|| format!("no index {}", path.display()))?;
    let mut rows = Vec::new();
    for (at, row) in reader.deserialize().enumerate() {
        let line = at + 2;
        let row: Row = row.with_context(|| {
            format!(
                "{} line {line}: wanted file,subject,role with a role of enrol, mated-probe or \
                non-mated-probe",
                path.display()
            )
        })?;
        if !dir.join(&row.file).is_file() {
            bail!(
                "{} line {line} names {}, which is no file in {}",
                path.display(),
                row.file,
                dir.display()
            );
        }
        rows.push(row);
    }
    if !rows.iter().any(|r| r.role == PhotoRole::Enrol) {
        bail!(
            "{} has {} rows and none with the role enrol, wanted at least one",
            path.display(),
            rows.len()
        );
    }
    Ok(rows)
}

/// What is made of each photo, as it is or worn; none where no face can be had of it.
fn examine_all(
    photos: &[(&Row, Option<Wear>)],
    dir: &Path,
    models: &Models,
    threads: usize,
) -> anyhow::Result<Vec<Option<Examined>>> {
    let bar = ProgressBar::new(photos.len() as u64);
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        while let Some((at, (row, wear))) = Some(next.fetch_add(1, Ordering::Relaxed))
            .and_then(|at| photos.get(at).map(|photo| (at, photo)))
        {
            done.push((at, examine_one(&dir.join(&row.file), *wear, models)?));
            bar.inc(1);
        }
        anyhow::Ok(done)
    };
    let mut examined: Vec<Option<Examined>> = photos.iter().map(|_| None).collect();
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            let done =
                worker.join().map_err(|_| anyhow::anyhow!("examining a photo panicked"))??;
            for (at, one) in done {
                examined[at] = one;
            }
        }
        anyhow::Ok(())
    })?;
    bar.finish_and_clear();
    Ok(examined)
}

fn examine_one(
    path: &Path,
    wear: Option<Wear>,
    models: &Models,
) -> anyhow::Result<Option<Examined>> {
    let mut photo = Vec::new();
    let file =
        fs::File::open(path).with_context(|| format!("{} can't be opened", path.display()))?;
    file.take(PHOTO_BYTES_MAX as u64 + 1)
        .read_to_end(&mut photo)
        .with_context(|| format!("{} can't be read", path.display()))?;
    let photo = match wear {
        None => photo,
        Some(wear) => wear.of(&photo)?,
    };
    match models.probe(&photo, &Edits::default(), FaceChoice::Central) {
        // Worn ones are held against the rule for probes: a face that it refuses has no sheet.
        Ok(probe) if wear.is_some() && probe.look.faces[probe.chosen].unusable.is_some() => {
            Ok(None)
        }
        Ok(probe) => Ok(Some(Examined { embedding: probe.embedding, sheet: probe.quality })),
        Err(e @ (EmbedError::Model { .. } | EmbedError::Embedding { .. })) => {
            Err(e).with_context(|| path.display().to_string())
        }
        Err(_) if wear.is_some() => Ok(None),
        Err(e) => {
            eprintln!("{}: {e}", path.display());
            Ok(None)
        }
    }
}

/// What the measures tell about misses and false alarms at this threshold. The first `as_they_are`
/// photos are, the others are worn probes.
fn quality_of(
    all: &[(&Row, Option<&Examined>)],
    as_they_are: usize,
    threshold: f64,
) -> QualityFigures {
    let (plain, worn) = all.split_at(as_they_are);
    let enrolled = plain.iter().filter(|(row, _)| row.role == PhotoRole::Enrol);
    let gallery: Vec<(&str, &Embedding)> = enrolled
        .filter_map(|(row, e)| Some((row.subject.as_str(), &e.as_ref()?.embedding)))
        .collect();
    let photos: Vec<&QualitySheet> =
        plain.iter().filter_map(|(_, e)| Some(&e.as_ref()?.sheet)).collect();
    let searched: Vec<Searched<'_>> = all
        .iter()
        .filter_map(|(row, examined)| {
            let Examined { embedding, sheet } = examined.as_ref()?;
            let went = match row.role {
                PhotoRole::Enrol => return None,
                PhotoRole::MatedProbe => {
                    let (at, score) = first_mate(&gallery, &row.subject, embedding)?;
                    Went::Mated { score, missed: at > CANDIDATES || score <= threshold }
                }
                PhotoRole::NonMatedProbe => Went::NonMated {
                    alarm: gallery.iter().any(|(_, e)| e.score(embedding) > threshold),
                },
            };
            Some(Searched { sheet, went })
        })
        .collect();
    QualityFigures::of(
        &photos,
        &searched,
        worn.iter().filter(|(_, examined)| examined.is_none()).count(),
    )
}

impl Figures {
    fn of(outcome: &SearchResults, model: String, enrolled: usize, failed: usize) -> Self {
        let [threshold_at_10, threshold_at_5, threshold_at_1] =
            FALSE_ALARMS.map(|rate| outcome.threshold(rate));
        let missed = |threshold: Option<f64>| threshold.and_then(|t| outcome.missed_at(t));
        Self {
            model,
            enrolled,
            mated: outcome.mated.len(),
            non_mated: outcome.non_mated.len(),
            failed,
            rank1: outcome.found_within(1),
            rank10: outcome.found_within(10),
            rank20: outcome.found_within(20),
            rank50: outcome.found_within(50),
            fnir_at_10: missed(threshold_at_10),
            fnir_at_5: missed(threshold_at_5),
            fnir_at_1: missed(threshold_at_1),
            threshold_at_10,
            threshold_at_5,
            threshold_at_1,
            quality: None,
        }
    }
}

impl std::fmt::Display for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = |v: Option<f64>| v.map_or_else(|| "-".to_owned(), |v| format!("{v:.3}"));
        writeln!(f, "model {}", self.model)?;
        writeln!(
            f,
            "{} enrolled, {} mated and {} non-mated probes, {} photos failed",
            self.enrolled, self.mated, self.non_mated, self.failed
        )?;
        writeln!(f, "\nmate within rank        1       10       20       50")?;
        let [r1, r10, r20, r50] = [self.rank1, self.rank10, self.rank20, self.rank50].map(shown);
        writeln!(f, "share of probes   {r1:>7}  {r10:>7}  {r20:>7}  {r50:>7}")?;
        writeln!(f, "\nfalse alarms (FPIR)   0.1     0.05     0.01")?;
        let [m10, m5, m1] = [self.fnir_at_10, self.fnir_at_5, self.fnir_at_1].map(shown);
        writeln!(
            f,
            "missed (FNIR)     {m10:>7}  {m5:>7}  {m1:>7}   within the first {CANDIDATES}"
        )?;
        let [t10, t5, t1] =
            [self.threshold_at_10, self.threshold_at_5, self.threshold_at_1].map(shown);
        writeln!(f, "threshold         {t10:>7}  {t5:>7}  {t1:>7}   belongs to this model only")?;
        self.quality.as_ref().map_or(Ok(()), |quality| write!(f, "{quality}"))
    }
}

/// What `--json` prints of two probes, one of them found.
#[cfg(test)]
pub(crate) fn printed_in_a_test() -> String {
    let outcome = SearchResults { mated: vec![Some((1, 0.9)), None], non_mated: vec![Some(0.2)] };
    serde_json::to_string(&Figures::of(&outcome, "m".to_owned(), 2, 0))
        .expect("figures are numbers and words")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(subject: &str, role: PhotoRole) -> Row {
        Row { file: String::new(), subject: subject.to_owned(), role }
    }

    fn towards(x: f32, y: f32) -> Option<Embedding> {
        let mut raw = vec![0.0; 16];
        (raw[0], raw[1]) = (x, y);
        Some(Embedding::from_raw(&raw).unwrap().0)
    }

    #[test]
    fn ranks_misses_and_thresholds_come_out_as_counted_by_hand() {
        let rows = [
            row("a", PhotoRole::Enrol),
            row("b", PhotoRole::Enrol),
            row("a", PhotoRole::MatedProbe),
            row("b", PhotoRole::MatedProbe),
            row("b", PhotoRole::MatedProbe),
            row("z", PhotoRole::NonMatedProbe),
            row("z", PhotoRole::NonMatedProbe),
        ];
        // a lies at 0 degrees, b at 90; the second probe of b is nearer to a, the third has no
        // face.
        let embeddings = [
            towards(1.0, 0.0),
            towards(0.0, 1.0),
            towards(1.0, 0.1),
            towards(1.0, 0.9),
            None,
            towards(-1.0, 0.2),
            None,
        ];
        let outcome = SearchResults::of(&rows, &embeddings);
        assert_eq!(outcome.found_within(1), Some(1.0 / 3.0));
        assert_eq!(outcome.found_within(20), Some(2.0 / 3.0));
        let threshold = outcome.threshold(0.1).unwrap();
        assert!(
            (threshold - 0.196).abs() < 0.001,
            "the best score of the only probe with a face: {threshold}"
        );
        assert_eq!(outcome.missed_at(threshold), Some(1.0 / 3.0));
        assert_eq!(outcome.missed_at(0.9), Some(2.0 / 3.0));
        assert_eq!(
            outcome.threshold(0.9),
            Some(f64::NEG_INFINITY),
            "the second probe found nobody"
        );
        let figures = Figures::of(&outcome, "m".to_owned(), 2, 2);
        assert!(serde_json::to_string(&figures).unwrap().contains("\"fnir_at_fpir_0.05\":0.33"));
        assert!(figures.to_string().contains("3 mated and 2 non-mated"));
    }

    #[test]
    fn an_index_with_a_missing_photo_or_a_wrong_role_is_refused_by_line() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("a.jpg"), b"").unwrap();
        for (index, says) in [
            ("file,subject,role\na.jpg,1,enrol\nb.jpg,2,enrol\n", "line 3 names b.jpg"),
            ("file,subject,role\na.jpg,1,enroll\n", "line 2"),
            ("file,subject\na.jpg,1\n", "line 2"),
            ("file,subject,role\na.jpg,1,mated-probe\n", "none with the role enrol"),
        ] {
            fs::write(dir.path().join("index.csv"), index).unwrap();
            let said = format!("{:#}", read_index(dir.path()).err().unwrap());
            assert!(said.contains(says), "{said}");
        }
        fs::remove_file(dir.path().join("index.csv")).unwrap();
        assert!(format!("{:#}", read_index(dir.path()).err().unwrap()).contains("no index"));
    }
}
