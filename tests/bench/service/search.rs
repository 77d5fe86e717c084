//! `--search`: what a whole search costs beyond the probe's embedding and the scan, through the
//! real daemon over mutual TLS.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Barrier};
use std::time::Instant;

use anyhow::{Context, ensure};
use serde_json::json;
use smrt::audit::touch::RelyingParty;
use smrt::booking::{Identifier, Text};
use smrt::client::console_session::ConsoleSession;
use smrt::client::staff::Staff;
use smrt::client::{Client, Credentials};
use smrt::disk::RealDisk;
use smrt::face::Edits;
use smrt::ledger::{StoppedSetup, SystemClock};
use smrt::roster::{CertificateName, Person, Role};
use smrt::store::STORE_FILE;
use smrt::tls::authority::Authority;
use smrt::tls::files::{SECRET_MODE, write_new};
use time::OffsetDateTime;

use crate::builders::{LOG_KEY, MASTER_KEY, ORIGIN, request};
use crate::start::make;

const CONSOLE: &str = "https://localhost";
/// How many operators ask at the same time, and how often each of them.
const ROUNDS: [(usize, usize); 3] = [(1, 100), (8, 25), (32, 8)];
/// The steps that the server tells.
const STEPS: [&str; 4] = ["examine", "ask", "scan", "answer"];

/// One search, in milliseconds.
struct Measured {
    whole: f64,
    steps: [f64; STEPS.len()],
}

/// Starts the daemon over `rows` bookings and has operators search, each by touches of a software
/// key; a state folder is taken once, since its people's keys go with the run. A search is measured
/// from the request for what is touched to its answer.
pub(super) fn measure(
    rows: u32,
    state: Option<&Path>,
    models: &Path,
    engine: &str,
    json: bool,
) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let state = state.map_or_else(|| folder.path().join("state"), Path::to_owned);
    if !state.join(STORE_FILE).exists() {
        make(&state, rows, models)?;
    }
    let operators = ROUNDS.iter().map(|round| round.0).max().unwrap_or(1);
    let site = Site::make(folder.path(), &state, models, engine, operators)?;
    let daemon = Daemon::start(&site.config)?;
    let desks = site.desks(&daemon.server)?;
    let client = site.client(0, &daemon.server)?;
    for (operators, searches) in ROUNDS {
        report(
            operators,
            (client.health()?.gallery_rows, measure_round(&desks[..operators], searches)?),
            json,
        );
    }
    daemon.stop()
}

/// Every operator searches so many times, all at once; gives all figures.
fn measure_round(desks: &[ConsoleSession], searches: usize) -> anyhow::Result<Vec<Measured>> {
    let request = request();
    let probe: &[u8] = include_bytes!("../../../src/embed/test_photos/astronaut.jpg");
    let barrier = Barrier::new(desks.len());
    std::thread::scope(|scope| {
        let operators: Vec<_> = desks
            .iter()
            .map(|desk| {
                let (request, barrier) = (&request, &barrier);
                scope.spawn(move || -> anyhow::Result<Vec<Measured>> {
                    let prepare = || -> anyhow::Result<_> {
                        let probed = desk.hand_over(&desk.open(request)?, probe)?;
                        Ok(desk.choose(&probed, None, Edits::default(), None)?.view)
                    };
                    let prepared: anyhow::Result<Vec<_>> =
                        (0..searches).map(|_| prepare()).collect();
                    barrier.wait();
                    let one = |view| -> anyhow::Result<Measured> {
                        let begun = Instant::now();
                        let told = desk.approve(&view)?.timings;
                        let whole = begun.elapsed().as_secs_f64() * 1e3;
                        let step =
                            |name| told.iter().find(|step| step.0 == name).map(|step| step.1);
                        let mut steps = [0.0; STEPS.len()];
                        for (ms, name) in steps.iter_mut().zip(STEPS) {
                            *ms = step(name).with_context(|| {
                                format!("the answer does not say what '{name}' took")
                            })?;
                        }
                        Ok(Measured { whole, steps })
                    };
                    prepared?.into_iter().map(one).collect()
                })
            })
            .collect();
        let measured = operators
            .into_iter()
            .map(|operator| operator.join().expect("an operator does not panic"));
        Ok(measured.collect::<anyhow::Result<Vec<_>>>()?.into_iter().flatten().collect())
    })
}

