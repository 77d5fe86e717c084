//! That a start reads the same records and rows in whatever number of threads.

use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex};

use super::*;
use crate::booking::{BookingNumber, Identifier};
use crate::disk::{Disk, OpenMode, RealDisk};
use crate::embed::{Models, Pool};
use crate::gallery::EngineChoice;
use crate::ids::Digest;
use crate::ledger::{Enrolled, Faces, Ledger, LedgerSetup, ModelSet, Progress, StartStage, Taken};
use crate::limits::SLOT_BYTES;
use crate::retention::RetentionDays;
use crate::roster::{Caller, CertificateName};
use crate::store::{LeafRow, StateKind};

const BOOKINGS: u32 = 150;

/// The models, loaded once for all tests.
static MODEL_SET: LazyLock<(Arc<ModelSet>, Arc<Pool>)> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
    let models = ModelSet::open(&folder, None, EngineChoice::Cpu, 1).unwrap();
    let pool = models
        .pool(Models::id_of(&folder).unwrap())
        .unwrap_or_else(|e| panic!("run smrtctl model fetch: {}", e.chain()));
    (Arc::new(models), pool.unwrap())
});

fn open(
    state: &Path,
    workers: usize,
    watch: &mut dyn FnMut(&Progress),
) -> Result<Ledger, LedgerError> {
    let setup = LedgerSetup {
        disk: Arc::new(RealDisk),
        state: state.to_owned(),
        create_as: Some(StateKind::Test),
        origin: "test.example/log".to_owned(),
        master_key: vec![1; 32].into(),
        log_key: vec![2; 32].into(),
        models: MODEL_SET.0.clone(),
        clock: Arc::new(crate::ledger::SystemClock::default()),
        anchor: None,
        reserve_bytes: 0,
        retention: RetentionDays::default(),
    };
    Ledger::open_with(setup, workers, watch)
}

fn embedding(n: u32) -> Embedding {
    let raw: Vec<f32> = (0..128)
        .map(|at| f32::from(u8::try_from((n * 31 + at * at * (n + 7)) % 251).unwrap()) - 125.0)
        .collect();
    Embedding::from_raw(&raw).unwrap().0
}

/// A folder with bookings of two agencies, some released; gives them all.
fn folder(state: &Path) -> Vec<Taken> {
    let ledger = open(state, 2, &mut |_| {}).unwrap();
    let booked = |n: u32| {
        let agency =
            Identifier::parse(if n.is_multiple_of(3) { "slmpd" } else { "stlco" }).unwrap();
        let caller =
            Caller { name: CertificateName::Feed(agency.clone()), fingerprint: Digest([0; 32]) };
        let number = BookingNumber::parse(&format!("26-{n}")).unwrap();
        let booking = serde_json::json!({"name": "Jane Roe", "booked_on": "2026-11-01",
            "basis": {"kind": "post_arrest_booking"}});
        let active =
            Enrolled { embedding: embedding(n), length: 9.0, frame: [0.0; 4], px: [64, 64] };
        let faces = Faces { model: ledger.model(), active, next: None };
        let taken = ledger
            .book(
                &caller,
                &agency,
                &number,
                serde_json::from_value(booking).unwrap(),
                vec![5; 40].into(),
                faces,
            )
            .unwrap();
        if n % 10 == 4 {
            ledger.release(&caller, &agency, &number, "record expunged").unwrap();
        }
        taken
    };
    (0..BOOKINGS).map(booked).collect()
}

fn rows(ledger: &Ledger) -> Vec<VersionId> {
    // Every live row, best first: rows of the same score come in their order.
    ledger
        .compare(&ledger.generation(), &embedding(1), 1_000)
        .unwrap()
        .into_iter()
        .map(|(version, _)| version)
        .collect()
}

#[test]
fn rows_come_in_the_order_of_their_leaves_whatever_the_number_of_threads() {
    let state = tempfile::tempdir().unwrap();
    let taken = folder(state.path());
    let live: Vec<VersionId> =
        (0..).zip(&taken).filter(|(n, _)| n % 10 != 4).map(|(_, taken)| taken.version).collect();
    let one = open(state.path(), 1, &mut |_| {}).unwrap();
    let found = rows(&one);
    drop(one);
    assert_eq!(found.len(), live.len());
    for workers in [1, 2, 3, 7] {
        let (mut told, mut stages) = (Vec::new(), Vec::new());
        let ledger = open(state.path(), workers, &mut |progress| {
            stages.push(progress.stage);
            told.push((progress.stage, progress.done, progress.total));
        });
        let ledger = ledger.unwrap();
        assert_eq!(ledger.rows_in_order(), live, "{workers} threads");
        assert_eq!(rows(&ledger), found, "{workers} threads");
        let all = live.len() as u64;
        assert!(
            told.contains(&(StartStage::Gallery, 0, all))
                && told.contains(&(StartStage::Gallery, all, all)),
            "{told:?}"
        );
        assert!(told.contains(&(StartStage::Log, ledger.leaves(), ledger.leaves())));
        assert!(told.contains(&(StartStage::Records, u64::from(BOOKINGS), u64::from(BOOKINGS))));
        stages.dedup();
        let ran: Vec<StartStage> =
            ledger.started().stages.iter().map(|(stage, _)| *stage).collect();
        assert_eq!(stages, ran, "each stage is told in its turn");
    }
}

#[test]
fn a_key_slot_in_the_middle_that_does_not_open_suppresses_its_booking_alone() {
    let state = tempfile::tempdir().unwrap();
    let taken = folder(state.path());
    let damaged = 77;
    // Slots are lodged in as bookings come.
    let slots = RealDisk.open(&state.path().join("slots.1"), OpenMode::Existing).unwrap();
    slots.write_at(damaged * SLOT_BYTES as u64 + 20, &[0xee; 4]).unwrap();
    let live = (0..)
        .zip(&taken)
        .filter(|(n, _)| n % 10 != 4 && *n != damaged)
        .map(|(_, taken)| taken.version);
    let live: Vec<VersionId> = live.collect();
    for workers in [1, 4] {
        let told = Mutex::new((0, 0));
        let ledger = open(state.path(), workers, &mut |progress| {
            if progress.stage == StartStage::Gallery {
                *told.lock().unwrap() = (progress.done, progress.total);
            }
        });
        assert_eq!(ledger.unwrap().rows_in_order(), live, "{workers} threads");
        assert_eq!(
            told.into_inner().unwrap(),
            (live.len() as u64 + 1, live.len() as u64 + 1),
            "the suppressed one is counted as done"
        );
    }
}

#[test]
fn a_leaf_that_was_changed_ends_the_start() {
    let state = tempfile::tempdir().unwrap();
    drop(folder(state.path()));
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    let store = Store::open(&disk, state.path()).unwrap();
    let leaf = store.leaf(60).unwrap().unwrap();
    let mut changed = leaf.leaf.clone();
    changed[20] ^= 1;
    store
        .commit::<StoreError>(|commit| commit.put_leaves(60, &[LeafRow { leaf: changed, ..leaf }]))
        .unwrap();
    drop(store);
    for workers in [1, 3] {
        let ended = open(state.path(), workers, &mut |_| {}).err().unwrap();
        assert!(
            matches!(&ended, LedgerError::Log { what } if what.contains("stored edge")),
            "{ended}"
        );
    }
}
