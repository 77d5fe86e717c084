//! Software that isn't ours verifies the log: Go's packages for signed notes and transparency logs
//! accept our checkpoints, proofs and tiles as they are, and refuse each of them once anything in
//! it is changed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use base64::{Engine, engine::general_purpose::STANDARD};
use smrt::audit::{
    Checkpoint, CosignerKey, Edge, Hash, Holds, Leaf, LeafKind, LogKey, Note, TILE_WIDTH, TileId,
    TileNode, consistency, entries, inclusion, leaf_hash, push_entry, tile_bytes,
};
use smrt::calendar::Time;
use smrt::client::log_folder::LogFolder;

use crate::photos::{COLLINS, OBAMA, OBAMA_LATER, edition, gradient, photo, root, small};
use crate::site::{Daemon, Site, booking, number, request, witness_name};

/// Leaves of the log that is made in memory: its tiles have three levels.
const GROWN_LEAVES: u64 = 66_000;
/// So many must be accepted, and so many refused.
const CASES_MIN: usize = 1_000;
const GO_PATH: &str = "/usr/share/gocode";

/// One claim about a log: what the program in `tests/go` reads.
#[derive(Clone, Debug)]
struct Case {
    claim: Claim,
    key: String,
    /// Empty where no witness need have cosigned.
    witness: String,
    note: String,
    /// The smaller tree's, of a consistency.
    old: String,
    leaf: Vec<u8>,
    index: u64,
    proof: Vec<Hash>,
    folder: PathBuf,
    /// A file in which a bit is flipped while the case is looked at.
    flipped: Option<(PathBuf, usize)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Claim {
    Checkpoint,
    Inclusion,
    Consistency,
    Tiles,
}

/// What a change must be refused for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrong {
    Signature,
    Content,
}

/// What a change is made with.
struct Forger<'f> {
    /// The log's own key: with it, only the content can be wrong.
    key: &'f LogKey,
    /// Another case of the same claim.
    other: &'f Case,
    /// Which bit, line or hash.
    at: usize,
}

