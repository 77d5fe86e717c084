//! A site: an authority, keys, a roster and a configuration in a folder of its own, and the real daemon over it.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpListener};
use std::ops::{Deref, DerefMut};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use rcgen::{
    CertificateParams, CertificateRevocationListParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose,
    SanType, SerialNumber,
};
use smrt::audit::{Checkpoint, CosignerKey, Detail, Leaf, LeafKind, LogKey, VerifierKey};
use smrt::booking::{BookingData, BookingNumber, Identifier};
use smrt::client::desk::{Desk, Staff};
use smrt::client::{Client, Credentials};
use smrt::config::Config;
use smrt::disk::RealDisk;
use smrt::gallery::EngineChoice;
use smrt::roster::{CertificateName, Person, Role};
use smrt::service::{Ledger, LedgerSetup, RestoreSetup, Shelf, SystemClock};
use smrt::store::StateKind;
use smrt::tls::authority::Authority;
use smrt::tls::files::{PUBLIC_MODE, SECRET_MODE, replace, write_new};
use tempfile::TempDir;
use time::OffsetDateTime;

use crate::desks::{person, relying_party};
pub(crate) use crate::desks::{request, request_json};
use crate::photos::root;
use crate::raw::{Answer, Form, Identity, Line};

/// How long a story waits for anything before it has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);
/// What is said where a folder is held. A story that has read a folder in this process may find it held for a moment: a process that another
/// story is just starting has the lock, too, until it runs its own program.
const HELD: &str = "another daemon holds";
/// Exit status of a daemon that can't run as configured.
pub(crate) const EXIT_CONFIG: i32 = 78;
pub(crate) const ORIGIN: &str = "test.example/smrt";
/// Where the console's pages are said to be; a key of software answers for it wherever it is asked.
pub(crate) const CONSOLE: &str = "https://localhost";
const MASTER_KEY: [u8; 32] = [1; 32];
pub(crate) const LOG_KEY: [u8; 32] = [2; 32];

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
    appointed: Option<[String; 2]>,
    /// The keys of its people, once they are needed.
    staff: Mutex<Option<Staff>>,
}

/// The running daemon; dropped, it is killed.
pub(crate) struct Daemon<'s> {
    pub(crate) site: &'s Site,
    child: Child,
    pub(crate) address: SocketAddr,
}

/// The people of a site, held.
pub(crate) struct HeldStaff<'s>(MutexGuard<'s, Option<Staff>>);

impl Deref for HeldStaff<'_> {
    type Target = Staff;

    fn deref(&self) -> &Staff {
        self.0.as_ref().expect("they were just founded")
    }
}

