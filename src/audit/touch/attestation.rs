//! Attestation: which model a new security key is of, as its maker vouches for it.
//!
//! Only the statement `packed` with certificates is taken. Self-attestation is signed by the new
//! credential itself, so any program can make it. U2F verifies no user and names no model. A
//! certificate is trusted if it leads to a root that the site lists, or is a listed one itself,
//! known by its public key; and only for the models that are listed beside it.
//!
//! Source: W3C Web Authentication, Level 2, sections 7.1 (19 to 21) and 8.2; RFC 5280 for chains.

use std::collections::BTreeSet;

use rustls::pki_types::{CertificateDer, SignatureVerificationAlgorithm, UnixTime};
use webpki::aws_lc_rs::{
    ECDSA_P256_SHA256, ECDSA_P384_SHA384, ED25519, RSA_PKCS1_2048_8192_SHA256,
};
use webpki::{
    ALL_VERIFICATION_ALGS, EndEntityCert, ExtendedKeyUsageValidator, KeyPurposeIdIter,
    anchor_from_trusted_cert,
};
use x509_parser::parse_x509_certificate;
use x509_parser::prelude::{X509Certificate, X509Version};

use super::bytes::clip;
use super::cbor::{Malformed, Reader};
use super::credential::Aaguid;
use super::data::{AttestationObject, AuthenticatorData};
use super::relying_party::RelyingParty;
use super::{Registration, TouchError};
use crate::calendar::Time;
use crate::ids::Digest;
use crate::limits::ATTESTATION_CERTIFICATES_MAX;

/// `id-fido-gen-ce-aaguid`: the AAGUID of the model in a maker's certificate.
const AAGUID_OID: &str = "1.3.6.1.4.1.45724.1.1.4";
/// An octet string of 16 bytes, in DER.
const OCTETS_16: &[u8] = &[0x04, 0x10];
const UNIT: &str = "Authenticator Attestation";
/// SHA-256 of the public keys under which keys that are no hardware attest, each with its name:
/// whoever can read a program's source has the private half.
const NO_HARDWARE: [(&str, &str); 1] = [(
    "Chromium's virtual authenticator",
    "c98993ec4f77b4997a081a5e5990c7cf6b0ceeb7b27bc7312a3cc351921531a9",
)];

/// A model of security keys that a site takes, or several of one maker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyModel {
    name: String,
    /// DER.
    anchor: Vec<u8>,
    aaguids: BTreeSet<Aaguid>,
}

/// The models that a site takes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyModels(Vec<KeyModel>);

/// Which security keys a site takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecurityKeys {
    /// The name that they are bound to.
    pub relying_party: RelyingParty,
    /// Of which models they are.
    pub models: KeyModels,
}

/// A statement of the format `packed`.
struct Packed<'b> {
    algorithm: i64,
    signature: &'b [u8],
    /// The certificate that signed first, then those that lead from it to a root.
    certificates: Vec<CertificateDer<'b>>,
}

/// Certificates for attestation name no usage.
struct AnyUsage;

impl ExtendedKeyUsageValidator for AnyUsage {
    fn validate(&self, _: KeyPurposeIdIter<'_, '_>) -> Result<(), webpki::Error> {
        Ok(())
    }
}

