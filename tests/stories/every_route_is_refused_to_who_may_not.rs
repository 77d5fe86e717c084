//! Every route is tried with every kind of caller: it is refused to who may not use it and to
//! nobody else, as the table of routes says, and a refusal changes nothing but the log.

use std::cell::RefCell;
use std::collections::BTreeMap;

use rcgen::{ExtendedKeyUsagePurpose, SanType};
use serde_json::{Value, json};
use smrt::api::{Access, Certificate, Method, Route, routes};
use smrt::audit::{Detail, Leaf, LeafKind};
use smrt::booking::Identifier;
use smrt::calendar::Span;
use smrt::client::console_session::{ConsoleSession, SharedKey};
use smrt::roster::{CertificateName, Role};
use smrt::rule::Rule;

use crate::builders::{request, request_json};
use crate::clocked::Clocked;
use crate::desks::{Hand, key_of, log_on, logs_on, official, person};
use crate::photos::{COLLINS, photo};
use crate::raw::{Answer, Form, Identity, Line};
use crate::site::{CONSOLE, Site, booking, booking_json, number};

/// A page that isn't the box's own.
const ELSEWHERE: &str = "https://elsewhere.example";

/// The kinds of problem by which a caller is refused as such, whatever the request says.
const OF_THE_CALLER: [Rule; 9] = [
    Rule::NotInRoster,
    Rule::AgencyNotActive,
    Rule::NotThisRole,
    Rule::NotTheirs,
    Rule::NotShown,
    Rule::NoSession,
    Rule::BannerFirst,
    Rule::ScreenHidden,
    Rule::OtherOrigin,
];

/// Whether a problem's type says that the caller may not, whatever was asked for.
fn is_of_the_caller(kind: &str) -> bool {
    Rule::of(kind).is_some_and(|rule| OF_THE_CALLER.contains(&rule))
}

/// How a session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Open,
    Banner,
    Locked,
    /// Begun at another device.
    Stolen,
}

/// A caller of some kind.
struct Kind {
    name: String,
    identity: Identity,
    /// None where the certificate names nobody.
    certificate: Option<Certificate>,
    /// The page that the request says it comes from.
    origin: Option<&'static str>,
    session: Option<(Role, Standing)>,
    cookie: RefCell<Option<String>>,
    line: RefCell<Option<Line>>,
}

/// What a caller is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Admitted,
    Refused { status: u16, leaf: Option<LeafKind> },
}

/// What requests name: things that are there, so that a refusal keeps them from something, or
/// things that are not, so that whoever is admitted changes little.
struct Targets {
    inquiry: String,
    revision: u64,
    grant: String,
    person: &'static str,
    number: &'static str,
}

/// What the log says of refusals: how many leaves there are, and how many refusals wait for the end
/// of their hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Tally {
    leaves: u64,
    waiting: u64,
}

/// Refusals by the certificate's name and the kind of their leaf.
type Refusals = BTreeMap<(String, u16), u64>;

#[test]
fn every_route_is_refused_to_every_kind_of_caller_who_may_not_use_it() {
    let site = site();
    let door = Clocked::of(&site);
    // A box with a quorum lets nobody in before that has confirmed its log.
    let witnessed = door.witness("court", &site.witness_identity("court"));
    assert_eq!(witnessed.status, Some(0), "{witnessed:?}");
    let kinds = kinds(&door);
    let there = targets(&door);
    let nowhere = Targets {
        inquiry: "00".repeat(16),
        revision: 1,
        grant: "00".repeat(16),
        person: "nobody-of-that-name",
        number: "26-none",
    };
    let before = snapshot(&door, &there);
    let mut wanted = refusals(&door);
    let (mut tried, mut admitted) = (0, 0);
    for (route, kind) in pairs(&kinds) {
        if let Verdict::Refused { status, leaf } = kind.verdict(route) {
            let tally = Tally::of(&door);
            let answer = kind.tries(&door, route, &there);
            is_refused(route, kind, &answer, status);
            tally.grew_by(&door, leaf, &format!("{} by {}", named(route), kind.name));
            if let Some(leaf) = leaf {
                *wanted.entry((kind.certificate_name(), leaf as u16)).or_default() += 1;
            }
            tried += 1;
        }
    }
    assert_eq!(snapshot(&door, &there), before, "refusals have changed something");
    // The hour ends, and with it the sessions; the refusals that waited have their leaf now.
    door.pass(Span::hours(1));
    assert_eq!(refusals(&door), wanted);
    kinds.iter().for_each(|kind| kind.begins(&door));
    for (route, kind) in pairs(&kinds) {
        if kind.verdict(route) == Verdict::Admitted {
            kind.is_admitted(&door, route, &nowhere);
            admitted += 1;
        }
    }
    println!(
        "{} routes, {} kinds of callers: {tried} tries refused, {admitted} admitted",
        routes().count(),
        kinds.len()
    );
    assert_eq!(tried + admitted, routes().count() * kinds.len());
}

