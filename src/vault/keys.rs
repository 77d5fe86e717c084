//! Keys and sealing: HKDF-SHA256 derives subkeys, AES-256-GCM with random nonces seals, and the
//! associated data binds kind and place.

use std::fmt::Display;
use std::hash::Hash;
use std::str::FromStr;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use aws_lc_rs::hmac;
use zeroize::Zeroizing;

use super::error::VaultError;
use crate::crypto::{fill_random, random};
use crate::face::ModelId;
use crate::ids::{GrantId, InquiryId, ProbeFileId, VersionId};
use crate::limits::{PHOTO_BYTES_MAX, PROBE_BYTES_MAX};

/// Bytes of every key.
pub(super) const KEY_BYTES: usize = 32;
const BOOKING_TAG: &[u8] = b"smrt booking tag v1\0";
const INQUIRY_TAG: &[u8] = b"smrt inquiry tag v1\0";
const INQUIRY: &str = "an inquiry";

/// The master key: the one secret that opens a state folder. It comes from outside, as a
/// credential.
pub struct MasterKey {
    root: Zeroizing<[u8; KEY_BYTES]>,
    detail: Zeroizing<[u8; KEY_BYTES]>,
    people: Zeroizing<[u8; KEY_BYTES]>,
    lookup: hmac::Key,
}

/// A booking's key: one subkey each for its photo, its record and its vector.
pub struct BookingKey(Zeroizing<[u8; KEY_BYTES]>);

/// A probe's key, of a type that opens nothing of a booking.
#[derive(Clone)]
pub struct ProbeKey(Zeroizing<[u8; KEY_BYTES]>);

/// What names a sealed photo: 16 bytes, which its file bears as hexadecimal digits.
pub trait PhotoId: Copy + Eq + Hash + Display + FromStr + AsRef<[u8]> {}

impl PhotoId for VersionId {}
impl PhotoId for ProbeFileId {}

/// A kind of key, with the place where photos under such keys are kept.
pub trait PhotoKey: Sized + Send + Sync + 'static {
    /// What names photos under such keys.
    type Id: PhotoId;
    /// The folder of sealed photos, below the state folder.
    const FOLDER: &'static str;
    /// The name of the slot file, without its epoch.
    const SLOTS: &'static str;
    /// The largest photo in bytes.
    const BYTES_MAX: usize;
    /// A fresh random key.
    fn generate() -> Self {
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        fill_random(key.as_mut_slice());
        Self::from_bytes(key)
    }
    /// A key that was in a slot.
    fn from_bytes(key: Zeroizing<[u8; KEY_BYTES]>) -> Self;
    /// The key, to put it into a slot or to derive from it.
    fn bytes(&self) -> &[u8; KEY_BYTES];
}

impl PhotoKey for BookingKey {
    type Id = VersionId;

    const FOLDER: &'static str = "photos";
    const SLOTS: &'static str = "slots";
    const BYTES_MAX: usize = PHOTO_BYTES_MAX;

    fn from_bytes(key: Zeroizing<[u8; KEY_BYTES]>) -> Self {
        Self(key)
    }

    fn bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }
}

impl PhotoKey for ProbeKey {
    type Id = ProbeFileId;

    const FOLDER: &'static str = "probes";
    const SLOTS: &'static str = "probe-slots";
    const BYTES_MAX: usize = PROBE_BYTES_MAX;

    fn from_bytes(key: Zeroizing<[u8; KEY_BYTES]>) -> Self {
        Self(key)
    }

    fn bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }
}

impl ProbeKey {
    /// Seals the record of the inquiry with this id.
    pub fn seal_record(&self, id: InquiryId, plain: &[u8]) -> Vec<u8> {
        seal(&subkey(&self.0, INQUIRY.as_bytes()), id.as_ref(), plain)
    }

    /// Opens what `seal_record` gave for the same inquiry.
    pub fn open_record(
        &self,
        id: InquiryId,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        open(&subkey(&self.0, INQUIRY.as_bytes()), id.as_ref(), sealed, INQUIRY)
    }
}