impl KeyModel {
    /// Models by the certificate of their maker, DER, and the AAGUIDs that are taken under it.
    ///
    /// Errors: no certificate, or no AAGUID.
    pub fn new(name: &str, anchor: &[u8], aaguids: &[Aaguid]) -> Result<Self, &'static str> {
        certificate(anchor).map_err(|_| "its anchor is no certificate")?;
        if aaguids.is_empty() {
            return Err("it lists no AAGUID");
        }
        let (name, anchor) = (name.to_owned(), anchor.to_vec());
        Ok(Self { name, anchor, aaguids: aaguids.iter().copied().collect() })
    }

    /// What keys of this model are instead of hardware, if they aren't.
    fn no_hardware(&self) -> Option<&'static str> {
        if self.aaguids.contains(&Aaguid::SOFTWARE) {
            return Some("this project's software key");
        }
        let key = certificate(&self.anchor).map(|anchor| Digest::of(anchor.public_key().raw));
        let key = key.map(|key| key.to_string()).unwrap_or_default();
        NO_HARDWARE.into_iter().find(|(_, known)| *known == key).map(|(name, _)| name)
    }

    /// Whether a chain of certificates leads to its anchor, or begins with it.
    fn vouches_for(&self, chain: &[CertificateDer<'_>], now: Time) -> bool {
        let Ok((anchor, leaf)) =
            certificate(&self.anchor).and_then(|a| Ok((a, certificate(&chain[0])?)))
        else {
            return false;
        };
        if !anchor.is_ca() {
            return anchor.public_key().raw == leaf.public_key().raw
                && anchor.subject().as_raw() == leaf.subject().as_raw();
        }
        let root = CertificateDer::from(self.anchor.as_slice());
        let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(now.seconds()));
        let leads = || -> Result<(), webpki::Error> {
            let leaf = EndEntityCert::try_from(&chain[0])?;
            let roots = [anchor_from_trusted_cert(&root)?];
            leaf.verify_for_usage(
                ALL_VERIFICATION_ALGS,
                &roots,
                &chain[1..],
                now,
                AnyUsage,
                None,
                None,
            )
            .map(|_| ())
        };
        leads().is_ok()
    }
}

impl KeyModels {
    /// These and no others.
    pub fn new(models: Vec<KeyModel>) -> Self {
        Self(models)
    }

    /// Whether none is listed, so that nobody enrols a key.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Their names.
    pub fn names(&self) -> Vec<&str> {
        self.0.iter().map(|model| model.name.as_str()).collect()
    }

    /// What some of them are instead of hardware, if any is.
    pub fn no_hardware(&self) -> Option<&'static str> {
        self.0.iter().find_map(KeyModel::no_hardware)
    }

    /// The model of a new security key, as its maker vouches for it.
    ///
    /// Errors: no statement of a maker; one that is of another format, or signed by the new
    /// credential alone; a maker or a model that the site doesn't list.
    pub fn model_of(
        &self,
        registration: &Registration,
        now: Time,
    ) -> Result<&KeyModel, TouchError> {
        let object = AttestationObject::parse(registration.attestation_object.as_bytes())?;
        match object.format {
            "packed" => {}
            "none" => return Err(TouchError::NoStatement),
            "fido-u2f" => return Err(TouchError::U2f),
            found => return Err(TouchError::StatementFormat { found: clip(found) }),
        }
        let packed = Packed::parse(object.statement)?;
        let data = AuthenticatorData::parse(object.data)?;
        let aaguid = Aaguid(data.attested.ok_or(TouchError::NotAttested)?.aaguid);
        let hash = Digest::of(registration.client_data.as_bytes());
        packed.check_signature(&[object.data, &hash.0].concat())?;
        let leaf = certificate(&packed.certificates[0])?;
        check_certificate(&leaf, aaguid)?;
        let mut vouching =
            self.0.iter().filter(|model| model.vouches_for(&packed.certificates, now)).peekable();
        if vouching.peek().is_none() {
            return Err(TouchError::UnknownMaker { found: clip(&leaf.issuer().to_string()) });
        }
        vouching
            .find(|model| model.aaguids.contains(&aaguid))
            .ok_or(TouchError::UnlistedModel { found: aaguid.to_string() })
    }
}

impl<'b> Packed<'b> {
    fn parse(statement: &'b [u8]) -> Result<Self, TouchError> {
        let wrong = |Malformed| TouchError::Statement("it is no map in canonical CBOR");
        let mut reader = Reader::new(statement);
        let (mut algorithm, mut signature, mut certificates) = (None, None, None);
        for _ in 0..reader.map().map_err(wrong)? {
            let again = match reader.text().map_err(wrong)? {
                "alg" => algorithm.replace(reader.number().map_err(wrong)?).is_some(),
                "sig" => signature.replace(reader.bytes().map_err(wrong)?).is_some(),
                "x5c" => certificates.replace(chain(&mut reader)?).is_some(),
                _ => return Err(TouchError::Statement("it says more than the format has")),
            };
            if again {
                return Err(TouchError::Statement("it says the same twice"));
            }
        }
        let (Some(algorithm), Some(signature)) = (algorithm, signature) else {
            return Err(TouchError::Statement("it lacks its algorithm or its signature"));
        };
        let certificates = certificates.ok_or(TouchError::SelfAttested)?;
        Ok(Self { algorithm, signature, certificates })
    }

