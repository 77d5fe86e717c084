//! An attacker who has read the source and all of the log that anybody in the roster may read, and
//! holds a dictionary of whatever could be in it. Two ways lead to what a leaf is about: a guess
//! that hashes to its commitment, with anything at hand in the place of the salt; and the words
//! themselves, lying somewhere as they are or in another spelling. A third leads to whom it is
//! about: the time of a booking or a search is known outside, so that whatever is tied to its leaf
//! is tied to a person.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use base64::{Engine, engine::general_purpose::STANDARD};
use smrt::audit::{Edge, Hash, Leaf, LeafKind, leaf_hash};

/// What commitments begin with, as the source says.
pub(crate) const DOMAIN: &[u8] = b"smrt leaf detail v1\0";
/// Shorter words come up by chance in what is random; they are looked for where nothing is.
const WORD_BYTES_MIN: usize = 8;
const SHORT_BYTES_MIN: usize = 4;
/// Numbers that are no index and no small count.
const NUMBER_MIN: u64 = 10_000;
const SEPARATORS: [&str; 9] = ["", " ", ",", ", ", ":", "|", "/", "\n", "\0"];
/// Where a leaf's commitment stands.
const COMMITMENT: std::ops::Range<usize> = 16..48;

/// What the attacker knows to try.
#[derive(Debug, Default)]
pub(crate) struct Dictionary {
    /// Single values.
    words: BTreeSet<Vec<u8>>,
    /// Values that belong together.
    records: Vec<Vec<Vec<u8>>>,
    /// Whole texts: requests, bookings, details.
    wholes: BTreeSet<Vec<u8>>,
    /// Photos and probes.
    files: BTreeSet<Vec<u8>>,
}

/// A leaf that tells what became of somebody, and the leaf that tells when that one came in or was
/// searched for.
pub(crate) type Tie = (u64, u64);

/// What stands in the place of a salt.
struct Salt {
    bytes: Vec<u8>,
    key: hmac::Key,
}

/// The attacker at work on one log.
pub(crate) struct Attacker {
    commitments: HashMap<Hash, u64>,
    /// For any leaf.
    common: Vec<Salt>,
    /// Of one leaf each, told or worked out.
    particular: Vec<Salt>,
    /// Hashes made so far.
    pub(crate) tried: u64,
    /// Leaves whose detail was guessed, each with the guess and how it was hashed.
    pub(crate) found: BTreeMap<u64, (String, &'static str)>,
}

impl Dictionary {
    /// A value, with the spellings that a careless program would make of it.
    pub(crate) fn word(&mut self, word: &str) {
        let spellings = [
            word.to_owned(),
            word.to_uppercase(),
            word.to_lowercase(),
            word.replace([' ', ',', '-', '.'], ""),
            word.replace(' ', "_"),
        ];
        self.words.extend(
            spellings.into_iter().filter(|spelling| !spelling.is_empty()).map(String::into_bytes),
        );
        // A digest or an id that is written in hexadecimal.
        if let Ok(bytes) = hex::decode(word)
            && bytes.len() >= WORD_BYTES_MIN
        {
            self.bytes(&bytes);
        }
    }

    /// Takes a value back, in each of its spellings, because everybody knows it.
    pub(crate) fn forget(&mut self, word: &str) {
        let mut known = Self::default();
        known.word(word);
        self.words.retain(|word| !known.words.contains(word));
    }

