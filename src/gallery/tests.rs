//! What the gallery promises, on both engines: galleries of every kind against f64 brute force,
//! from one fixed seed.

use super::gpu::tests::shared;
use super::rows::Rows;
use super::segments::DeviceLayout;
use super::*;
use crate::face::GRID_STEP;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};
use std::time::Instant;

/// Galleries that the property is tried on.
const GALLERIES: u32 = 1_000;

/// A small generator of numbers that are the same everywhere (splitmix64).
pub(super) struct Numbers(u64);

impl Numbers {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub(super) fn embedding(&mut self, dimension: usize) -> Embedding {
        let component = |bits: u64| f32::from(u16::try_from(bits >> 48).unwrap()) - 32_767.5;
        let raw: Vec<f32> = (0..dimension).map(|_| component(self.next())).collect();
        Embedding::from_raw(&raw).unwrap().0
    }

    /// A neighbour on the grid: its scores differ from the original's by less than an f32 sum can
    /// tell.
    pub(super) fn near(&mut self, original: &Embedding) -> Embedding {
        let mut components = original.components().to_vec();
        for _ in 0..=self.below(3) {
            let at = usize::try_from(self.below(components.len() as u64)).unwrap();
            #[expect(clippy::cast_possible_truncation, reason = "a power of two")]
            let step = GRID_STEP as f32;
            components[at] += if self.below(2) == 0 { step } else { -step };
        }
        Embedding::from_grid(components).unwrap()
    }
}

/// What a gallery is made of and asked.
#[derive(Clone, Debug)]
struct Plan {
    seed: u64,
    dimension: usize,
    rows: usize,
    probes: usize,
    k: usize,
    /// Of ten rows, how many repeat an earlier row, and how many are its neighbours.
    repeats: u64,
    neighbours: u64,
    /// Of ten rows, how many are hidden.
    hidden: u64,
    /// Blocks of the first segment, blocks of the largest, places in a list; none for what the
    /// device allows.
    tiny: Option<(u32, u32, u32)>,
}

fn plans() -> impl Strategy<Value = Plan> {
    let dimension = prop_oneof![8 => 16usize..=63, 6 => 64usize..=130, 3 => 131usize..=512,
        1 => 513usize..=2_047, 1 => Just(2_048usize)];
    let rows = prop_oneof![1 => 0usize..=2, 8 => 3usize..=120, 6 => 121usize..=500,
        2 => 1_500usize..=6_000];
    let probes = prop_oneof![3 => 1usize..=3, 1 => 4usize..=20, 1 => 21usize..=64];
    let k = prop_oneof![1 => Just(1usize), 4 => 2usize..=20, 2 => 21usize..=150,
        1 => Just(CANDIDATES_MAX)];
    let shares = (0u64..=9, 0u64..=9, prop_oneof![2 => Just(0u64), 4 => 1u64..=5, 1 => 6u64..=10]);
    let tiny = prop_oneof![1 => Just(None), 2 => (1u32..=2, 2u32..=4, 16u32..=700).prop_map(Some)];
    (any::<u64>(), dimension, rows, probes, k, shares, tiny).prop_map(
        |(seed, dimension, rows, probes, k, (repeats, neighbours, hidden), tiny)| {
            // The unoptimised reference has to score all of it several times.
            let rows = rows.min((1_200_000 / dimension / probes).max(120));
            Plan { seed, dimension, rows, probes, k, repeats, neighbours, hidden, tiny }
        },
    )
}

/// A gallery's rows as plain values; `None` is hidden for good.
struct Model(Vec<Option<(Embedding, bool)>>);

impl Model {
    /// The property: f64 scores of all live rows, sorted, ties by row.
    fn search(&self, probe: &Embedding, k: usize) -> Vec<Candidate> {
        let live = (0..).zip(&self.0).filter_map(|(row, held)| {
            held.as_ref().filter(|held| held.1).map(|held| (row, &held.0))
        });
        let mut all: Vec<_> =
            live.map(|(row, embedding)| Candidate { row, score: embedding.score(probe) }).collect();
        all.sort_by(Candidate::order);
        all.truncate(k);
        all
    }
}

pub(super) fn on_gpu(
    device: &Arc<GpuDevice>,
    dimension: usize,
    tiny: Option<(u32, u32, u32)>,
    margin: fn(&ProbeBound) -> f32,
) -> Gallery {
    let sizes = tiny.map_or_else(
        || DeviceLayout::of(device, dimension),
        |(first, most, list_len_max)| DeviceLayout {
            segment_rows_first: first * 64,
            segment_rows_max: most * 64,
            list_len_max,
            upload_bytes_max: 20_000,
        },
    );
    Gallery::with_engine(
        Engine::Gpu(Box::new(Scan::with(Arc::clone(device), sizes, margin))),
        dimension,
    )
}

