//! A generation: everything that belongs to one model, as one thing.
//!
//! Invariant: **what is compared is of one model**. The pool that examines a probe, the gallery
//! that it is compared with and the names of the gallery's rows come in one `Arc`; a search takes
//! it once and uses it to its end, whatever is switched meanwhile. The memory of a former
//! generation goes when the last search on it ends.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, RwLock, Weak};

use super::error::{Fated, LedgerError};
use super::read_ahead::memory_available_bytes;
use crate::booking::VersionId;
use crate::embed::{Manifest, ModelRole, Models, Pool};
use crate::error_rates::ErrorRates;
use crate::face::{Candidate, Embedding, ModelId};
use crate::gallery::{EngineChoice, Gallery, GalleryError, GalleryHandle, GpuDevice};
use crate::limits::ROW_NAMES_BYTES;

/// One model's pool, gallery and the names of its rows.
pub struct Generation {
    pool: Arc<Pool>,
    gallery: GalleryHandle,
    rows: RwLock<Rows>,
}

/// Which version each row of the gallery is of.
#[derive(Debug, Default)]
struct Rows {
    ids: Vec<VersionId>,
    row_of: HashMap<VersionId, u32>,
}

impl Generation {
    fn new(pool: Arc<Pool>, gallery: GalleryHandle) -> Self {
        Self { pool, gallery, rows: RwLock::default() }
    }

    /// The model.
    pub fn model(&self) -> ModelId {
        self.pool.id()
    }

    /// The threads that examine photos.
    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    /// The gallery.
    pub fn gallery(&self) -> &GalleryHandle {
        &self.gallery
    }

    /// The best `k` live bookings for a probe of this generation's model.
    pub fn compare(
        &self,
        probe: &Embedding,
        k: usize,
    ) -> Result<Vec<(VersionId, f64)>, GalleryError> {
        let candidates = self.gallery.search(probe.clone(), k)?;
        let rows = self.rows.read().expect("nothing panics while it holds the rows");
        let named = |c: Candidate| {
            (rows.ids[usize::try_from(c.row).expect("a row fits the address space")], c.score)
        };
        Ok(candidates.into_iter().map(named).collect())
    }

    /// Whether a version has a row.
    pub(crate) fn holds(&self, version: VersionId) -> bool {
        self.row_of(version).is_some()
    }

    /// The version of each row.
    #[cfg(test)]
    pub(crate) fn rows_in_order(&self) -> Vec<VersionId> {
        self.rows.read().expect("nothing panics while it holds the rows").ids.clone()
    }

    /// Makes room for the names of so many rows.
    pub(crate) fn reserve(&self, more: usize) {
        let mut rows = self.rows.write().expect("nothing panics while it holds the rows");
        rows.ids.reserve(more);
        rows.row_of.reserve(more);
    }

    /// Adds rows in their order.
    pub(crate) fn append(&self, faces: Vec<(VersionId, Embedding)>) -> Result<(), GalleryError> {
        let (ids, embeddings): (Vec<VersionId>, Vec<Embedding>) = faces.into_iter().unzip();
        // A search that meets a new row waits here until the row has its name.
        let mut rows = self.rows.write().expect("nothing panics while it holds the rows");
        let first = self.gallery.append_all(embeddings)?;
        rows.row_of.extend(ids.iter().copied().zip(first..));
        rows.ids.extend(ids);
        Ok(())
    }

    /// Takes a version out of every search from here on; says whether it was there.
    pub fn mask(&self, version: VersionId) -> Result<bool, GalleryError> {
        match self.row_of(version) {
            Some(row) => self.gallery.mask(row).map(|()| true),
            None => Ok(false),
        }
    }

    /// Overwrites a version's numbers; says whether it was there.
    pub(crate) fn zero(&self, version: VersionId) -> Result<bool, GalleryError> {
        match self.row_of(version) {
            Some(row) => self.gallery.zero(row).map(|()| true),
            None => Ok(false),
        }
    }