/// The parts of a booking that are sealed in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SealedPart {
    /// Basic booking data with the photo's digest and salt.
    Record,
    /// The embedding that these models made.
    Vector(ModelId),
}

impl BookingKey {
    /// Seals a part of the booking with this version id.
    pub fn seal(&self, part: SealedPart, id: VersionId, plain: &[u8]) -> Vec<u8> {
        seal(&self.part_key(part), &part.binding(id), plain)
    }

    /// Opens what `seal` gave for the same part and version id.
    pub fn open(
        &self,
        part: SealedPart,
        id: VersionId,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        open(&self.part_key(part), &part.binding(id), sealed, part.name())
    }

    fn part_key(&self, part: SealedPart) -> Zeroizing<[u8; KEY_BYTES]> {
        subkey(&self.0, part.name().as_bytes())
    }
}

impl SealedPart {
    fn name(self) -> &'static str {
        match self {
            Self::Record => "a booking's record",
            Self::Vector(_) => "a booking's vector",
        }
    }

    fn binding(self, id: VersionId) -> Vec<u8> {
        let model = match self {
            Self::Record => [0; 32],
            Self::Vector(model) => model.0,
        };
        [self.name().as_bytes(), &id.0, &model].concat()
    }
}

impl MasterKey {
    /// Takes the 32 bytes of a master key file.
    pub fn new(bytes: &[u8]) -> Result<Self, VaultError> {
        let root = <[u8; KEY_BYTES]>::try_from(bytes)
            .map_err(|_| VaultError::MasterKey { found: bytes.len() })?;
        let root = Zeroizing::new(root);
        let lookup = hmac::Key::new(hmac::HMAC_SHA256, &*subkey(&root, b"smrt lookup v1"));
        Ok(Self {
            detail: subkey(&root, b"smrt details v1"),
            people: subkey(&root, b"smrt people v1"),
            lookup,
            root,
        })
    }

    /// The key under which the store knows an agency's booking number: outside of this box it says
    /// nothing.
    pub fn number_key(&self, agency: &str, number: &str) -> [u8; 32] {
        // The length keeps "ab" + "c" and "a" + "bc" apart.
        let agency_bytes =
            u32::try_from(agency.len()).expect("an identifier is short").to_le_bytes();
        let named = [&agency_bytes, agency.as_bytes(), number.as_bytes()].concat();
        hmac::sign(&self.lookup, &named).as_ref().try_into().expect("HMAC-SHA256 gives 32 bytes")
    }

    /// The tag of the version of a booking that came in with this leaf, never 0: only this key
    /// tells which leaf it is of.
    ///
    /// Leaves are counted on when a log goes on under another origin, so the origin isn't part of
    /// it: a box under a new name still finds what it tagged under a former one.
    pub fn booking_tag(&self, leaf: u64) -> u64 {
        self.tag(BOOKING_TAG, leaf)
    }

    /// The tag of the inquiry that was opened with this leaf, as `booking_tag`.
    pub fn inquiry_tag(&self, leaf: u64) -> u64 {
        self.tag(INQUIRY_TAG, leaf)
    }

    fn tag(&self, domain: &[u8], leaf: u64) -> u64 {
        // No number's key is made of the same bytes: no agency's name is as long as the first four
        // of these would say.
        let named = [domain, &leaf.to_le_bytes()].concat();
        let tag = *hmac::sign(&self.lookup, &named)
            .as_ref()
            .first_chunk()
            .expect("HMAC-SHA256 gives 32 bytes");
        u64::from_le_bytes(tag).max(1)
    }

    /// Seals a leaf's detail for its place in a log.
    pub fn seal_detail(&self, origin: &str, leaf: u64, detail: &[u8]) -> Vec<u8> {
        seal(&self.detail, &detail_binding(origin, leaf), detail)
    }

    /// Opens a leaf's detail.
    pub fn open_detail(
        &self,
        origin: &str,
        leaf: u64,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        open(&self.detail, &detail_binding(origin, leaf), sealed, "a leaf's detail")
    }

