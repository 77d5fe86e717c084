//! People at desks: who they are, what they ask, and requests by hand for what no page of ours
//! would send.

use serde_json::json;
use smrt::api::wire::ChallengeView;
use smrt::audit::touch::RelyingParty;
use smrt::booking::{Identifier, Text};
use smrt::client::ClientError;
use smrt::client::console_session::{ConsoleSession, SharedKey};
use smrt::client::software_key::KeyBehaviour;
use smrt::roster::{Person, Role};
use time::OffsetDateTime;

use crate::door::Door;
use crate::raw::{Answer, Identity};
use crate::site::CONSOLE;

/// To whom the keys of these stories answer.
pub(crate) fn relying_party() -> RelyingParty {
    RelyingParty::new(CONSOLE).unwrap()
}

/// A person of the police department.
pub(crate) fn person(id: &str, role: Role) -> Person {
    Person {
        id: Identifier::parse(id).unwrap(),
        name: Text::parse(&format!("Officer {id}")).unwrap(),
        badge: Text::parse(&format!("badge-{id}")).unwrap(),
        agency: Identifier::parse("slmpd").unwrap(),
        role,
        trained_until: (OffsetDateTime::now_utc() + time::Duration::days(300)).date(),
        temporary_until_cs: None,
    }
}

/// The commander or the administrator at the administrators' console.
pub(crate) fn official(door: &Door<'_>, id: &str) -> ConsoleSession {
    let console = door.console("admin-1");
    door.staff().log_on(&console, &Identifier::parse(id).unwrap()).unwrap()
}

/// The key of a person who has been at a desk.
pub(crate) fn key_of(door: &Door<'_>, id: &str) -> SharedKey {
    door.staff().key(&Identifier::parse(id).unwrap()).unwrap().clone()
}

/// A log-on by hand, by a key with these habits.
pub(crate) fn log_on(
    door: &Door<'_>,
    device: &str,
    person: &str,
    key: &SharedKey,
    habits: &KeyBehaviour,
) -> Answer {
    let hand = Hand::new(door, &door.site.console_identity(device));
    let asked = hand.post("/v1/session/challenge", &json!({"person": person}));
    if asked.status != 200 {
        return asked;
    }
    let asked: ChallengeView = serde_json::from_slice(&asked.body).unwrap();
    let touch = key.lock().unwrap().touch_as(&asked.challenge, &relying_party(), habits).unwrap();
    hand.post(
        "/v1/session",
        &json!({"person": person, "nonce": hex::encode(asked.nonce), "touch": touch}),
    )
}

/// A log-on as a page does it.
pub(crate) fn logs_on(
    door: &Door<'_>,
    device: &str,
    person: &str,
    key: &SharedKey,
) -> Result<ConsoleSession, ClientError> {
    ConsoleSession::log_on(
        &door.console(device),
        &relying_party(),
        &Identifier::parse(person).unwrap(),
        key,
    )
}

/// Holds that the box refused with this kind of problem, in these words.
#[track_caller]
pub(crate) fn refused<T: std::fmt::Debug>(
    result: Result<T, ClientError>,
    status: u16,
    kind: &str,
    words: &str,
) {
    let error = result.expect_err("it is refused");
    let problem = error.problem().unwrap_or_else(|| panic!("{error}"));
    assert_eq!((problem.status, problem.kind.as_str()), (status, kind), "{problem:?}");
    assert!(problem.detail.contains(words), "wanted '{words}' in {}", problem.detail);
}

/// Whoever sends requests by hand: a certificate, a session's cookie and the page from which the
/// request says that it comes.
pub(crate) struct Hand<'d> {
    pub(crate) door: &'d Door<'d>,
    pub(crate) identity: Identity,
    pub(crate) cookie: Option<String>,
    pub(crate) origin: Option<String>,
}

impl<'d> Hand<'d> {
    /// Without a session, from a page of ours.
    pub(crate) fn new(door: &'d Door<'d>, identity: &Identity) -> Self {
        Self { door, identity: identity.clone(), cookie: None, origin: Some(CONSOLE.to_owned()) }
    }

    /// With the session of a desk.
    pub(crate) fn at(self, desk: &ConsoleSession) -> Self {
        Self { cookie: Some(desk.cookie().to_owned()), ..self }
    }

    /// From a page of this origin, or from nowhere that it says.
    pub(crate) fn from(self, origin: Option<&str>) -> Self {
        Self { origin: origin.map(str::to_owned), ..self }
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, b"")
    }

    pub(crate) fn post(&self, path: &str, body: &serde_json::Value) -> Answer {
        self.ask("POST", path, body.to_string().as_bytes())
    }

    pub(crate) fn ask(&self, method: &str, path: &str, body: &[u8]) -> Answer {
        let headers = [("cookie", &self.cookie), ("origin", &self.origin)];
        let headers: Vec<(&str, &str)> =
            headers.iter().filter_map(|(name, value)| Some((*name, value.as_deref()?))).collect();
        self.door
            .line(&self.identity)
            .ask_as(method, path, "application/json", &headers, body)
            .unwrap()
    }
}
