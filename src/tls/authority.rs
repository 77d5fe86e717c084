//! A small site authority: it says who is an agency's feed, who is a console and who is the server,
//! and takes it back.
//!
//! Everything lies in one folder: `ca.pem`, `ca.key`, `issued.csv` (the register), `crl.pem` and a
//! pair of files for each certificate. The register is written before what it speaks of, so every
//! certificate that can exist is in it, and the revocation list is always made from the register
//! anew. One process at a time holds the folder, by a lock on `ca.pem`, which is never replaced.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use aws_lc_rs::rand;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DistinguishedName,
    DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, RevocationReason, RevokedCertParams, SanType, SerialNumber,
};
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, ServerName, pem::PemObject};
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime, serde::rfc3339};

use crate::booking::Text;
use crate::limits::{
    AUTHORITY_DAYS, AUTHORITY_NAME_CHARS_MAX, CERTIFICATE_BACKDATE_MINUTES, CERTIFICATE_DAYS,
    REVOCATION_LIST_DAYS, SERVER_NAMES_MAX,
};
use crate::roster::CertificateName;
use crate::tls::files::{PUBLIC_MODE, SECRET_MODE, replace, write_new};

const CA_CERTIFICATE: &str = "ca.pem";
const CA_KEY: &str = "ca.key";
const REGISTER: &str = "issued.csv";
const REVOCATION_LIST: &str = "crl.pem";
/// A positive serial number of 127 random bits: collisions and guesses are out of the question, and
/// DER needs no extra byte.
const SERIAL_BYTES: usize = 16;

/// Why the authority can't do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuthorityError {
    /// A file to be written is there already.
    #[error(
        "{path} exists already and is never overwritten; move it away first if it is no longer \
         needed"
    )]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The file system refused.
    #[error("{path} cannot be read or written")]
    File {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another process holds the folder.
    #[error("{path} is in use by another process, try again when it has ended")]
    Locked {
        /// The folder.
        path: PathBuf,
    },
    /// A stored file isn't what it should be.
    #[error("{path} is not {wanted}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What it should be.
        wanted: &'static str,
    },
    /// The authority's name is no text.
    #[error("the authority's name is unfit")]
    Name {
        /// Why.
        source: crate::booking::BookingError,
    },
    /// The authority's name is too long for a certificate.
    #[error(
        "the authority's name has {found} characters, at most {AUTHORITY_NAME_CHARS_MAX} fit a \
         certificate"
    )]
    NameLength {
        /// Characters given.
        found: usize,
    },
    /// No name, or too many, for a server.
    #[error("{found} names for a server, wanted 1 to {SERVER_NAMES_MAX}")]
    ServerNames {
        /// Number given.
        found: usize,
    },
    /// A server's name is neither a host name nor an address.
    #[error("'{found}' is neither a host name nor an IP address")]
    ServerName {
        /// What was given.
        found: String,
    },
    /// Nothing of that serial number was issued here.
    #[error("no certificate with serial number '{found}' was issued here, see {REGISTER}")]
    Unknown {
        /// What was given.
        found: String,
    },
    /// Making or signing a certificate or list failed.
    #[error("signing failed")]
    Sign(#[from] rcgen::Error),
    /// The machine gave no random numbers.
    #[error("the machine gives no random numbers")]
    Random,
}

/// The site's authority over one folder.
pub struct Authority {
    folder: PathBuf,
    issuer: Issuer<'static, KeyPair>,
    /// Held for its lock.
    _lock: File,
}

/// One line of the register.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Serial number, 32 hexadecimal digits.
    pub serial: String,
    /// Whom the certificate names; a server's names are joined by blanks.
    pub name: String,
    /// From when it is valid.
    #[serde(with = "rfc3339")]
    pub not_before: OffsetDateTime,
    /// Until when it is valid.
    #[serde(with = "rfc3339")]
    pub not_after: OffsetDateTime,
    /// When it was revoked, if it was.
    #[serde(with = "rfc3339::option")]
    pub revoked: Option<OffsetDateTime>,
}

/// A certificate and its key, just issued.
#[derive(Clone, Debug)]
pub struct Issued {
    /// What the register says of it.
    pub entry: Entry,
    /// The certificate's file.
    pub certificate: PathBuf,
    /// The private key's file, for its owner only.
    pub key: PathBuf,
}