fn report(operators: usize, (rows, measured): (u64, Vec<Measured>), as_json: bool) {
    let of = |ms: &dyn Fn(&Measured) -> f64| {
        let mut all: Vec<f64> = measured.iter().map(ms).collect();
        all.sort_by(f64::total_cmp);
        (all[all.len() / 2], all[(all.len() * 99 / 100).min(all.len() - 1)])
    };
    let mut figures = vec![("whole", of(&|m| m.whole))];
    for (at, name) in STEPS.into_iter().enumerate() {
        figures.push((name, of(&|m| m.steps[at])));
    }
    // TLS, HTTP, JSON and the waiting for a thread or a core between the steps.
    figures.push(("rest", of(&|m| m.whole - m.steps.iter().sum::<f64>())));
    figures.push(("beyond", of(&|m| m.whole - m.steps[0] - m.steps[2])));
    if as_json {
        let mut line = json!({"bench": "search", "operators": operators, "rows": rows,
            "searches": measured.len()});
        let ms = figures.into_iter().map(|(name, (median, p99))| {
            (format!("{name}_ms"), json!({"median": median, "p99": p99}))
        });
        line.as_object_mut().expect("it was just made one").extend(ms);
        println!("{line}");
    } else {
        println!(
            "{operators} operators, {} searches over {rows} rows; ms, median and p99:",
            measured.len()
        );
        for (name, (median, p99)) in figures {
            println!("{name:>8} {median:8.2} {p99:8.2}");
        }
    }
}

/// An authority, keys, a roster, a configuration, and the codes of a commander and an
/// administrator.
pub(super) struct Site {
    pub(super) config: PathBuf,
    consoles: Vec<Credentials>,
    codes: [String; 2],
}

impl Site {
    pub(super) fn make(
        folder: &Path,
        state: &Path,
        models: &Path,
        engine: &str,
        operators: usize,
    ) -> anyhow::Result<Self> {
        let certificates = folder.join("authority");
        let authority = Authority::init(&certificates, "Bench authority")?;
        let server = authority.issue_server(&["localhost".to_owned()])?;
        let mut roster = "[[agency]]\nid = \"slmpd\"\nname = \"Metropolitan Police \
            Department\"\nstanding = { kind = \"contributor\", \
                          mou_from = \"2016-01-27\", policy_reviewed_on = \"2016-01-12\", \
                          policy_version = \"3\" }\n[ceilings]\nseconds_between = 0\n\
                          per_hour = 1000000\nper_day = 1000000\n"
            .to_owned();
        let mut consoles = Vec::new();
        for operator in 1..=operators {
            let id = format!("rtcc-{operator}");
            roster += &format!("[[device]]\nid = \"{id}\"\nplace = \"RTCC, desk {operator}\"\n");
            let issued = authority.issue(&CertificateName::Device(Identifier::parse(&id)?))?;
            let ca = authority.certificate_path();
            consoles.push(Credentials {
                server: String::new(),
                ca,
                cert: issued.certificate,
                key: issued.key,
            });
        }
        fs::write(folder.join("roster.toml"), roster)?;
        write_new(&folder.join("master.key"), &MASTER_KEY, SECRET_MODE)?;
        write_new(&folder.join("log.key"), &LOG_KEY, SECRET_MODE)?;
        let path =
            |path: &Path| fs::canonicalize(path).with_context(|| format!("{}", path.display()));
        let config = folder.join("smrtd.toml");
        let text = format!(
            "listen = \"127.0.0.1:0\"\nstate = {:?}\norigin = \"{ORIGIN}\"\nconsole_origin \
             = \"{CONSOLE}\"\nmaster_key = \"master.key\"\nlog_key = \"log.key\"\n\
             roster = \"roster.toml\"\nmodels = {:?}\nengine = \"{engine}\"\n[tls]\ncert = \
             {:?}\nkey = {:?}\nca = {:?}\ncrl = {:?}\n",
            path(state)?,
            path(models)?,
            server.certificate,
            server.key,
            authority.certificate_path(),
            authority.revocation_list_path(),
        );
        fs::write(&config, text)?;
        let appoint = |id, role| {
            let setup = StoppedSetup {
                disk: Arc::new(RealDisk),
                state: state.to_owned(),
                origin: ORIGIN.to_owned(),
                master_key: MASTER_KEY.to_vec().into(),
                log_key: LOG_KEY.to_vec().into(),
                clock: Arc::new(SystemClock::default()),
                anchor: None,
            };
            anyhow::Ok(smrt::service::appoint(&setup, None, person(id, role)?)?)
        };
        let codes = [
            appoint("commander", Role::Commander)?,
            appoint("administrator", Role::Administrator)?,
        ];
        Ok(Self { config, consoles, codes })
    }

