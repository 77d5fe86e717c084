//! The console's pages: who is asked for, what they may see, and which page words it. Pages are
//! read; every change is a JSON verb.

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::on;
use maud::Markup;
use serde::Deserialize;
use time::Date;

use super::app::{Answer, App, Call, Ticket};
use super::path::{InPath, InQuery, Queried};
use super::problem::{ApiError, Worded};
use super::route::Method::Get;
use super::route::{ACCOUNT_READERS, AUDITORS, Access, COPY_READERS, INQUIRERS, Route, router};
use crate::booking::{Identifier, VersionId};
use crate::console::{self, DeskContext, ListedInquiry, PolicyPage};
use crate::ids::{Digest, GrantId};
use crate::inquiry::{InquiryId, NumberPattern, SPECIAL_ORDER, SPECIAL_ORDER_VERSION};
use crate::ledger::LedgerError;
use crate::public_report::Period;
use crate::roster::Role;
use crate::rule::Rule;
use crate::service::{
    AtDesk, BANNER, InquirySight, SeenCandidate, Service, ServiceError, SessionView,
};
use crate::store::StateKind;

/// How many of the newest leaves an auditor's page shows.
const NEWEST_LEAVES: u64 = 50;

pub(super) const ROUTES: &[Route] = &[
    Route::new(Get, "/", PERSON, |m| on(m, get_home)),
    Route::new(Get, "/console", PERSON, |m| on(m, get_home)),
    Route::new(Get, "/console/", PERSON, |m| on(m, get_home)),
    Route::new(Get, "/console/awake", PERSON, |m| on(m, get_awake)),
    Route::new(Get, "/console/assets/{file}", Access::Named, |m| on(m, get_asset)),
    Route::new(Get, "/console/log-on", Access::Named, |m| on(m, get_log_on)),
    Route::new(Get, "/console/enrol", Access::Named, |m| on(m, get_enrol)),
    Route::new(Get, "/console/banner", Access::Named, |m| on(m, get_banner)),
    Route::new(Get, "/console/lock", Access::Named, |m| on(m, get_lock)),
    Route::new(Get, "/console/policy", Access::Named, |m| on(m, get_policy)),
    Route::new(Get, "/console/work", INQUIRY, |m| on(m, get_work)),
    Route::new(Get, "/console/outcomes", INQUIRY, |m| on(m, get_outcomes)),
    Route::new(Get, "/console/inquiries/new", PERSON, |m| on(m, get_new_inquiry)),
    Route::new(Get, "/console/inquiries/{inquiry}", INQUIRY, |m| on(m, get_inquiry)),
    Route::new(Get, "/console/inquiries/{inquiry}/probe", INQUIRY, |m| on(m, get_probe)),
    Route::new(Get, "/console/inquiries/{inquiry}/approve", INQUIRY, |m| on(m, get_approve)),
    Route::new(Get, "/console/inquiries/{inquiry}/array", INQUIRY, |m| on(m, get_array)),
    Route::new(Get, "/console/inquiries/{inquiry}/compare/{version}", INQUIRY, |m| {
        on(m, get_compare)
    }),
    Route::new(Get, "/console/inquiries/{inquiry}/report", INQUIRY, |m| on(m, get_report)),
    Route::new(Get, "/console/decisions", ACCOUNTS, |m| on(m, get_decisions)),
    Route::new(Get, "/console/roster", ACCOUNTS, |m| on(m, get_roster)),
    Route::new(Get, "/console/grants", ACCOUNTS, |m| on(m, get_grants)),
    Route::new(Get, "/console/grants/new", ACCOUNTS, |m| on(m, get_new_grant)),
    Route::new(Get, "/console/alarms", PERSON, |m| on(m, get_alarms)),
    Route::new(Get, "/console/figures", ACCOUNTS, |m| on(m, get_figures)),
    Route::new(Get, "/console/log", AUDIT, |m| on(m, get_log)),
    Route::new(Get, "/console/log/{leaf}", AUDIT, |m| on(m, get_leaf)),
    Route::new(Get, "/console/samples", AUDIT, |m| on(m, get_samples)),
    Route::new(Get, "/console/findings", AUDIT, |m| on(m, get_findings)),
    Route::new(Get, "/console/operators", AUDIT, |m| on(m, get_operators)),
    Route::new(Get, "/console/copies", Access::People(COPY_READERS), |m| on(m, get_copies)),
];

/// Whoever has a session: these pages show nothing of inquiries, accounts or audits.
const PERSON: Access = Access::People(&Role::ALL);
const INQUIRY: Access = Access::People(INQUIRERS);
const ACCOUNTS: Access = Access::People(ACCOUNT_READERS);
const AUDIT: Access = Access::People(AUDITORS);

