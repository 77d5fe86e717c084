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

use super::error::ClientError;
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
    pub fn of_one_certificate(name: &str, aaguid: Option<Aaguid>) -> Result<Self, ClientError> {
        let key = key()?;
        let certificate = params(name, aaguid).self_signed(&key).map_err(random)?;
        let (der, anchor) = (certificate.der().to_vec(), certificate.pem());
        Ok(Self { certificates: vec![der], pair: pair(&key)?, anchor })
    }

    /// A maker with a root, an authority below it, and below that a certificate for one model.
    ///
    /// Errors: the machine gives no random numbers.
    pub fn of_a_root(name: &str, aaguid: Aaguid) -> Result<Self, ClientError> {
        let (root_key, below_key, key) = (key()?, key()?, key()?);
        let root_params = authority(&format!("{name} root"));
        let root = root_params.self_signed(&root_key).map_err(random)?;
        let root_issuer = Issuer::new(root_params, root_key);
        let below_params = authority(&format!("{name} authority"));
        let below = below_params.signed_by(&below_key, &root_issuer).map_err(random)?;
        let below_issuer = Issuer::new(below_params, below_key);
        let leaf = params(name, Some(aaguid)).signed_by(&key, &below_issuer).map_err(random)?;
        Ok(Self {
            certificates: vec![leaf.der().to_vec(), below.der().to_vec()],
            pair: pair(&key)?,
            anchor: root.pem(),
        })
    }

    /// The certificate to be listed: the root, or the one that signs. PEM.
    pub fn anchor(&self) -> &str {
        &self.anchor
    }

    /// The statement, as the format `packed` has it, over what a key says and was asked.
    pub(super) fn statement(&self, signed: &[u8]) -> Vec<u8> {
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
pub(super) fn bytes(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).expect("what keys and makers say is below 64 KiB");
    let head = match length {
        0..24 => vec![0x40 | bytes.len() as u8],
        24..256 => vec![0x58, bytes.len() as u8],
        _ => [&[0x59], &length.to_be_bytes()[..]].concat(),
    };
    [&head, bytes].concat()
}

/// A small negative number in CBOR.
const fn negative(number: i8) -> u8 {
    0x20 | (-1 - number) as u8
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

fn key() -> Result<KeyPair, ClientError> {
    KeyPair::generate().map_err(random)
}

fn pair(key: &KeyPair) -> Result<EcdsaKeyPair, ClientError> {
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &key.serialize_der())
        .map_err(|_| ClientError::Random)
}