impl DerefMut for HeldStaff<'_> {
    fn deref_mut(&mut self) -> &mut Staff {
        self.0.as_mut().expect("they were just founded")
    }
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
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
            let setup = RestoreSetup {
                disk: Arc::new(RealDisk),
                state: self.path("state"),
                origin: config.origin.clone(),
                master_key: key("master.key"),
                log_key: key("log.key"),
                clock: Arc::new(SystemClock::default()),
                anchor: None,
            };
            smrt::service::appoint(&setup, Some(kind), person(id, role)).unwrap()
        };
        self.appointed = Some([appoint("commander", Role::Commander), appoint("administrator", Role::Administrator)]);
    }

    /// The code by which the commander or the administrator enrols a first key.
    pub(crate) fn code_of(&self, person: &str) -> &str {
        let [commander, administrator] = self.appointed.as_ref().expect("they were appointed");
        if person == "commander" { commander } else { administrator }
    }

    /// A folder with nothing in it.
    pub(crate) fn bare() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), appointed: None, staff: Mutex::default() }
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

    /// Puts witnesses into the roster, each with a secret and, where it is no agency's, a certificate; so many of them make a quorum.
    pub(crate) fn add_witnesses(&self, witnesses: &[(&str, Option<&str>)], quorum: usize, within_minutes: u64) {
        let mut roster = fs::read_to_string(self.path("roster.toml")).unwrap();
        for (at, (id, agency)) in witnesses.iter().enumerate() {
            let secret = [u8::try_from(at).unwrap() + 10; 32];
            write_new(&self.witness_secret(id), &secret, SECRET_MODE).unwrap();
            let key = CosignerKey::new(&witness_name(id), &secret).unwrap();
            roster += &format!("[[witness]]\nid = \"{id}\"\nname = \"{id}\"\nkey = \"{}\"\n", key.verifier());
            match agency {
                Some(agency) => roster += &format!("agency = \"{agency}\"\n"),
                None => drop(self.authority().issue(&CertificateName::Witness(Identifier::parse(id).unwrap())).unwrap()),
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
            "listen = \"127.0.0.1:0\"\nstate = \"state\"\norigin = \"{ORIGIN}\"\nconsole_origin = \"{CONSOLE}\"\nmaster_key = \"master.key\"\nlog_key = \"log.key\"\n\
             roster = \"roster.toml\"\nengine = \"{engine}\"\nmodels = \"{}\"\n{more}\n[tls]\ncert = \"authority/server-localhost.pem\"\n\
             key = \"authority/server-localhost.key\"\nca = \"authority/ca.pem\"\ncrl = \"authority/crl.pem\"\n",
            models.display()
        );
        fs::write(self.config(), text).unwrap();
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
    pub(crate) fn odd_identity(&self, stem: &str, names: Vec<SanType>, usage: ExtendedKeyUsagePurpose, days: (i64, i64)) -> Identity {
        let mut params = CertificateParams::default();
        params.subject_alt_names = names;
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![usage];
        params.use_authority_key_identifier_extension = true;
        let now = OffsetDateTime::now_utc();
        (params.not_before, params.not_after) = (now + time::Duration::days(days.0), now + time::Duration::days(days.1));
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer()).unwrap();
        let identity = self.issued(stem);
        replace(&identity.certificate, certificate.pem().as_bytes(), PUBLIC_MODE).unwrap();
        replace(&identity.key, key.serialize_pem().as_bytes(), SECRET_MODE).unwrap();
        identity
    }

    /// Puts a revocation list in place that has ended.
    pub(crate) fn let_the_list_end(&self) {
        let now = OffsetDateTime::now_utc();
        let list = CertificateRevocationListParams {
            this_update: now - time::Duration::days(31),
            next_update: now - time::Duration::days(1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: Vec::new(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        replace(&self.crl(), list.signed_by(&self.issuer()).unwrap().pem().unwrap().as_bytes(), PUBLIC_MODE).unwrap();
    }

    fn issuer(&self) -> Issuer<'static, KeyPair> {
        let text = |name| fs::read_to_string(self.path(name)).unwrap();
        Issuer::from_ca_cert_pem(&text("authority/ca.pem"), KeyPair::from_pem(&text("authority/ca.key")).unwrap()).unwrap()
    }

    /// The command that runs the daemon.
    fn run(&self, create_as: Option<&str>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_smrtd"));
        command.arg("run").arg("--config").arg(self.config());
        if let Some(kind) = create_as {
            command.args(["--create-as", kind]);
        }
        command
    }

    /// Starts the daemon and waits until it is ready.
    pub(crate) fn start(&self, create_as: &str) -> Daemon<'_> {
        let begun = Instant::now();
        loop {
            match self.ready(self.run(Some(create_as))) {
                Ok(daemon) => return daemon,
                Err(ended) if ended.stderr.contains(HELD) && begun.elapsed() < PATIENCE => {}
                Err(ended) => panic!("the daemon ended: {ended:?}"),
            }
        }
    }

    /// Starts the daemon as systemd does, which is told how far it is by this socket.
    pub(crate) fn start_notifying(&self, create_as: &str, notify: &Path) -> Daemon<'_> {
        let mut command = self.run(Some(create_as));
        command.env("NOTIFY_SOCKET", notify);
        self.ready(command).unwrap_or_else(|ended| panic!("the daemon ended: {ended:?}"))
    }

    /// Starts the daemon over a socket that it is handed as systemd hands it over, so that callers wait while there is no daemon.
    pub(crate) fn start_on(&self, listener: &TcpListener) -> Daemon<'_> {
        let mut command = Command::new("sh");
        let run = r#"exec 3<&0 </dev/null; LISTEN_FDS=1 LISTEN_PID=$$ exec "$0" run --config "$1" --create-as test"#;
        command.args(["-c", run, env!("CARGO_BIN_EXE_smrtd")]).arg(self.config());
        command.stdin(OwnedFd::from(listener.try_clone().unwrap()));
        self.ready(command).unwrap_or_else(|ended| panic!("the daemon ended: {ended:?}"))
    }

    /// Starts the daemon with a bound on the size of every file, which is how a full medium shows itself to a growing store.
    pub(crate) fn start_bounded(&self, blocks_of_512: u32) -> Daemon<'_> {
        let mut command = Command::new("sh");
        // Ignored, the signal becomes an error of the write.
        let run = r#"trap '' XFSZ; ulimit -f "$2"; exec "$0" run --config "$1" --create-as test"#;
        command.args(["-c", run, env!("CARGO_BIN_EXE_smrtd")]).arg(self.config()).arg(blocks_of_512.to_string());
        self.ready(command).unwrap_or_else(|ended| panic!("the daemon ended: {ended:?}"))
    }

    /// Starts the daemon; how it ended, where it didn't come to be ready.
    pub(crate) fn try_start(&self, create_as: Option<&str>) -> Result<Daemon<'_>, Ended> {
        self.ready(self.run(create_as))
    }

    fn ready(&self, mut command: Command) -> Result<Daemon<'_>, Ended> {
        let log = self.path("journal");
        let journal = File::options().create(true).append(true).open(&log).unwrap();
        let before = usize::try_from(journal.metadata().unwrap().len()).unwrap();
        let mut child = command.stdout(Stdio::piped()).stderr(journal).spawn().unwrap();
        let stdout = child.stdout.take().unwrap();
        let (told, line) = channel();
        std::thread::spawn(move || {
            let mut reader = BufReader::new(stdout);
            let mut line = String::new();
            let _ = reader.read_line(&mut line);
            let _ = told.send(line);
            // The pipe stays open for as long as the daemon lives.
            let _ = reader.read_to_end(&mut Vec::new());
        });
        let line = line.recv_timeout(PATIENCE);
        let address = line.as_deref().ok().and_then(|line| line.trim_end().strip_prefix("ready on ")).and_then(|a| a.parse().ok());
        match address {
            Some(address) => Ok(Daemon { site: self, child, address }),
            None => {
                // Ended already, or it never comes to be ready.
                let _ = line.map_err(|_| child.kill());
                let status = child.wait().unwrap().code();
                let stderr = String::from_utf8_lossy(&fs::read(log).unwrap()[before..]).into_owned();
                Err(Ended { status, stdout: String::new(), stderr })
            }
        }
    }

    /// `smrtd restore` with these words; no daemon may be running.
    pub(crate) fn restore(&self, words: &[&str]) -> Ended {
        ended(Command::new(env!("CARGO_BIN_EXE_smrtd")).arg("restore").arg("--config").arg(self.config()).args(words))
    }

    /// `smrtd check`.
    pub(crate) fn check(&self) -> Ended {
        ended(Command::new(env!("CARGO_BIN_EXE_smrtd")).arg("check").arg("--config").arg(self.config()))
    }

    /// What the daemon had to say so far.
    pub(crate) fn journal(&self) -> String {
        fs::read_to_string(self.path("journal")).unwrap_or_default()
    }

    /// The state folder, opened by the library; no daemon may be running.
    pub(crate) fn ledger(&self) -> Ledger {
        let config = Config::load(&self.config()).unwrap();
        let shelf = Shelf::open(&config.models, config.models_next.as_deref(), EngineChoice::Cpu, 1).unwrap();
        let key = |name| fs::read(self.path(name)).unwrap().into();
        let (begun, shelf) = (Instant::now(), Arc::new(shelf));
        loop {
            let opened = Ledger::open(LedgerSetup {
                disk: Arc::new(RealDisk),
                state: self.path("state"),
                create_as: None,
                origin: config.origin.clone(),
                master_key: key("master.key"),
                log_key: key("log.key"),
                shelf: shelf.clone(),
                clock: Arc::new(SystemClock::default()),
                anchor: None,
                reserve_bytes: 0,
                details_kept_days: 1_096,
            });
            match opened {
                Err(e) if e.to_string().contains(HELD) && begun.elapsed() < PATIENCE => {}
                opened => return opened.unwrap(),
            }
        }
    }

    /// A checkpoint, verified by the log's key.
    pub(crate) fn verified(&self, note: &str) -> Checkpoint {
        LogKey::new(ORIGIN, &fs::read(self.path("log.key")).unwrap()).unwrap().open(note).unwrap()
    }

    /// The kinds of all leaves; no daemon may be running.
    pub(crate) fn log_kinds(&self) -> Vec<LeafKind> {
        self.ledger().log().unwrap().iter().map(|leaf| Leaf::from_bytes(leaf).unwrap().kind).collect()
    }

    /// The reasons of all refusals of a kind, those that wait to be gathered behind those with leaves; no daemon may be running.
    pub(crate) fn refusals(&self, kind: LeafKind) -> Vec<String> {
        let reason = |detail: &serde_json::Value| detail["reason"].as_str().unwrap().to_owned();
        let mut reasons: Vec<String> = self.log().iter().filter(|(k, _)| *k == kind).map(|(_, detail)| reason(detail)).collect();
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
        (0..).zip(leaves).map(|(at, leaf)| (Leaf::from_bytes(&leaf).unwrap().kind, ledger.detail(at).unwrap().unwrap())).collect()
    }
}