/// Appends rows of the plan's kind to all galleries and the model.
fn append_rows(
    plan: &Plan,
    count: usize,
    numbers: &mut Numbers,
    galleries: &mut [Gallery],
    model: &mut Model,
) {
    for _ in 0..count {
        let earlier = usize::try_from(numbers.below(model.0.len().clamp(1, 6) as u64)).unwrap();
        let earlier = model.0.get(earlier).and_then(Option::as_ref).map(|held| held.0.clone());
        let kind = numbers.below(20);
        let embedding = match earlier {
            Some(earlier) if kind < plan.repeats => earlier,
            Some(earlier) if kind < plan.repeats + plan.neighbours => numbers.near(&earlier),
            _ => numbers.embedding(plan.dimension),
        };
        for gallery in galleries.iter_mut() {
            assert_eq!(gallery.append(&embedding).unwrap() as usize, model.0.len());
        }
        model.0.push(Some((embedding, true)));
    }
}

/// Hides, shows and zeroes some rows everywhere.
fn change_rows(plan: &Plan, numbers: &mut Numbers, galleries: &mut [Gallery], model: &mut Model) {
    for (row, held) in (0..).zip(&mut model.0) {
        let Some((_, live)) = held else { continue };
        if numbers.below(10) < plan.hidden {
            *live = false;
            galleries.iter_mut().for_each(|gallery| gallery.mask(row).unwrap());
        } else if numbers.below(10) < 3 {
            *live = true;
            galleries.iter_mut().for_each(|gallery| gallery.unmask(row).unwrap());
        }
        // Each one waits for the device, so a few are enough.
        if numbers.below(100) == 0 {
            *held = None;
            galleries.iter_mut().for_each(|gallery| gallery.zero(row).unwrap());
        }
    }
    if numbers.below(2) == 0 {
        // Only begun, now and then: a search may come between any two steps.
        for gallery in galleries.iter_mut() {
            gallery.close_gaps().unwrap();
        }
    }
}

/// Searches all galleries and compares with the model: nothing, or what differed.
fn compare(
    plan: &Plan,
    numbers: &mut Numbers,
    galleries: &mut [Gallery],
    model: &Model,
) -> Result<(), String> {
    let probes: Vec<_> = (0..plan.probes)
        .map(|_| {
            let row = usize::try_from(numbers.below(model.0.len().max(1) as u64)).unwrap();
            match (numbers.below(4), model.0.get(row).and_then(Option::as_ref)) {
                (0, Some(held)) => held.0.clone(),
                (1 | 2, Some(held)) => numbers.near(&held.0),
                _ => numbers.embedding(plan.dimension),
            }
        })
        .collect();
    let expected: Vec<_> = probes.iter().map(|probe| model.search(probe, plan.k)).collect();
    for gallery in galleries {
        let found = gallery.search(&probes, plan.k).map_err(|error| error.to_string())?;
        if found != expected {
            return Err(format!("{} found {found:?}, brute force {expected:?}", gallery.engine()));
        }
        if gallery.live() as usize != model.0.iter().flatten().filter(|held| held.1).count() {
            return Err(format!("{} rows live", gallery.live()));
        }
    }
    Ok(())
}

fn try_plan(plan: &Plan, galleries: &mut [Gallery]) -> Result<(), String> {
    let mut numbers = Numbers::new(plan.seed);
    let mut model = Model(Vec::new());
    append_rows(plan, plan.rows / 3, &mut numbers, galleries, &mut model);
    compare(plan, &mut numbers, galleries, &model)?;
    append_rows(plan, plan.rows - plan.rows / 3, &mut numbers, galleries, &mut model);
    change_rows(plan, &mut numbers, galleries, &mut model);
    compare(plan, &mut numbers, galleries, &model)?;
    change_rows(plan, &mut numbers, galleries, &mut model);
    append_rows(plan, 1, &mut numbers, galleries, &mut model);
    compare(plan, &mut numbers, galleries, &model)
}

