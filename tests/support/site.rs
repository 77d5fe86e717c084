//! A site: an authority, keys, a roster and a configuration in a folder of its own, over which the
//! box runs.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rcgen::{
    CertificateParams, CertificateRevocationListParams, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyIdMethod, KeyPair, KeyUsagePurpose, SanType, SerialNumber,
};
use smrt::audit::touch::Aaguid;
use smrt::audit::{Checkpoint, CosignerKey, Detail, Leaf, LeafKind, LogKey, VerifierKey};
use smrt::booking::{BookingNumber, Identifier};
use smrt::client::staff::Staff;
use smrt::config::Config;
use smrt::disk::RealDisk;
use smrt::gallery::EngineChoice;
use smrt::ledger::{Fated, Ledger, LedgerSetup, ModelSet, StoppedSetup, SystemClock};
use smrt::roster::{CertificateName, Role};
use smrt::store::StateKind;
use smrt::tls::authority::Authority;
use smrt::tls::files::{PUBLIC_MODE, SECRET_MODE, replace, write_new};
use smrt::tls::key_maker::KeyMaker;
use tempfile::TempDir;
use time::OffsetDateTime;

use crate::builders::ledger_setup;
pub(crate) use crate::builders::{
    LOG_KEY, MASTER_KEY, ORIGIN, booking, booking_json, request, request_json,
};
pub(crate) use crate::daemon::{Daemon, Ended, ended};
use crate::desks::person;
use crate::photos::root;
use crate::raw::Identity;

/// How long a story waits for anything before it has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);
/// What is said where a folder is held. A story that has read a folder in this process may find it
/// held for a moment: a process that another story is just starting has the lock, too, until it
/// runs its own program.
pub(crate) const HELD: &str = "another daemon holds";
/// Exit status of a daemon that can't run as configured.
pub(crate) const EXIT_CONFIG: i32 = 78;
/// Where the console's pages are said to be; a key of software answers for it wherever it is asked.
pub(crate) const CONSOLE: &str = "https://localhost";

/// The model of security keys that is listed where bookings are real.
pub(crate) const MODEL: Aaguid = Aaguid([0x42; 16]);

const ROSTER: &str = r#"
[[agency]]
id = "slmpd"
name = "Metropolitan Police Department"
standing = { kind = "contributor", mou_from = "2026-01-12", policy_reviewed_on = "2026-01-10", policy_version = "3" }
[[agency]]
id = "stlco"
name = "County Police"
standing = { kind = "contributor", mou_from = "2026-01-12", policy_reviewed_on = "2026-01-10", policy_version = "3" }
[[agency]]
id = "gone"
name = "An agency whose memorandum has ended"
standing = { kind = "contributor", mou_from = "2025-01-12", mou_until = "2026-01-12", policy_reviewed_on = "2025-01-10", policy_version = "2" }
[[agency]]
id = "madison"
name = "Madison County"
standing = { kind = "requester", admitted_on = "2026-02-01", policy_reviewed_on = "2026-02-01", policy_version = "3" }
[ceilings]
seconds_between = 0
per_hour = 1000000
per_day = 1000000
[[device]]
id = "rtcc-1"
place = "RTCC, desk 1"
[[device]]
id = "rtcc-2"
place = "RTCC, desk 2"
[[device]]
id = "audit-1"
place = "inspector's office"
audit = true
[[device]]
id = "admin-1"
place = "server room"
administration = true
"#;

/// A site in a folder.
pub(crate) struct Site {
    folder: TempDir,
    /// The codes of a commander and an administrator, where some were appointed.
    pub(crate) appointed: Option<[String; 2]>,
    /// Whether bookings are real, so that no software is listed.
    pub(crate) is_real: bool,
    /// The keys of its people, once they are needed.
    pub(crate) staff: Mutex<Option<Staff>>,
}