/// What a revocation did.
#[derive(Clone, Debug)]
pub struct Revoked {
    /// What the register says now.
    pub entry: Entry,
    /// False if it was revoked already; the list is written again all the same.
    pub new: bool,
}

impl Authority {
    /// Makes a new authority in a folder, which is created if need be.
    ///
    /// Errors: any file of an authority is there already; the folder can't be written.
    pub fn init(folder: &Path, name: &str) -> Result<Self, AuthorityError> {
        let name = Text::parse(name).map_err(|source| AuthorityError::Name { source })?;
        let chars = name.as_str().chars().count();
        if chars > AUTHORITY_NAME_CHARS_MAX {
            return Err(AuthorityError::NameLength { found: chars });
        }
        fs::create_dir_all(folder)
            .map_err(|source| AuthorityError::File { path: folder.to_owned(), source })?;
        for file in [CA_CERTIFICATE, CA_KEY, REGISTER, REVOCATION_LIST] {
            let path = folder.join(file);
            if path.exists() {
                return Err(AuthorityError::Exists { path });
            }
        }
        let key = new_key()?;
        let mut params = CertificateParams::default();
        params.distinguished_name = common_name(name.as_str());
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.serial_number = Some(SerialNumber::from_slice(&new_serial()?));
        (params.not_before, params.not_after) = validity(AUTHORITY_DAYS);
        let certificate = params.self_signed(&key)?;
        create(&folder.join(CA_KEY), key.serialize_pem().as_bytes(), SECRET_MODE)?;
        create(&folder.join(CA_CERTIFICATE), certificate.pem().as_bytes(), PUBLIC_MODE)?;
        let authority = Self {
            folder: folder.to_owned(),
            issuer: Issuer::new(params, key),
            _lock: lock(folder)?,
        };
        authority.write_register(&[])?;
        authority.write_list(1, &[])?;
        Ok(authority)
    }

    /// Opens the authority that `init` made.
    ///
    /// Errors: a file is missing or damaged; another process holds the folder.
    pub fn open(folder: &Path) -> Result<Self, AuthorityError> {
        let lock = lock(folder)?;
        let (key_path, certificate_path) = (folder.join(CA_KEY), folder.join(CA_CERTIFICATE));
        let key = KeyPair::from_pem(&read(&key_path)?).map_err(|_| AuthorityError::Damaged {
            path: key_path,
            wanted: "a private key in PEM form",
        })?;
        let issuer = Issuer::from_ca_cert_pem(&read(&certificate_path)?, key).map_err(|_| {
            AuthorityError::Damaged {
                path: certificate_path,
                wanted: "an authority's certificate in PEM form",
            }
        })?;
        let authority = Self { folder: folder.to_owned(), issuer, _lock: lock };
        authority.issued()?;
        Ok(authority)
    }

    /// The authority's own certificate: what both ends trust.
    pub fn certificate_path(&self) -> PathBuf {
        self.folder.join(CA_CERTIFICATE)
    }

    /// The revocation list: what the server reads.
    pub fn revocation_list_path(&self) -> PathBuf {
        self.folder.join(REVOCATION_LIST)
    }

    /// The register, oldest first.
    pub fn issued(&self) -> Result<Vec<Entry>, AuthorityError> {
        let path = self.folder.join(REGISTER);
        csv::Reader::from_reader(read(&path)?.as_bytes())
            .into_deserialize()
            .collect::<Result<_, csv::Error>>()
            .map_err(|_| AuthorityError::Damaged {
                path,
                wanted: "a register of issued certificates",
            })
    }

    /// Issues the server's certificate for its host names and addresses.
    ///
    /// Errors: no names, one that is neither host name nor address, a file of the first name's is
    /// there already.
    pub fn issue_server(&self, names: &[String]) -> Result<Issued, AuthorityError> {
        if names.is_empty() || names.len() > SERVER_NAMES_MAX {
            return Err(AuthorityError::ServerNames { found: names.len() });
        }
        let subjects = names
            .iter()
            .map(|name| match ServerName::try_from(name.as_str()) {
                Ok(ServerName::IpAddress(ip)) => Ok(SanType::IpAddress(std::net::IpAddr::from(ip))),
                Ok(_) => Ok(SanType::DnsName(name.as_str().try_into()?)),
                Err(_) => Err(AuthorityError::ServerName { found: name.clone() }),
            })
            .collect::<Result<_, _>>()?;
        let stem = format!("server-{}", names[0].replace(':', "-"));
        // The names stand where clients look for them; a common name is bounded to 64 characters, a
        // host name isn't.
        self.issue_as(
            &stem,
            &names.join(" "),
            "SMRT server",
            subjects,
            ExtendedKeyUsagePurpose::ServerAuth,
        )
    }

