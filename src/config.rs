//! Configuration of the daemon: one TOML file, in which every key must be known.
//!
//! A path of the form `credential:NAME` is the file NAME in the folder of systemd's credentials.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::audit::touch::{Aaguid, KeyModel, KeyModels, RelyingParty, SecurityKeys};
use crate::gallery::EngineChoice;
use crate::limits::{
    CREDENTIAL_WARN_DAYS_DEFAULT, DETAILS_KEPT_DAYS_MIN, DISK_RESERVE_MIB_DEFAULT,
    INQUIRIES_KEPT_DAYS_MIN,
};
use crate::retention::RetentionDays;
use crate::roster::{Roster, RosterError};
use crate::tls::ServerFiles;

const CREDENTIAL: &str = "credential:";
const FILE_BYTES_MAX: u64 = 4 << 20;
/// The last good revocation list, in the state folder.
const KEPT_LIST_FILE: &str = "revocation-list.der";
const BROUGHT_LIST_FILE: &str = "revocation-list-brought.der";

/// Why a configuration can't be used; the process exits 78 and isn't restarted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    #[error("{what} {path} can't be read")]
    File { what: &'static str, path: PathBuf, source: std::io::Error },
    #[error("{what} {path} has {found} bytes, at most {FILE_BYTES_MAX} are read")]
    TooLong { what: &'static str, path: PathBuf, found: u64 },
    #[error("{what} {path} is wrong: {reason}")]
    Malformed {
        what: &'static str,
        path: PathBuf,
        /// What was found and what was wanted.
        reason: String,
    },
    #[error(
        "'{CREDENTIAL}{name}' is configured, but systemd gave no credentials; start the daemon by \
         its \
         unit, or name a file"
    )]
    NoCredentials { name: String },
    #[error("{what} {path} can be read by others (mode {mode:o}), wanted 600 or 400")]
    Exposed { what: &'static str, path: PathBuf, mode: u32 },
    #[error(transparent)]
    Roster(#[from] RosterError),
}

/// The keys of the configuration file: each with unit, default, and what an attacker gains by
/// changing it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Address and port to listen on. Without effect where systemd hands the socket over. No
    /// default. Whoever changes it can expose the server to another network; certificates still
    /// decide who may connect.
    pub listen: Option<SocketAddr>,
    /// The state folder. No default. Whoever changes it takes gallery and log away from the server:
    /// it then needs `--create-as`.
    pub state: PathBuf,
    /// The log's origin, a name without spaces that never changes. No default. A changed one is
    /// refused by the state folder.
    pub origin: String,
    /// File of the master key, 32 bytes. No default. Whoever has it and the state folder reads
    /// everything.
    pub master_key: PathBuf,
    /// File of the log key, 32 bytes. No default. Whoever has it can sign a second history;
    /// witnesses would notice.
    pub log_key: PathBuf,
    /// File that holds the newest checkpoint that witnesses cosigned, outside of the state folder
    /// and of its backups. No default: without it, every start of a box with witnesses waits until
    /// they have cosigned the log. Whoever removes or replaces it can start an older state folder,
    /// until the next witness comes by.
    pub anchor: Option<PathBuf>,
    /// MiB of the medium that stay free for releases, purges and the log: with less, bookings and
    /// searches are refused. Default 256. Whoever raises it can refuse all bookings; a low number
    /// lets a full medium halt the box.
    #[serde(default = "disk_reserve_mib_default")]
    pub disk_reserve_mib: u64,
    /// Days before the end of the revocation list, or of a certificate of the box, the authority or
    /// a caller, from which an alarm stands. Default 7. Whoever lowers it lets an end come as a
    /// surprise, after which searches or connections stop.
    #[serde(default = "credential_warn_days_default")]
    pub credential_warn_days: u64,
    /// Days for which the log's sealed details are kept; leaves stay for ever. Default and least:
    /// 1096, three years. Whoever raises it keeps who searched for whom for longer.
    #[serde(default = "details_kept_days_default", deserialize_with = "details_kept_days")]
    pub details_kept_days: u64,
    /// Days for which an inquiry with its probe and report is kept after its last search. Default
    /// and least: 1096, three years. Whoever raises it keeps probes for longer.
    #[serde(default = "inquiries_kept_days_default", deserialize_with = "inquiries_kept_days")]
    pub inquiries_kept_days: u64,
    /// Origin of the console's pages as browsers write it, `https://name` or `https://name:port`;
    /// security keys are bound to its name. No default: without it nobody logs on. A changed name
    /// makes every enrolled key useless.
    #[serde(default, deserialize_with = "console_origin")]
    pub console_origin: Option<RelyingParty>,
    /// Models of security keys that are enrolled here. No default: without any, nobody enrols a
    /// key. Whoever adds one lets people search with keys of that maker.
    #[serde(default, rename = "key_model")]
    pub key_models: Vec<KeyModelEntry>,
    /// File of agencies and devices. No default. Whoever changes it admits agencies and consoles;
    /// its digest is logged at every start.
    pub roster: PathBuf,
    /// The server's certificates.
    pub tls: TlsFiles,
    /// Folder of model manifests and files. Default `/usr/share/smrt/models`. Whoever changes it
    /// changes which faces count as similar; the digest is in every answer, and stored vectors of
    /// other models are refused.
    #[serde(default = "models_default")]
    pub models: PathBuf,
    /// Folder of the next models, of the same form as `models`. No default. It is used only once an
    /// administrator switches to its digest, or where the stored vectors are already of it. Whoever
    /// changes it changes nothing until then; the switch names the digest and is logged.
    pub models_next: Option<PathBuf>,
    /// MiB of memory that a second gallery may take while the model is switched. Default: what the
    /// machine has available. A higher number than that changes nothing; a low one keeps the model
    /// from being switched.
    pub switch_memory_mib: Option<u64>,
    /// `auto`, `gpu` or `cpu`. Default `auto`. Answers are the same.
    #[serde(default)]
    pub engine: EngineChoice,
    /// Threads that examine photos. Default 0: as many as there are processors. A high number takes
    /// memory.
    #[serde(default)]
    pub embed_workers: usize,
}

