//! Signed notes (C2SP `signed-note`, `tlog-checkpoint`, `tlog-cosignature`): a checkpoint is three
//! lines of text; below them stand the Ed25519 signature of its log and the cosignatures of
//! witnesses, a line each.

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use base64::{Engine, engine::general_purpose::STANDARD};

use super::AuditError;
use super::proof::hash_of;
use super::tree::Hash;
use crate::ids::Digest;
use crate::limits::SIGNATURES_MAX;

const SIGNATURE_MARK: &str = "\u{2014} ";
const COSIGNATURE_HEAD: &str = "cosignature/v1\ntime ";
const PUBLIC_BYTES: usize = 32;
const SIGNATURE_BYTES: usize = 64;

/// What a log said of itself at one time: its origin, its size and its root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log's name.
    pub origin: String,
    /// Its number of leaves.
    pub leaves: u64,
    /// Its root hash.
    pub root: Hash,
}

/// What a key signs; its number is part of the key's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum KeyUse {
    /// Checkpoints of a log.
    Log = 1,
    /// Cosignatures of a witness.
    Cosigner = 4,
}

/// A key by which signatures of one name and use are verified.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct VerifierKey {
    name: String,
    usage: KeyUse,
    public: [u8; PUBLIC_BYTES],
}

/// The key that signs one log's checkpoints, under the log's origin.
pub struct LogKey {
    verifier: VerifierKey,
    pair: Ed25519KeyPair,
}

/// The key by which a witness cosigns.
pub struct CosignerKey {
    verifier: VerifierKey,
    pair: Ed25519KeyPair,
}

/// A signed note, taken apart; nothing in it is verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    text: String,
    lines: Vec<SignatureLine>,
}

/// One signature of a note.
#[derive(Clone, Debug, PartialEq, Eq)]
struct SignatureLine {
    name: String,
    id: [u8; 4],
    signature: Vec<u8>,
}

impl Checkpoint {
    /// The text that is signed.
    pub fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.leaves, STANDARD.encode(self.root))
    }

    /// Reads the text of a checkpoint; lines after the third are extensions and say nothing here.
    pub fn parse(text: &str) -> Result<Self, AuditError> {
        let wrong = AuditError::Checkpoint;
        let mut lines = text.split_terminator('\n');
        let origin =
            lines.next().filter(|o| !o.is_empty()).ok_or(wrong("it has no origin line"))?;
        let size = lines.next().ok_or(wrong("it has no size line"))?;
        let leaves = size
            .parse::<u64>()
            .ok()
            .filter(|n| n.to_string() == size)
            .ok_or(wrong("its size is not a number"))?;
        let root = lines.next().ok_or(wrong("it has no root line"))?;
        let root = hash_of(root).ok_or(wrong("its root is not 32 bytes in base64"))?;
        Ok(Self { origin: origin.to_owned(), leaves, root })
    }
}

impl VerifierKey {
    fn new(name: &str, usage: KeyUse, pair: &Ed25519KeyPair) -> Result<Self, AuditError> {
        let fits = (1..=200).contains(&name.len())
            && name.chars().all(|c| !c.is_whitespace() && !c.is_control() && c != '+');
        if !fits {
            return Err(AuditError::Origin { found: name.chars().take(40).collect() });
        }
        let public =
            pair.public_key().as_ref().try_into().expect("a public key of Ed25519 has 32 bytes");
        Ok(Self { name: name.to_owned(), usage, public })
    }