/// A site with every kind of certificate.
fn site() -> Site {
    let site = Site::staffed();
    site.add_witnesses(&[("court", None), ("county", Some("stlco"))], 1, 1_440);
    let unlisted = Identifier::parse("unlisted").unwrap();
    site.authority().issue(&CertificateName::Witness(unlisted)).unwrap();
    site
}

fn pairs(kinds: &[Kind]) -> impl Iterator<Item = (&'static Route, &Kind)> {
    routes().flat_map(move |route| kinds.iter().map(move |kind| (route, kind)))
}

fn named(route: &Route) -> String {
    format!("{} {}", route.method.name(), route.path)
}

/// Every kind of caller that the table tells apart, and some that it doesn't.
fn kinds(door: &Clocked<'_>) -> Vec<Kind> {
    let site = door.site;
    let dns = vec![SanType::DnsName("rtcc-1.example".try_into().unwrap())];
    let nameless =
        site.odd_identity("nameless", dns, ExtendedKeyUsagePurpose::ClientAuth, (-1, 30));
    let kind = |name: &str, identity: Identity, certificate| Kind {
        name: name.to_owned(),
        identity,
        certificate,
        origin: None,
        session: None,
        cookie: RefCell::default(),
        line: RefCell::default(),
    };
    let from_page = |kind: Kind| Kind {
        name: format!("{} from a page", kind.name),
        origin: Some(CONSOLE),
        ..kind
    };
    let feed = |agency: &str, certificate| kind(agency, site.feed_identity(agency), certificate);
    let device =
        |device: &str, certificate| kind(device, site.console_identity(device), certificate);
    let mut kinds = vec![
        kind("a nameless certificate", nameless, None),
        feed("slmpd", Some(Certificate::Feed)),
        from_page(feed("slmpd", Some(Certificate::Feed))),
        feed("stlco", Some(Certificate::WitnessFeed)),
        feed("madison", Some(Certificate::RequesterFeed)),
        feed("gone", Some(Certificate::Unknown)),
        feed("unlisted", Some(Certificate::Unknown)),
        kind("court", site.witness_identity("court"), Some(Certificate::Witness)),
        kind("an unlisted witness", site.witness_identity("unlisted"), Some(Certificate::Unknown)),
    ];
    for (name, certificate) in [
        ("rtcc-1", Certificate::Console),
        ("audit-1", Certificate::AuditConsole),
        ("admin-1", Certificate::AdministrationConsole),
        ("unlisted", Certificate::Unknown),
    ] {
        kinds.push(device(name, Some(certificate)));
        kinds.push(from_page(device(name, Some(certificate))));
    }
    // A browser that has such a certificate and shows another site's page.
    let shows = |kind: Kind| Kind {
        name: format!("{} from another site's page", kind.name),
        origin: Some(ELSEWHERE),
        ..kind
    };
    kinds.push(shows(feed("slmpd", Some(Certificate::Feed))));
    kinds.push(shows(device("admin-1", Some(Certificate::AdministrationConsole))));
    kinds.push(shows(kind("court", site.witness_identity("court"), Some(Certificate::Witness))));
    let sits = |role, standing: Standing, origin| {
        let console = device("rtcc-2", Some(Certificate::Console));
        let name = format!("{role:?}, {standing:?}, from {origin}");
        Kind { name, origin: Some(origin), session: Some((role, standing)), ..console }
    };
    kinds.extend(Role::ALL.map(|role| sits(role, Standing::Open, CONSOLE)));
    for standing in [Standing::Banner, Standing::Locked, Standing::Stolen] {
        kinds.push(sits(Role::Operator, standing, CONSOLE));
    }
    kinds.push(sits(Role::Commander, Standing::Open, ELSEWHERE));
    for kind in &kinds {
        kind.begins(door);
    }
    kinds
}