    /// Issues a client's certificate, for an agency's feed or for a console.
    ///
    /// Errors: a file of its name is there already.
    pub fn issue(&self, name: &CertificateName) -> Result<Issued, AuthorityError> {
        let stem = match name {
            CertificateName::Feed(agency) => format!("feed-{agency}"),
            CertificateName::Device(device) => format!("device-{device}"),
            CertificateName::Witness(witness) => format!("witness-{witness}"),
        };
        let uri = name.to_string();
        let subjects = vec![SanType::URI(uri.as_str().try_into()?)];
        self.issue_as(&stem, &uri, &stem, subjects, ExtendedKeyUsagePurpose::ClientAuth)
    }

    /// Takes a certificate back, named by its serial number or by its file, and writes the
    /// revocation list anew.
    ///
    /// Errors: nothing of that serial number was issued here; the file is no certificate.
    pub fn revoke(&self, serial_or_file: &str) -> Result<Revoked, AuthorityError> {
        let serial = match hex::decode(serial_or_file) {
            Ok(serial) => serial,
            Err(_) => serial_of(Path::new(serial_or_file))?,
        };
        let serial = hex::encode(serial);
        let mut register = self.issued()?;
        let Some(entry) = register.iter_mut().find(|entry| entry.serial == serial) else {
            return Err(AuthorityError::Unknown { found: serial });
        };
        let new = entry.revoked.is_none();
        if new {
            entry.revoked = Some(now());
        }
        let revoked = Revoked { entry: entry.clone(), new };
        // A crash between the two leaves a certificate that the register calls revoked and the list
        // doesn't: revoking again mends it.
        self.write_register(&register)?;
        self.write_list(self.list_number()? + 1, &register)?;
        Ok(revoked)
    }

    /// Writes the revocation list anew, since the server refuses one that is older than
    /// `REVOCATION_LIST_DAYS`; gives its end.
    pub fn renew_list(&self) -> Result<OffsetDateTime, AuthorityError> {
        self.write_list(self.list_number()? + 1, &self.issued()?)
    }

    fn issue_as(
        &self,
        stem: &str,
        name: &str,
        common: &str,
        subjects: Vec<SanType>,
        usage: ExtendedKeyUsagePurpose,
    ) -> Result<Issued, AuthorityError> {
        let certificate_path = self.folder.join(format!("{stem}.pem"));
        let key_path = self.folder.join(format!("{stem}.key"));
        for path in [&certificate_path, &key_path] {
            if path.exists() {
                return Err(AuthorityError::Exists { path: path.clone() });
            }
        }
        let serial = new_serial()?;
        let mut params = CertificateParams::default();
        params.distinguished_name = common_name(common);
        params.subject_alt_names = subjects;
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![usage];
        params.use_authority_key_identifier_extension = true;
        params.serial_number = Some(SerialNumber::from_slice(&serial));
        (params.not_before, params.not_after) = validity(CERTIFICATE_DAYS);
        let key = new_key()?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        let entry = Entry {
            serial: hex::encode(serial),
            name: name.to_owned(),
            not_before: params.not_before,
            not_after: params.not_after,
            revoked: None,
        };
        let mut register = self.issued()?;
        register.push(entry.clone());
        self.write_register(&register)?;
        create(&key_path, key.serialize_pem().as_bytes(), SECRET_MODE)?;
        create(&certificate_path, certificate.pem().as_bytes(), PUBLIC_MODE)?;
        Ok(Issued { entry, certificate: certificate_path, key: key_path })
    }

    fn write_register(&self, register: &[Entry]) -> Result<(), AuthorityError> {
        let path = self.folder.join(REGISTER);
        let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
        writer
            .write_record(["serial", "name", "not_before", "not_after", "revoked"])
            .and_then(|()| register.iter().try_for_each(|entry| writer.serialize(entry)))
            .map_err(|e| AuthorityError::File { path: path.clone(), source: e.into() })?;
        let bytes = writer
            .into_inner()
            .map_err(|e| AuthorityError::File { path: path.clone(), source: e.into_error() })?;
        replace(&path, &bytes, PUBLIC_MODE).map_err(|source| AuthorityError::File { path, source })
    }