#[test]
fn a_thousand_galleries_on_both_engines_answer_as_brute_force_does() {
    let device = shared();
    let started = Instant::now();
    let config = Config { cases: GALLERIES, failure_persistence: None, ..Config::default() };
    let mut runner =
        TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let totals = std::cell::Cell::new((0, 0, 0, 0));
    let result = runner.run(&plans(), |plan| {
        let mut galleries = vec![Gallery::on(None, plan.dimension).unwrap()];
        if let Some(device) = &device {
            galleries.push(on_gpu(device, plan.dimension, plan.tiny, ProbeBound::margin));
        }
        try_plan(&plan, &mut galleries).map_err(TestCaseError::fail)?;
        let last = galleries.last().unwrap();
        let (stats, again) =
            (last.stats(), if let Engine::Gpu(scan) = &last.engine { scan.redone() } else { 0 });
        let (probes, redone, fallbacks, rescored) = totals.get();
        totals.set((
            probes + 3 * plan.probes as u64,
            redone + again,
            fallbacks + stats.fallbacks,
            rescored + stats.rescored,
        ));
        Ok(())
    });
    if let Err(TestError::Fail(reason, plan)) = &result {
        panic!("{plan:?}: {reason}");
    }
    result.unwrap();
    let (probes, redone, fallbacks, rescored) = totals.get();
    assert!(probes >= 10_000, "{probes} probes");
    println!(
        "{GALLERIES} galleries, {probes} probes, {redone} chunks redone, {fallbacks} fallbacks, \
         {rescored} rows rescored, {:?}",
        started.elapsed()
    );
    if device.is_some() {
        assert!(fallbacks > 0, "the last way out of an overflow was tried");
        assert!(
            fallbacks < redone,
            "the first way out was enough for some: {redone} chunks were redone, {fallbacks} in \
             vain"
        );
        assert!(
            fallbacks < probes / 2,
            "most probes were answered by the device: {fallbacks} of {probes} were not"
        );
    }
}

/// The row with the lower id among two that score alike, found by one path of the processor.
fn tied(
    path: Path,
    (first, second): (&Embedding, &Embedding),
    probe: &Embedding,
    bound: &ProbeBound,
) -> Option<u32> {
    let mut rows = Rows::new(probe.dimension(), true);
    rows.append(first).unwrap();
    // Often enough that thresholds rise.
    for _ in 0..40 {
        rows.append(second).unwrap();
    }
    let (probes, bounds) = ([probe.components()], std::slice::from_ref(bound));
    let scanned = cpu::scan(&rows, path, &probes, bounds, 1, 1);
    cpu::finish(&rows, &probes, bounds, scanned, 1, 1)[0].0.first().map(|candidate| candidate.row)
}

#[test]
fn rows_on_the_bound_are_kept_and_would_be_lost_without_the_slack() {
    let mut numbers = Numbers::new(60);
    let (mut ties, mut lost) = (0, 0);
    for _ in 0..60 {
        let tie = bound::tests::Tie::new(&mut numbers);
        let bound = ProbeBound::new(tie.probe.components());
        for path in Path::all() {
            for rows in [(&tie.far, &tie.near), (&tie.near, &tie.far)] {
                ties += 1;
                assert_eq!(tied(path, rows, &tie.probe, &bound), Some(0), "{path:?}");
                lost += u32::from(
                    tied(path, rows, &tie.probe, &bound.clone().without_slack()) != Some(0),
                );
            }
        }
    }
    println!("{ties} ties on the bound, {lost} lost without the slack");
    assert!(lost > 0, "the ties above need the slack");
}

#[test]
fn ten_thousand_copies_of_one_face_are_scored_on_the_way_and_counted() {
    let mut numbers = Numbers::new(40);
    let (copy, other) = (numbers.embedding(16), numbers.embedding(16));
    for device in [None, shared()] {
        let mut gallery = Gallery::on(device, 16).unwrap();
        for _ in 0..10_000 {
            gallery.append(&copy).unwrap();
        }
        gallery.append(&other).unwrap();
        gallery.mask(1).unwrap();
        let answers = gallery.search(&[copy.clone(), other.clone()], 3).unwrap();
        assert_eq!(answers[0].iter().map(|candidate| candidate.row).collect::<Vec<_>>(), [0, 2, 3]);
        assert_eq!(answers[1][0], Candidate { row: 10_000, score: other.score(&other) });
        assert!(gallery.stats().fallbacks >= 2, "{:?}", gallery.stats());
    }
}