/// The name of the account of somebody with this role whose session stands like this.
fn account(role: Role, standing: Standing) -> String {
    match (role, standing) {
        (Role::Commander, _) => "commander".to_owned(),
        (Role::Administrator, _) => "administrator".to_owned(),
        (role, standing) => format!("{role:?}-{standing:?}").to_lowercase(),
    }
}

impl Kind {
    fn certificate_name(&self) -> String {
        let stem = self.identity.certificate.file_stem().unwrap().to_str().unwrap();
        let (kind, name) = stem.split_once('-').unwrap();
        match kind {
            "feed" => format!("smrt:agency/{name}/feed"),
            kind => format!("smrt:{kind}/{name}"),
        }
    }

    /// Logs on, where this caller has a session.
    fn begins(&self, door: &Clocked<'_>) {
        let Some((role, standing)) = self.session else { return };
        let name = account(role, standing);
        let key = key(door, &name, role);
        let cookie = match standing {
            Standing::Banner => {
                let begun = log_on(door, "rtcc-2", &name, &key, &Default::default());
                assert_eq!(begun.status, 201);
                begun.headers["set-cookie"].split(';').next().unwrap().to_owned()
            }
            Standing::Stolen => desk(door, "rtcc-1", &name, &key).cookie().to_owned(),
            Standing::Open => desk(door, "rtcc-2", &name, &key).cookie().to_owned(),
            Standing::Locked => {
                let desk = desk(door, "rtcc-2", &name, &key);
                let hand = Hand::new(door, &self.identity).at(&desk);
                assert_eq!(hand.post("/v1/session/lock", &json!(null)).status, 204);
                desk.cookie().to_owned()
            }
        };
        *self.cookie.borrow_mut() = Some(cookie);
    }

    /// What the table says of this caller and a route.
    fn verdict(&self, route: &Route) -> Verdict {
        let Some(certificate) = self.certificate else { return refused(403, None) };
        let foreign = route.method != Method::Get && self.origin != Some(CONSOLE);
        let not_listed = refused(403, Some(LeafKind::CallerRefused));
        let elsewhere = refused(403, Some(route.door));
        if route.method != Method::Get && self.origin == Some(ELSEWHERE) {
            return elsewhere;
        }
        if route.method != Method::Get && certificate == Certificate::Unknown {
            return not_listed;
        }
        let among = |listed: &[Certificate]| {
            if listed.contains(&certificate) { Verdict::Admitted } else { not_listed }
        };
        let is_device = matches!(
            certificate,
            Certificate::Console | Certificate::AuditConsole | Certificate::AdministrationConsole
        );
        let at_desk = |roles: &[Role]| match self.session {
            _ if foreign => elsewhere,
            _ if !is_device => not_listed,
            Some((role, Standing::Open)) if roles.contains(&role) => Verdict::Admitted,
            Some((_, Standing::Open)) => refused(403, Some(route.wrong_role)),
            _ => refused(401, None),
        };
        match route.access {
            Access::Named => Verdict::Admitted,
            Access::Certificates(listed) => among(listed),
            Access::LogOn if foreign => elsewhere,
            Access::LogOn if is_device => Verdict::Admitted,
            Access::LogOn => not_listed,
            Access::Session | Access::SessionPastBanner if foreign => elsewhere,
            Access::Session => match self.session {
                None | Some((_, Standing::Stolen)) => refused(401, None),
                Some(_) => Verdict::Admitted,
            },
            Access::SessionPastBanner => match self.session {
                Some((_, Standing::Open | Standing::Locked)) => Verdict::Admitted,
                _ => refused(401, None),
            },
            Access::People(roles) => at_desk(roles),
            Access::PeopleOrDevices(roles, _) if self.origin.is_some() => at_desk(roles),
            Access::PeopleOrDevices(_, listed) => among(listed),
        }
    }