/// A page with the headers of all pages.
struct Page(Markup);

type Shown = Result<Markup, ServiceError>;

/// Whose account is to change.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfPerson {
    person: Option<Identifier>,
}

impl Queried for OfPerson {
    const WANTED: &'static str = "the query is not '?person=' and an account's name";
}

/// The router of pages, on which a problem is a page, too.
pub(super) fn pages(app: &App) -> Router<App> {
    router(ROUTES).layer(from_fn_with_state(app.clone(), word_problems))
}

/// Shows a problem as a page; without a session that stands, the page that leads to one.
async fn word_problems(State(app): State<App>, request: Request, next: Next) -> Response {
    let id = request.extensions().get::<Ticket>().map(|ticket| ticket.id.clone());
    let mut answer = next.run(request).await;
    let Some(problem) = answer.extensions_mut().remove::<ApiError>() else { return answer };
    match problem.rule() {
        Rule::NoSession => Redirect::to("/console/log-on").into_response(),
        Rule::BannerFirst => Redirect::to("/console/banner").into_response(),
        Rule::ScreenHidden => Redirect::to("/console/lock").into_response(),
        _ => {
            let view = console::ProblemPage {
                state: app.service.ledger().kind(),
                title: "This is not shown".to_owned(),
                detail: problem.detail().to_owned(),
                request: id,
                next: Some(("/console".to_owned(), "Go on".to_owned())),
            };
            let mut page = (problem.status(), Page(console::problem(&view))).into_response();
            page.extensions_mut().insert(Worded(problem));
            page
        }
    }
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let content_type = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
        with_headers((content_type, self.0.into_string()).into_response())
    }
}

impl Call {
    /// A page for the person at a desk.
    async fn page(
        self,
        page: impl FnOnce(&Service, &AtDesk, &DeskContext) -> Shown + Send + 'static,
    ) -> Answer<Page> {
        let shown = self.at_desk(move |service, at| {
            let desk = DeskContext {
                state: service.ledger().kind(),
                person: at.person.clone(),
                device: at.device.clone(),
                alarms: service.alarms().len(),
                now: service.ledger().now(),
            };
            page(service, at, &desk)
        });
        shown.await.map(Page)
    }

    /// A page of one inquiry, as the person may see it.
    async fn page_of_inquiry(
        self,
        path: &InPath,
        page: impl FnOnce(&Service, &AtDesk, &DeskContext, InquirySight) -> Shown + Send + 'static,
    ) -> Answer<Page> {
        let id = path.read("inquiry", InquiryId::parse)?;
        self.page(move |service, at, desk| page(service, at, desk, service.inquiry(at, id)?)).await
    }

    /// Where the session of a request stands, and the kind of state folder.
    async fn standing(self) -> Answer<(SessionView, StateKind)> {
        self.with_secret(|service, caller, secret| {
            (service.session(caller, secret), service.ledger().kind())
        })
        .await
    }
}

async fn get_home(call: Call) -> Answer<Redirect> {
    let role = call.at_desk(|_, at| Ok(at.person.role)).await?;
    Ok(Redirect::to(console::home(role)))
}

/// Somebody types at a page that asks for nothing: the session's idle time begins anew.
async fn get_awake(call: Call) -> Answer<StatusCode> {
    call.at_desk(|_, _| Ok(())).await.map(|()| StatusCode::NO_CONTENT)
}