    /// Seals the refusals of one kind and caller that are counted.
    pub fn seal_refusals(&self, kind: u16, caller: &str, plain: &[u8]) -> Vec<u8> {
        seal(&self.detail, &refusals_binding(kind, caller), plain)
    }

    /// Opens what `seal_refusals` gave for the same kind and caller.
    pub fn open_refusals(
        &self,
        kind: u16,
        caller: &str,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        open(&self.detail, &refusals_binding(kind, caller), sealed, "counted refusals")
    }

    /// Seals what is kept of a person's account.
    pub fn seal_account(&self, id: &str, plain: &[u8]) -> Vec<u8> {
        seal(&self.people, id.as_bytes(), plain)
    }

    /// Opens what `seal_account` gave for the same account.
    pub fn open_account(&self, id: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        open(&self.people, id.as_bytes(), sealed, "an account")
    }

    /// Seals a change of the roster that waits for the commander.
    pub fn seal_grant(&self, id: GrantId, plain: &[u8]) -> Vec<u8> {
        seal(&self.people, &grant_binding(id), plain)
    }

    /// Opens what `seal_grant` gave for the same change.
    pub fn open_grant(&self, id: GrantId, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        open(&self.people, &grant_binding(id), sealed, "a change of the roster")
    }

    /// The key that wraps the epoch keys of one slot file.
    pub(super) fn anchor_key(&self, slots: &str) -> Zeroizing<[u8; KEY_BYTES]> {
        subkey(&self.root, format!("smrt anchor v1 {slots}").as_bytes())
    }
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Master")
    }
}

fn detail_binding(origin: &str, leaf: u64) -> Vec<u8> {
    [origin.as_bytes(), &leaf.to_le_bytes()].concat()
}

/// No detail's binding begins so: an origin has no control characters.
fn refusals_binding(kind: u16, caller: &str) -> Vec<u8> {
    [b"\0refusals", &kind.to_le_bytes()[..], caller.as_bytes()].concat()
}

/// No account's binding begins so: a name has no control characters.
fn grant_binding(id: GrantId) -> Vec<u8> {
    [b"\0grant", &id.0[..]].concat()
}

/// Derives a key for one use.
pub(super) fn subkey(key: &[u8; KEY_BYTES], purpose: &[u8]) -> Zeroizing<[u8; KEY_BYTES]> {
    struct Bytes;
    impl KeyType for Bytes {
        fn len(&self) -> usize {
            KEY_BYTES
        }
    }
    let mut derived = Zeroizing::new([0; KEY_BYTES]);
    Salt::new(HKDF_SHA256, &[])
        .extract(key)
        .expand(&[purpose], Bytes)
        .and_then(|okm| okm.fill(derived.as_mut_slice()))
        .expect("32 bytes are within what HKDF-SHA256 gives");
    derived
}

/// Seals: nonce, ciphertext, tag.
pub(super) fn seal(key: &[u8; KEY_BYTES], binding: &[u8], plain: &[u8]) -> Vec<u8> {
    let nonce = random::<NONCE_LEN>();
    let mut sealed = Vec::with_capacity(NONCE_LEN + plain.len() + AES_256_GCM.tag_len());
    sealed.extend_from_slice(&nonce);
    sealed.extend_from_slice(plain);
    let tag = cipher(key)
        .seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(binding),
            &mut sealed[NONCE_LEN..],
        )
        .expect("all that is sealed is far below the cipher's limit");
    sealed.extend_from_slice(tag.as_ref());
    sealed
}

/// Opens what `seal` gave under the same key and binding.
pub(super) fn open(
    key: &[u8; KEY_BYTES],
    binding: &[u8],
    sealed: &[u8],
    what: &'static str,
) -> Result<Zeroizing<Vec<u8>>, VaultError> {
    let (nonce, rest) =
        sealed.split_first_chunk::<NONCE_LEN>().ok_or(VaultError::Unreadable { what })?;
    let mut plain = Zeroizing::new(rest.to_vec());
    let length = cipher(key)
        .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(binding), &mut plain)
        .map_err(|_| VaultError::Unreadable { what })?
        .len();
    plain.truncate(length);
    Ok(plain)
}