impl Site {
    /// A site with everything but a state.
    pub(crate) fn new() -> Self {
        let site = Self::bare();
        fs::create_dir(site.path("state")).unwrap();
        for (name, key) in [("master.key", MASTER_KEY), ("log.key", LOG_KEY)] {
            write_new(&site.path(name), &key, SECRET_MODE).unwrap();
        }
        let authority = Authority::init(&site.path("authority"), "Test site").unwrap();
        authority.issue_server(&["localhost".to_owned()]).unwrap();
        for agency in ["slmpd", "stlco", "gone", "madison", "unlisted"] {
            authority.issue(&CertificateName::Feed(Identifier::parse(agency).unwrap())).unwrap();
        }
        for device in ["rtcc-1", "rtcc-2", "admin-1", "audit-1", "unlisted"] {
            authority.issue(&CertificateName::Device(Identifier::parse(device).unwrap())).unwrap();
        }
        site.configure("");
        site
    }

    /// A site whose box has a commander and an administrator, so that people can be admitted.
    pub(crate) fn staffed() -> Self {
        let mut site = Self::new();
        site.appoint();
        site
    }

    /// Appoints a commander and an administrator, which makes the state folder.
    pub(crate) fn appoint(&mut self) {
        self.appoint_for(StateKind::Test);
    }

    /// As `appoint`, for a state folder of this kind.
    pub(crate) fn appoint_for(&mut self, kind: StateKind) {
        let config = Config::load(&self.config()).unwrap();
        let appoint = |id: &str, role| {
            let key = |name| fs::read(self.path(name)).unwrap().into();
            let setup = StoppedSetup {
                disk: Arc::new(RealDisk),
                state: self.path("state"),
                origin: config.origin.clone(),
                master_key: key("master.key"),
                log_key: key("log.key"),
                clock: Arc::new(SystemClock::default()),
                anchor: None,
            };
            once_free(|| smrt::service::appoint(&setup, Some(kind), person(id, role)))
        };
        self.appointed = Some([
            appoint("commander", Role::Commander),
            appoint("administrator", Role::Administrator),
        ]);
    }

    /// The code by which the commander or the administrator enrols a first key.
    pub(crate) fn code_of(&self, person: &str) -> &str {
        let [commander, administrator] = self.appointed.as_ref().expect("they were appointed");
        if person == "commander" { commander } else { administrator }
    }