    /// A value that is no text: a digest, an id.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.words.extend([
            bytes.to_vec(),
            hex::encode(bytes).into_bytes(),
            STANDARD.encode(bytes).into_bytes(),
        ]);
        // Whoever wants to save room cuts digests short.
        self.words.insert(bytes[..WORD_BYTES_MIN].to_vec());
    }

    /// Values that belong together: each, and what they make in any order.
    pub(crate) fn record(&mut self, values: &[&str]) {
        values.iter().for_each(|value| self.word(value));
        self.records.push(values.iter().map(|value| value.as_bytes().to_vec()).collect());
    }

    /// A photo and its digest.
    pub(crate) fn file(&mut self, file: &[u8]) {
        self.bytes(digest(&SHA256, file).as_ref());
        self.files.insert(file.to_vec());
    }

    /// A whole text and its digest.
    pub(crate) fn whole(&mut self, whole: &[u8]) {
        self.bytes(digest(&SHA256, whole).as_ref());
        self.wholes.insert(whole.to_vec());
    }

    /// Every value of a document, and the document.
    pub(crate) fn document(&mut self, document: &serde_json::Value) {
        self.whole(document.to_string().as_bytes());
        self.whole(serde_json::to_string_pretty(document).unwrap().as_bytes());
        self.values(document);
    }

    fn values(&mut self, value: &serde_json::Value) {
        use serde_json::Value;
        match value {
            Value::String(text) => self.word(text),
            Value::Number(number) if number.as_f64().is_some_and(|score| score.fract() != 0.0) => {
                let score = number.as_f64().unwrap();
                self.word(&number.to_string());
                self.words.extend([score.to_le_bytes().to_vec(), score.to_be_bytes().to_vec()]);
            }
            Value::Array(values) => values.iter().for_each(|value| self.values(value)),
            Value::Object(values) => values.values().for_each(|value| self.values(value)),
            _ => {}
        }
    }

    /// How many words, joined values, whole texts and files it makes.
    pub(crate) fn sizes(&self) -> [usize; 4] {
        let mut joined = 0;
        self.for_each_joined(&mut |_| joined += 1);
        [self.words.len(), joined, self.wholes.len(), self.files.len()]
    }

    /// Any two words, and any three values of one record, in each order and behind each separator.
    fn for_each_joined(&self, take: &mut dyn FnMut(&[u8])) {
        // As they were given: in one spelling.
        let texts: BTreeSet<&[u8]> = self.records.iter().flatten().map(Vec::as_slice).collect();
        let mut join = |parts: &[&[u8]]| {
            SEPARATORS.iter().for_each(|separator| take(&parts.join(separator.as_bytes())))
        };
        for one in &texts {
            for other in texts.iter().filter(|other| other != &one) {
                join(&[one, other]);
            }
        }
        for record in &self.records {
            for (a, one) in record.iter().enumerate() {
                for (b, two) in record.iter().enumerate().filter(|(b, _)| *b != a) {
                    for (_, three) in record.iter().enumerate().filter(|(c, _)| *c != a && *c != b)
                    {
                        join(&[one, two, three]);
                    }
                }
            }
        }
    }
}

impl Salt {
    fn new(bytes: &[u8]) -> Self {
        Self { bytes: bytes.to_vec(), key: hmac::Key::new(hmac::HMAC_SHA256, bytes) }
    }

    /// A value as it is, filled up to a salt's length from either side, and hashed.
    fn of(value: &[u8]) -> Vec<Self> {
        let mut salts = vec![Self::new(value), Self::new(digest(&SHA256, value).as_ref())];
        if value.len() < 32 {
            let nothing = vec![0; 32 - value.len()];
            salts.extend([
                Self::new(&[value, &nothing].concat()),
                Self::new(&[&nothing, value].concat()),
            ]);
        }
        salts
    }
}

