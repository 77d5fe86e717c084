//! Checkpoints as signed notes (C2SP `signed-note`, `tlog-checkpoint`): three lines of text and an Ed25519 signature line.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use base64::{Engine, engine::general_purpose::STANDARD};

use super::AuditError;

/// The signature type of Ed25519 in a key's id.
const ED25519_TYPE: u8 = 1;
const SIGNATURE_MARK: &str = "\u{2014} ";

/// What a log said of itself at one time: its origin, its size and its root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log's name.
    pub origin: String,
    /// Its number of leaves.
    pub leaves: u64,
    /// Its root hash.
    pub root: [u8; 32],
}

/// The key that signs one log's checkpoints, under the log's origin.
pub struct LogKey {
    origin: String,
    pair: Ed25519KeyPair,
}

impl Checkpoint {
    /// The text that is signed.
    fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.leaves, STANDARD.encode(self.root))
    }

    fn parse(text: &str) -> Result<Self, AuditError> {
        let wrong = AuditError::Checkpoint;
        let mut lines = text.split_terminator('\n');
        let origin = lines.next().filter(|o| !o.is_empty()).ok_or(wrong("it has no origin line"))?;
        let size = lines.next().ok_or(wrong("it has no size line"))?;
        let leaves = size.parse::<u64>().ok().filter(|n| n.to_string() == size).ok_or(wrong("its size is not a number"))?;
        let root = lines.next().ok_or(wrong("it has no root line"))?;
        let root = STANDARD.decode(root).ok().and_then(|r| r.try_into().ok()).ok_or(wrong("its root is not 32 bytes in base64"))?;
        Ok(Self { origin: origin.to_owned(), leaves, root })
    }
}

impl LogKey {
    /// Takes the 32 bytes of a key file for a log's origin.
    ///
    /// Errors: another length, or an origin that can't name a key in a signed note.
    pub fn new(origin: &str, seed: &[u8]) -> Result<Self, AuditError> {
        let fits = (1..=200).contains(&origin.len()) && origin.chars().all(|c| !c.is_whitespace() && !c.is_control() && c != '+');
        if !fits {
            return Err(AuditError::Origin { found: origin.chars().take(40).collect() });
        }
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| AuditError::Key { found: seed.len() })?;
        Ok(Self { origin: origin.to_owned(), pair })
    }

    /// The log's origin.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The verifier key in the form of signed notes: name, id in hexadecimal, type and public key in base64, joined by plus signs.
    pub fn verifier(&self) -> String {
        let typed = [&[ED25519_TYPE], self.pair.public_key().as_ref()].concat();
        format!("{}+{}+{}", self.origin, hex::encode(self.id()), STANDARD.encode(typed))
    }

    /// The signed note over a checkpoint of this log.
    pub fn sign(&self, leaves: u64, root: [u8; 32]) -> String {
        let text = Checkpoint { origin: self.origin.clone(), leaves, root }.text();
        let signature = [&self.id()[..], self.pair.sign(text.as_bytes()).as_ref()].concat();
        format!("{text}\n{SIGNATURE_MARK}{} {}\n", self.origin, STANDARD.encode(signature))
    }

    /// Reads a signed note and checks that this key signed it.
    ///
    /// Errors: a malformed note, another log's, a wrong signature.
    pub fn open(&self, note: &str) -> Result<Checkpoint, AuditError> {
        let (text, signatures) = note.split_once("\n\n").ok_or(AuditError::Checkpoint("it has no signature"))?;
        let text = format!("{text}\n");
        let signed = signatures
            .lines()
            .filter_map(|line| line.strip_prefix(SIGNATURE_MARK)?.strip_prefix(&self.origin)?.strip_prefix(' '))
            .filter_map(|signature| STANDARD.decode(signature).ok())
            .filter_map(|signature| Some(signature.strip_prefix(&self.id())?.to_vec()))
            .any(|signature| UnparsedPublicKey::new(&ED25519, self.pair.public_key()).verify(text.as_bytes(), &signature).is_ok());
        let checkpoint = Checkpoint::parse(&text)?;
        if signed && checkpoint.origin == self.origin { Ok(checkpoint) } else { Err(AuditError::Signature) }
    }

    fn id(&self) -> [u8; 4] {
        let mut named = format!("{}\n", self.origin).into_bytes();
        named.push(ED25519_TYPE);
        named.extend_from_slice(self.pair.public_key().as_ref());
        *digest(&SHA256, &named).as_ref().first_chunk().expect("SHA-256 gives 32 bytes")
    }
}

impl std::fmt::Debug for LogKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "LogKey({})", self.verifier())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use signed_note::{StandardVerifier, Verifier, VerifierList};

    const ORIGIN: &str = "fusion.example/smrt";

    #[test]
    fn an_independent_library_verifies_our_note() {
        let key = LogKey::new(ORIGIN, &[5; 32]).unwrap();
        let note = key.sign(3, [9; 32]);
        let verifier: Box<dyn Verifier> = Box::new(StandardVerifier::new(&key.verifier()).unwrap());
        assert_eq!(verifier.name(), ORIGIN);
        let parsed = signed_note::Note::from_bytes(note.as_bytes()).unwrap();
        let (verified, unverified) = parsed.verify(&VerifierList::new(vec![verifier])).unwrap();
        assert_eq!((verified.len(), unverified.len()), (1, 0));
        assert_eq!(key.open(&note), Ok(Checkpoint { origin: ORIGIN.to_owned(), leaves: 3, root: [9; 32] }));
    }

    #[test]
    fn a_changed_note_another_key_or_another_log_is_refused() {
        let key = LogKey::new(ORIGIN, &[5; 32]).unwrap();
        let note = key.sign(3, [9; 32]);
        assert_eq!(key.open(&note.replace("\n3\n", "\n4\n")), Err(AuditError::Signature));
        assert_eq!(LogKey::new(ORIGIN, &[6; 32]).unwrap().open(&note), Err(AuditError::Signature));
        assert_eq!(LogKey::new("other.example/smrt", &[5; 32]).unwrap().open(&note), Err(AuditError::Signature));
        assert!(key.open("").is_err());
        assert!(key.open(&note.replace("\n3\n", "\n03\n")).is_err());
    }

    #[test]
    fn keys_and_origins_of_the_wrong_form_are_refused() {
        assert_eq!(LogKey::new(ORIGIN, &[5; 31]).unwrap_err(), AuditError::Key { found: 31 });
        for origin in ["", "a b", "a+b", "a\nb"] {
            assert!(matches!(LogKey::new(origin, &[5; 32]), Err(AuditError::Origin { .. })), "{origin}");
        }
    }
}