    /// A folder with nothing in it.
    pub(crate) fn bare() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder, appointed: None, is_real: false, staff: Mutex::default() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.path("smrtd.toml")
    }

    pub(crate) fn ca(&self) -> PathBuf {
        self.path("authority/ca.pem")
    }

    pub(crate) fn crl(&self) -> PathBuf {
        self.path("authority/crl.pem")
    }

    /// Writes roster and configuration; `more` are lines for its end.
    pub(crate) fn configure(&self, more: &str) {
        fs::write(self.path("roster.toml"), ROSTER).unwrap();
        self.write_config("cpu", &models(), more);
    }

    /// Writes the configuration anew and leaves the roster as it is.
    pub(crate) fn configure_keeping_roster(&self, more: &str) {
        self.write_config("cpu", &models(), more);
    }

    /// Puts other ceilings into the roster.
    pub(crate) fn set_ceilings(&self, seconds_between: u64, per_hour: u64, per_day: u64) {
        let roster = fs::read_to_string(self.path("roster.toml")).unwrap();
        let (before, after) = roster.split_once("[ceilings]\n").unwrap();
        let (_, after) = after.split_once("[[device]]").unwrap();
        let ceilings = format!(
            "[ceilings]\nseconds_between = {seconds_between}\nper_hour = {per_hour}\nper_day = \
             {per_day}\n"
        );
        fs::write(self.path("roster.toml"), format!("{before}{ceilings}[[device]]{after}"))
            .unwrap();
    }

    /// Puts witnesses into the roster, each with a secret and, where it is no agency's, a
    /// certificate; so many of them make a quorum.
    pub(crate) fn add_witnesses(
        &self,
        witnesses: &[(&str, Option<&str>)],
        quorum: usize,
        within_minutes: u64,
    ) {
        let mut roster = fs::read_to_string(self.path("roster.toml")).unwrap();
        for (at, (id, agency)) in witnesses.iter().enumerate() {
            let secret = [u8::try_from(at).unwrap() + 10; 32];
            write_new(&self.witness_secret(id), &secret, SECRET_MODE).unwrap();
            let key = CosignerKey::new(&witness_name(id), &secret).unwrap();
            roster += &format!(
                "[[witness]]\nid = \"{id}\"\nname = \"{id}\"\nkey = \"{}\"\n",
                key.verifier()
            );
            match agency {
                Some(agency) => roster += &format!("agency = \"{agency}\"\n"),
                None => drop(
                    self.authority()
                        .issue(&CertificateName::Witness(Identifier::parse(id).unwrap()))
                        .unwrap(),
                ),
            }
        }
        roster += &format!("[quorum]\nwitnesses = {quorum}\nwithin_minutes = {within_minutes}\n");
        fs::write(self.path("roster.toml"), roster).unwrap();
    }

    pub(crate) fn witness_secret(&self, id: &str) -> PathBuf {
        self.path(&format!("witness-{id}.secret"))
    }

    /// The key by which the log is verified.
    pub(crate) fn log_verifier(&self) -> VerifierKey {
        LogKey::new(ORIGIN, &LOG_KEY).unwrap().verifier().clone()
    }

    /// Writes a configuration with a second folder of models; `more` are lines for its end.
    pub(crate) fn configure_next(&self, models: &Path, next: &Path, more: &str) {
        self.configure_next_on("cpu", models, next, more);
    }

    pub(crate) fn configure_next_on(&self, engine: &str, models: &Path, next: &Path, more: &str) {
        self.write_config(engine, models, &format!("models_next = \"{}\"\n{more}", next.display()));
    }

    pub(crate) fn write_config(&self, engine: &str, models: &Path, more: &str) {
        let text = format!(
            "listen = \"127.0.0.1:0\"\nstate = \"state\"\norigin = \"{ORIGIN}\"\nconsole_origin \
             = \"{CONSOLE}\"\nmaster_key = \"master.key\"\nlog_key = \"log.key\"\n\
             roster = \"roster.toml\"\nengine = \"{engine}\"\nmodels = \"{}\"\n{more}\n[tls]\ncert \
             = \"authority/server-localhost.pem\"\n\
             key = \"authority/server-localhost.key\"\nca = \"authority/ca.pem\"\ncrl \
             = \"authority/crl.pem\"\n{}",
            models.display(),
            self.key_models()
        );
        fs::write(self.config(), text).unwrap();
    }

    /// Has bookings be real: no keys of software are listed, but those of this maker.
    pub(crate) fn be_real(&mut self, maker: &KeyMaker) {
        self.is_real = true;
        let own = self.key_models();
        let config = fs::read_to_string(self.config()).unwrap();
        let config = config.strip_suffix(&own).expect("software keys are listed at its end");
        fs::write(self.path("maker.pem"), maker.anchor()).unwrap();
        let listed = "[[key_model]]\nname = \"Its keys\"\nanchor = \"maker.pem\"\n";
        let listed = format!("{config}{listed}aaguids = [\"{MODEL}\"]\n");
        fs::write(self.config(), listed).unwrap();
    }

    /// Lists the keys that are no hardware: this project's, and those of the stories' browsers.
    pub(crate) fn key_models(&self) -> String {
        let chromium = root().join("src/audit/touch/chromium_keys.pem");
        let list = |name: &str, anchor: &Path, aaguid: &str| {
            format!(
                "[[key_model]]\nname = \"{name}\"\nanchor = \"{}\"\naaguids = [\"{aaguid}\"]\n",
                anchor.display()
            )
        };
        let own = self.path("software-keys.pem");
        fs::write(&own, KeyMaker::own().anchor()).unwrap();
        list("Software keys", &own, &Aaguid::SOFTWARE.to_string())
            + &list("Chromium", &chromium, "01020304-0506-0708-0102-030405060708")
    }

    /// The authority, for as long as nobody else opens it.
    pub(crate) fn authority(&self) -> Authority {
        Authority::open(&self.path("authority")).unwrap()
    }

    /// What the authority issued to an agency's feed.
    pub(crate) fn feed_identity(&self, agency: &str) -> Identity {
        self.issued(&format!("feed-{agency}"))
    }

    /// What the authority issued to a console.
    pub(crate) fn console_identity(&self, device: &str) -> Identity {
        self.issued(&format!("device-{device}"))
    }

    /// What the authority issued to a witness.
    pub(crate) fn witness_identity(&self, witness: &str) -> Identity {
        self.issued(&format!("witness-{witness}"))
    }

    /// What the authority issued to the server.
    pub(crate) fn server_identity(&self) -> Identity {
        self.issued("server-localhost")
    }

    fn issued(&self, stem: &str) -> Identity {
        let file = |ending| self.path(&format!("authority/{stem}.{ending}"));
        Identity { certificate: file("pem"), key: file("key") }
    }

    /// A certificate of this site's authority that the authority's own command would never issue.
    pub(crate) fn odd_identity(
        &self,
        stem: &str,
        names: Vec<SanType>,
        usage: ExtendedKeyUsagePurpose,
        days: (i64, i64),
    ) -> Identity {
        let mut params = CertificateParams::default();
        params.subject_alt_names = names;
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![usage];
        params.use_authority_key_identifier_extension = true;
        let now = OffsetDateTime::now_utc();
        (params.not_before, params.not_after) =
            (now + time::Duration::days(days.0), now + time::Duration::days(days.1));
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer()).unwrap();
        let identity = self.issued(stem);
        replace(&identity.certificate, certificate.pem().as_bytes(), PUBLIC_MODE).unwrap();
        replace(&identity.key, key.serialize_pem().as_bytes(), SECRET_MODE).unwrap();
        identity
    }

    /// Puts a revocation list in place that ends in so many days, newer than those before it.
    pub(crate) fn let_the_list_end_in(&self, days: i64) {
        replace(&self.crl(), self.list_of(1_000, days).as_bytes(), PUBLIC_MODE).unwrap();
    }

    /// A revocation list of the site's authority, with this number, which ends in so many days and
    /// revokes nothing.
    pub(crate) fn list_of(&self, number: u64, days: i64) -> String {
        let now = OffsetDateTime::now_utc();
        let list = CertificateRevocationListParams {
            this_update: now - time::Duration::days(31),
            next_update: now + time::Duration::days(days),
            crl_number: SerialNumber::from(number),
            issuing_distribution_point: None,
            revoked_certs: Vec::new(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        list.signed_by(&self.issuer()).unwrap().pem().unwrap()
    }

    /// Has the server look for its revocation list where the authority doesn't write it.
    pub(crate) fn keep_the_list_apart(&self) -> PathBuf {
        let apart = self.path("installed.pem");
        fs::copy(self.crl(), &apart).unwrap();
        let config = fs::read_to_string(self.config()).unwrap();
        let config = config.replace("\"authority/crl.pem\"", "\"installed.pem\"");
        fs::write(self.config(), config).unwrap();
        apart
    }

    fn issuer(&self) -> Issuer<'static, KeyPair> {
        let text = |name| fs::read_to_string(self.path(name)).unwrap();
        Issuer::from_ca_cert_pem(
            &text("authority/ca.pem"),
            KeyPair::from_pem(&text("authority/ca.key")).unwrap(),
        )
        .unwrap()
    }

    /// What the daemon had to say so far.
    pub(crate) fn journal(&self) -> String {
        fs::read_to_string(self.path("journal")).unwrap_or_default()
    }

    /// The state folder, opened by the library; no daemon may be running.
    pub(crate) fn ledger(&self) -> Ledger {
        let config = Config::load(&self.config()).unwrap();
        let set =
            ModelSet::open(&config.models, config.models_next.as_deref(), EngineChoice::Cpu, 1)
                .unwrap();
        let key = |name| fs::read(self.path(name)).unwrap().into();
        let set = Arc::new(set);
        once_free(|| {
            Ledger::open(LedgerSetup {
                create_as: None,
                origin: config.origin.clone(),
                master_key: key("master.key"),
                log_key: key("log.key"),
                ..ledger_setup(Arc::new(RealDisk), &self.path("state"), set.clone())
            })
        })
    }

    /// A checkpoint, verified by the log's key.
    pub(crate) fn verified(&self, note: &str) -> Checkpoint {
        LogKey::new(ORIGIN, &fs::read(self.path("log.key")).unwrap()).unwrap().open(note).unwrap()
    }

    /// The kinds of all leaves; no daemon may be running.
    pub(crate) fn log_kinds(&self) -> Vec<LeafKind> {
        self.ledger()
            .log()
            .unwrap()
            .iter()
            .map(|leaf| Leaf::from_bytes(leaf).unwrap().kind)
            .collect()
    }

    /// The reasons of all refusals of a kind, those that wait to be gathered behind those with
    /// leaves; no daemon may be running.
    pub(crate) fn refusals(&self, kind: LeafKind) -> Vec<String> {
        let reason = |detail: &serde_json::Value| detail["reason"].as_str().unwrap().to_owned();
        let mut reasons: Vec<String> = self
            .log()
            .iter()
            .filter(|(k, _)| *k == kind)
            .map(|(_, detail)| reason(detail))
            .collect();
        let waiting = self.ledger().gathered().unwrap();
        reasons.extend(
            waiting
                .into_iter()
                .filter_map(|detail| match detail {
                    Detail::RefusalsGathered { kept, refusals, .. } => {
                        assert_eq!(kept.len() as u64, refusals, "all are kept in words");
                        Some(kept.into_iter().map(|refusal| refusal.reason))
                    }
                    _ => None,
                })
                .flatten(),
        );
        reasons
    }

    /// The kinds and the details of all leaves; no daemon may be running.
    pub(crate) fn log(&self) -> Vec<(LeafKind, serde_json::Value)> {
        let ledger = self.ledger();
        let leaves = ledger.log().unwrap();
        (0..)
            .zip(leaves)
            .map(|(at, leaf)| {
                (Leaf::from_bytes(&leaf).unwrap().kind, ledger.detail(at).unwrap().unwrap())
            })
            .collect()
    }
}