/// Models of security keys, by the certificate of their maker.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyModelEntry {
    /// What the site calls them. No default.
    pub name: String,
    /// Their maker's certificate, PEM: a root, or the one that signs statements itself. No default.
    pub anchor: PathBuf,
    /// The AAGUIDs that are taken under it. No default.
    pub aaguids: Vec<Aaguid>,
}

/// The server's certificate and what it checks callers' certificates against.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsFiles {
    /// The server's certificate chain, PEM. No default. A wrong one keeps honest callers away.
    pub cert: PathBuf,
    /// Its key, PEM. No default. Whoever has it can stand in for the box.
    pub key: PathBuf,
    /// The certificate of the authority that issued the callers' certificates, PEM. No default.
    /// Whoever changes it admits other callers.
    pub ca: PathBuf,
    /// That authority's revocation list, PEM. No default. The newest that the authority signed
    /// counts, whatever is put there later; whoever keeps newer ones away lets revoked callers in,
    /// who neither search nor book once it has ended.
    pub crl: PathBuf,
}

impl Config {
    /// A configuration with the defaults, for a daemon that has no file.
    pub fn new(
        state: PathBuf,
        origin: &str,
        master_key: PathBuf,
        log_key: PathBuf,
        tls: TlsFiles,
    ) -> Self {
        Self {
            listen: None,
            state,
            origin: origin.to_owned(),
            master_key,
            log_key,
            anchor: None,
            disk_reserve_mib: disk_reserve_mib_default(),
            credential_warn_days: credential_warn_days_default(),
            details_kept_days: details_kept_days_default(),
            inquiries_kept_days: inquiries_kept_days_default(),
            console_origin: None,
            key_models: Vec::new(),
            roster: PathBuf::new(),
            tls,
            models: models_default(),
            models_next: None,
            switch_memory_mib: None,
            engine: EngineChoice::default(),
            embed_workers: 0,
        }
    }