    fn row_of(&self, version: VersionId) -> Option<u32> {
        self.rows
            .read()
            .expect("nothing panics while it holds the rows")
            .row_of
            .get(&version)
            .copied()
    }
}

/// The file with the error rates of the models of a folder, as `smrtctl evaluate --json` prints
/// them, with the name of the set.
const MEASURED: &str = "measured.json";

/// The models of the configuration and the device on which galleries for them are made.
pub struct ModelSet {
    models: PathBuf,
    next: Option<PathBuf>,
    workers: usize,
    device: Option<Arc<GpuDevice>>,
    switch_bytes_max: Option<u64>,
    started: Mutex<Vec<Weak<Pool>>>,
}

impl ModelSet {
    /// The folder of models, maybe a second one for the model to come, the engine and the number of
    /// threads that examine photos.
    ///
    /// Errors: no such engine, or a device that can't be used.
    pub fn open(
        models: &Path,
        next: Option<&Path>,
        engine: EngineChoice,
        workers: usize,
    ) -> Result<Self, LedgerError> {
        let device = GpuDevice::open(engine)?;
        let (models, next) = (models.to_owned(), next.map(Path::to_owned));
        Ok(Self {
            models,
            next,
            workers,
            device,
            switch_bytes_max: None,
            started: Mutex::default(),
        })
    }

    /// Bounds the memory that a switch of the model may take, where the machine has more.
    pub fn with_switch_bytes_max(mut self, bytes: Option<u64>) -> Self {
        self.switch_bytes_max = bytes;
        self
    }

    /// The model of the folder of models, from its manifests.
    pub(crate) fn first(&self) -> Result<ModelId, LedgerError> {
        id_of(&self.models)
    }

    /// The folder of a model; none where neither has it.
    fn folder_of(&self, model: ModelId) -> Result<Option<&PathBuf>, LedgerError> {
        if self.first()? == model {
            return Ok(Some(&self.models));
        }
        Ok(self.next.as_ref().filter(|next| id_of(next).is_ok_and(|id| id == model)))
    }

    /// The name of a model's embedder, as its card has it; none where the model isn't at hand.
    pub(crate) fn name_of(&self, model: ModelId) -> Option<String> {
        let manifests = Manifest::read_all(self.folder_of(model).ok()??).ok()?;
        Some(Manifest::active(&manifests, ModelRole::Embedder).ok()?.name.clone())
    }

    /// A model's error rates as they were measured, from the file `measured.json` beside its card;
    /// none where nobody measured this model.
    pub(crate) fn measured(&self, model: ModelId) -> Option<ErrorRates> {
        let file = std::fs::read(self.folder_of(model).ok()??.join(MEASURED)).ok()?;
        let measured: ErrorRates = serde_json::from_slice(&file).ok()?;
        (measured.model == model.to_string()).then_some(measured)
    }

    /// The threads for a model: those that run already, or new ones; `None` where neither folder
    /// has that model.
    ///
    /// Errors: a folder of that model that doesn't load; a first folder whose manifests can't be
    /// read. A second one that can't be read has no model.
    pub fn pool(&self, model: ModelId) -> Result<Option<Arc<Pool>>, LedgerError> {
        let mut started = self.started.lock().expect("nothing panics while it holds the pools");
        started.retain(|pool| pool.strong_count() > 0);
        if let Some(pool) = started.iter().filter_map(Weak::upgrade).find(|pool| pool.id() == model)
        {
            return Ok(Some(pool));
        }
        let Some(folder) = self.folder_of(model)? else { return Ok(None) };
        let models = Models::load(folder).map_err(|source| LedgerError::Models {
            folder: folder.clone(),
            source: Box::new(source),
        })?;
        let pool = Arc::new(Pool::start(models, self.workers).map_err(LedgerError::Pool)?);
        started.push(Arc::downgrade(&pool));
        Ok(Some(pool))
    }

