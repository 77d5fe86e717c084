//! The console's pages: who is asked for, what they may see, and which page words it. Pages are
//! read; every change is a JSON verb.

use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use maud::Markup;
use serde::Deserialize;
use time::Date;

use super::desk::FromDesk;
use super::inquire::{both, inquiry_id};
use super::problem::Refusal;
use super::{Door, InPath, Ticket};
use crate::booking::{Identifier, VersionId};
use crate::console::{self, DeskContext, InquiryRow, PolicyPage, PolicyText};
use crate::inquiry::{InquiryId, NumberPattern, SPECIAL_ORDER, SPECIAL_ORDER_VERSION};
use crate::ledger::LedgerError;
use crate::public_report::Period;
use crate::rule::Rule;
use crate::service::{AtDesk, BANNER, Candidate, InquirySight, Service, ServiceError, SessionView};

/// How many of the newest leaves an auditor's page shows.
const NEWEST_LEAVES: u64 = 50;

/// The routes of pages.
pub(super) fn routes() -> Router<Door> {
    Router::new()
        .route("/", get(get_home))
        .route("/console", get(get_home))
        .route("/console/", get(get_home))
        .route("/console/awake", get(get_awake))
        .route("/console/assets/{file}", get(get_asset))
        .route("/console/log-on", get(get_log_on))
        .route("/console/enrol", get(get_enrol))
        .route("/console/banner", get(get_banner))
        .route("/console/lock", get(get_lock))
        .route("/console/policy", get(get_policy))
        .route("/console/work", get(get_work))
        .route("/console/outcomes", get(get_outcomes))
        .route("/console/inquiries/new", get(get_new_inquiry))
        .route("/console/inquiries/{inquiry}", get(get_inquiry))
        .route("/console/inquiries/{inquiry}/probe", get(get_probe))
        .route("/console/inquiries/{inquiry}/approve", get(get_approve))
        .route("/console/inquiries/{inquiry}/array", get(get_array))
        .route("/console/inquiries/{inquiry}/compare/{version}", get(get_compare))
        .route("/console/inquiries/{inquiry}/report", get(get_report))
        .route("/console/decisions", get(get_decisions))
        .route("/console/roster", get(get_roster))
        .route("/console/grants", get(get_grants))
        .route("/console/grants/new", get(get_new_grant))
        .route("/console/alarms", get(get_alarms))
        .route("/console/figures", get(get_figures))
        .route("/console/log", get(get_log))
        .route("/console/log/{leaf}", get(get_leaf))
        .route("/console/samples", get(get_samples))
        .route("/console/findings", get(get_findings))
        .route("/console/operators", get(get_operators))
}

/// Whose account is to change.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfPerson {
    person: Option<Identifier>,
}

impl Door {
    /// A page for the person at a desk; without a session that stands, the page that leads to one.
    async fn page(
        &self,
        from: FromDesk,
        page: impl FnOnce(&Service, &AtDesk, &DeskContext) -> Result<Markup, ServiceError>
        + Send
        + 'static,
    ) -> Response {
        let (ticket, state) = (from.ticket.clone(), self.service.ledger().kind());
        let told = self.at_desk(from, move |service, at| {
            let desk = DeskContext {
                state: service.ledger().kind(),
                person: at.person.clone(),
                device: at.device.clone(),
                alarms: service.alarms().len(),
                now_cs: service.ledger().now(),
            };
            page(service, at, &desk)
        });
        match told.await {
            Ok(page) => html(StatusCode::OK, page),
            Err(refusal) => self.instead(&ticket, state, refusal),
        }
    }

    fn instead(
        &self,
        ticket: &Ticket,
        state: crate::store::StateKind,
        refusal: Refusal,
    ) -> Response {
        match Rule::of(refusal.kind()) {
            Some(Rule::NoSession) => Redirect::to("/console/log-on").into_response(),
            Some(Rule::BannerFirst) => Redirect::to("/console/banner").into_response(),
            Some(Rule::ScreenHidden) => Redirect::to("/console/lock").into_response(),
            _ => {
                let view = console::ProblemPage {
                    state,
                    title: "This is not shown".to_owned(),
                    detail: refusal.detail().to_owned(),
                    request: Some(ticket.id.clone()),
                    next: Some(("/console".to_owned(), "Go on".to_owned())),
                };
                html(refusal.status(), console::problem(&view))
            }
        }
    }