/// A change, none where the case has nothing to be changed by it.
type Change = fn(&Case, &Forger<'_>) -> Option<Case>;

const CHANGES: [(&str, Wrong, Change); 18] = [
    ("a bit of a signature", Wrong::Signature, |case, forger| {
        // Whoever isn't asked for may sign as badly as they like.
        let lines = if case.witness.is_empty() { 1 } else { 2 };
        Some(with_signature(case, forger.at % lines, |signature| {
            flip(&mut signature[4..], forger.at)
        }))
    }),
    ("a bit of a key's id", Wrong::Signature, |case, forger| {
        Some(with_signature(case, 0, |signature| flip(&mut signature[..4], forger.at)))
    }),
    ("the size", Wrong::Signature, |case, _| {
        Some(with_text(case, |checkpoint| checkpoint.leaves += 1))
    }),
    ("a bit of the root", Wrong::Signature, |case, forger| {
        Some(with_text(case, |checkpoint| flip(&mut checkpoint.root, forger.at)))
    }),
    ("the origin", Wrong::Signature, |case, _| {
        Some(with_text(case, |checkpoint| checkpoint.origin += "x"))
    }),
    ("the key", Wrong::Signature, |case, forger| {
        let stranger = LogKey::new(forger.key.origin(), &[99; 32]).unwrap();
        Some(Case { key: stranger.verifier().to_string(), ..case.clone() })
    }),
    // From here on the log's own key signs what is wrong. A size alone isn't changed so: where the
    // right edge has the same form, a proof holds for one size as for the other, and the signature
    // is what ties it to one.
    ("a bit of the root, signed anew", Wrong::Content, |case, forger| {
        let proven = case.claim != Claim::Checkpoint;
        proven.then(|| Case {
            note: signed(&case.note, forger, |c| flip(&mut c.root, forger.at)),
            witness: String::new(),
            ..case.clone()
        })
    }),
    ("a bit of a hash of the proof", Wrong::Content, |case, forger| {
        with_proof(case, 1, |proof| {
            let hash = forger.at % proof.len();
            flip(&mut proof[hash], forger.at);
        })
    }),
    ("a proof without one of its hashes", Wrong::Content, |case, forger| {
        with_proof(case, 1, |proof| {
            proof.remove(forger.at % proof.len());
        })
    }),
    ("a proof with one hash more", Wrong::Content, |case, forger| {
        let proven = case.claim != Claim::Checkpoint;
        proven.then(|| {
            with_proof(case, 0, |proof| proof.insert(forger.at % (proof.len() + 1), [7; 32]))
        })?
    }),
    ("two hashes of a proof in each other's place", Wrong::Content, |case, forger| {
        with_proof(case, 2, |proof| {
            let last = proof.len() - 1;
            proof.swap(forger.at % last, last);
        })
    }),
    ("another's proof", Wrong::Content, |case, forger| {
        let others = case.claim != Claim::Checkpoint && forger.other.proof != case.proof;
        others.then(|| Case { proof: forger.other.proof.clone(), ..case.clone() })
    }),
    ("a bit of the leaf", Wrong::Content, |case, forger| {
        let mut changed = case.clone();
        (!case.leaf.is_empty()).then(|| flip(&mut changed.leaf, forger.at)).map(|()| changed)
    }),
    ("another's leaf", Wrong::Content, |case, forger| {
        let others = !case.leaf.is_empty() && forger.other.leaf != case.leaf;
        others.then(|| Case { leaf: forger.other.leaf.clone(), ..case.clone() })
    }),
    ("the index", Wrong::Content, |case, _| {
        (!case.leaf.is_empty()).then(|| Case { index: case.index ^ 1, ..case.clone() })
    }),
    ("a bit of the old root, signed anew", Wrong::Content, |case, forger| {
        let old = || signed(&case.old, forger, |c| flip(&mut c.root, forger.at));
        (case.claim == Claim::Consistency).then(|| Case {
            old: old(),
            witness: String::new(),
            ..case.clone()
        })
    }),
    ("the old tree in the new one's place", Wrong::Content, |case, _| {
        let changed = || Case { old: case.note.clone(), note: case.old.clone(), ..case.clone() };
        (case.claim == Claim::Consistency).then(changed)
    }),
    ("a bit of a file", Wrong::Content, |case, forger| {
        if case.claim != Claim::Tiles {
            return None;
        }
        let leaves = checkpoint(&case.note).leaves;
        let levels =
            [Holds::Entries, Holds::Hashes(0), Holds::Hashes(1), Holds::Hashes(2)].map(|holds| {
                match holds {
                    Holds::Entries => TileId::at(holds, case.index / TILE_WIDTH, leaves),
                    Holds::Hashes(level) => {
                        TileId::at(holds, case.index >> (8 * (u32::from(level) + 1)), leaves)
                    }
                }
            });
        let there =
            levels.into_iter().flatten().map(|id| case.folder.join(id.path())).collect::<Vec<_>>();
        let file = there[forger.at % there.len()].clone();
        let entries = file.starts_with(case.folder.join("tile/entries"));
        // Of a bundle, a bit of the very leaf; of a tile, any bit.
        let bit = if entries { leaf_bit(case, leaves, forger.at)? } else { forger.at };
        Some(Case { flipped: Some((file, bit)), ..case.clone() })
    }),
];

impl Case {
    fn new(claim: Claim, key: &str, note: &str) -> Self {
        Self {
            claim,
            key: key.to_owned(),
            witness: String::new(),
            note: note.to_owned(),
            old: String::new(),
            leaf: Vec::new(),
            index: 0,
            proof: Vec::new(),
            folder: PathBuf::new(),
            flipped: None,
        }
    }

    fn line(&self) -> String {
        let claim = match self.claim {
            Claim::Checkpoint => "checkpoint",
            Claim::Inclusion => "inclusion",
            Claim::Consistency => "consistency",
            Claim::Tiles => "tiles",
        };
        let proof: Vec<String> = self.proof.iter().map(|hash| STANDARD.encode(hash)).collect();
        serde_json::json!({
            "claim": claim, "key": self.key, "witness": self.witness, "note": self.note,
                "old": self.old,
            "leaf": STANDARD.encode(&self.leaf), "index": self.index, "proof": proof,
                "folder": self.folder,
        })
        .to_string()
    }
}

// The verifier

/// The running program.
struct Go {
    child: Child,
    cases: ChildStdin,
    verdicts: BufReader<ChildStdout>,
}

impl Go {
    /// Builds the program from its source and Debian's packages, without any network, and starts
    /// it.
    fn start() -> Self {
        const WANTED: &str = "install golang-go and golang-golang-x-mod-dev, as tests/run does";
        let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let program = scratch.join("verify-log");
        let built = Command::new("go")
            .args(["build", "-o"])
            .arg(&program)
            .arg(root().join("tests/go/verify.go"))
            .envs([
                ("GO111MODULE", "off"),
                ("GOPATH", GO_PATH),
                ("GOPROXY", "off"),
                ("GOTOOLCHAIN", "local"),
                ("GOFLAGS", ""),
            ])
            .env("GOCACHE", scratch.join("go-cache"))
            .output()
            .unwrap_or_else(|e| panic!("go can't be run ({e}): {WANTED}"));
        assert!(
            built.status.success(),
            "go built no verifier: {WANTED}\n{}",
            String::from_utf8_lossy(&built.stderr)
        );
        let mut child =
            Command::new(program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (cases, verdicts) =
            (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        Self { child, cases, verdicts }
    }

    /// What it says of a case.
    fn verdict(&mut self, case: &Case) -> String {
        let kept = case.flipped.as_ref().map(|(path, bit)| {
            let bytes = fs::read(path).unwrap();
            let mut changed = bytes.clone();
            flip(&mut changed, *bit);
            fs::write(path, changed).unwrap();
            (path, bytes)
        });
        writeln!(self.cases, "{}", case.line()).unwrap();
        let mut verdict = String::new();
        self.verdicts.read_line(&mut verdict).unwrap();
        assert!(verdict.ends_with('\n'), "the verifier ended at {case:?}");
        if let Some((path, bytes)) = kept {
            fs::write(path, bytes).unwrap();
        }
        verdict.trim_end().to_owned()
    }

    fn end(mut self) {
        drop(self.cases);
        assert!(self.child.wait().unwrap().success());
    }
}

// The logs

/// A log in memory and in a folder, its roots kept at every size.
struct Grown {
    key: LogKey,
    leaves: Vec<Vec<u8>>,
    levels: Vec<Vec<Hash>>,
    roots: Vec<Hash>,
    folder: PathBuf,
}

impl Grown {
    fn new(folder: &Path) -> Self {
        let mut levels: Vec<Vec<Hash>> = vec![Vec::new(); 3];
        let (mut edge, mut leaves, mut roots) =
            (Edge::default(), Vec::new(), vec![Edge::default().root()]);
        for n in 0..GROWN_LEAVES {
            // As many lengths as there are leaves with links and counts.
            let (follows, counts) = ((0..n % 3).collect(), (0..n % 4).collect());
            let commitment = leaf_hash(&n.to_le_bytes());
            let leaf = Leaf {
                kind: LeafKind::Answered,
                time: Time::from_cs(179_000_000_000 + n),
                follows,
                counts,
                commitment,
            }
            .to_bytes();
            levels[0].push(leaf_hash(&leaf));
            edge.append_hash(leaf_hash(&leaf), &mut |TileNode { level, hash, .. }| {
                levels[usize::from(level)].push(hash)
            });
            leaves.push(leaf);
            roots.push(edge.root());
        }
        let archive = LogFolder::at(folder);
        // The narrow tiles of smaller trees too, as a log leaves them behind that is published
        // while it grows.
        let narrow =
            Self::sizes().into_iter().flat_map(TileId::all).filter(|tile| tile.width < TILE_WIDTH);
        for tile in TileId::all(GROWN_LEAVES).chain(narrow) {
            let these = place(tile.first())..place(tile.first() + tile.width);
            let mut bytes = Vec::new();
            match tile.holds {
                Holds::Entries => {
                    leaves[these].iter().for_each(|leaf| push_entry(&mut bytes, leaf))
                }
                Holds::Hashes(level) => bytes = tile_bytes(&levels[usize::from(level)][these]),
            }
            archive.put_tile(tile, &bytes, false).unwrap();
        }
        let key = LogKey::new("grown.example/log", &[3; 32]).unwrap();
        Self { key, leaves, levels, roots, folder: folder.to_owned() }
    }

    fn hashes(&self) -> impl FnMut(u8, u64, u64) -> Result<Vec<Hash>, ()> {
        |level, first, count| {
            Ok(self.levels[usize::from(level)][place(first)..place(first + count)].to_vec())
        }
    }

    /// Sizes around which the form of the tree changes.
    fn sizes() -> BTreeSet<u64> {
        let around = [64, 128, 256, 512, 768, 1_024, 4_096, 65_280, 65_536, 65_792]
            .into_iter()
            .flat_map(|n| n - 2..=n + 2);
        (1..=20).chain(around).chain([1_000, 10_000, 65_999, GROWN_LEAVES]).collect()
    }

    fn cases(&self) -> Vec<Case> {
        let (key, mut cases) = (self.key.verifier().to_string(), Vec::new());
        let sizes: Vec<u64> = Self::sizes().into_iter().collect();
        let note = |leaves: u64| self.key.sign(leaves, self.roots[place(leaves)]);
        for (at, &leaves) in sizes.iter().enumerate() {
            cases.push(Case::new(Claim::Checkpoint, &key, &note(leaves)));
            let indices: BTreeSet<u64> =
                [0, leaves / 3, leaves / 2, leaves.saturating_sub(2), leaves - 1, 255, 256, 65_535]
                    .into();
            for index in indices.into_iter().filter(|index| *index < leaves) {
                let (leaf, proof) = (
                    self.leaves[place(index)].clone(),
                    inclusion(index, leaves, &mut self.hashes()).unwrap(),
                );
                let case =
                    Case { leaf, index, proof, ..Case::new(Claim::Inclusion, &key, &note(leaves)) };
                if index % 3 == 0 {
                    cases.push(Case {
                        claim: Claim::Tiles,
                        folder: self.folder.clone(),
                        ..case.clone()
                    });
                }
                cases.push(case);
            }
            for back in [1, 2, 7, 20, 50].into_iter().filter(|back| *back <= at) {
                let old = sizes[at - back];
                let proof = consistency(old, leaves, &mut self.hashes()).unwrap();
                cases.push(Case {
                    old: note(old),
                    proof,
                    ..Case::new(Claim::Consistency, &key, &note(leaves))
                });
            }
        }
        cases
    }
}

/// A day of two agencies and a desk; the checkpoints seen meanwhile, by their sizes.
fn worked(daemon: &Daemon<'_>) -> BTreeMap<u64, String> {
    let site = daemon.site;
    let (slmpd, stlco, desk) = (daemon.feed("slmpd"), daemon.feed("stlco"), daemon.desk("rtcc-1"));
    let mut notes = BTreeMap::new();
    let mut look = || {
        let note = slmpd.checkpoint().unwrap();
        notes.insert(checkpoint(&note).leaves, note);
    };
    let portraits = [small(COLLINS), small(OBAMA)];
    for n in 0..8 {
        let feed = if n % 3 == 0 { &stlco } else { &slmpd };
        feed.put_booking(
            &number(&format!("26-{n}")),
            &booking("Roe, Jane"),
            &edition(&portraits[n % 2], 5),
        )
        .unwrap();
        look();
    }
    let again = edition(&portraits[1], 20);
    slmpd.put_booking(&number("26-1"), &booking("Roe, Jane"), &again).unwrap();
    look();
    assert_eq!(daemon.witness("court", &site.witness_identity("court")).status, Some(0));
    for n in [2, 4] {
        slmpd.release(&number(&format!("26-{n}")), "expunged by order of the court").unwrap();
        look();
        let array = desk.ask(&request(), &photo(OBAMA_LATER)).unwrap();
        look();
        let claimed = desk.claim(&array.view).unwrap();
        desk.photo(claimed.inquiry, claimed.candidates[0].version).unwrap();
        look();
    }
    let mut hollow = request();
    hollow.reason = "robbery".to_owned();
    assert!(desk.open(&hollow).is_err());
    look();
    assert!(slmpd.put_booking(&number("26-9"), &booking("Roe, Jane"), &gradient()).is_err());
    look();
    assert!(stlco.details(0, 1).is_err());
    look();
    assert!(daemon.feed("unlisted").booking(&number("26-1")).is_err());
    look();
    assert_eq!(daemon.witness("court", &site.witness_identity("court")).status, Some(0));
    look();
    notes
}

/// The inclusion of each leaf, as the box proves it and as its tiles do.
fn inclusions(
    daemon: &Daemon<'_>,
    key: &str,
    court: &str,
    (leaves, newest): (u64, &str),
) -> Vec<Case> {
    let (slmpd, stlco) = (daemon.feed("slmpd"), daemon.feed("stlco"));
    let mut cases = Vec::new();
    let archive = LogFolder::at(&daemon.site.path("read"));
    let mut all = Vec::new();
    for tile in TileId::all(leaves) {
        let bytes = stlco.tile(tile).unwrap();
        if tile.holds == Holds::Entries {
            all.extend(entries(tile, &bytes).unwrap().into_iter().map(<[u8]>::to_vec));
        }
        archive.put_tile(tile, &bytes, false).unwrap();
    }
    assert_eq!(all.len() as u64, leaves);
    let mut tiles = |level: u8, first: u64, count: u64| {
        let id = TileId::at(Holds::Hashes(level), first / TILE_WIDTH, leaves).unwrap();
        let bytes = archive.tile(id)?;
        let hashes = smrt::audit::tile_hashes(id, &bytes).unwrap();
        Ok::<_, smrt::client::log_folder::LogFolderError>(
            hashes[place(first - id.first())..][..place(count)].to_vec(),
        )
    };
    let mut witnessed = 0;
    for (index, leaf) in (0..).zip(all) {
        let told = slmpd.proof(index).unwrap();
        let witness = if told.checkpoint.contains("court.example/witness") {
            court.to_owned()
        } else {
            String::new()
        };
        witnessed += usize::from(!witness.is_empty());
        let case = Case {
            leaf: leaf.clone(),
            index,
            proof: told.path,
            ..Case::new(Claim::Inclusion, key, &told.checkpoint)
        };
        cases.push(Case { witness, ..case });
        let proof = inclusion(index, leaves, &mut tiles).unwrap();
        let folder = archive.path().to_owned();
        cases.push(Case { leaf, index, proof, folder, ..Case::new(Claim::Tiles, key, newest) });
    }
    assert!(witnessed > 20, "{witnessed} proofs came with a cosigned checkpoint");
    cases
}

/// A day of a real box: bookings, a second photo, releases, searches, refusals, a witness; and all
/// that its door then shows of its log.
fn cases_of_a_day(site: &Site) -> Vec<Case> {
    site.add_witnesses(&[("court", None)], 1, 60);
    let daemon = site.start("test");
    // People were appointed before the witness came, so that the doors wait until it has confirmed
    // the log.
    assert_eq!(daemon.witness("court", &site.witness_identity("court")).status, Some(0));
    let notes = worked(&daemon);
    let slmpd = daemon.feed("slmpd");
    let key = site.log_verifier().to_string();
    let secret = fs::read(site.witness_secret("court")).unwrap();
    let court = CosignerKey::new(&witness_name("court"), &secret).unwrap().verifier().to_string();
    let mut cases: Vec<Case> =
        notes.values().map(|note| Case::new(Claim::Checkpoint, &key, note)).collect();
    let cosigned = slmpd.checkpoints(0).unwrap();
    assert_eq!(cosigned.len(), 3);
    cases.extend(cosigned.iter().map(|note| Case {
        witness: court.clone(),
        ..Case::new(Claim::Checkpoint, &key, &note.to_string())
    }));

    let sizes: Vec<u64> = notes.keys().copied().collect();
    for (at, new) in sizes.iter().enumerate() {
        for old in &sizes[at.saturating_sub(4)..at] {
            let proof = slmpd.consistency(*old, *new).unwrap();
            cases.push(Case {
                old: notes[old].clone(),
                proof,
                ..Case::new(Claim::Consistency, &key, &notes[new])
            });
        }
    }

    let (&leaves, newest) = notes.last_key_value().unwrap();
    cases.extend(inclusions(&daemon, &key, &court, (leaves, newest)));
    assert_eq!(daemon.stop(), Some(0));
    cases
}

#[test]
fn gos_packages_accept_a_thousand_of_our_proofs_and_refuse_each_one_changed() {
    let mut go = Go::start();
    let site = Site::staffed();
    let grown = Grown::new(&site.path("grown"));
    let own =
        LogKey::new(site.log_verifier().name(), &fs::read(site.path("log.key")).unwrap()).unwrap();
    let (mut accepted, mut refused, mut by_change) = (BTreeMap::new(), 0, BTreeMap::new());
    for (key, cases) in [(&own, cases_of_a_day(&site)), (&grown.key, grown.cases())] {
        for case in &cases {
            assert_eq!(go.verdict(case), "accepted", "{case:?}");
            *accepted.entry(case.claim).or_insert(0) += 1;
        }
        for (at, case) in cases.iter().enumerate() {
            let other =
                cases.iter().cycle().skip(at + 1).find(|other| other.claim == case.claim).unwrap();
            for (what, wrong, change) in CHANGES {
                let Some(changed) = change(case, &Forger { key, other, at }) else { continue };
                let verdict = go.verdict(&changed);
                let told = match wrong {
                    Wrong::Signature => verdict.starts_with("refused note: "),
                    Wrong::Content => {
                        verdict.starts_with("refused proof: ")
                            || verdict.starts_with("refused tile: ")
                    }
                };
                assert!(told, "{what}: {verdict}\n{changed:?}");
                refused += 1;
                *by_change.entry(what).or_insert(0) += 1;
            }
        }
    }
    go.end();
    println!("accepted {accepted:?}; refused {refused}: {by_change:#?}");
    assert!(
        accepted.values().sum::<usize>() >= CASES_MIN && refused >= CASES_MIN,
        "{accepted:?} accepted, {refused} refused"
    );
    assert!(
        by_change.len() == CHANGES.len() && by_change.values().all(|&times| times >= 100),
        "{by_change:?}"
    );
}

// Changes

fn flip(bytes: &mut [u8], bit: usize) {
    let bit = bit % (8 * bytes.len());
    bytes[bit / 8] ^= 1 << (bit % 8);
}

fn place(index: u64) -> usize {
    usize::try_from(index).unwrap()
}

fn checkpoint(note: &str) -> Checkpoint {
    Note::parse(note).unwrap().checkpoint().unwrap()
}

/// The case under a checkpoint that nobody has signed.
fn with_text(case: &Case, change: impl FnOnce(&mut Checkpoint)) -> Case {
    let (mut claimed, (_, signatures)) =
        (checkpoint(&case.note), case.note.split_once("\n\n").unwrap());
    change(&mut claimed);
    Case { note: format!("{}\n{signatures}", claimed.text()), ..case.clone() }
}

/// The case under other bytes of one of its signatures: four of the key's id, then the signature.
fn with_signature(case: &Case, line: usize, change: impl FnOnce(&mut [u8])) -> Case {
    let (text, signatures) = case.note.split_once("\n\n").unwrap();
    let mut lines: Vec<String> = signatures.lines().map(str::to_owned).collect();
    let (name, signature) = lines[line].rsplit_once(' ').unwrap();
    let mut bytes = STANDARD.decode(signature).unwrap();
    change(&mut bytes);
    lines[line] = format!("{name} {}", STANDARD.encode(bytes));
    Case { note: format!("{text}\n\n{}\n", lines.join("\n")), ..case.clone() }
}

/// A note over another checkpoint, signed by the log itself.
fn signed(note: &str, forger: &Forger<'_>, change: impl FnOnce(&mut Checkpoint)) -> String {
    let mut claimed = checkpoint(note);
    change(&mut claimed);
    forger.key.sign(claimed.leaves, claimed.root)
}

fn with_proof(case: &Case, least: usize, change: impl FnOnce(&mut Vec<Hash>)) -> Option<Case> {
    let mut changed = case.clone();
    (case.proof.len() >= least).then(|| change(&mut changed.proof)).map(|()| changed)
}

/// A bit of the case's leaf in its bundle.
fn leaf_bit(case: &Case, leaves: u64, at: usize) -> Option<usize> {
    let id = TileId::at(Holds::Entries, case.index / TILE_WIDTH, leaves)?;
    let bundle = LogFolder::at(&case.folder).tile(id).unwrap();
    let before = entries(id, &bundle).unwrap()[..place(case.index - id.first())]
        .iter()
        .map(|leaf| 2 + leaf.len())
        .sum::<usize>();
    Some(8 * (before + 2) + at % (8 * case.leaf.len()))
}