    /// Reads a configuration file; credentials are looked for in the folder that systemd names.
    ///
    /// Errors: a file that can't be read, an unknown key, a wrong value, a credential without
    /// systemd.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let credentials = std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
        Self::load_with(path, credentials.as_deref())
    }

    fn load_with(path: &Path, credentials: Option<&Path>) -> Result<Self, ConfigError> {
        let what = "the configuration";
        let mut config: Self = parse(what, path)?;
        let base = path.parent().unwrap_or(Path::new("."));
        for file in [
            &mut config.state,
            &mut config.master_key,
            &mut config.log_key,
            &mut config.roster,
            &mut config.tls.cert,
            &mut config.tls.key,
            &mut config.tls.ca,
            &mut config.tls.crl,
            &mut config.models,
        ]
        .into_iter()
        .chain(&mut config.models_next)
        .chain(&mut config.anchor)
        .chain(config.key_models.iter_mut().map(|model| &mut model.anchor))
        {
            let Some(name) = file.to_str().and_then(|f| f.strip_prefix(CREDENTIAL)) else {
                // A relative path is meant from where the file that names it lies.
                *file = base.join(&*file);
                continue;
            };
            let folder =
                credentials.ok_or_else(|| ConfigError::NoCredentials { name: name.to_owned() })?;
            *file = folder.join(name);
        }
        Ok(config)
    }

    /// Reads the roster.
    pub fn read_roster(&self) -> Result<Roster, ConfigError> {
        read_roster(&self.roster)
    }

    /// Whose keys are taken, and for which name; none where no console is configured.
    ///
    /// Errors: an anchor that can't be read, or is no certificate.
    pub fn security_keys(&self) -> Result<Option<SecurityKeys>, ConfigError> {
        let Some(relying_party) = self.console_origin.clone() else { return Ok(None) };
        let model = |entry: &KeyModelEntry| {
            let (what, path) = ("a security key's anchor", entry.anchor.clone());
            let wrong = |reason: &str| ConfigError::Malformed {
                what,
                path: path.clone(),
                reason: format!("'{}': {reason}", entry.name),
            };
            let pem = CertificateDer::from_pem_slice(&read(what, &path)?)
                .map_err(|_| wrong("it is no certificate in PEM"))?;
            KeyModel::new(&entry.name, &pem, &entry.aaguids).map_err(wrong)
        };
        let models = self.key_models.iter().map(model).collect::<Result<_, _>>()?;
        Ok(Some(SecurityKeys { relying_party, models: KeyModels::new(models) }))
    }

    /// Reads a key file; one that others can read is refused.
    pub fn read_key(
        &self,
        what: &'static str,
        path: &Path,
    ) -> Result<Zeroizing<Vec<u8>>, ConfigError> {
        use std::os::unix::fs::PermissionsExt;
        let file = |source| ConfigError::File { what, path: path.to_owned(), source };
        let mode = std::fs::metadata(path).map_err(file)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(ConfigError::Exposed { what, path: path.to_owned(), mode });
        }
        read(what, path).map(Zeroizing::new)
    }

    /// For how many days what is kept.
    pub fn retention(&self) -> RetentionDays {
        RetentionDays { details: self.details_kept_days, inquiries: self.inquiries_kept_days }
    }

    /// The server's certificate files.
    pub fn server_files(&self) -> ServerFiles {
        let TlsFiles { cert, key, ca, crl } = self.tls.clone();
        ServerFiles {
            cert,
            key,
            ca,
            crl,
            crl_kept: self.state.join(KEPT_LIST_FILE),
            crl_brought: self.state.join(BROUGHT_LIST_FILE),
            warn_days: self.credential_warn_days,
        }
    }

    /// How many threads examine photos.
    pub fn workers(&self) -> usize {
        match self.embed_workers {
            0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            workers => workers,
        }
    }
}

/// Reads a roster file.
///
/// Errors: a file that can't be read, an unknown key, a wrong value; what `Roster::check` refuses.
pub fn read_roster(path: &Path) -> Result<Roster, ConfigError> {
    let roster: Roster = parse("the roster", path)?;
    roster.check()?;
    Ok(roster)
}

fn parse<T: serde::de::DeserializeOwned>(
    what: &'static str,
    path: &Path,
) -> Result<T, ConfigError> {
    let malformed = |reason: String| ConfigError::Malformed { what, path: path.to_owned(), reason };
    let text = String::from_utf8(read(what, path)?)
        .map_err(|_| malformed("it is not UTF-8 text".to_owned()))?;
    toml::from_str(&text).map_err(|e| malformed(e.to_string()))
}