async fn get_asset(path: InPath) -> Response {
    let asset = path.read("file", |file| console::asset(file).ok_or("no such file"));
    match asset {
        Ok((media_type, bytes)) => {
            with_headers(([(header::CONTENT_TYPE, media_type)], bytes).into_response())
        }
        Err(_) => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn get_log_on(call: Call) -> Answer<Response> {
    let (standing, state) = call.standing().await?;
    Ok(match standing {
        SessionView::Open(_) => Redirect::to("/console").into_response(),
        SessionView::Banner(_) => Redirect::to("/console/banner").into_response(),
        _ => Page(console::log_on(&console::LogOnPage { state, why: None })).into_response(),
    })
}

async fn get_enrol(State(app): State<App>) -> Page {
    Page(console::enrol(app.service.ledger().kind()))
}

async fn get_banner(call: Call) -> Answer<Response> {
    let (standing, state) = call.standing().await?;
    let SessionView::Banner(person) = standing else {
        return Ok(Redirect::to("/console").into_response());
    };
    let view = console::BannerPage { state, person, banner: BANNER, next: "/console" };
    Ok(Page(console::banner(&view)).into_response())
}

async fn get_lock(call: Call) -> Answer<Response> {
    let (standing, state) = call.standing().await?;
    let SessionView::Locked(person) = standing else {
        return Ok(Redirect::to("/console").into_response());
    };
    Ok(Page(console::lock(&console::LockPage { state, person })).into_response())
}

async fn get_policy(State(app): State<App>) -> Page {
    Page(console::policy(&PolicyPage {
        state: app.service.ledger().kind(),
        desk: None,
        version: SPECIAL_ORDER_VERSION,
        text: SPECIAL_ORDER,
        sha256: Digest::of(SPECIAL_ORDER.as_bytes()),
    }))
}

async fn get_work(call: Call) -> Answer<Page> {
    call.page(|service, at, desk| {
        let heads = service.inquiries(at)?;
        let inquiries: Vec<ListedInquiry> =
            heads.iter().map(|head| ListedInquiry::of(&head.inquiry, &at.person)).collect();
        Ok(console::work(&console::WorkPage { desk, inquiries: &inquiries }))
    })
    .await
}

async fn get_outcomes(call: Call) -> Answer<Page> {
    call.page(|service, at, desk| {
        let heads = service.inquiries(at)?;
        let issued = heads.iter().filter(|head| head.inquiry.report().is_some());
        let reports: Vec<ListedInquiry> =
            issued.map(|head| ListedInquiry::of(&head.inquiry, &at.person)).collect();
        Ok(console::outcomes(&console::OutcomesPage { desk, reports: &reports }))
    })
    .await
}

async fn get_new_inquiry(call: Call) -> Answer<Page> {
    call.page(|service, _, desk| {
        let agencies = agencies(service);
        Ok(console::new_inquiry(&console::NewInquiryPage { desk, agencies: &agencies }))
    })
    .await
}

async fn get_inquiry(call: Call, path: InPath) -> Answer<Page> {
    call.page_of_inquiry(&path, |_, _, desk, InquirySight { inquiry, sight, .. }| {
        Ok(console::inquiry(&console::InquiryPage { desk, inquiry: &inquiry, sight: &sight }))
    })
    .await
}

async fn get_probe(call: Call, path: InPath) -> Answer<Page> {
    call.page_of_inquiry(&path, |_, _, desk, InquirySight { inquiry, .. }| {
        let quality = inquiry
            .choice()
            .map(|choice| console::QualityLine::of_record(&choice.quality))
            .unwrap_or_default();
        Ok(console::probe(&console::ProbePage { desk, inquiry: &inquiry, quality: &quality }))
    })
    .await
}

async fn get_approve(call: Call, path: InPath) -> Answer<Page> {
    call.page_of_inquiry(&path, |service, at, desk, InquirySight { inquiry, .. }| {
        inquiry
            .choice()
            .ok_or(ServiceError::from(LedgerError::NotFound { what: "chosen face" }))?;
        let generation = service.ledger().generation();
        Ok(console::approve(&console::ApprovalPage {
            desk,
            inquiry: &inquiry,
            fields_sha256: Digest::of(inquiry.request().canonical().as_bytes()),
            certificate_sha256: at.caller.fingerprint,
            log: service.ledger().origin(),
            model: generation.model(),
            gallery_rows: u64::from(generation.gallery().live()),
        }))
    })
    .await
}

async fn get_array(call: Call, path: InPath) -> Answer<Page> {
    call.page_of_inquiry(&path, |_, _, desk, InquirySight { inquiry, sight, candidates }| {
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

async fn get_compare(call: Call, path: InPath) -> Answer<Page> {
    let version = path.read("version", VersionId::parse);
    let not_found = || ServiceError::from(LedgerError::NotFound { what: "candidate" });
    call.page_of_inquiry(&path, move |_, _, desk, InquirySight { inquiry, sight, candidates }| {
        let candidates = shown(&candidates);
        let array =
            console::ArrayPage { desk, inquiry: &inquiry, sight: &sight, candidates: &candidates };
        let at = version.map_err(|_| not_found())?;
        console::compare(&console::ComparePage { array, at }).ok_or_else(not_found)
    })
    .await
}

async fn get_report(call: Call, path: InPath) -> Answer<Page> {
    call.page_of_inquiry(&path, |service, _, desk, InquirySight { inquiry, sight, candidates }| {
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
        };
        Ok(console::report(&view))
    })
    .await
}

async fn get_decisions(call: Call) -> Answer<Page> {
    call.page(|service, at, desk| {
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

async fn get_roster(call: Call) -> Answer<Page> {
    call.page(|service, at, desk| {
        let accounts = service.people(at)?;
        Ok(console::roster(&console::RosterPage { desk, accounts: &accounts }))
    })
    .await
}

async fn get_grants(call: Call) -> Answer<Page> {
    call.page(|service, at, desk| {
        let (accounts, waiting) = (service.people(at)?, service.grants(at)?);
        let grants = grant_views(&waiting, &accounts);
        Ok(console::grants(&console::GrantsPage { desk, grants: &grants }))
    })
    .await
}

async fn get_new_grant(call: Call, query: Result<InQuery<OfPerson>, ApiError>) -> Answer<Page> {
    let person = query.ok().and_then(|InQuery(of)| of.person);
    call.page(move |service, at, desk| {
        let (accounts, agencies) = (service.people(at)?, agencies(service));
        let known =
            accounts.iter().find(|standing| Some(&standing.account.person.id) == person.as_ref());
        Ok(console::new_grant(&console::NewGrantPage { desk, agencies: &agencies, known }))
    })
    .await
}

async fn get_alarms(call: Call) -> Answer<Page> {
    call.page(|service, _, desk| {
        let (doors, alarms) = (service.doors(), service.alarms());
        Ok(console::alarms(&console::AlarmsPage { desk, doors: &doors, alarms: &alarms }))
    })
    .await
}

async fn get_figures(call: Call) -> Answer<Page> {
    call.page(|service, at, desk| {
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
        let periods = periods(service.ledger().now().date());
        Ok(console::figures(&console::FiguresPage { desk, figures: &figures, periods: &periods }))
    })
    .await
}

async fn get_log(call: Call) -> Answer<Page> {
    call.page(|service, at, desk| {
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

async fn get_leaf(call: Call, path: InPath) -> Answer<Page> {
    let index = path.read("leaf", str::parse::<u64>).unwrap_or(u64::MAX);
    call.page(move |service, at, desk| {
        let opened = service.open_leaf(at, index)?;
        let inquiry = opened.detail.as_ref().and_then(|detail| detail.get("inquiry")?.as_str());
        Ok(console::leaf(&console::LeafPage {
            desk,
            leaf: index,
            kind: opened.kind,
            time: opened.time,
            follows: &opened.follows,
            detail: opened.detail.as_ref(),
            search: inquiry,
        }))
    })
    .await
}

async fn get_samples(call: Call) -> Answer<Page> {
    call.page(|service, at, desk| {
        let samples = service.samples_at(at)?;
        Ok(console::samples(&console::SamplesPage {
            desk,
            samples: &samples,
            leaves: service.ledger().leaves(),
        }))
    })
    .await
}

async fn get_findings(call: Call) -> Answer<Page> {
    call.page(|service, at, desk| {
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

async fn get_operators(call: Call) -> Answer<Page> {
    call.page(|service, at, desk| {
        let rhythms = service.rhythms(at)?;
        Ok(console::operators(&console::OperatorsPage { desk, rhythms: &rhythms }))
    })
    .await
}

async fn get_copies(call: Call) -> Answer<Page> {
    call.page(|service, at, desk| {
        let copies = service.copies(at)?;
        Ok(console::copies(&console::CopiesPage { desk, copies: &copies }))
    })
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
    waiting: &'a [(GrantId, crate::ledger::Grant)],
    accounts: &'a [crate::service::AccountStanding],
) -> Vec<console::WaitingGrant<'a>> {
    let known =
        |id: &Identifier| accounts.iter().find(|standing| standing.account.person.id == *id);
    waiting
        .iter()
        .map(|(id, grant)| console::WaitingGrant { id: *id, grant, known: known(&grant.person.id) })
        .collect()
}

fn shown(candidates: &[SeenCandidate]) -> Vec<console::ShownCandidate> {
    let shown = |candidate: &SeenCandidate| console::ShownCandidate {
        version: candidate.version,
        biography: biography(candidate),
        face: candidate.face,
    };
    candidates.iter().map(shown).collect()
}

fn biography(candidate: &SeenCandidate) -> Option<console::Biography> {
    let (_, agency, record) = candidate.known.as_ref()?;
    Some(console::Biography {
        agency: agency.clone(),
        number: record.number.clone(),
        booking: record.booking.clone(),
    })
}

/// This year so far, and the last one.
fn periods(today: Date) -> Vec<Period> {
    let first = |year| Date::from_calendar_date(year, time::Month::January, 1).ok();
    let tomorrow = today.next_day().unwrap_or(today);
    let spans =
        [(first(today.year()), Some(tomorrow)), (first(today.year() - 1), first(today.year()))];
    spans.into_iter().filter_map(|(from, to)| Period::new(from?, to?).ok()).collect()
}

/// The headers of all pages and of what they load.
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