fn random(_: rcgen::Error) -> ClientError {
    ClientError::Random
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::software_key::{KeyBehaviour, SoftwareKey, Statement};
    use super::*;
    use crate::audit::touch::{
        KeyModel, KeyModels, Registration, RelyingParty, TouchError, verify_registration,
    };
    use crate::calendar::Time;
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject;

    const MODEL: Aaguid = Aaguid([0x42; 16]);
    const OTHER: Aaguid = Aaguid([0x43; 16]);

    fn now() -> Time {
        let seconds = OffsetDateTime::now_utc().unix_timestamp();
        Time::from_seconds(u64::try_from(seconds).unwrap())
    }

    fn listed(maker: &KeyMaker, aaguids: &[Aaguid]) -> KeyModels {
        let anchor = CertificateDer::from_pem_slice(maker.anchor().as_bytes()).unwrap();
        KeyModels::new(vec![KeyModel::new("Its keys", &anchor, aaguids).unwrap()])
    }

    /// A registration of a key that says this, and that it is fit but for its statement.
    fn registered(aaguid: Aaguid, statement: Statement) -> Registration {
        let console = RelyingParty::new("https://smrt.fusion.example").unwrap();
        let behaviour = KeyBehaviour { aaguid: Some(aaguid), statement, ..KeyBehaviour::default() };
        let made = SoftwareKey::new().unwrap().register_as(&[7; 32], &console, &behaviour);
        verify_registration(&made, &[7; 32], &console).unwrap();
        made
    }

    fn model_of(models: &KeyModels, made: &Registration) -> Result<(), TouchError> {
        models.model_of(made, now()).map(|_| ())
    }

    #[test]
    fn a_key_is_taken_whose_maker_vouches_for_a_model_that_is_listed() {
        let makers = [
            KeyMaker::of_one_certificate("Batch", Some(MODEL)).unwrap(),
            KeyMaker::of_one_certificate("Batch that names no model", None).unwrap(),
            KeyMaker::of_a_root("Maker", MODEL).unwrap(),
        ];
        for maker in makers.map(Arc::new) {
            let models = listed(&maker, &[OTHER, MODEL]);
            let made = registered(MODEL, Statement::By(maker.clone()));
            assert_eq!(model_of(&models, &made), Ok(()));
            let unlisted = TouchError::UnlistedModel { found: MODEL.to_string() };
            assert_eq!(model_of(&listed(&maker, &[OTHER]), &made), Err(unlisted));
        }
    }

    #[test]
    fn a_key_is_refused_that_nobody_vouches_for_or_not_its_maker_and_the_check_is_named() {
        let maker = Arc::new(KeyMaker::of_a_root("Maker", MODEL).unwrap());
        let models = listed(&maker, &[MODEL, OTHER]);
        let format = |by: Statement| model_of(&models, &registered(MODEL, by)).unwrap_err();
        assert_eq!(format(Statement::None), TouchError::NoStatement);
        assert_eq!(format(Statement::OfItself), TouchError::SelfAttested);
        assert_eq!(format(Statement::U2f), TouchError::U2f);
        assert_eq!(format(Statement::OfOtherBytes), TouchError::StatementSignature);
        // Its certificate names the model of software keys.
        assert!(matches!(format(Statement::Own), TouchError::OtherAaguid { .. }));
        // Anybody makes a certificate that looks like a maker's.
        let same = Arc::new(KeyMaker::of_a_root("Maker", MODEL).unwrap());
        assert!(matches!(format(Statement::By(same)), TouchError::UnknownMaker { .. }));
        let batch = Arc::new(KeyMaker::of_one_certificate("Maker", Some(MODEL)).unwrap());
        assert!(matches!(format(Statement::By(batch)), TouchError::UnknownMaker { .. }));
        // A key of the maker says that it is of another model.
        let other = model_of(&models, &registered(OTHER, Statement::By(maker)));
        assert_eq!(other, Err(TouchError::OtherAaguid { found: OTHER.to_string() }));
        let nobody = KeyModels::default();
        let made = registered(Aaguid::SOFTWARE, Statement::Own);
        assert!(matches!(model_of(&nobody, &made), Err(TouchError::UnknownMaker { .. })));
    }

    #[test]
    fn a_chain_counts_while_all_of_it_is_there_and_valid() {
        let mut maker = KeyMaker::of_a_root("Maker", MODEL).unwrap();
        let models = listed(&maker, &[MODEL]);
        let below = maker.certificates.pop().unwrap();
        let maker = Arc::new(maker);
        let torn = model_of(&models, &registered(MODEL, Statement::By(maker)));
        assert!(matches!(torn, Err(TouchError::UnknownMaker { .. })));
        let maker = Arc::new(KeyMaker::of_a_root("Maker", MODEL).unwrap());
        let (models, made) = (listed(&maker, &[MODEL]), registered(MODEL, Statement::By(maker)));
        assert_eq!(model_of(&models, &made), Ok(()));
        let over = now() + crate::calendar::Span::days(30 * 365);
        assert!(matches!(models.model_of(&made, over), Err(TouchError::UnknownMaker { .. })));
        assert!(!below.is_empty());
    }

    #[test]
    fn one_that_signs_for_others_signs_no_statement_itself() {
        // The root's own key, under the root's own certificate.
        let key = key().unwrap();
        let mut params = params("Maker", None);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = params.self_signed(&key).unwrap();
        let (der, anchor) = (root.der().to_vec(), root.pem());
        let maker = KeyMaker { certificates: vec![der], pair: pair(&key).unwrap(), anchor };
        let models = listed(&maker, &[MODEL]);
        let made = registered(MODEL, Statement::By(Arc::new(maker)));
        let authority = TouchError::MakerCertificate("it is an authority's");
        assert_eq!(model_of(&models, &made), Err(authority));
    }

    #[test]
    fn keys_that_are_no_hardware_are_known_by_their_makers() {
        let chromium = include_bytes!("../../tests/browser/chromium-keys.pem");
        let anchor = CertificateDer::from_pem_slice(chromium).unwrap();
        let models = |aaguid| KeyModels::new(vec![KeyModel::new("A", &anchor, &[aaguid]).unwrap()]);
        assert_eq!(models(MODEL).no_hardware(), Some("Chromium's virtual authenticator"));
        let own = listed(KeyMaker::own(), &[Aaguid::SOFTWARE]);
        assert_eq!(own.no_hardware(), Some("this project's software key"));
        let maker = KeyMaker::of_a_root("Maker", MODEL).unwrap();
        assert_eq!(listed(&maker, &[MODEL]).no_hardware(), None);
        assert!(KeyModel::new("A", b"none", &[MODEL]).is_err());
        assert!(KeyModel::new("A", &anchor, &[]).is_err());
    }
}