    /// Whether the first certificate's key signed this.
    fn check_signature(&self, signed: &[u8]) -> Result<(), TouchError> {
        let algorithm: &dyn SignatureVerificationAlgorithm = match self.algorithm {
            -7 => ECDSA_P256_SHA256,
            -8 => ED25519,
            -35 => ECDSA_P384_SHA384,
            -257 => RSA_PKCS1_2048_8192_SHA256,
            _ => return Err(TouchError::Statement("its algorithm is none that is taken")),
        };
        let leaf = EndEntityCert::try_from(&self.certificates[0])
            .map_err(|_| TouchError::MakerCertificate("it can't be read"))?;
        leaf.verify_signature(algorithm, signed, self.signature)
            .map_err(|_| TouchError::StatementSignature)
    }
}

/// The certificates of a statement, at least one.
fn chain<'b>(reader: &mut Reader<'b>) -> Result<Vec<CertificateDer<'b>>, TouchError> {
    let wrong = |Malformed| TouchError::Statement("its certificates are no list of bytes");
    let count = reader.array().map_err(wrong)?;
    if !(1..=ATTESTATION_CERTIFICATES_MAX).contains(&count) {
        return Err(TouchError::Statement("it has no certificate, or too many"));
    }
    (0..count).map(|_| reader.bytes().map(CertificateDer::from).map_err(wrong)).collect()
}

/// What section 8.2.1 asks of the certificate that signs statements.
fn check_certificate(leaf: &X509Certificate<'_>, aaguid: Aaguid) -> Result<(), TouchError> {
    let wrong = |what| Err(TouchError::MakerCertificate(what));
    if leaf.version() != X509Version::V3 {
        return wrong("it is not of version 3");
    }
    if leaf.is_ca() {
        return wrong("it is an authority's");
    }
    let subject = leaf.subject();
    let country = one(subject.iter_country());
    if !country.is_some_and(|c| c.len() == 2 && c.bytes().all(|b| b.is_ascii_uppercase())) {
        return wrong("its subject names no country");
    }
    if one(subject.iter_organization()).is_none_or(str::is_empty) {
        return wrong("its subject names no maker");
    }
    if one(subject.iter_organizational_unit()) != Some(UNIT) {
        return wrong("it is not for attestation");
    }
    if one(subject.iter_common_name()).is_none_or(str::is_empty) {
        return wrong("its subject has no name");
    }
    let mut stated = leaf.extensions().iter().filter(|ext| ext.oid.to_id_string() == AAGUID_OID);
    let Some(extension) = stated.next() else { return Ok(()) };
    if stated.next().is_some() || extension.critical {
        return wrong("it states its AAGUID twice, or as critical");
    }
    match extension.value.strip_prefix(OCTETS_16) {
        Some(found) if found == aaguid.0 => Ok(()),
        Some(found) if found.len() == 16 => {
            Err(TouchError::OtherAaguid { found: aaguid.to_string() })
        }
        _ => wrong("what it says of its AAGUID can't be read"),
    }
}

/// The text of a part of a name that stands there once.
fn one<'x>(
    mut parts: impl Iterator<Item = &'x x509_parser::x509::AttributeTypeAndValue<'x>>,
) -> Option<&'x str> {
    let part = parts.next()?.as_str().ok()?;
    if parts.next().is_none() { Some(part) } else { None }
}

fn certificate(der: &[u8]) -> Result<X509Certificate<'_>, TouchError> {
    match parse_x509_certificate(der) {
        Ok(([], certificate)) => Ok(certificate),
        _ => Err(TouchError::MakerCertificate("it can't be read")),
    }
}