/// Opens a state folder in this process, as soon as nobody holds it.
pub(crate) fn once_free<T, E: Fated>(open: impl Fn() -> Result<T, E>) -> T {
    let begun = Instant::now();
    loop {
        match open() {
            Err(e) if e.to_string().contains(HELD) && begun.elapsed() < PATIENCE => {}
            opened => return opened.unwrap_or_else(|e| panic!("{}", e.chain())),
        }
    }
}

/// The name under which a witness of these stories cosigns.
pub(crate) fn witness_name(id: &str) -> String {
    format!("{id}.example/witness")
}

/// The folder of the models.
pub(crate) fn models() -> PathBuf {
    root().join("models")
}

/// A folder of the same models without the mirror: other embeddings of the same photos.
pub(crate) fn plain_models() -> PathBuf {
    models_with("plain-models", |card| card.replace("mirror = true", "mirror = false"))
}

/// A folder of the same models with a detector that is fed so badly that it finds no faces on dark
/// photos.
pub(crate) fn night_blind_models() -> PathBuf {
    models_with("night-blind-models", |card| {
        card.replace("colours = \"bgr\"", "colours = \"bgr\"\npixel_offset = 128.0")
    })
}

/// A folder of the same models with a card that calls every probe poor.
pub(crate) fn strict_models() -> PathBuf {
    let strict = "embedding_length = { low_below = 1000.0, poor_below = 1000.0 }";
    models_with("strict-models", |card| {
        card.lines()
            .map(|line| if line.starts_with("embedding_length") { strict } else { line })
            .collect::<Vec<_>>()
            .join("\n")
    })
}

/// A folder of the same model files with other cards.
pub(crate) fn models_with(name: &str, change: impl Fn(String) -> String) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).unwrap();
    for entry in fs::read_dir(models()).unwrap() {
        let path = entry.unwrap().path();
        let other = folder.join(path.file_name().unwrap());
        if path.extension().is_some_and(|e| e == "onnx") {
            // There already, where another story was first.
            let _ = std::os::unix::fs::symlink(&path, &other);
            assert!(other.exists(), "no models: run: smrtd demo --fetch-only");
        } else if path.extension().is_some_and(|e| e == "toml") {
            let card = change(fs::read_to_string(&path).unwrap());
            if fs::read_to_string(&other).is_ok_and(|there| there == card) {
                continue;
            }
            // Whole or not at all: other stories may be reading it.
            let part = folder.join(format!("{}.part", std::process::id()));
            fs::write(&part, card).unwrap();
            fs::rename(part, other).unwrap();
        }
    }
    folder
}

pub(crate) fn number(number: &str) -> BookingNumber {
    BookingNumber::parse(number).unwrap()
}
