//! Certificate authority of the site: issues and revokes the certificates of the server, agencies'
//! feeds, consoles and witnesses.
//!
//! Everything lies in one folder: `ca.pem`, `ca.key`, `issued.csv` (the register), `crl.pem` and a
//! pair of files for each certificate. The register is written before each certificate, so every
//! certificate that can exist is in it, and the revocation list is always made from the register.
//! One process at a time holds the folder, by a lock on `ca.pem`, which is never replaced.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DistinguishedName,
    DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, RevocationReason, RevokedCertParams, SanType, SerialNumber,
};
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, ServerName, pem::PemObject};
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime, serde::rfc3339};

use crate::booking::Text;
use crate::crypto::random;
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
    #[error(
        "{path} exists already and is never overwritten; move it away first if it is no longer \
         needed"
    )]
    Exists { path: PathBuf },
    #[error("{path} cannot be read or written")]
    File { path: PathBuf, source: io::Error },
    #[error("{path} is in use by another process, try again when it has ended")]
    Locked { path: PathBuf },
    #[error("{path} is not {wanted}")]
    Damaged { path: PathBuf, wanted: &'static str },
    #[error("the authority's name can't be used")]
    Name { source: crate::booking::BookingError },
    #[error(
        "the authority's name has {found} characters, at most {AUTHORITY_NAME_CHARS_MAX} fit a \
         certificate"
    )]
    NameLength { found: usize },
    #[error("{found} names for a server, wanted 1 to {SERVER_NAMES_MAX}")]
    ServerNames { found: usize },
    #[error("'{found}' is neither a host name nor an IP address")]
    ServerName { found: String },
    #[error("no certificate with serial number '{found}' was issued here, see {REGISTER}")]
    Unknown { found: String },
    #[error("signing failed")]
    Sign(#[from] rcgen::Error),
}

/// The certificate authority in one folder, held by this process.
pub struct Authority {
    folder: PathBuf,
    issuer: Issuer<'static, KeyPair>,
    /// Holds the lock.
    _lock: File,
}

/// One line of the register.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegisterEntry {
    /// 32 hexadecimal digits.
    pub serial: String,
    /// The certificate's subject; a server's names are joined by blanks.
    pub name: String,
    #[serde(with = "rfc3339")]
    pub not_before: OffsetDateTime,
    #[serde(with = "rfc3339")]
    pub not_after: OffsetDateTime,
    #[serde(with = "rfc3339::option")]
    pub revoked: Option<OffsetDateTime>,
}

/// A new certificate and its key.
#[derive(Clone, Debug)]
pub struct IssuedCertificate {
    pub entry: RegisterEntry,
    pub certificate: PathBuf,
    /// The private key's file, which only its owner may read.
    pub key: PathBuf,
}

/// Result of a revocation.
#[derive(Clone, Debug)]
pub struct RevokedCertificate {
    pub entry: RegisterEntry,
    /// False if it was revoked before; the list is written again all the same.
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
        params.serial_number = Some(SerialNumber::from_slice(&new_serial()));
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

    /// The authority's own certificate, which server and clients trust.
    pub fn certificate_path(&self) -> PathBuf {
        self.folder.join(CA_CERTIFICATE)
    }

    /// The revocation list, which the server reads.
    pub fn revocation_list_path(&self) -> PathBuf {
        self.folder.join(REVOCATION_LIST)
    }

    /// The register, oldest first.
    pub fn issued(&self) -> Result<Vec<RegisterEntry>, AuthorityError> {
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
    pub fn issue_server(&self, names: &[String]) -> Result<IssuedCertificate, AuthorityError> {
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
    pub fn issue(&self, name: &CertificateName) -> Result<IssuedCertificate, AuthorityError> {
        let stem = match name {
            CertificateName::Feed(agency) => format!("feed-{agency}"),
            CertificateName::Device(device) => format!("device-{device}"),
            CertificateName::Witness(witness) => format!("witness-{witness}"),
        };
        let uri = name.to_string();
        let subjects = vec![SanType::URI(uri.as_str().try_into()?)];
        self.issue_as(&stem, &uri, &stem, subjects, ExtendedKeyUsagePurpose::ClientAuth)
    }

    /// Revokes a certificate, given its serial number or its file, and writes the revocation list.
    ///
    /// Errors: nothing of that serial number was issued here; the file is no certificate.
    pub fn revoke(&self, serial_or_file: &str) -> Result<RevokedCertificate, AuthorityError> {
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
        let revoked = RevokedCertificate { entry: entry.clone(), new };
        // A crash between the two leaves a certificate that the register calls revoked and the list
        // doesn't: revoking again mends it.
        self.write_register(&register)?;
        self.write_list(self.list_number()? + 1, &register)?;
        Ok(revoked)
    }

    /// Writes the revocation list again, since the server refuses one that is older than
    /// `REVOCATION_LIST_DAYS`; returns its end.
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
    ) -> Result<IssuedCertificate, AuthorityError> {
        let certificate_path = self.folder.join(format!("{stem}.pem"));
        let key_path = self.folder.join(format!("{stem}.key"));
        for path in [&certificate_path, &key_path] {
            if path.exists() {
                return Err(AuthorityError::Exists { path: path.clone() });
            }
        }
        let serial = new_serial();
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
        let entry = RegisterEntry {
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
        Ok(IssuedCertificate { entry, certificate: certificate_path, key: key_path })
    }

    fn write_register(&self, register: &[RegisterEntry]) -> Result<(), AuthorityError> {
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
        register: &[RegisterEntry],
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

fn new_serial() -> [u8; SERIAL_BYTES] {
    let mut serial = random();
    // Positive, and never with a leading zero byte: DER then writes these very 16 bytes, and so
    // does the register.
    serial[0] = serial[0] & 0x3f | 0x40;
    serial
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
mod tests;