fn cipher(key: &[u8; KEY_BYTES]) -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).expect("AES-256 takes 32 bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_opens_only_as_what_it_was_sealed() {
        let key = BookingKey::generate();
        let (version, other) = (VersionId([7; 16]), VersionId([8; 16]));
        let vector = SealedPart::Vector(ModelId([1; 32]));
        let sealed = key.seal(vector, version, b"numbers");
        assert_eq!(key.open(vector, version, &sealed).unwrap().as_slice(), b"numbers");
        assert!(key.open(SealedPart::Record, version, &sealed).is_err(), "another part");
        assert!(
            key.open(SealedPart::Vector(ModelId([2; 32])), version, &sealed).is_err(),
            "another model"
        );
        assert!(key.open(vector, other, &sealed).is_err(), "another booking");
        assert!(BookingKey::generate().open(vector, version, &sealed).is_err(), "another key");
        let mut changed = sealed;
        changed[20] ^= 1;
        assert!(key.open(vector, version, &changed).is_err(), "changed bytes");
        assert!(key.open(vector, version, &[]).is_err(), "nothing");
    }

    #[test]
    fn a_number_key_keeps_agencies_apart() {
        let master = MasterKey::new(&[1; 32]).unwrap();
        assert_ne!(master.number_key("ab", "c"), master.number_key("a", "bc"));
        assert_ne!(
            master.number_key("a", "1"),
            MasterKey::new(&[2; 32]).unwrap().number_key("a", "1")
        );
        assert!(matches!(MasterKey::new(&[1; 31]), Err(VaultError::MasterKey { found: 31 })));
    }

    #[test]
    fn a_booking_s_tag_is_stable_and_differs_by_master_key_and_leaf() {
        let master = MasterKey::new(&[1; 32]).unwrap();
        let tags: std::collections::BTreeSet<u64> =
            (0..1_000).map(|leaf| master.booking_tag(leaf)).collect();
        assert_eq!((tags.len(), tags.contains(&0)), (1_000, false));
        assert!((0..1_000).all(|leaf| !tags.contains(&master.inquiry_tag(leaf))));
        assert_eq!(master.booking_tag(7), MasterKey::new(&[1; 32]).unwrap().booking_tag(7));
        assert!(
            (0..1_000)
                .all(|leaf| !tags.contains(&MasterKey::new(&[2; 32]).unwrap().booking_tag(leaf)))
        );
    }

    #[test]
    fn a_detail_opens_only_at_its_place_in_its_log() {
        let master = MasterKey::new(&[1; 32]).unwrap();
        let sealed = master.seal_detail("a.example/log", 5, b"who");
        assert_eq!(master.open_detail("a.example/log", 5, &sealed).unwrap().as_slice(), b"who");
        assert!(master.open_detail("a.example/log", 6, &sealed).is_err());
        assert!(master.open_detail("b.example/log", 5, &sealed).is_err());
    }

    #[test]
    fn an_account_opens_only_under_its_name_and_an_inquiry_only_under_its_key_and_id() {
        let master = MasterKey::new(&[1; 32]).unwrap();
        let sealed = master.seal_account("diaz", b"who");
        assert_eq!(master.open_account("diaz", &sealed).unwrap().as_slice(), b"who");
        assert!(master.open_account("chen", &sealed).is_err());
        let (id, other) = (GrantId([1; 16]), GrantId([2; 16]));
        let grant = master.seal_grant(id, b"what");
        assert_eq!(master.open_grant(id, &grant).unwrap().as_slice(), b"what");
        assert!(
            master.open_grant(other, &grant).is_err()
                && master.open_account("diaz", &grant).is_err()
        );
        let key = ProbeKey::generate();
        let (id, other) = (InquiryId([3; 16]), InquiryId([4; 16]));
        let record = key.seal_record(id, b"why");
        assert_eq!(key.open_record(id, &record).unwrap().as_slice(), b"why");
        assert!(
            key.open_record(other, &record).is_err()
                && ProbeKey::generate().open_record(id, &record).is_err()
        );
    }
}