impl Attacker {
    /// Takes in the leaves of a log, and what is known of it beside them: its origin, its key.
    pub(crate) fn new(leaves: &[Vec<u8>], known: &[&[u8]]) -> Self {
        let read: Vec<Leaf> = leaves.iter().map(|leaf| Leaf::from_bytes(leaf).unwrap()).collect();
        let (mut edge, mut particular) = (Edge::default(), Vec::new());
        let mut roots = vec![edge.root()];
        for leaf in leaves {
            edge.append(leaf);
            roots.push(edge.root());
        }
        for (at, leaf) in read.iter().enumerate() {
            for number in [at as u64, leaf.time.cs(), leaf.time.seconds()] {
                for bytes in [number.to_le_bytes(), number.to_be_bytes()] {
                    particular.extend(Salt::of(&bytes));
                }
                particular.extend(Salt::of(number.to_string().as_bytes()));
            }
            let before = at.checked_sub(1).map(|before| &leaves[before]);
            let blank = [&leaves[at][..COMMITMENT.start], &leaves[at][COMMITMENT.end..]].concat();
            let hashes =
                [roots[at], before.map_or([0; 32], |leaf| leaf_hash(leaf)), leaf_hash(&blank)];
            particular.extend(hashes.iter().map(|hash| Salt::new(hash)));
            particular.extend(before.map(|leaf| Salt::new(&leaf[COMMITMENT])));
            particular.extend(Salt::of(&leaves[at][..COMMITMENT.start]));
        }
        let plain: [&[u8]; 8] =
            [b"", &[0; 32], &[1; 32], &[255; 32], &[b'0'; 32], DOMAIN, b"salt", b"smrt"];
        let last = edge.root();
        let common = plain
            .into_iter()
            .chain(known.iter().copied())
            .chain([&last[..], &roots[0], &roots[1]])
            .flat_map(Salt::of)
            .collect();
        let commitments = (0..).zip(&read).map(|(at, leaf)| (leaf.commitment, at)).collect();
        // Many leaves share a kind, a second and an author: each salt once.
        particular.sort_by(|a, b| a.bytes.cmp(&b.bytes));
        particular.dedup_by(|a, b| a.bytes == b.bytes);
        Self { commitments, common, particular, tried: 0, found: BTreeMap::new() }
    }

    /// Tells the attacker what only those have to whom a detail was opened.
    pub(crate) fn tell(&mut self, salts: &[[u8; 32]]) {
        self.particular.extend(salts.iter().map(|salt| Salt::new(salt)));
    }

    /// Hashes the whole dictionary; the likelier a guess, the more ways.
    pub(crate) fn guess(&mut self, dictionary: &Dictionary) {
        self.guess_wholes(dictionary);
        dictionary.words.iter().for_each(|word| self.guess_word(word));
        dictionary.files.iter().for_each(|file| self.guess_commonly(file));
        dictionary.for_each_joined(&mut |joined| self.guess_plainly(joined));
    }

    /// Hashes the dictionary's whole texts with everything that could be a salt.
    pub(crate) fn guess_wholes(&mut self, dictionary: &Dictionary) {
        dictionary.wholes.iter().for_each(|guess| self.guess_one(guess));
    }

    /// Hashes a guess with everything that could be a salt.
    pub(crate) fn guess_one(&mut self, guess: &[u8]) {
        self.guess_commonly(guess);
        let particular = std::mem::take(&mut self.particular);
        particular.iter().for_each(|salt| self.salted(guess, salt));
        self.particular = particular;
    }

    /// Hashes a word with everything that could be a salt; with one leaf's own only in the form
    /// that the source has.
    fn guess_word(&mut self, word: &[u8]) {
        self.guess_commonly(word);
        let particular = std::mem::take(&mut self.particular);
        particular.iter().for_each(|salt| self.as_the_source_does(word, salt));
        self.particular = particular;
    }

    /// Hashes a guess with what could be the salt of any leaf.
    fn guess_commonly(&mut self, guess: &[u8]) {
        self.guess_plainly(guess);
        let common = std::mem::take(&mut self.common);
        common.iter().for_each(|salt| self.salted(guess, salt));
        self.common = common;
        // The guess as its own salt.
        self.salted(guess, &Salt::new(guess));
        self.salted(guess, &Salt::new(digest(&SHA256, guess).as_ref()));
    }

    /// Hashes a guess as programs do that know of no salt, or have one of nothing.
    fn guess_plainly(&mut self, guess: &[u8]) {
        let plain = digest(&SHA256, guess);
        self.look(guess, "SHA-256", plain.as_ref());
        self.look(guess, "SHA-256 twice", digest(&SHA256, plain.as_ref()).as_ref());
        self.hash(guess, "domain, guess", &[DOMAIN, guess]);
        self.hash(guess, "domain, digest", &[DOMAIN, plain.as_ref()]);
        self.hash(guess, "domain, salt of zeros, guess", &[DOMAIN, &[0; 32], guess]);
        self.hash(guess, "as a leaf", &[&[0], guess]);
        self.hash(guess, "as a node", &[&[1], guess]);
    }