    /// One try.
    fn tries(&self, door: &Clocked<'_>, route: &Route, targets: &Targets) -> Answer {
        let path = path(route, targets);
        let (content_type, body) = body(route, targets);
        let cookie = self.cookie.borrow().clone();
        let headers = [("cookie", cookie.as_deref()), ("origin", self.origin)];
        let headers: Vec<(&str, &str)> =
            headers.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        let ask = |line: &mut Line| {
            line.ask_as(route.method.name(), &path, &content_type, &headers, &body)
        };
        let mut line = self.line.borrow_mut();
        // A connection ends after a while, whoever is at its other end.
        if let Some(Ok(answer)) = line.as_mut().map(ask) {
            return answer;
        }
        ask(line.insert(door.line(&self.identity))).unwrap()
    }

    /// Holds that the answer is none of those that a wrong caller is given.
    fn is_admitted(&self, door: &Clocked<'_>, route: &Route, nowhere: &Targets) {
        let answer = self.tries(door, route, nowhere);
        let what = format!("{} by {}", named(route), self.name);
        let told = String::from_utf8_lossy(&answer.body).into_owned();
        assert!(answer.status != 401 && answer.status < 500, "{what}: {} {told}", answer.status);
        if answer.headers.get("content-type").is_some_and(|kind| kind.contains("problem")) {
            let problem = answer.json()["type"].as_str().unwrap().to_owned();
            assert!(!is_of_the_caller(&problem), "{what}: {told}");
        } else {
            assert_ne!(answer.status, 403, "{what}: {told}");
        }
        let to = answer.headers.get("location").map_or("", String::as_str);
        assert!(route.access == Access::Named || to != "/console/log-on", "{what}: goes to {to}");
        if matches!(route.access, Access::Session | Access::SessionPastBanner) {
            // It may have locked or ended the session.
            self.begins(door);
        }
    }
}

/// Holds that a caller is refused: by a problem, or on a page by a page or the way to a session.
fn is_refused(route: &Route, kind: &Kind, answer: &Answer, status: u16) {
    let what = format!("{} by {}", named(route), kind.name);
    let told = String::from_utf8_lossy(&answer.body);
    let is_page = !route.path.starts_with("/v1/");
    let content_type = answer.headers.get("content-type").map_or("", String::as_str);
    if is_page && status == 401 {
        let to = answer.headers.get("location").map_or("", String::as_str);
        assert!(["/console/log-on", "/console/banner", "/console/lock"].contains(&to), "{what}");
        assert_eq!(answer.status, 303, "{what}: {told}");
        return;
    }
    assert_eq!(answer.status, status, "{what}: {told}");
    if is_page && kind.certificate.is_some() {
        assert_eq!(content_type, "text/html; charset=utf-8", "{what}");
        return;
    }
    assert_eq!(content_type, "application/problem+json", "{what}: {told}");
    let problem = answer.json();
    assert!(is_of_the_caller(problem["type"].as_str().unwrap()), "{what}: {told}");
}

fn refused(status: u16, leaf: Option<LeafKind>) -> Verdict {
    Verdict::Refused { status, leaf }
}

/// A desk with an open session, its person admitted first where need be.
fn desk(door: &Clocked<'_>, device: &str, name: &str, key: &SharedKey) -> ConsoleSession {
    logs_on(door, device, name, key).unwrap()
}

/// The key of a person with this role, who is admitted first where need be.
fn key(door: &Clocked<'_>, name: &str, role: Role) -> SharedKey {
    if !door.staff().has_key(&Identifier::parse(name).unwrap()) {
        door.staff().admit(&door.console("admin-1"), &person(name, role)).unwrap();
    }
    key_of(door, name)
}

/// Things that the tries are after.
fn targets(door: &Clocked<'_>) -> Targets {
    door.feed("slmpd").put_booking(&number("26-1"), &booking("Nobody"), &photo(COLLINS)).unwrap();
    let operator = door.desk_of("rtcc-1", &person("its-operator", Role::OperatorExaminer));
    let opened = operator.open(&request()).unwrap();
    let administrator = official(door, "administrator");
    let grant = administrator.ask_grant(&person("its-operator", Role::Examiner), None).unwrap();
    Targets {
        inquiry: opened.inquiry.to_string(),
        revision: opened.revision,
        grant: grant.to_string(),
        person: "its-operator",
        number: "26-1",
    }
}