    /// Reads a key in the form of signed notes: name, id in hexadecimal, type and public key in
    /// base64, joined by plus signs.
    ///
    /// Errors: another form, another type than these two, an id that isn't the key's.
    pub fn parse(found: &str) -> Result<Self, AuditError> {
        let wrong =
            |reason| AuditError::VerifierKey { found: found.chars().take(80).collect(), reason };
        let mut parts = found.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(wrong("it has not the form name+id+key"));
        };
        let key = STANDARD.decode(key).map_err(|_| wrong("its key is not base64"))?;
        let (usage, public) = match key.split_first() {
            Some((1, public)) => (KeyUse::Log, public),
            Some((4, public)) => (KeyUse::Cosigner, public),
            _ => return Err(wrong("its type is neither 1, a log's, nor 4, a witness'")),
        };
        let public = public.try_into().map_err(|_| wrong("its key is not one of Ed25519"))?;
        let key = Self { name: name.to_owned(), usage, public };
        let named = !name.is_empty() && name.chars().all(|c| !c.is_whitespace() && !c.is_control());
        if named && hex::encode(key.id()) == id {
            Ok(key)
        } else {
            Err(wrong("its id is not that of its name and key"))
        }
    }

    /// The name under which it signs: a log's origin, a witness' name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it signs.
    pub fn usage(&self) -> KeyUse {
        self.usage
    }

    /// The public key.
    pub fn public(&self) -> &[u8; PUBLIC_BYTES] {
        &self.public
    }

    fn id(&self) -> [u8; 4] {
        let named = [self.name.as_bytes(), b"\n", &[self.usage as u8], &self.public];
        *Digest::of_parts(&named).0.first_chunk().expect("SHA-256 gives 32 bytes")
    }

    fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.public).verify(message, signature).is_ok()
    }

    /// Whether this log key signed the note.
    pub fn signed(&self, note: &Note) -> bool {
        self.usage == KeyUse::Log
            && note.lines.iter().any(|line| {
                line.is_of(self) && self.verifies(note.text.as_bytes(), &line.signature)
            })
    }

    /// When this witness cosigned the note, in seconds since 1970-01-01 UTC; the latest, where it
    /// did so more than once.
    pub fn cosigned(&self, note: &Note) -> Option<u64> {
        if self.usage != KeyUse::Cosigner {
            return None;
        }
        note.lines.iter().filter_map(|line| self.cosigned_by(line, &note.text)).max()
    }

    fn cosigned_by(&self, line: &SignatureLine, text: &str) -> Option<u64> {
        let (time, signature) =
            line.signature.split_first_chunk::<8>().filter(|_| line.is_of(self))?;
        let time = u64::from_be_bytes(*time);
        self.verifies(cosigned_text(time, text).as_bytes(), signature).then_some(time)
    }

    fn stands_by(&self, line: &SignatureLine, text: &str) -> bool {
        match self.usage {
            KeyUse::Log => line.is_of(self) && self.verifies(text.as_bytes(), &line.signature),
            KeyUse::Cosigner => self.cosigned_by(line, text).is_some(),
        }
    }
}

impl std::fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let typed = [&[self.usage as u8], &self.public[..]].concat();
        write!(f, "{}+{}+{}", self.name, hex::encode(self.id()), STANDARD.encode(typed))
    }
}

impl LogKey {
    /// Takes the 32 bytes of a key file for a log's origin.
    ///
    /// Errors: another length, or an origin that can't name a key in a signed note.
    pub fn new(origin: &str, seed: &[u8]) -> Result<Self, AuditError> {
        let pair = pair(seed)?;
        Ok(Self { verifier: VerifierKey::new(origin, KeyUse::Log, &pair)?, pair })
    }

    /// The log's origin.
    pub fn origin(&self) -> &str {
        &self.verifier.name
    }

    /// The key that verifies what this one signs.
    pub fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// The signed note over a checkpoint of this log.
    pub fn sign(&self, leaves: u64, root: Hash) -> String {
        let text = Checkpoint { origin: self.origin().to_owned(), leaves, root }.text();
        let line =
            SignatureLine::new(&self.verifier, self.pair.sign(text.as_bytes()).as_ref().to_vec());
        Note { text, lines: vec![line] }.to_string()
    }

    /// Reads a signed note and checks that this key signed it.
    ///
    /// Errors: a malformed note, another log's, a wrong signature.
    pub fn open(&self, note: &str) -> Result<Checkpoint, AuditError> {
        Note::parse(note)?.checkpoint_of(&self.verifier)
    }
}

impl CosignerKey {
    /// Takes the 32 bytes of a key file for a witness' name.
    ///
    /// Errors: another length, or a name that can't name a key in a signed note.
    pub fn new(name: &str, seed: &[u8]) -> Result<Self, AuditError> {
        let pair = pair(seed)?;
        Ok(Self { verifier: VerifierKey::new(name, KeyUse::Cosigner, &pair)?, pair })
    }

    /// The key that verifies what this one signs.
    pub fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// Adds this witness' cosignature to a note: as of `time`, no larger tree of this log was seen,
    /// and it continues all that were.
    ///
    /// Units: seconds since 1970-01-01 UTC.
    pub fn cosign(&self, note: &mut Note, time: u64) {
        let signature = self.pair.sign(cosigned_text(time, &note.text).as_bytes());
        let line =
            SignatureLine::new(&self.verifier, [&time.to_be_bytes(), signature.as_ref()].concat());
        note.lines.retain(|line| !line.is_of(&self.verifier));
        note.lines.push(line);
    }
}

impl SignatureLine {
    fn new(key: &VerifierKey, signature: Vec<u8>) -> Self {
        Self { name: key.name.clone(), id: key.id(), signature }
    }

