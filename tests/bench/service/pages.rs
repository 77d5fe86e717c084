//! `--pages`: how long each page of the console takes to its last byte, from the real daemon over
//! mutual TLS, beside the box's plainest answer.

use std::path::Path;
use std::time::Instant;

use anyhow::Context;
use serde_json::json;
use smrt::booking::Identifier;
use smrt::client::console_session::ConsoleSession;
use smrt::face::Edits;
use smrt::roster::Role;
use smrt::store::STORE_FILE;

use crate::builders::request;
use crate::search::{Daemon, Site, person};
use crate::start::make;

/// How often each page is read.
const READS: usize = 40;
/// Inquiries in the lists, each with its probe; one of them is answered and in its first review.
const INQUIRIES: usize = 50;

/// Starts the daemon over `rows` bookings, gives its people something to look at, and reads every
/// page as its reader does.
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
    let site = Site::make(folder.path(), &state, models, engine, 1)?;
    let daemon = Daemon::start(&site.config)?;
    let (client, mut staff) = (site.client(0, &daemon.server)?, site.staff(&daemon.server)?);
    let [operator, auditor] = [("operator", Role::OperatorExaminer), ("auditor", Role::Auditor)]
        .map(|(id, role)| person(id, role));
    staff.admit(&client, &operator.as_ref().map_err(|e| anyhow::anyhow!("{e}"))?.clone())?;
    staff.admit(&client, &auditor.as_ref().map_err(|e| anyhow::anyhow!("{e}"))?.clone())?;
    let desk = |id: &str| -> anyhow::Result<ConsoleSession> {
        Ok(staff.log_on(&client, &Identifier::parse(id)?)?)
    };
    let (operator, auditor, commander, administrator) =
        (desk("operator")?, desk("auditor")?, desk("commander")?, desk("administrator")?);

    let probe: &[u8] = include_bytes!("../../../src/embed/test_photos/astronaut.jpg");
    let mut views = Vec::new();
    for _ in 0..INQUIRIES {
        let probed = operator.hand_over(&operator.open(&request())?, probe)?;
        views.push(operator.choose(&probed, None, Edits::default(), None)?.view);
    }
    let answered = operator.claim(&operator.approve(&views[0])?.view)?;
    let candidate = answered.candidates.first().context("the search found somebody")?.version;
    let (waiting, case) = (views[1].inquiry, answered.inquiry);
    let rows = client.health()?.gallery_rows;

    let mut pages: Vec<(&ConsoleSession, String)> = vec![
        (&operator, "/v1/health".to_owned()),
        (&operator, "/console/assets/console.css".to_owned()),
        (&operator, format!("/console/inquiries/{waiting}/probe")),
        (&operator, format!("/console/inquiries/{waiting}/approve")),
        (&operator, format!("/console/inquiries/{case}")),
        (&operator, format!("/console/inquiries/{case}/array")),
        (&operator, format!("/console/inquiries/{case}/compare/{candidate}")),
        (&operator, format!("/console/inquiries/{case}/report")),
    ];
    let of = |desk, paths: &[&str]| {
        paths.iter().map(|path| (desk, format!("/console/{path}"))).collect::<Vec<_>>()
    };
    pages.extend(of(&operator, &["enrol", "policy", "work", "inquiries/new", "outcomes"]));
    pages.extend(of(&administrator, &["decisions", "roster", "grants", "grants/new", "alarms"]));
    pages.extend(of(&commander, &["figures"]));
    pages.extend(of(&auditor, &["log", "log/3", "samples", "findings"]));
    for (desk, path) in pages {
        let mut ms = Vec::new();
        let mut bytes = 0;
        for _ in 0..READS {
            let begun = Instant::now();
            bytes = desk.file(&path)?.len();
            ms.push(begun.elapsed().as_secs_f64() * 1e3);
        }
        ms.sort_by(f64::total_cmp);
        let (median, most) = (ms[READS / 2], ms[READS - 1]);
        let page = path
            .replace(&waiting.to_string(), "{inquiry}")
            .replace(&case.to_string(), "{inquiry}")
            .replace(&candidate.to_string(), "{candidate}");
        if json {
            println!(
                "{}",
                json!({"bench": "pages", "rows": rows, "page": page, "bytes": bytes, "reads": READS,
                    "median_ms": median, "most_ms": most})
            );
        } else {
            println!("{median:8.2} {most:8.2} ms, {bytes:7} bytes  {page}");
        }
    }
    daemon.stop()
}