/// Whatever a caller could have changed, as those see it who may.
fn snapshot(door: &Clocked<'_>, there: &Targets) -> Vec<Value> {
    let operator = door.desk_of("rtcc-1", &person("its-operator", Role::OperatorExaminer));
    let administrator = official(door, "administrator");
    let hand = |desk: &ConsoleSession, device: &str, path: &str| {
        let answer = Hand::new(door, &door.site.console_identity(device)).at(desk).get(path);
        assert_eq!(answer.status, 200, "{path}");
        answer.json()
    };
    let device = door.site.console_identity("admin-1");
    let feed = door.site.feed_identity("slmpd");
    let mut people = hand(&administrator, "admin-1", "/v1/people");
    for person in people.as_array_mut().unwrap() {
        // Keys count how often they were touched, by whoever has logged on to look, too.
        person["key"].as_object_mut().unwrap().remove("sign_count");
    }
    vec![
        people,
        hand(&administrator, "admin-1", "/v1/grants"),
        hand(&operator, "rtcc-1", &format!("/v1/inquiries/{}", there.inquiry)),
        hand(&operator, "rtcc-1", "/v1/inquiries"),
        Hand::new(door, &device).get("/v1/model").json(),
        Hand::new(door, &device).get("/v1/roster").json(),
        Hand::new(door, &feed).get("/v1/bookings/26-1").json(),
    ]
}

impl Tally {
    fn of(door: &Clocked<'_>) -> Self {
        let waiting = door.ledger().gathered().unwrap().into_iter().map(|waiting| match waiting {
            Detail::RefusalsGathered { refusals, .. } => refusals,
            other => panic!("{other:?}"),
        });
        Self { leaves: door.ledger().leaves(), waiting: waiting.sum() }
    }

    /// Holds that since then there is one refusal of this kind, or nothing at all.
    fn grew_by(self, door: &Clocked<'_>, leaf: Option<LeafKind>, what: &str) {
        let now = Self::of(door);
        let grown = (now.leaves - self.leaves, now.waiting - self.waiting);
        match (leaf, grown) {
            (None, (0, 0)) | (Some(_), (0, 1)) => {}
            (Some(leaf), (1, 0)) => {
                assert_eq!(newest(door).kind, leaf, "{what}");
            }
            _ => panic!("{what}: wanted {leaf:?}, found {grown:?}"),
        }
    }
}

fn newest(door: &Clocked<'_>) -> Leaf {
    let log = door.ledger().log().unwrap();
    Leaf::from_bytes(log.last().unwrap()).unwrap()
}

/// Refusals of callers that have a leaf, be it one of their own or the hour's.
fn refusals(door: &Clocked<'_>) -> Refusals {
    let mut refusals = Refusals::new();
    for (at, bytes) in (0..).zip(door.ledger().log().unwrap()) {
        let leaf = Leaf::from_bytes(&bytes).unwrap();
        let (kind, times) = match leaf.kind {
            LeafKind::RefusalsGathered => (u16::try_from(leaf.counts[0]).unwrap(), leaf.counts[1]),
            kind if kind.is_refusal() => (kind as u16, 1),
            _ => continue,
        };
        let detail = door.ledger().detail(at).unwrap().unwrap();
        let name = detail["actor"]["certificate"].as_str().unwrap().to_owned();
        *refusals.entry((name, kind)).or_default() += times;
    }
    refusals
}

/// The path of a try.
fn path(route: &Route, targets: &Targets) -> String {
    let query = match route.path {
        "/v1/log/consistency" => "?old=1&new=2",
        "/v1/log/details" => "?first=0&end=1",
        "/v1/report/public" => "?from=2026-01-01&to=2026-02-01",
        "/v1/inquiries/{inquiry}/upload" if route.method == Method::Put => {
            "?offset=0&bytes=1000&sha256=\
             0000000000000000000000000000000000000000000000000000000000000000"
        }
        _ => "",
    };
    let path = route
        .path
        .replace("{inquiry}", &targets.inquiry)
        .replace("{search}", &targets.inquiry)
        .replace("{version}", &"00".repeat(16))
        .replace("{copy}", "0")
        .replace("{grant}", &targets.grant)
        .replace("{person}", targets.person)
        .replace("{number}", targets.number)
        .replace("{*tile}", "0/000.p/1")
        .replace("{leaf}", "0")
        .replace("{file}", "none.css");
    assert!(!path.contains('{'), "{path} has a name that no try fills in");
    path + query
}