    fn salted(&mut self, guess: &[u8], salt: &Salt) {
        self.as_the_source_does(guess, salt);
        self.hash(guess, "salt, guess", &[&salt.bytes, guess]);
        self.hash(guess, "guess, salt", &[guess, &salt.bytes]);
        self.look(guess, "HMAC under the salt", hmac::sign(&salt.key, guess).as_ref());
    }

    fn as_the_source_does(&mut self, guess: &[u8], salt: &Salt) {
        self.hash(guess, "domain, salt, guess", &[DOMAIN, &salt.bytes, guess]);
    }

    fn hash(&mut self, guess: &[u8], way: &'static str, parts: &[&[u8]]) {
        self.look(guess, way, digest(&SHA256, &parts.concat()).as_ref());
    }

    fn look(&mut self, guess: &[u8], way: &'static str, hash: &[u8]) {
        self.tried += 1;
        if let Some(&leaf) = self.commitments.get(hash) {
            self.found.insert(leaf, (shown(guess), way));
        }
    }
}

/// The words of a dictionary that lie in what can be read, each with where.
///
/// Shapes: `readable` are names with bytes; `leaves` are the log's, which are looked at for short
/// words too.
pub(crate) fn words_in(
    dictionary: &Dictionary,
    readable: &[(String, Vec<u8>)],
    leaves: &[Vec<u8>],
) -> Vec<String> {
    let mut spellings: HashMap<[u8; WORD_BYTES_MIN], Vec<Vec<u8>>> = HashMap::new();
    let mut short: BTreeSet<&[u8]> = BTreeSet::new();
    for word in &dictionary.words {
        for spelling in
            spelled(word).into_iter().filter(|spelling| spelling.len() >= WORD_BYTES_MIN)
        {
            spellings.entry(*spelling.first_chunk().unwrap()).or_default().push(spelling);
        }
        if (SHORT_BYTES_MIN..WORD_BYTES_MIN).contains(&word.len()) {
            short.insert(word);
        }
    }
    let mut found = Vec::new();
    let named = (0..).zip(leaves).map(|(at, leaf): (usize, _)| (format!("leaf {at}"), leaf));
    for (name, bytes) in readable.iter().map(|(name, bytes)| (name.clone(), bytes)).chain(named) {
        for (at, window) in bytes.windows(WORD_BYTES_MIN).enumerate() {
            let Some(spellings) = spellings.get(window) else { continue };
            let here = spellings.iter().filter(|spelling| bytes[at..].starts_with(spelling));
            found.extend(here.map(|spelling| format!("'{}' in {name} at {at}", shown(spelling))));
        }
    }
    for (at, leaf) in leaves.iter().enumerate() {
        for part in [&leaf[..COMMITMENT.start], &leaf[COMMITMENT.end..]] {
            let here =
                short.iter().filter(|word| part.windows(word.len()).any(|window| window == **word));
            found.extend(here.map(|word| format!("'{}' in leaf {at}", shown(word))));
        }
    }
    found
}

