//! A maker of security keys in software: the certificate by which it vouches for the keys that it
//! makes. For tests and demonstrations.

use std::sync::LazyLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use time::{Duration, OffsetDateTime};

use super::authority::AuthorityError;
use crate::audit::touch::Aaguid;

/// `id-fido-gen-ce-aaguid`.
const AAGUID_OID: &[u64] = &[1, 3, 6, 1, 4, 1, 45724, 1, 1, 4];
/// An octet string of 16 bytes, in DER.
const OCTETS_16: [u8; 2] = [0x04, 0x10];
const ES256: i8 = -7;

/// Who makes this project's software keys, in this process.
static OWN: LazyLock<KeyMaker> = LazyLock::new(|| {
    let made = KeyMaker::of_one_certificate("Software keys", Some(Aaguid::SOFTWARE));
    made.expect("the machine gives random numbers, or no test and no demonstration begins")
});

/// A maker: a certificate that signs statements, and those that lead from it to a root.
pub struct KeyMaker {
    /// DER, the one that signs first.
    certificates: Vec<Vec<u8>>,
    pair: EcdsaKeyPair,
    anchor: String,
}

impl KeyMaker {
    /// Who makes this project's software keys.
    pub fn own() -> &'static Self {
        &OWN
    }

    /// A maker whose one certificate is its own anchor, as those of virtual authenticators are;
    /// `aaguid` stands in it.
    ///
    /// Errors: the machine gives no random numbers.
    pub fn of_one_certificate(name: &str, aaguid: Option<Aaguid>) -> Result<Self, AuthorityError> {
        let key = key()?;
        let certificate = params(name, aaguid).self_signed(&key)?;
        let (der, anchor) = (certificate.der().to_vec(), certificate.pem());
        Ok(Self { certificates: vec![der], pair: pair(&key)?, anchor })
    }

    /// A maker that signs with an authority's own key, as none may.
    ///
    /// Errors: the machine gives no random numbers.
    pub fn that_is_an_authority(name: &str) -> Result<Self, AuthorityError> {
        let key = key()?;
        let mut params = params(name, None);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = params.self_signed(&key)?;
        let (der, anchor) = (root.der().to_vec(), root.pem());
        Ok(Self { certificates: vec![der], pair: pair(&key)?, anchor })
    }

    /// A maker with a root, an authority below it, and below that a certificate for one model.
    ///
    /// Errors: the machine gives no random numbers.
    pub fn of_a_root(name: &str, aaguid: Aaguid) -> Result<Self, AuthorityError> {
        let (root_key, below_key, key) = (key()?, key()?, key()?);
        let root_params = authority(&format!("{name} root"));
        let root = root_params.self_signed(&root_key)?;
        let root_issuer = Issuer::new(root_params, root_key);
        let below_params = authority(&format!("{name} authority"));
        let below = below_params.signed_by(&below_key, &root_issuer)?;
        let below_issuer = Issuer::new(below_params, below_key);
        let leaf = params(name, Some(aaguid)).signed_by(&key, &below_issuer)?;
        Ok(Self {
            certificates: vec![leaf.der().to_vec(), below.der().to_vec()],
            pair: pair(&key)?,
            anchor: root.pem(),
        })
    }

    /// The same with a chain that is torn: its first certificate alone.
    #[must_use]
    pub fn without_what_leads_to_its_root(mut self) -> Self {
        self.certificates.truncate(1);
        self
    }

    /// The certificate to be listed: the root, or the one that signs. PEM.
    pub fn anchor(&self) -> &str {
        &self.anchor
    }

    /// The statement, as the format `packed` has it, over what a key says and was asked.
    pub(crate) fn statement(&self, signed: &[u8]) -> Vec<u8> {
        let signature = self
            .pair
            .sign(&SystemRandom::new(), signed)
            .expect("the machine gave random numbers when this was made");
        let mut statement = [b"\xa3\x63alg".to_vec(), vec![negative(ES256)]].concat();
        statement.extend([b"\x63sig".to_vec(), bytes(signature.as_ref())].concat());
        statement.extend(b"\x63x5c");
        let count = u8::try_from(self.certificates.len()).expect("a chain has few certificates");
        statement.push(0x80 | count);
        self.certificates.iter().for_each(|der| statement.extend(bytes(der)));
        statement
    }
}

/// A byte string in CBOR.
pub(crate) fn bytes(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).expect("what keys and makers say is below 64 KiB");
    let [high, low] = length.to_be_bytes();
    let head = match length {
        0..24 => vec![0x40 | low],
        24..256 => vec![0x58, low],
        _ => vec![0x59, high, low],
    };
    [&head, bytes].concat()
}

/// A small negative number in CBOR.
const fn negative(number: i8) -> u8 {
    0x20 | (-1 - number).cast_unsigned()
}

fn params(name: &str, aaguid: Option<Aaguid>) -> CertificateParams {
    let mut params = CertificateParams::default();
    let subject = &mut params.distinguished_name;
    subject.push(DnType::CountryName, "US");
    subject.push(DnType::OrganizationName, "SMRT");
    subject.push(DnType::OrganizationalUnitName, "Authenticator Attestation");
    subject.push(DnType::CommonName, name);
    params.is_ca = IsCa::ExplicitNoCa;
    if let Some(Aaguid(aaguid)) = aaguid {
        let content = [&OCTETS_16[..], &aaguid].concat();
        params.custom_extensions.push(CustomExtension::from_oid_content(AAGUID_OID, content));
    }
    valid(params)
}

fn authority(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    valid(params)
}

fn valid(mut params: CertificateParams) -> CertificateParams {
    let now = OffsetDateTime::now_utc();
    params.not_before = now - Duration::days(365);
    params.not_after = now + Duration::days(20 * 365);
    params
}

fn key() -> Result<KeyPair, AuthorityError> {
    Ok(KeyPair::generate()?)
}

fn pair(key: &KeyPair) -> Result<EcdsaKeyPair, AuthorityError> {
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &key.serialize_der())
        .map_err(|_| AuthorityError::Sign(rcgen::Error::CouldNotParseKeyPair))
}