fn read(what: &'static str, path: &Path) -> Result<Vec<u8>, ConfigError> {
    let file = |source| ConfigError::File { what, path: path.to_owned(), source };
    let found = std::fs::metadata(path).map_err(file)?.len();
    if found > FILE_BYTES_MAX {
        return Err(ConfigError::TooLong { what, path: path.to_owned(), found });
    }
    std::fs::read(path).map_err(file)
}

fn credential_warn_days_default() -> u64 {
    CREDENTIAL_WARN_DAYS_DEFAULT
}

fn disk_reserve_mib_default() -> u64 {
    DISK_RESERVE_MIB_DEFAULT
}

fn details_kept_days_default() -> u64 {
    DETAILS_KEPT_DAYS_MIN
}

fn inquiries_kept_days_default() -> u64 {
    INQUIRIES_KEPT_DAYS_MIN
}

fn console_origin<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<RelyingParty>, D::Error> {
    let origin = String::deserialize(deserializer)?;
    RelyingParty::new(&origin).map(Some).map_err(serde::de::Error::custom)
}

fn details_kept_days<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    days_of_at_least(DETAILS_KEPT_DAYS_MIN, deserializer)
}

fn inquiries_kept_days<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    days_of_at_least(INQUIRIES_KEPT_DAYS_MIN, deserializer)
}

fn days_of_at_least<'de, D: serde::Deserializer<'de>>(
    least: u64,
    deserializer: D,
) -> Result<u64, D::Error> {
    match u64::deserialize(deserializer)? {
        days if days < least => {
            Err(serde::de::Error::custom(format!("{days} days, wanted at least {least}")))
        }
        days => Ok(days),
    }
}

fn models_default() -> PathBuf {
    PathBuf::from("/usr/share/smrt/models")
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
        listen = "127.0.0.1:8443"
        state = "/var/lib/smrt"
        origin = "fusion.example/smrt"
        master_key = "credential:master.key"
        log_key = "log.key"
        roster = "roster.toml"
        tls = { cert = "server.pem", key = "server.key", ca = "ca.pem", crl = "crl.pem" }
    "#;

    fn load(text: &str) -> Result<Config, ConfigError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("smrtd.toml");
        std::fs::write(&path, text).unwrap();
        Config::load_with(&path, Some(Path::new("/run/credentials/smrtd")))
    }

    #[test]
    fn paths_are_meant_from_the_file_and_credentials_from_systemd() {
        let config = load(GOOD).unwrap();
        assert_eq!(config.master_key, Path::new("/run/credentials/smrtd/master.key"));
        assert!(config.log_key.is_absolute() && config.log_key.ends_with("log.key"));
        assert_eq!(
            (config.state.as_path(), config.engine),
            (Path::new("/var/lib/smrt"), EngineChoice::Auto)
        );
        assert!(config.workers() >= 1);
    }

    #[test]
    fn details_and_inquiries_are_kept_for_terms_of_their_own() {
        let kept = load(&format!("inquiries_kept_days = 2000\n{GOOD}")).unwrap().retention();
        assert_eq!(kept, RetentionDays { inquiries: 2_000, ..RetentionDays::default() });
    }

    #[test]
    fn unknown_keys_and_wrong_values_are_told_with_their_place() {
        for wrong in [
            format!("details_kept_days = 30\n{GOOD}"),
            format!("inquiries_kept_days = 1095\n{GOOD}"),
            format!("{GOOD}\ncolour = 1"),
            GOOD.replace("8443", "84430"),
            format!("{GOOD}\nengine = \"tpu\""),
        ] {
            let told = load(&wrong).unwrap_err().to_string();
            assert!(told.contains("line"), "{told}");
        }
        assert!(matches!(load("state = 1"), Err(ConfigError::Malformed { .. })));
    }

    #[test]
    fn a_key_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, [7; 32]).unwrap();
        let config = load(GOOD).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(
            config.read_key("the key", &path),
            Err(ConfigError::Exposed { mode: 0o640, .. })
        ));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(config.read_key("the key", &path).unwrap().as_slice(), [7; 32]);
    }
}