/// Leaves that are tied to that of a booking, or of a search whose end isn't meant, by what they
/// follow or by their tags.
///
/// `known` is what tags may be made under, beside what every leaf shows; `tag` is the box's own way
/// to make one of a leaf's index.
pub(crate) fn ties(
    leaves: &[Vec<u8>],
    known: &[Vec<u8>],
    tag: Option<&dyn Fn(u64) -> u64>,
) -> BTreeSet<Tie> {
    let read: Vec<(u64, Leaf)> =
        (0..).zip(leaves.iter().map(|leaf| Leaf::from_bytes(leaf).unwrap())).collect();
    let mut made: HashMap<u64, u64> = HashMap::new();
    for (at, booking) in read.iter().filter(|(_, leaf)| leaf.kind == LeafKind::BookingIn) {
        made.extend(tag.map(|tag| (tag(*at), *at)));
        let (time, bytes) = (booking.time.cs(), leaves[usize::try_from(*at).unwrap()].as_slice());
        let shown: [Vec<u8>; 7] = [
            at.to_le_bytes().into(),
            at.to_be_bytes().into(),
            at.to_string().into(),
            time.to_le_bytes().into(),
            time.to_be_bytes().into(),
            booking.commitment.into(),
            leaf_hash(bytes).into(),
        ];
        for (value, under) in shown
            .iter()
            .flat_map(|value| known.iter().map(move |under| (value.as_slice(), under.as_slice())))
        {
            let keyed = |key: &[u8], value: &[u8]| {
                hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), value).as_ref().to_vec()
            };
            let joined = [under, value].concat();
            let ways = [
                joined.clone(),
                digest(&SHA256, &joined).as_ref().to_vec(),
                keyed(under, value),
                keyed(value, under),
            ];
            for way in [value.to_vec()].into_iter().chain(ways) {
                let eight = [way.first_chunk::<8>(), way.last_chunk::<8>()].into_iter().flatten();
                made.extend(
                    eight
                        .flat_map(|eight| [u64::from_le_bytes(*eight), u64::from_be_bytes(*eight)])
                        .map(|tag| (tag, *at)),
                );
            }
        }
    }
    let kind_of =
        |at: u64| usize::try_from(at).ok().and_then(|at| read.get(at)).map(|(_, leaf)| leaf.kind);
    let mut ties = BTreeSet::new();
    for (at, leaf) in &read {
        // Every search is answered or interrupted; that singles nobody out.
        let every = matches!(leaf.kind, LeafKind::Answered | LeafKind::Interrupted);
        let single = |earlier: &u64| {
            matches!(kind_of(*earlier), Some(LeafKind::BookingIn | LeafKind::Asked)) && !every
        };
        ties.extend(leaf.follows.iter().copied().filter(single).map(|earlier| (*at, earlier)));
        if matches!(leaf.kind, LeafKind::BookingIn | LeafKind::Released | LeafKind::Purged) {
            ties.extend(
                leaf.counts
                    .iter()
                    .filter(|count| **count != 0)
                    .filter_map(|tag| Some((*at, *made.get(tag)?))),
            );
        }
    }
    ties
}

/// A word as it could lie in bytes: as it is, backwards, in hexadecimal, in base64 at each offset,
/// as a number.
fn spelled(word: &[u8]) -> Vec<Vec<u8>> {
    // Short words are looked for in another place: a spelling of theirs is as likely to come up by
    // chance as they are.
    let number = number(word)
        .into_iter()
        .flat_map(|number| [number.to_le_bytes().to_vec(), number.to_be_bytes().to_vec()]);
    if word.len() < WORD_BYTES_MIN {
        return number.collect();
    }
    let backwards = word.iter().rev().copied().collect();
    let hexadecimal = hex::encode(word);
    let mut spellings = vec![
        word.to_vec(),
        backwards,
        hexadecimal.to_uppercase().into_bytes(),
        hexadecimal.into_bytes(),
    ];
    for offset in 0..3 {
        let text = STANDARD.encode([&[0; 2][..offset], word].concat());
        // Characters that depend on the neighbours are left out at both ends.
        let (first, bits) = ([0, 2, 3][offset], 8 * (offset + word.len()));
        spellings.push(text.as_bytes()[first..bits / 6].to_vec());
        spellings
            .push(text.replace('+', "-").replace('/', "_").as_bytes()[first..bits / 6].to_vec());
    }
    spellings.extend(number);
    spellings.sort();
    spellings.dedup();
    spellings
}

/// The number that a date or a booking's or case's number is without its punctuation.
fn number(word: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(word).ok()?.replace(['-', '.', '/'], "");
    text.parse().ok().filter(|number| *number >= NUMBER_MIN)
}

fn shown(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.chars().take(120).collect(),
        Err(_) => format!("{} bytes, {}", bytes.len(), hex::encode(&bytes[..bytes.len().min(32)])),
    }
}