/// The body of a try with its content type: one that the route takes, so that it is the caller who
/// is refused.
fn body(route: &Route, targets: &Targets) -> (String, Vec<u8>) {
    if route.path == "/v1/bookings/{number}" && route.method == Method::Put {
        let form = Form::of("booking", &booking_json("Nobody"), b"no photo");
        return (Form::content_type(), form);
    }
    if route.path == "/v1/inquiries/{inquiry}/upload" && route.method == Method::Put {
        return ("application/octet-stream".to_owned(), vec![0; 1000]);
    }
    let json = match route.method {
        Method::Get => return ("text/plain".to_owned(), Vec::new()),
        Method::Delete => json!({"reason": "nobody asked for it"}),
        Method::Put | Method::Post => posted(route.path, targets),
    };
    ("application/json".to_owned(), json.to_string().into_bytes())
}

fn posted(path: &str, targets: &Targets) -> Value {
    let (revision, nonce, digest) = (targets.revision, "00".repeat(32), "00".repeat(32));
    let touch = json!({"credential": "AAAA", "authenticator_data": "AAAA", "client_data": "AAAA",
        "signature": "AAAA"});
    let registration = json!({"client_data": "AAAA", "attestation_object": "AAAA"});
    let order = json!({"person": person(targets.person, Role::Auditor)});
    let copy = json!({"received_by": "Clerk V. Brandt", "of": "the court",
        "reason": "discovery in the case of the state"});
    let who = targets.person;
    match path {
        "/v1/bookings/{number}/release" => json!({"reason": "expunged"}),
        "/v1/model/switch" => json!({"model": digest}),
        "/v1/log/samples" => json!({"seed": 1, "rate_ppm": 1}),
        "/v1/log/reviews" => {
            json!({"sample": 0, "asked": 0, "finding": "in_order", "note": "as it should be"})
        }
        "/v1/log/looks" => json!({"end": 1, "note": "as it should be"}),
        "/v1/clock" => json!({"time_source": "2020-01-01T00:00:00Z"}),
        "/v1/session/challenge" => json!({"person": who}),
        "/v1/session" => json!({"person": who, "nonce": nonce, "touch": touch}),
        "/v1/enrolment/challenge" => json!({"person": who, "code": "00"}),
        "/v1/enrolment" => {
            json!({"person": who, "code": "00", "nonce": nonce, "registration": registration})
        }
        "/v1/grants/challenge" => json!({"order": order}),
        "/v1/grants" => json!({"order": order, "nonce": nonce, "touch": touch}),
        "/v1/session/unlock"
        | "/v1/people/{person}/release"
        | "/v1/grants/{grant}/approval"
        | "/v1/copies/{inquiry}/{copy}" => json!({"nonce": nonce, "touch": touch}),
        "/v1/copies/challenge" => json!({"inquiry": targets.inquiry, "order": copy}),
        "/v1/copies" => json!({"inquiry": targets.inquiry, "order": copy, "nonce": nonce,
            "touch": touch}),
        "/v1/inquiries" => request_json(),
        "/v1/inquiries/{inquiry}/upload" => json!({"bytes": 1000, "sha256": digest}),
        "/v1/inquiries/{inquiry}/probe" => {
            json!({"revision": revision, "bytes": 1000, "sha256": digest})
        }
        "/v1/inquiries/{inquiry}/preview" => json!({"edits": []}),
        "/v1/inquiries/{inquiry}/search" => {
            json!({"revision": revision, "nonce": nonce, "touch": touch})
        }
        "/v1/inquiries/{inquiry}/findings" => json!({"revision": revision, "finding":
            {"candidate": "00".repeat(16), "disposition": "no_lead", "observations": []}}),
        "/v1/inquiries/{inquiry}/evidence" => {
            json!({"revision": revision, "handover": {"received_by": "ADA Lee", "of": "the court"}})
        }
        "/v1/inquiries/{inquiry}/outcome" => {
            json!({"revision": revision, "outcome": {"upshot": "no_lead"}})
        }
        "/v1/inquiries/{inquiry}/withdraw" => {
            json!({"revision": revision, "reason": "it was withdrawn by the requester"})
        }
        // The steps that take the revision alone; whoever takes nothing doesn't look at it.
        _ => json!({"revision": revision}),
    }
}