    fn write_list(
        &self,
        number: u64,
        register: &[Entry],
    ) -> Result<OffsetDateTime, AuthorityError> {
        let path = self.revocation_list_path();
        let revoked_certs = register
            .iter()
            .filter_map(|entry| entry.revoked.map(|when| (entry, when)))
            .map(|(entry, revocation_time)| {
                let serial = hex::decode(&entry.serial).map_err(|_| AuthorityError::Damaged {
                    path: self.folder.join(REGISTER),
                    wanted: "a register of issued certificates",
                })?;
                Ok(RevokedCertParams {
                    serial_number: SerialNumber::from_slice(&serial),
                    revocation_time,
                    reason_code: Some(RevocationReason::Unspecified),
                    invalidity_date: None,
                })
            })
            .collect::<Result<_, AuthorityError>>()?;
        let this_update = now() - Duration::minutes(CERTIFICATE_BACKDATE_MINUTES);
        let next_update = now() + Duration::days(REVOCATION_LIST_DAYS);
        let list = CertificateRevocationListParams {
            this_update,
            next_update,
            crl_number: SerialNumber::from(number),
            issuing_distribution_point: None,
            revoked_certs,
            key_identifier_method: KeyIdMethod::Sha256,
        }
        .signed_by(&self.issuer)?;
        replace(&path, list.pem()?.as_bytes(), PUBLIC_MODE)
            .map_err(|source| AuthorityError::File { path, source })?;
        Ok(next_update)
    }

    fn list_number(&self) -> Result<u64, AuthorityError> {
        let path = self.revocation_list_path();
        let text = read(&path)?;
        number_of(&text).ok_or(AuthorityError::Damaged {
            path,
            wanted: "a numbered revocation list in PEM form",
        })
    }
}

fn number_of(list: &str) -> Option<u64> {
    let der = CertificateRevocationListDer::from_pem_slice(list.as_bytes()).ok()?;
    let (_, list) = x509_parser::parse_x509_crl(&der).ok()?;
    u64::try_from(list.crl_number()?).ok()
}

fn serial_of(path: &Path) -> Result<Vec<u8>, AuthorityError> {
    let damaged = || AuthorityError::Damaged {
        path: path.to_owned(),
        wanted: "a certificate in PEM form, nor a serial number in hexadecimal",
    };
    let der = CertificateDer::from_pem_slice(read(path)?.as_bytes()).map_err(|_| damaged())?;
    let (_, certificate) = x509_parser::parse_x509_certificate(&der).map_err(|_| damaged())?;
    Ok(certificate.raw_serial().to_vec())
}

fn lock(folder: &Path) -> Result<File, AuthorityError> {
    let path = folder.join(CA_CERTIFICATE);
    let file = File::open(&path).map_err(|source| AuthorityError::File { path, source })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(AuthorityError::Locked { path: folder.to_owned() }),
        Err(TryLockError::Error(source)) => {
            Err(AuthorityError::File { path: folder.to_owned(), source })
        }
    }
}

fn new_key() -> Result<KeyPair, AuthorityError> {
    Ok(KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?)
}

fn new_serial() -> Result<[u8; SERIAL_BYTES], AuthorityError> {
    let mut serial = [0; SERIAL_BYTES];
    rand::fill(&mut serial).map_err(|_| AuthorityError::Random)?;
    // Positive, and never with a leading zero byte: DER then writes these very 16 bytes, and so
    // does the register.
    serial[0] = serial[0] & 0x3f | 0x40;
    Ok(serial)
}

fn common_name(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}

fn validity(days: i64) -> (OffsetDateTime, OffsetDateTime) {
    (now() - Duration::minutes(CERTIFICATE_BACKDATE_MINUTES), now() + Duration::days(days))
}

/// The present second: certificates carry no fractions.
fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc().truncate_to_second()
}

fn create(path: &Path, bytes: &[u8], mode: u32) -> Result<(), AuthorityError> {
    write_new(path, bytes, mode).map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => AuthorityError::Exists { path: path.to_owned() },
        _ => AuthorityError::File { path: path.to_owned(), source },
    })
}