impl Daemon<'_> {
    /// The client of an agency's feed.
    pub(crate) fn feed(&self, agency: &str) -> Client {
        self.client(&self.site.feed_identity(agency))
    }

    /// The client of a console.
    pub(crate) fn console(&self, device: &str) -> Client {
        self.client(&self.site.console_identity(device))
    }

    /// The desk of an operator and examiner, of whom each console has one.
    pub(crate) fn desk(&self, device: &str) -> Desk {
        self.desk_of(device, &person(&format!("op-{device}"), Role::OperatorExaminer))
    }

    /// A desk at which this person has logged on, admitted first where need be.
    pub(crate) fn desk_of(&self, device: &str, person: &Person) -> Desk {
        let (console, mut staff) = (self.console(device), self.staff());
        if !staff.knows(&person.id) {
            staff.admit(&console, person).unwrap();
        }
        staff.desk(&console, &person.id).unwrap()
    }

    /// The people of the site with their keys; the first two enrol theirs when somebody asks.
    pub(crate) fn staff(&self) -> HeldStaff<'_> {
        let mut staff = self.site.staff.lock().unwrap();
        if staff.is_none() {
            let [commander, administrator] = self.site.appointed.as_ref().expect("people are admitted on a staffed site");
            let (boss, admin) = (Identifier::parse("commander").unwrap(), Identifier::parse("administrator").unwrap());
            let console = self.console("admin-1");
            *staff = Some(Staff::found(&console, &relying_party(), (&boss, commander), (&admin, administrator)).unwrap());
        }
        HeldStaff(staff)
    }

    pub(crate) fn client(&self, identity: &Identity) -> Client {
        let Identity { certificate: cert, key } = identity.clone();
        Client::open(&Credentials { server: self.url(), ca: self.site.ca(), cert, key }).unwrap()
    }

    pub(crate) fn url(&self) -> String {
        format!("https://localhost:{}", self.address.port())
    }

    /// A connection under a certificate.
    pub(crate) fn line(&self, identity: &Identity) -> Line {
        Line::open(self.address, &self.site.ca(), Some(identity), &rustls::version::TLS13).unwrap()
    }

    /// One request with a form under a certificate.
    pub(crate) fn send(&self, identity: &Identity, method: &str, path: &str, form: &[u8]) -> Answer {
        self.line(identity).ask(method, path, &Form::content_type(), form).unwrap()
    }

    /// Leaves of the log, as the box says it.
    pub(crate) fn leaves(&self) -> u64 {
        self.console("rtcc-1").health().unwrap().leaves
    }

    /// `smrtctl` with these words, as this caller.
    pub(crate) fn smrtctl(&self, identity: &Identity, words: &[&str]) -> Ended {
        let mut command = Command::new(env!("CARGO_BIN_EXE_smrtctl"));
        command.args(words).arg("--server").arg(self.url()).arg("--ca").arg(self.site.ca());
        ended(command.arg("--cert").arg(&identity.certificate).arg("--key").arg(&identity.key))
    }

    /// One visit of a witness, by the real command, with its folder in the site's.
    pub(crate) fn witness(&self, id: &str, identity: &Identity) -> Ended {
        self.witness_of(id, identity, "kept", &self.site.log_verifier().to_string())
    }

    /// As `witness`, with a folder of this name and the log's key.
    pub(crate) fn witness_of(&self, id: &str, identity: &Identity, folder: &str, log: &str) -> Ended {
        let (folder, secret) = (self.site.path(&format!("{folder}-{id}")), self.site.witness_secret(id));
        let words = ["witness", "run", "--dir", folder.to_str().unwrap(), "--log", log, "--name", &witness_name(id), "--secret"];
        self.smrtctl(identity, &[&words[..], &[secret.to_str().unwrap()]].concat())
    }

    /// Stops the daemon as systemd does and gives its exit status.
    pub(crate) fn stop(mut self) -> Option<i32> {
        let pid = self.child.id().to_string();
        let told = Command::new("sh").args(["-c", "kill -TERM \"$0\"", &pid]).status().unwrap();
        assert!(told.success());
        // The daemon itself bounds how long it drains.
        self.child.wait().unwrap().code()
    }

    /// Waits until the daemon ends by itself and gives its exit status.
    pub(crate) fn exit_status(mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }

    /// Kills the daemon: SIGKILL, no word of warning.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Daemon<'_> {
    fn drop(&mut self) {
        // Ended already, where the story stopped it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a command to its end.
pub(crate) fn ended(command: &mut Command) -> Ended {
    let output = command.env_remove("SMRT_SERVER").output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ended { status: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
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

/// A folder of the same models with a detector that is fed so badly that it finds no faces on dark photos.
pub(crate) fn night_blind_models() -> PathBuf {
    models_with("night-blind-models", |card| card.replace("colours = \"bgr\"", "colours = \"bgr\"\npixel_offset = 128.0"))
}

/// A folder of the same models with a card that calls every probe poor.
pub(crate) fn strict_models() -> PathBuf {
    let strict = "embedding_length = { low_below = 1000.0, poor_below = 1000.0 }";
    models_with("strict-models", |card| {
        card.lines().map(|line| if line.starts_with("embedding_length") { strict } else { line }).collect::<Vec<_>>().join("\n")
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

/// A booking's JSON.
pub(crate) fn booking_json(name: &str) -> serde_json::Value {
    serde_json::json!({"name": name, "booked_on": "2026-11-01", "charges": ["trespass"], "basis": {"kind": "post_arrest_booking"}})
}

pub(crate) fn booking(name: &str) -> BookingData {
    serde_json::from_value(booking_json(name)).unwrap()
}