    pub(super) fn client(&self, console: usize, server: &str) -> anyhow::Result<Client> {
        Ok(Client::open(&Credentials {
            server: server.to_owned(),
            ..self.consoles[console].clone()
        })?)
    }

    /// The commander and the administrator, with keys.
    pub(super) fn staff(&self, server: &str) -> anyhow::Result<Staff> {
        let relying_party = RelyingParty::new(CONSOLE)?;
        let (boss, admin) = (Identifier::parse("commander")?, Identifier::parse("administrator")?);
        let [commander, administrator] = &self.codes;
        Ok(Staff::enrol(
            &self.client(0, server)?,
            &relying_party,
            (&boss, commander),
            (&admin, administrator),
        )?)
    }

    /// One operator at each console.
    fn desks(&self, server: &str) -> anyhow::Result<Vec<ConsoleSession>> {
        let mut staff = self.staff(server)?;
        let mut desks = Vec::new();
        for console in 0..self.consoles.len() {
            let (client, operator) = (
                self.client(console, server)?,
                person(&format!("operator-{console}"), Role::Operator)?,
            );
            staff.admit(&client, &operator)?;
            desks.push(staff.log_on(&client, &operator.id)?);
        }
        Ok(desks)
    }
}

/// The real daemon; dropped, it is killed.
pub(super) struct Daemon {
    child: Child,
    pub(super) server: String,
}

impl Daemon {
    pub(super) fn start(config: &Path) -> anyhow::Result<Self> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_smrtd"));
        let mut child =
            command.arg("run").arg("--config").arg(config).stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        let stdout = child.stdout.take().context("its output is piped")?;
        BufReader::new(stdout).read_line(&mut line)?;
        let port =
            line.trim_end().strip_prefix("ready on ").and_then(|address| address.rsplit_once(':'));
        let server =
            format!("https://localhost:{}", port.context("the daemon did not come to be ready")?.1);
        Ok(Self { child, server })
    }

    pub(super) fn stop(mut self) -> anyhow::Result<()> {
        let told = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status()?;
        ensure!(told.success() && self.child.wait()?.success(), "the daemon did not end in order");
        Ok(())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended in order already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(super) fn person(id: &str, role: Role) -> anyhow::Result<Person> {
    let trained_until = (OffsetDateTime::now_utc() + time::Duration::days(300)).date();
    let (id, name, badge) =
        (Identifier::parse(id)?, Text::parse(id)?, Text::parse(&format!("badge {id}"))?);
    Ok(Person {
        id,
        name,
        badge,
        agency: Identifier::parse("slmpd")?,
        role,
        trained_until,
        temporary_until_cs: None,
    })
}