fn read(path: &Path) -> Result<String, AuthorityError> {
    fs::read_to_string(path)
        .map_err(|source| AuthorityError::File { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustls::pki_types::UnixTime;
    use rustls::server::{WebPkiClientVerifier, danger::ClientCertVerifier};
    use rustls::{
        CertificateError, RootCertStore, client::WebPkiServerVerifier,
        client::danger::ServerCertVerifier,
    };

    use super::*;
    use crate::booking::Identifier;

    fn feed(agency: &str) -> CertificateName {
        CertificateName::Feed(Identifier::parse(agency).unwrap())
    }

    fn roots(authority: &Authority) -> Arc<RootCertStore> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(authority.certificate_path()).unwrap()).unwrap();
        Arc::new(roots)
    }

    fn provider() -> Arc<rustls::crypto::CryptoProvider> {
        Arc::new(rustls::crypto::aws_lc_rs::default_provider())
    }

    fn door(authority: &Authority) -> Arc<dyn ClientCertVerifier> {
        let list =
            CertificateRevocationListDer::from_pem_file(authority.revocation_list_path()).unwrap();
        WebPkiClientVerifier::builder_with_provider(roots(authority), provider())
            .with_crls([list])
            .enforce_revocation_expiration()
            .build()
            .unwrap()
    }

    fn certificate(issued: &Issued) -> CertificateDer<'static> {
        CertificateDer::from_pem_file(&issued.certificate).unwrap()
    }

    #[test]
    fn an_issued_client_is_let_in_and_a_revoked_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::init(folder.path(), "Test site").unwrap();
        let (kept, lost) =
            (authority.issue(&feed("slmpd")).unwrap(), authority.issue(&feed("stlco")).unwrap());
        for issued in [&kept, &lost] {
            door(&authority)
                .verify_client_cert(&certificate(issued), &[], UnixTime::now())
                .unwrap();
        }
        assert!(authority.revoke(lost.certificate.to_str().unwrap()).unwrap().new);
        door(&authority).verify_client_cert(&certificate(&kept), &[], UnixTime::now()).unwrap();
        let refused = door(&authority)
            .verify_client_cert(&certificate(&lost), &[], UnixTime::now())
            .unwrap_err();
        assert_eq!(refused, rustls::Error::InvalidCertificate(CertificateError::Revoked));
        assert!(
            !authority.revoke(&lost.entry.serial).unwrap().new,
            "a second revocation changes nothing"
        );
        authority.revoke(&kept.entry.serial).unwrap();
        assert!(
            door(&authority).verify_client_cert(&certificate(&kept), &[], UnixTime::now()).is_err()
        );
    }

    #[test]
    fn a_client_of_another_authority_is_refused() {
        let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let here = Authority::init(here.path(), "Here").unwrap();
        let there = Authority::init(there.path(), "Here").unwrap();
        let stranger = there.issue(&feed("slmpd")).unwrap();
        assert!(
            door(&here).verify_client_cert(&certificate(&stranger), &[], UnixTime::now()).is_err()
        );
        assert!(matches!(here.revoke(&stranger.entry.serial), Err(AuthorityError::Unknown { .. })));
    }

    #[test]
    fn a_client_certificate_says_its_name_and_no_more() {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::init(folder.path(), "Test site").unwrap();
        let name = CertificateName::Device(Identifier::parse("rtcc-1").unwrap());
        let der = certificate(&authority.issue(&name).unwrap());
        let (_, parsed) = x509_parser::parse_x509_certificate(&der).unwrap();
        let subjects = &parsed.subject_alternative_name().unwrap().unwrap().value.general_names;
        assert!(matches!(subjects[..],
                [x509_parser::extensions::GeneralName::URI(uri)] if CertificateName::parse(uri) == Some(name)));
        assert!(!parsed.is_ca());
        let usage = parsed.extended_key_usage().unwrap().unwrap().value;
        assert!(usage.client_auth && !usage.server_auth && !usage.any);
    }

    #[test]
    fn a_server_is_known_by_host_name_and_by_address_and_by_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::init(folder.path(), "Test site").unwrap();
        let names = ["smrt.example".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
        let der = certificate(&authority.issue_server(&names).unwrap());
        let verifier = WebPkiServerVerifier::builder_with_provider(roots(&authority), provider())
            .build()
            .unwrap();
        let verify = |name: &str| {
            verifier
                .verify_server_cert(
                    &der,
                    &[],
                    &ServerName::try_from(name.to_owned()).unwrap(),
                    &[],
                    UnixTime::now(),
                )
                .is_ok()
        };
        assert!(verify("smrt.example") && verify("127.0.0.1") && verify("::1"));
        assert!(!verify("other.example") && !verify("127.0.0.2"));
        assert!(
            door(&authority).verify_client_cert(&der, &[], UnixTime::now()).is_err(),
            "a server is no client"
        );
        for wrong in ["", "a b", "-", "*"] {
            assert!(
                matches!(
                    authority.issue_server(&[wrong.to_owned()]),
                    Err(AuthorityError::ServerName { .. })
                ),
                "{wrong}"
            );
        }
        assert!(matches!(
            authority.issue_server(&[]),
            Err(AuthorityError::ServerNames { found: 0 })
        ));
    }

    #[test]
    fn dates_are_those_of_the_limits() {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::init(folder.path(), "Test site").unwrap();
        let issued = authority.issue(&feed("slmpd")).unwrap();
        let own = CertificateDer::from_pem_file(authority.certificate_path()).unwrap();
        let now = OffsetDateTime::now_utc();
        for (der, days) in [(certificate(&issued), CERTIFICATE_DAYS), (own, AUTHORITY_DAYS)] {
            let (_, parsed) = x509_parser::parse_x509_certificate(&der).unwrap();
            let (from, to) = (
                parsed.validity().not_before.to_datetime(),
                parsed.validity().not_after.to_datetime(),
            );
            assert!(
                (from + Duration::minutes(CERTIFICATE_BACKDATE_MINUTES) - now).abs()
                    < Duration::minutes(1)
            );
            assert!((to - Duration::days(days) - now).abs() < Duration::minutes(1));
        }
        assert!(
            (authority.renew_list().unwrap() - Duration::days(REVOCATION_LIST_DAYS) - now).abs()
                < Duration::minutes(1)
        );
    }

    #[test]
    fn the_register_and_the_list_number_survive_reopening() {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::init(folder.path(), "Test site").unwrap();
        let issued = authority.issue(&feed("slmpd")).unwrap();
        authority.revoke(&issued.entry.serial).unwrap();
        drop(authority);
        let authority = Authority::open(folder.path()).unwrap();
        let register = authority.issued().unwrap();
        assert_eq!(register.len(), 1);
        assert_eq!(
            (&register[0].serial, register[0].name.as_str()),
            (&issued.entry.serial, "smrt:agency/slmpd/feed")
        );
        assert!(register[0].revoked.is_some());
        assert_eq!(authority.list_number().unwrap(), 2);
        authority.renew_list().unwrap();
        assert_eq!(authority.list_number().unwrap(), 3);
        assert!(
            door(&authority)
                .verify_client_cert(&certificate(&issued), &[], UnixTime::now())
                .is_err(),
            "a renewed list forgets nobody"
        );
        authority.issue(&feed("stlco")).unwrap();
    }

    #[test]
    fn nothing_is_ever_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::init(folder.path(), "Test site").unwrap();
        assert!(matches!(
            Authority::init(folder.path(), "Again"),
            Err(AuthorityError::Exists { .. })
        ));
        authority.issue(&feed("slmpd")).unwrap();
        assert!(matches!(authority.issue(&feed("slmpd")), Err(AuthorityError::Exists { .. })));
        assert_eq!(authority.issued().unwrap().len(), 1);
    }

    #[test]
    fn one_process_at_a_time_holds_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::init(folder.path(), "Test site").unwrap();
        assert!(matches!(Authority::open(folder.path()), Err(AuthorityError::Locked { .. })));
        drop(authority);
        Authority::open(folder.path()).unwrap();
    }

    #[test]
    fn a_damaged_register_is_named() {
        let folder = tempfile::tempdir().unwrap();
        drop(Authority::init(folder.path(), "Test site").unwrap());
        fs::write(folder.path().join(REGISTER), "serial,name\n1,2\n").unwrap();
        let Err(AuthorityError::Damaged { path, .. }) = Authority::open(folder.path()) else {
            panic!("a damaged register was accepted")
        };
        assert!(path.ends_with(REGISTER));
    }
}