    fn parse(line: &str) -> Option<Self> {
        let (name, signature) = line.strip_prefix(SIGNATURE_MARK)?.split_once(' ')?;
        let bytes = STANDARD.decode(signature).ok()?;
        let (id, signature) = bytes.split_first_chunk()?;
        Some(Self { name: name.to_owned(), id: *id, signature: signature.to_vec() })
    }

    fn is_of(&self, key: &VerifierKey) -> bool {
        self.name == key.name && self.id == key.id()
    }
}

impl Note {
    /// Takes a note apart.
    ///
    /// Errors: no signatures, a malformed line among them, more than `SIGNATURES_MAX`.
    pub fn parse(note: &str) -> Result<Self, AuditError> {
        let wrong = AuditError::Checkpoint;
        let (text, signatures) = note.split_once("\n\n").ok_or(wrong("it has no signature"))?;
        let lines =
            signatures.strip_suffix('\n').ok_or(wrong("its last line has no end"))?.split('\n');
        let lines =
            lines.take(SIGNATURES_MAX + 1).map(SignatureLine::parse).collect::<Option<Vec<_>>>();
        let lines = lines.ok_or(wrong("a line of its signatures is malformed"))?;
        if lines.len() > SIGNATURES_MAX {
            return Err(wrong("it has too many signatures"));
        }
        Ok(Self { text: format!("{text}\n"), lines })
    }

    /// The text that is signed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The names in which it is signed, whoever signed.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().map(|line| line.name.as_str())
    }

    /// The checkpoint, whoever signed it.
    pub fn checkpoint(&self) -> Result<Checkpoint, AuditError> {
        Checkpoint::parse(&self.text)
    }

    /// The checkpoint of the log of this key.
    ///
    /// Errors: another log's, no signature by the key.
    pub fn checkpoint_of(&self, log: &VerifierKey) -> Result<Checkpoint, AuditError> {
        let checkpoint = self.checkpoint()?;
        if log.signed(self) && checkpoint.origin == log.name {
            Ok(checkpoint)
        } else {
            Err(AuditError::Signature)
        }
    }

    /// The names on lines that claim to be by one of these keys, by its name or its id, and are
    /// not.
    pub fn forged<'n>(&'n self, keys: &[&VerifierKey]) -> Vec<&'n str> {
        let claims =
            |line: &SignatureLine, key: &VerifierKey| line.name == key.name || line.id == key.id();
        let forged = |line: &&SignatureLine| {
            keys.iter().any(|key| claims(line, key))
                && !keys.iter().any(|key| key.stands_by(line, &self.text))
        };
        self.lines.iter().filter(forged).map(|line| line.name.as_str()).collect()
    }

    /// Takes over a signature of another note of the same text, in place of an older one of the
    /// same key.
    pub fn take_over(&mut self, other: &Self, key: &VerifierKey) {
        if let Some(line) =
            other.lines.iter().find(|line| line.is_of(key)).filter(|_| other.text == self.text)
        {
            self.lines.retain(|line| !line.is_of(key));
            self.lines.push(line.clone());
        }
    }
}

impl std::fmt::Display for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}", self.text)?;
        for SignatureLine { name, id, signature } in &self.lines {
            writeln!(
                f,
                "{SIGNATURE_MARK}{name} {}",
                STANDARD.encode([&id[..], signature].concat())
            )?;
        }
        Ok(())
    }
}

impl std::fmt::Debug for LogKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "LogKey({})", self.verifier)
    }
}

impl std::fmt::Debug for CosignerKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CosignerKey({})", self.verifier)
    }
}

fn pair(seed: &[u8]) -> Result<Ed25519KeyPair, AuditError> {
    Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| AuditError::Key { found: seed.len() })
}

fn cosigned_text(time: u64, text: &str) -> String {
    format!("{COSIGNATURE_HEAD}{time}\n{text}")
}

const _: () = assert!(PUBLIC_BYTES == 32 && SIGNATURE_BYTES == 64);

#[cfg(test)]
mod tests {
    use super::*;
    use signed_note::{StandardVerifier, Verifier, VerifierList};

    const ORIGIN: &str = "fusion.example/smrt";