    /// Where the session of a request stands.
    async fn standing(&self, from: FromDesk) -> Result<SessionView, Refusal> {
        let (ticket, caller, secret) = from.parts();
        self.call(ticket, move |service| {
            Ok(service.session(&caller, secret.as_ref().map(|secret| secret.as_slice())))
        })
        .await
    }
}

async fn get_home(State(door): State<Door>, from: FromDesk) -> Response {
    let (ticket, state) = (from.ticket.clone(), door.service.ledger().kind());
    let role = door.at_desk(from, |_, at| Ok(at.person.role)).await;
    role.map_or_else(
        |refusal| door.instead(&ticket, state, refusal),
        |role| Redirect::to(console::home(role)).into_response(),
    )
}

/// Somebody types at a page that asks for nothing: the session's idle time begins anew.
async fn get_awake(State(door): State<Door>, from: FromDesk) -> Response {
    let (ticket, state) = (from.ticket.clone(), door.service.ledger().kind());
    let awake = door.at_desk(from, |_, _| Ok(())).await;
    awake.map_or_else(
        |refusal| door.instead(&ticket, state, refusal),
        |()| StatusCode::NO_CONTENT.into_response(),
    )
}

async fn get_asset(_: FromDesk, Path(file): Path<String>) -> Response {
    match console::asset(&file) {
        Some((media_type, bytes)) => {
            with_headers(([(header::CONTENT_TYPE, media_type)], bytes).into_response())
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn get_log_on(State(door): State<Door>, from: FromDesk) -> Response {
    let state = door.service.ledger().kind();
    match door.standing(from).await {
        Ok(SessionView::Open(_)) => Redirect::to("/console").into_response(),
        Ok(SessionView::Banner(_)) => Redirect::to("/console/banner").into_response(),
        _ => html(StatusCode::OK, console::log_on(&console::LogOnPage { state, why: None })),
    }
}

async fn get_enrol(State(door): State<Door>, _: FromDesk) -> Response {
    html(StatusCode::OK, console::enrol(door.service.ledger().kind()))
}

async fn get_banner(State(door): State<Door>, from: FromDesk) -> Response {
    let state = door.service.ledger().kind();
    match door.standing(from).await {
        Ok(SessionView::Banner(person)) => html(
            StatusCode::OK,
            console::banner(&console::BannerPage {
                state,
                person,
                banner: BANNER,
                next: "/console",
            }),
        ),
        _ => Redirect::to("/console").into_response(),
    }
}

async fn get_lock(State(door): State<Door>, from: FromDesk) -> Response {
    let state = door.service.ledger().kind();
    match door.standing(from).await {
        Ok(SessionView::Locked(person)) => {
            html(StatusCode::OK, console::lock(&console::LockPage { state, person }))
        }
        _ => Redirect::to("/console").into_response(),
    }
}

async fn get_policy(State(door): State<Door>, _: FromDesk) -> Response {
    let sha256 = crate::embed::Digest::of(SPECIAL_ORDER.as_bytes()).0;
    let versions = [PolicyText {
        version: SPECIAL_ORDER_VERSION,
        text: SPECIAL_ORDER,
        sha256,
        since_cs: None,
    }];
    let state = door.service.ledger().kind();
    html(
        StatusCode::OK,
        console::policy(&PolicyPage { state, desk: None, versions: &versions, shown: 0 }),
    )
}

async fn get_work(State(door): State<Door>, from: FromDesk) -> Response {
    door.page(from, |service, at, desk| {
        let heads = service.inquiries(at)?;
        let inquiries: Vec<InquiryRow> =
            heads.iter().map(|head| InquiryRow::of(&head.inquiry, &at.person)).collect();
        Ok(console::work(&console::WorkPage { desk, inquiries: &inquiries }))
    })
    .await
}

async fn get_outcomes(State(door): State<Door>, from: FromDesk) -> Response {
    door.page(from, |service, at, desk| {
        let heads = service.inquiries(at)?;
        let issued = heads.iter().filter(|head| head.inquiry.report().is_some());
        let reports: Vec<InquiryRow> =
            issued.map(|head| InquiryRow::of(&head.inquiry, &at.person)).collect();
        Ok(console::outcomes(&console::OutcomesPage { desk, reports: &reports }))
    })
    .await
}

async fn get_new_inquiry(State(door): State<Door>, from: FromDesk) -> Response {
    door.page(from, |service, _, desk| {
        let agencies = agencies(service);
        Ok(console::new_inquiry(&console::NewInquiryPage { desk, agencies: &agencies }))
    })
    .await
}

async fn get_inquiry(State(door): State<Door>, from: FromDesk, id: InPath) -> Response {
    of_inquiry(door, from, id, |_, _, desk, InquirySight { inquiry, sight, .. }| {
        Ok(console::inquiry(&console::InquiryPage { desk, inquiry: &inquiry, sight: &sight }))
    })
    .await
}

async fn get_probe(State(door): State<Door>, from: FromDesk, id: InPath) -> Response {
    of_inquiry(door, from, id, |_, _, desk, InquirySight { inquiry, .. }| {
        let quality = inquiry
            .choice()
            .map(|choice| console::QualityLine::of_record(&choice.quality))
            .unwrap_or_default();
        Ok(console::probe(&console::ProbePage { desk, inquiry: &inquiry, quality: &quality }))
    })
    .await
}

async fn get_approve(State(door): State<Door>, from: FromDesk, id: InPath) -> Response {
    of_inquiry(door, from, id, |service, at, desk, InquirySight { inquiry, .. }| {
        inquiry.choice().ok_or(LedgerError::NotFound { what: "chosen face" })?;
        let generation = service.ledger().generation();
        Ok(console::approve(&console::ApprovalPage {
            desk,
            inquiry: &inquiry,
            fields_sha256: crate::embed::Digest::of(inquiry.request().canonical().as_bytes()).0,
            certificate_sha256: at.caller.fingerprint,
            log: service.ledger().origin(),
            model: generation.model(),
            gallery_rows: u64::from(generation.gallery().live()),
        }))
    })
    .await
}

async fn get_array(State(door): State<Door>, from: FromDesk, id: InPath) -> Response {
    of_inquiry(door, from, id, |_, _, desk, InquirySight { inquiry, sight, candidates }| {
        let candidates = shown(&candidates);
        Ok(console::array(&console::ArrayPage {
            desk,
            inquiry: &inquiry,
            sight: &sight,
            candidates: &candidates,
        }))
    })
    .await
}

async fn get_compare(
    State(door): State<Door>,
    from: FromDesk,
    path: super::inquire::InPaths,
) -> Response {
    let (id, version) = match both(path) {
        Ok((id, version)) => (id, VersionId::parse(&version)),
        Err(refusal) => {
            return door.instead(&from.ticket.clone(), door.service.ledger().kind(), refusal);
        }
    };
    let not_found = || LedgerError::NotFound { what: "candidate" };
    door.page(from, move |service, at, desk| {
        let InquirySight { inquiry, sight, candidates } = service.inquiry(at, id)?;
        let candidates = shown(&candidates);
        let array =
            console::ArrayPage { desk, inquiry: &inquiry, sight: &sight, candidates: &candidates };
        let at = version.map_err(|_| not_found())?;
        Ok(console::compare(&console::ComparePage { array, at }).ok_or_else(not_found)?)
    })
    .await
}

async fn get_report(State(door): State<Door>, from: FromDesk, id: InPath) -> Response {
    of_inquiry(door, from, id, |service, at, desk, InquirySight { inquiry, sight, candidates }| {
        let biographies: Vec<(VersionId, console::Biography)> = candidates
            .iter()
            .filter_map(|candidate| Some((candidate.version, biography(candidate)?)))
            .collect();
        let witnessed = service.ledger().witnessing().complete.map_or(0, |(leaves, _)| leaves);
        let issued = inquiry.report();
        let view = console::ReportPage {
            desk,
            inquiry: &inquiry,
            sight: &sight,
            biographies: &biographies,
            witnessed: issued.is_some_and(|report| report.leaf < witnessed),
            kept: issued.is_some() && service.report_file(at, inquiry.id()).is_ok(),
        };
        Ok(console::report(&view))
    })
    .await
}

async fn get_decisions(State(door): State<Door>, from: FromDesk) -> Response {
    door.page(from, |service, at, desk| {
        let (accounts, waiting) = (service.people(at)?, service.grants(at)?);
        let grants = grant_views(&waiting, &accounts);
        let alarms = service.alarms();
        Ok(console::decisions(&console::DecisionsPage {
            desk,
            grants: &grants,
            accounts: &accounts,
            alarms: &alarms,
        }))
    })
    .await
}

async fn get_roster(State(door): State<Door>, from: FromDesk) -> Response {
    door.page(from, |service, at, desk| {
        let accounts = service.people(at)?;
        Ok(console::roster(&console::RosterPage { desk, accounts: &accounts }))
    })
    .await
}

async fn get_grants(State(door): State<Door>, from: FromDesk) -> Response {
    door.page(from, |service, at, desk| {
        let (accounts, waiting) = (service.people(at)?, service.grants(at)?);
        let grants = grant_views(&waiting, &accounts);
        Ok(console::grants(&console::GrantsPage { desk, grants: &grants }))
    })
    .await
}

async fn get_new_grant(
    State(door): State<Door>,
    from: FromDesk,
    query: Result<Query<OfPerson>, QueryRejection>,
) -> Response {
    let person = query.ok().and_then(|Query(of)| of.person);
    door.page(from, move |service, at, desk| {
        let (accounts, agencies) = (service.people(at)?, agencies(service));
        let known =
            accounts.iter().find(|standing| Some(&standing.account.person.id) == person.as_ref());
        Ok(console::new_grant(&console::NewGrantPage { desk, agencies: &agencies, known }))
    })
    .await
}

async fn get_alarms(State(door): State<Door>, from: FromDesk) -> Response {
    door.page(from, |service, _, desk| {
        let (doors, alarms) = (service.doors(), service.alarms());
        Ok(console::alarms(&console::AlarmsPage { desk, doors: &doors, alarms: &alarms }))
    })
    .await
}

async fn get_figures(State(door): State<Door>, from: FromDesk) -> Response {
    door.page(from, |service, at, desk| {
        let figure = |name: &str, value: u64, what: &str| console::Figure {
            name: name.to_owned(),
            value,
            what: what.to_owned(),
        };
        let generation = service.ledger().generation();
        let accounts = service.people(at)?;
        let on = accounts.iter().filter(|standing| standing.account.off.is_none()).count() as u64;
        let figures = [
            figure("Bookings that can be found", u64::from(generation.gallery().live()), "now"),
            figure("Entries in the log", service.ledger().leaves(), "since it was begun"),
            figure("Accounts in use", on, "now"),
            figure("Alarms that stand", service.alarms().len() as u64, "now"),
        ];
        let periods = periods(service.ledger().now());
        Ok(console::figures(&console::FiguresPage { desk, figures: &figures, periods: &periods }))
    })
    .await
}

async fn get_log(State(door): State<Door>, from: FromDesk) -> Response {
    door.page(from, |service, at, desk| {
        let leaves = service.ledger().leaves();
        let (newest, review) = (service.newest_leaves(at, NEWEST_LEAVES)?, service.log_review(at)?);
        let (checkpoint, witnessing) =
            (service.ledger().cosigned_checkpoint(), service.ledger().witnessing());
        let (doors, alarms) = (service.doors(), service.alarms());
        Ok(console::log(&console::LogPage {
            desk,
            log: service.ledger().origin(),
            leaves,
            checkpoint: &checkpoint,
            witnessing: &witnessing,
            doors: &doors,
            alarms: &alarms,
            newest: &newest,
            review: &review,
        }))
    })
    .await
}

async fn get_leaf(State(door): State<Door>, from: FromDesk, leaf: InPath) -> Response {
    let index = leaf.ok().and_then(|Path(leaf)| leaf.parse::<u64>().ok()).unwrap_or(u64::MAX);
    door.page(from, move |service, at, desk| {
        let opened = service.open_leaf(at, index)?;
        let inquiry = opened.detail.as_ref().and_then(|detail| detail.get("inquiry")?.as_str());
        Ok(console::leaf(&console::LeafPage {
            desk,
            leaf: index,
            kind: opened.kind,
            time_cs: opened.time_cs,
            follows: &opened.follows,
            detail: opened.detail.as_ref(),
            search: inquiry,
        }))
    })
    .await
}

async fn get_samples(State(door): State<Door>, from: FromDesk) -> Response {
    door.page(from, |service, at, desk| {
        let samples = service.samples_at(at)?;
        Ok(console::samples(&console::SamplesPage {
            desk,
            samples: &samples,
            leaves: service.ledger().leaves(),
        }))
    })
    .await
}

async fn get_findings(State(door): State<Door>, from: FromDesk) -> Response {
    door.page(from, |service, at, desk| {
        let rows: Vec<console::FindingRow> = service
            .findings_at(at)?
            .into_iter()
            .map(|(sample, asked, finding, note)| console::FindingRow {
                sample,
                asked,
                finding,
                note,
            })
            .collect();
        Ok(console::findings(&console::FindingsPage { desk, findings: &rows }))
    })
    .await
}

async fn get_operators(State(door): State<Door>, from: FromDesk) -> Response {
    door.page(from, |service, at, desk| {
        let rhythms = service.rhythms(at)?;
        Ok(console::operators(&console::OperatorsPage { desk, rhythms: &rhythms }))
    })
    .await
}

/// A page of one inquiry, as the person may see it.
async fn of_inquiry(
    door: Door,
    from: FromDesk,
    id: InPath,
    page: impl FnOnce(&Service, &AtDesk, &DeskContext, InquirySight) -> Result<Markup, ServiceError>
    + Send
    + 'static,
) -> Response {
    let id: InquiryId = match inquiry_id(id) {
        Ok(id) => id,
        Err(refusal) => {
            return door.instead(&from.ticket.clone(), door.service.ledger().kind(), refusal);
        }
    };
    door.page(from, move |service, at, desk| page(service, at, desk, service.inquiry(at, id)?))
        .await
}

fn agencies(service: &Service) -> Vec<console::AgencyChoice> {
    let choice = |agency: &crate::roster::Agency| console::AgencyChoice {
        id: agency.id.clone(),
        name: agency.name.clone(),
        pattern: agency.numbers.as_deref().and_then(|pattern| NumberPattern::parse(pattern).ok()),
    };
    service.active_agencies().map(choice).collect()
}

fn grant_views<'a>(
    waiting: &'a [([u8; 16], crate::ledger::Grant)],
    accounts: &'a [crate::service::AccountStanding],
) -> Vec<console::WaitingGrant<'a>> {
    let known =
        |id: &Identifier| accounts.iter().find(|standing| standing.account.person.id == *id);
    waiting
        .iter()
        .map(|(id, grant)| console::WaitingGrant { id: *id, grant, known: known(&grant.person.id) })
        .collect()
}

fn shown(candidates: &[Candidate]) -> Vec<console::ShownCandidate> {
    let shown = |candidate: &Candidate| console::ShownCandidate {
        version: candidate.version,
        biography: biography(candidate),
        face: candidate.face,
    };
    candidates.iter().map(shown).collect()
}

fn biography(candidate: &Candidate) -> Option<console::Biography> {
    let (_, agency, record) = candidate.known.as_ref()?;
    Some(console::Biography {
        agency: agency.clone(),
        number: record.number.clone(),
        booking: record.booking.clone(),
    })
}

/// This year so far, and the last one.
fn periods(now_cs: u64) -> Vec<Period> {
    let seconds = i64::try_from(now_cs / 100).unwrap_or_default();
    let today = time::OffsetDateTime::from_unix_timestamp(seconds)
        .map_or(Date::MIN, time::OffsetDateTime::date);
    let first = |year| Date::from_calendar_date(year, time::Month::January, 1).ok();
    let tomorrow = today.next_day().unwrap_or(today);
    let spans =
        [(first(today.year()), Some(tomorrow)), (first(today.year() - 1), first(today.year()))];
    spans.into_iter().filter_map(|(from, to)| Period::new(from?, to?).ok()).collect()
}

fn html(status: StatusCode, page: Markup) -> Response {
    with_headers(
        (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], page.into_string())
            .into_response(),
    )
}

fn with_headers(mut answer: Response) -> Response {
    for (name, value) in console::HEADERS {
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value))
        {
            answer.headers_mut().insert(name, value);
        }
    }
    answer
}