    /// An empty generation.
    pub(crate) fn generation(&self, pool: Arc<Pool>) -> Result<Generation, LedgerError> {
        let gallery = Gallery::on(self.device.clone(), pool.dimension())?;
        let spawned = GalleryHandle::spawn(gallery)
            .map_err(|source| LedgerError::Io { what: "starting a gallery", source })?;
        Ok(Generation::new(pool, spawned.0))
    }

    /// What the configuration offers, in words.
    pub(crate) fn offers(&self) -> String {
        let named = |folder: &Path| match id_of(folder) {
            Ok(id) => format!("{id} in {}", folder.display()),
            Err(e) => format!("none in {} ({})", folder.display(), e.chain()),
        };
        match &self.next {
            Some(next) => format!("models {} and models_next {}", named(&self.models), named(next)),
            None => format!("models {} and no models_next", named(&self.models)),
        }
    }

    /// How many photos a switch of the model examines at the same time.
    pub(crate) fn switch_workers(&self) -> usize {
        (self.workers / crate::limits::SWITCH_WORKERS_ONE_IN).max(1)
    }

    /// Whether the machine has room for a second gallery.
    ///
    /// Errors: `NotSwitchable` with what was found and what is wanted.
    pub(crate) fn room_for(&self, rows: u64, dimension: usize) -> Result<(), LedgerError> {
        let wanted = gallery_bytes(rows, dimension);
        let (found, of_whom) = match (memory_available_bytes(), self.switch_bytes_max) {
            (Some(available), Some(max)) if max >= available => (available, "the machine has"),
            (Some(available), None) => (available, "the machine has"),
            (_, Some(max)) => (max, "switch_memory_mib allows"),
            (None, None) => {
                let source = std::io::Error::other(
                    "no line MemAvailable in kB, and no switch_memory_mib is configured",
                );
                return Err(LedgerError::Io { what: "reading /proc/meminfo", source });
            }
        };
        if wanted <= found {
            return Ok(());
        }
        Err(LedgerError::NotSwitchable {
            found: format!("{of_whom} {} MiB of memory for a second gallery", found >> 20),
            wanted: format!("{} MiB for {rows} rows of {dimension} components", (wanted >> 20) + 1),
        })
    }
}

/// Bytes of memory that a gallery takes with the names of its rows: f32 values, codes, scale and
/// residual of each row, and a fifth of it for what growing wastes.
fn gallery_bytes(rows: u64, dimension: usize) -> u64 {
    let row = u64::try_from(dimension).expect("a dimension is small") * 5 + 8 + ROW_NAMES_BYTES;
    rows.saturating_mul(row).saturating_mul(6) / 5
}

fn id_of(folder: &Path) -> Result<ModelId, LedgerError> {
    Models::id_of(folder).map_err(|source| LedgerError::Models {
        folder: folder.to_owned(),
        source: Box::new(source),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_gallery_asks_for_twelve_tenths_of_what_its_rows_take() {
        assert_eq!(gallery_bytes(0, 128), 0);
        assert_eq!(gallery_bytes(1_000_000, 128), 892_800_000);
        assert_eq!(gallery_bytes(u64::MAX, 128), u64::MAX / 5, "and no sum runs over");
    }

    #[test]
    fn a_machine_without_room_says_what_it_has_and_what_is_wanted() {
        let models = ModelSet::open(Path::new("models"), None, EngineChoice::Cpu, 1)
            .unwrap()
            .with_switch_bytes_max(Some(1 << 20));
        assert!(models.room_for(1_000, 128).is_ok());
        let refused = models.room_for(1_000_000, 128).unwrap_err().to_string();
        assert!(
            refused.contains("switch_memory_mib allows 1 MiB")
                && refused.contains("852 MiB for 1000000 rows"),
            "{refused}"
        );
    }
}