#[test]
fn a_large_gallery_needs_no_fallback_for_the_largest_answer() {
    let Some(device) = shared() else { return };
    let mut numbers = Numbers::new(41);
    let (mut gpu, mut cpu) =
        (Gallery::on(Some(device), 16).unwrap(), Gallery::on(None, 16).unwrap());
    for _ in 0..25_000 {
        let embedding = numbers.embedding(16);
        gpu.append(&embedding).unwrap();
        cpu.append(&embedding).unwrap();
    }
    let probes: Vec<_> = (0..3).map(|_| numbers.embedding(16)).collect();
    assert_eq!(
        gpu.search(&probes, CANDIDATES_MAX).unwrap(),
        cpu.search(&probes, CANDIDATES_MAX).unwrap()
    );
    assert_eq!(gpu.stats().fallbacks, 0);
}

#[test]
fn more_probes_than_one_pass_holds_are_all_answered() {
    let mut numbers = Numbers::new(42);
    for device in [None, shared()] {
        let mut gallery = Gallery::on(device, 20).unwrap();
        let embeddings: Vec<_> = (0..150).map(|_| numbers.embedding(20)).collect();
        for embedding in &embeddings {
            gallery.append(embedding).unwrap();
        }
        let answers = gallery.search(&embeddings, 1).unwrap();
        assert!((0..).zip(&answers).all(|(row, answer)| answer[0].row == row));
        assert_eq!(gallery.search(&[], 5).unwrap(), Vec::<Vec<Candidate>>::new());
        assert_eq!(gallery.search(&embeddings[..2], 0).unwrap(), vec![Vec::new(); 2]);
    }
}

#[test]
fn a_zeroed_row_is_gone_from_the_device_too() {
    let Some(device) = shared() else { return };
    let mut numbers = Numbers::new(43);
    let mut gallery = Gallery::on(Some(Arc::clone(&device)), 18).unwrap();
    for _ in 0..100 {
        gallery.append(&numbers.embedding(18)).unwrap();
    }
    gallery.search(&[numbers.embedding(18)], 1).unwrap();
    gallery.zero(70).unwrap();
    let Engine::Gpu(scan) = &gallery.engine else { panic!("it was opened on a device") };
    let segment = scan.segment_bytes();
    // 18 codes take two quads of 64 x 16 bytes; behind them each row has its scale and residual.
    let of_row = |row: usize| {
        let block = &segment[row / 64 * (2 * 1_024 + 512)..];
        [
            &block[row % 64 * 16..][..16],
            &block[1_024 + row % 64 * 16..][..16],
            &block[2_048 + row % 64 * 8..][..4],
        ]
        .concat()
    };
    assert!(of_row(70).iter().all(|&x| x == 0));
    assert!(of_row(69).iter().any(|&x| x != 0) && of_row(71).iter().any(|&x| x != 0));
}

#[test]
fn what_no_gallery_can_do_is_refused_by_name() {
    assert_eq!(
        Gallery::open(EngineChoice::Cpu, 15).err(),
        Some(GalleryError::NoSuchDimension { found: 15 })
    );
    assert_eq!(
        Gallery::open(EngineChoice::Cpu, 2_049).err(),
        Some(GalleryError::NoSuchDimension { found: 2_049 })
    );
    let mut gallery = Gallery::open(EngineChoice::Cpu, 16).unwrap();
    let mut numbers = Numbers::new(44);
    assert_eq!(
        gallery.append(&numbers.embedding(17)),
        Err(GalleryError::Dimension { found: 17, wanted: 16 })
    );
    assert_eq!(
        gallery.search(&[numbers.embedding(17)], 1),
        Err(GalleryError::Dimension { found: 17, wanted: 16 })
    );
    assert_eq!(
        gallery.search(&[numbers.embedding(16)], 1_001),
        Err(GalleryError::TooManyCandidates { found: 1_001 })
    );
    assert_eq!(gallery.mask(0), Err(GalleryError::UnknownRow { row: 0, rows: 0 }));
    assert_eq!(
        (gallery.engine(), gallery.rows(), gallery.live(), gallery.dimension()),
        ("cpu", 0, 0, 16)
    );
    assert!(gallery.device().ends_with("threads"));
}

#[test]
fn an_engine_is_named_as_it_is_written() {
    for choice in [EngineChoice::Auto, EngineChoice::Gpu, EngineChoice::Cpu] {
        assert_eq!(choice.to_string().parse(), Ok(choice));
        assert_eq!(serde_json::from_str::<EngineChoice>(&format!("\"{choice}\"")).unwrap(), choice);
    }
    assert_eq!(
        "GPU".parse::<EngineChoice>(),
        Err(GalleryError::UnknownEngine { found: "GPU".to_owned() })
    );
}