    #[test]
    fn an_independent_library_verifies_our_note() {
        let key = LogKey::new(ORIGIN, &[5; 32]).unwrap();
        let note = key.sign(3, [9; 32]);
        let verifier: Box<dyn Verifier> =
            Box::new(StandardVerifier::new(&key.verifier().to_string()).unwrap());
        assert_eq!(verifier.name(), ORIGIN);
        let parsed = signed_note::Note::from_bytes(note.as_bytes()).unwrap();
        let (verified, unverified) = parsed.verify(&VerifierList::new(vec![verifier])).unwrap();
        assert_eq!((verified.len(), unverified.len()), (1, 0));
        assert_eq!(
            key.open(&note),
            Ok(Checkpoint { origin: ORIGIN.to_owned(), leaves: 3, root: [9; 32] })
        );
    }

    #[test]
    fn a_changed_note_another_key_or_another_log_is_refused() {
        let key = LogKey::new(ORIGIN, &[5; 32]).unwrap();
        let note = key.sign(3, [9; 32]);
        assert_eq!(key.open(&note.replace("\n3\n", "\n4\n")), Err(AuditError::Signature));
        assert_eq!(LogKey::new(ORIGIN, &[6; 32]).unwrap().open(&note), Err(AuditError::Signature));
        assert_eq!(
            LogKey::new("other.example/smrt", &[5; 32]).unwrap().open(&note),
            Err(AuditError::Signature)
        );
        assert!(key.open("").is_err());
        assert!(key.open(&note.replace("\n3\n", "\n03\n")).is_err());
        assert!(key.open(note.trim_end()).is_err());
    }

    #[test]
    fn keys_and_origins_of_the_wrong_form_are_refused() {
        assert_eq!(LogKey::new(ORIGIN, &[5; 31]).unwrap_err(), AuditError::Key { found: 31 });
        for origin in ["", "a b", "a+b", "a\nb"] {
            assert!(
                matches!(LogKey::new(origin, &[5; 32]), Err(AuditError::Origin { .. })),
                "{origin}"
            );
        }
    }

    #[test]
    fn a_verifier_key_survives_its_text_and_others_are_refused() {
        let log = LogKey::new(ORIGIN, &[5; 32]).unwrap();
        let witness = CosignerKey::new("court.example/witness", &[6; 32]).unwrap();
        for key in [log.verifier(), witness.verifier()] {
            let text = key.to_string();
            assert_eq!(VerifierKey::parse(&text).as_ref(), Ok(key));
            for wrong in [
                text.replace("example", "sample"),
                text[..text.len() - 4].to_owned(),
                text.replace('+', " "),
                format!("{text}AAAA"),
            ] {
                assert!(
                    matches!(VerifierKey::parse(&wrong), Err(AuditError::VerifierKey { .. })),
                    "{wrong}"
                );
            }
        }
    }

    #[test]
    fn a_cosignature_tells_its_time_and_holds_for_its_witness_and_this_very_checkpoint() {
        let key = LogKey::new(ORIGIN, &[5; 32]).unwrap();
        let (court, press) = (
            CosignerKey::new("court.example", &[6; 32]).unwrap(),
            CosignerKey::new("press.example", &[7; 32]).unwrap(),
        );
        let mut note = Note::parse(&key.sign(3, [9; 32])).unwrap();
        court.cosign(&mut note, 1_790_000_000);
        press.cosign(&mut note, 1_790_000_007);
        let note = Note::parse(&note.to_string()).unwrap();
        assert!(key.open(&note.to_string()).is_ok());
        assert_eq!(
            (court.verifier().cosigned(&note), press.verifier().cosigned(&note)),
            (Some(1_790_000_000), Some(1_790_000_007))
        );
        assert_eq!((key.verifier().cosigned(&note), court.verifier().signed(&note)), (None, false));
        let other = CosignerKey::new("court.example", &[8; 32]).unwrap();
        assert_eq!(other.verifier().cosigned(&note), None);
        let moved = Note::parse(&note.to_string().replace("\n3\n", "\n4\n")).unwrap();
        assert_eq!(court.verifier().cosigned(&moved), None);
        let mut plain = Note::parse(&key.sign(3, [9; 32])).unwrap();
        plain.take_over(&note, press.verifier());
        assert_eq!(
            (court.verifier().cosigned(&plain), press.verifier().cosigned(&plain)),
            (None, Some(1_790_000_007))
        );
        let mut later = Note::parse(&key.sign(4, [9; 32])).unwrap();
        later.take_over(&note, press.verifier());
        assert_eq!(press.verifier().cosigned(&later), None);
        let keys = [key.verifier(), court.verifier(), press.verifier()];
        assert_eq!((note.forged(&keys), note.forged(&keys[..2])), (vec![], vec![]));
        assert_eq!(moved.forged(&keys), ["fusion.example/smrt", "court.example", "press.example"]);
        assert_eq!(note.forged(&[other.verifier()]), ["court.example"]);
    }
}
