//! A desk that software sits at: the console's verbs under a device's certificate, with a software
//! key in place of a person's. For tests and for the demonstration: a box with real bookings takes
//! no such key, and says so.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use aws_lc_rs::digest::{SHA256, digest};
use serde::Serialize;
use serde::de::DeserializeOwned;
use ureq::http::header;

use super::soft_key::SoftKey;
use super::{Client, ClientError, json, read_bytes, read_json, steps};
use crate::api::wire::TIMING_HEADER;
use crate::api::wire::{
    AccountView, Banner, Because, ChallengeView, Enrolment, EnrolmentRequest, GrantAsked,
    GrantRequest, GrantTouched, GrantView, LogOn, LogOnRequest, SESSION_COOKIE, SessionState,
    Touched,
};
use crate::api::wire::{
    At, CandidateCard, FaceChosen, FaceRequest, FindingRequest, HeadView, InquiryView, ProbeHere,
    SearchTouched, UploadRequest, UploadState,
};
use crate::audit::touch::RelyingParty;
use crate::booking::{Identifier, Text, VersionId};
use crate::face::Edits;
use crate::inquiry::{Disposition, Finding, InquiryId, Request};
use crate::limits::{ANSWER_BYTES_MAX, PHOTO_BYTES_MAX};
use crate::roster::Person;
use crate::service::GrantOrder;

/// A software key that several desks may share, as a person takes a key from one to the other.
pub type SharedKey = Arc<Mutex<SoftKey>>;

/// A person who has logged on at a console.
#[derive(Clone)]
pub struct Desk {
    client: Client,
    relying_party: RelyingParty,
    person: Identifier,
    key: SharedKey,
    cookie: String,
}

/// What an inquiry came to once its first examiner has looked at every candidate.
#[derive(Clone, Debug)]
pub struct Array {
    /// The inquiry.
    pub view: InquiryView,
    /// Milliseconds that each step of the search took, as the server says.
    pub timings: Vec<(String, f64)>,
}

impl Array {
    /// Candidates that are still shown, with score and biography.
    pub fn candidates(&self) -> impl Iterator<Item = &CandidateCard> {
        self.view.candidates.iter().filter(|candidate| candidate.known.is_some())
    }

    /// The booking numbers of those candidates, best first.
    pub fn numbers(&self) -> Vec<&str> {
        self.candidates()
            .filter_map(|candidate| candidate.known.as_ref())
            .map(|known| known.number.as_str())
            .collect()
    }
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Desk({})", self.person)
    }
}

/// A fresh software key.
pub fn shared_key() -> Result<SharedKey, ClientError> {
    Ok(Arc::new(Mutex::new(SoftKey::new()?)))
}

/// Enrols the key of a person who was appointed at the box.
pub fn enrol_first_key(
    client: &Client,
    relying_party: &RelyingParty,
    person: &Identifier,
    code: &str,
    key: &SharedKey,
) -> Result<(), ClientError> {
    let (person, code) = (person.clone(), code.to_owned());
    let request = EnrolmentRequest { person: person.clone(), code: code.clone() };
    let asked: ChallengeView =
        client.post_from("/v1/enrolment/challenge", relying_party, None, &request)?;
    let registration = held(key).register(&asked.challenge, relying_party);
    let enrolment = Enrolment { person, code, nonce: asked.nonce, registration };
    client.send_from("/v1/enrolment", relying_party, None, &enrolment)
}

impl Desk {
    /// Logs a person on: touches the key and acknowledges the banner.
    pub fn log_on(
        client: &Client,
        relying_party: &RelyingParty,
        person: &Identifier,
        key: &SharedKey,
    ) -> Result<Self, ClientError> {
        let asked: ChallengeView = client.post_from(
            "/v1/session/challenge",
            relying_party,
            None,
            &LogOnRequest { person: person.clone() },
        )?;
        let touch = held(key).touch(&asked.challenge, relying_party)?;
        let body = json(&LogOn { person: person.clone(), nonce: asked.nonce, touch })?;
        let request = client.agent.post(client.url("/v1/session")).content_type("application/json");
        let answer = request.header(header::ORIGIN, relying_party.origin()).send(&body[..]);
        let set = answer
            .as_ref()
            .ok()
            .and_then(|answer| answer.headers().get(header::SET_COOKIE)?.to_str().ok());
        let cookie = set
            .and_then(|set| set.split(';').next())
            .filter(|cookie| cookie.starts_with(SESSION_COOKIE))
            .map(str::to_owned);
        let Banner { .. } = read_json(answer)?;
        let cookie = cookie.ok_or_else(|| ClientError::Unexpected {
            status: 201,
            found: "a log-on without a session".to_owned(),
        })?;
        let desk = Self {
            client: client.clone(),
            relying_party: relying_party.clone(),
            person: person.clone(),
            key: key.clone(),
            cookie,
        };
        desk.send("/v1/session/banner", &())?;
        Ok(desk)
    }

    /// The person.
    pub fn person(&self) -> &Identifier {
        &self.person
    }

    /// The session's cookie, for requests that nobody would make by hand.
    pub fn cookie(&self) -> &str {
        &self.cookie
    }

    /// Where the session stands.
    pub fn session(&self) -> Result<SessionState, ClientError> {
        self.get("/v1/session")
    }

    /// Ends the session.
    pub fn log_off(&self) -> Result<(), ClientError> {
        let request = self.client.agent.delete(self.client.url("/v1/session"));
        let request = request
            .header(header::COOKIE, &self.cookie)
            .header(header::ORIGIN, self.relying_party.origin());
        read_bytes(request.call(), ANSWER_BYTES_MAX).map(|_| ())
    }

    /// Asks a verb with a body, at this desk.
    pub fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        self.client.post_from(path, &self.relying_party, Some(&self.cookie), body)
    }

    /// As `post`, where nothing comes back.
    pub fn send(&self, path: &str, body: &impl Serialize) -> Result<(), ClientError> {
        self.client.send_from(path, &self.relying_party, Some(&self.cookie), body)
    }

    /// Reads at this desk.
    pub fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        read_json(
            self.client
                .agent
                .get(self.client.url(path))
                .header(header::COOKIE, &self.cookie)
                .call(),
        )
    }

    /// Touches the key for a challenge.
    pub fn touch(&self, asked: &ChallengeView) -> Result<Touched, ClientError> {
        let touch = held(&self.key).touch(&asked.challenge, &self.relying_party)?;
        Ok(Touched { nonce: asked.nonce, touch })
    }

    /// All accounts.
    pub fn people(&self) -> Result<Vec<AccountView>, ClientError> {
        self.get("/v1/people")
    }

    /// Asks, as an administrator, for an account with this key; gives the id under which the
    /// commander approves.
    pub fn ask_grant(
        &self,
        person: &Person,
        key: Option<&SharedKey>,
    ) -> Result<String, ClientError> {
        let (mut registration, mut key_nonce) = (None, None);
        if let Some(key) = key {
            let asked: ChallengeView =
                self.post(&format!("/v1/people/{}/key/challenge", person.id), &())?;
            registration = Some(held(key).register(&asked.challenge, &self.relying_party));
            key_nonce = Some(hex::encode(asked.nonce));
        }
        let order = GrantOrder { person: person.clone(), registration };
        let asked: ChallengeView = self.post(
            "/v1/grants/challenge",
            &GrantRequest { order: order.clone(), key_nonce: key_nonce.clone() },
        )?;
        let Touched { nonce, touch } = self.touch(&asked)?;
        let GrantAsked { id } =
            self.post("/v1/grants", &GrantTouched { order, key_nonce, nonce, touch })?;
        Ok(id)
    }

    /// What waits for the commander.
    pub fn grants(&self) -> Result<Vec<GrantView>, ClientError> {
        self.get("/v1/grants")
    }

    /// Approves, as the commander.
    pub fn approve_grant(&self, id: &str) -> Result<(), ClientError> {
        let asked: ChallengeView =
            self.post(&format!("/v1/grants/{id}/approval/challenge"), &())?;
        self.send(&format!("/v1/grants/{id}/approval"), &self.touch(&asked)?)
    }

    /// Declines, as the commander.
    pub fn decline_grant(&self, id: &str, reason: &str) -> Result<(), ClientError> {
        let body = json(&Because { reason: reason.to_owned() })?;
        let request = self
            .client
            .agent
            .delete(self.client.url(&format!("/v1/grants/{id}")))
            .header(header::CONTENT_TYPE, "application/json");
        let request = request
            .header(header::COOKIE, &self.cookie)
            .header(header::ORIGIN, self.relying_party.origin());
        read_bytes(request.force_send_body().send(&body[..]), ANSWER_BYTES_MAX).map(|_| ())
    }

    /// Releases a locked account.
    pub fn release_lock(&self, person: &Identifier) -> Result<(), ClientError> {
        let asked: ChallengeView =
            self.post(&format!("/v1/people/{person}/release/challenge"), &())?;
        self.send(&format!("/v1/people/{person}/release"), &self.touch(&asked)?)
    }

    /// The inquiries of which the person is a part or may become one.
    pub fn inquiries(&self) -> Result<Vec<HeadView>, ClientError> {
        self.get("/v1/inquiries")
    }

    /// An inquiry as this person may see it.
    pub fn inquiry(&self, id: InquiryId) -> Result<InquiryView, ClientError> {
        self.get(&format!("/v1/inquiries/{id}"))
    }

    /// Opens an inquiry.
    pub fn open(&self, request: &Request) -> Result<InquiryView, ClientError> {
        self.post("/v1/inquiries", request)
    }

    /// Uploads a probe, from where the box says, and hands it over.
    pub fn hand_over(&self, view: &InquiryView, probe: &[u8]) -> Result<InquiryView, ClientError> {
        let (id, bytes) = (view.inquiry, probe.len() as u64);
        let sha256: [u8; 32] =
            digest(&SHA256, probe).as_ref().try_into().expect("SHA-256 gives 32 bytes");
        let mut state: UploadState =
            self.post(&format!("/v1/inquiries/{id}/upload"), &UploadRequest { bytes, sha256 })?;
        while state.received < bytes {
            let rest = &probe[usize::try_from(state.received).unwrap_or(probe.len())..];
            let piece = &rest[..rest.len().min(usize::try_from(state.piece).unwrap_or(rest.len()))];
            state = self.put_piece(id, bytes, &sha256, state.received, piece)?;
        }
        self.post(
            &format!("/v1/inquiries/{id}/probe"),
            &ProbeHere { revision: view.revision, bytes, sha256 },
        )
    }

    /// Sends one piece of a probe.
    pub fn put_piece(
        &self,
        id: InquiryId,
        bytes: u64,
        sha256: &[u8; 32],
        offset: u64,
        piece: &[u8],
    ) -> Result<UploadState, ClientError> {
        let path = format!(
            "/v1/inquiries/{id}/upload?offset={offset}&bytes={bytes}&sha256={}",
            hex::encode(sha256)
        );
        let request =
            self.client.agent.put(self.client.url(&path)).content_type("application/octet-stream");
        let request = request
            .header(header::COOKIE, &self.cookie)
            .header(header::ORIGIN, self.relying_party.origin());
        read_json(request.send(piece))
    }

    /// Chooses a face of the probe.
    pub fn choose(
        &self,
        view: &InquiryView,
        face: Option<usize>,
        edits: Edits,
        reason: Option<&str>,
    ) -> Result<FaceChosen, ClientError> {
        let request =
            FaceRequest { revision: view.revision, face, edits, reason: reason.map(str::to_owned) };
        self.post(&format!("/v1/inquiries/{}/face", view.inquiry), &request)
    }

    /// Approves the search by touch and has it run.
    pub fn approve(&self, view: &InquiryView) -> Result<Array, ClientError> {
        let (id, revision) = (view.inquiry, view.revision);
        let asked: ChallengeView =
            self.post(&format!("/v1/inquiries/{id}/challenge"), &At { revision })?;
        let Touched { nonce, touch } = self.touch(&asked)?;
        let body = json(&SearchTouched { revision, nonce, touch })?;
        let request = self
            .client
            .agent
            .post(self.client.url(&format!("/v1/inquiries/{id}/search")))
            .content_type("application/json");
        let request = request
            .header(header::COOKIE, &self.cookie)
            .header(header::ORIGIN, self.relying_party.origin());
        let answer = request.send(&body[..]);
        let timings = answer
            .as_ref()
            .ok()
            .and_then(|answer| answer.headers().get(TIMING_HEADER)?.to_str().ok())
            .map(steps);
        Ok(Array { view: read_json(answer)?, timings: timings.unwrap_or_default() })
    }

    /// Takes the review that is due.
    pub fn claim(&self, view: &InquiryView) -> Result<InquiryView, ClientError> {
        self.post(&format!("/v1/inquiries/{}/claim", view.inquiry), &At { revision: view.revision })
    }

    /// Records what the examiner made of a candidate.
    pub fn dispose(
        &self,
        view: &InquiryView,
        finding: Finding,
    ) -> Result<InquiryView, ClientError> {
        let request = FindingRequest { revision: view.revision, finding };
        self.post(&format!("/v1/inquiries/{}/findings", view.inquiry), &request)
    }

    /// Records of every candidate that is left that nothing can be told, and ends the review.
    pub fn dispose_all(&self, mut view: InquiryView) -> Result<InquiryView, ClientError> {
        let note = Text::parse("looked at by software").ok();
        while let Some(left) =
            view.candidates.iter().find(|candidate| !candidate.released && candidate.own.is_none())
        {
            let (candidate, disposition) = (left.version, Disposition::Inconclusive);
            let finding =
                Finding { candidate, disposition, observations: Vec::new(), note: note.clone() };
            view = self.or_as_it_is_now(&view, self.dispose(&view, finding))?.1;
        }
        loop {
            let finished = self.post(
                &format!("/v1/inquiries/{}/finish", view.inquiry),
                &At { revision: view.revision },
            );
            let (done, now) = self.or_as_it_is_now(&view, finished)?;
            if done {
                return Ok(now);
            }
            view = now;
        }
    }

    /// What a step gave, and true; or, where a release came between (it raises the revision of an
    /// inquiry that shows the candidate), the inquiry as it is now, and false.
    fn or_as_it_is_now(
        &self,
        view: &InquiryView,
        step: Result<InquiryView, ClientError>,
    ) -> Result<(bool, InquiryView), ClientError> {
        match step {
            Err(e) if e.problem().is_some_and(|problem| problem.kind == "changed") => {
                Ok((false, self.inquiry(view.inquiry)?))
            }
            step => Ok((true, step?)),
        }
    }

    /// Has the report issued.
    pub fn issue(&self, view: &InquiryView) -> Result<InquiryView, ClientError> {
        self.post(
            &format!("/v1/inquiries/{}/report", view.inquiry),
            &At { revision: view.revision },
        )
    }

    /// The report as it was issued.
    pub fn report(&self, id: InquiryId) -> Result<Vec<u8>, ClientError> {
        self.file(&format!("/v1/inquiries/{id}/report.pdf"))
    }

    /// The report's proof as it stands now.
    pub fn report_proof(&self, id: InquiryId) -> Result<Vec<u8>, ClientError> {
        self.file(&format!("/v1/inquiries/{id}/report.pdf.tlog-proof"))
    }

    /// A page or a file as it is.
    pub fn file(&self, path: &str) -> Result<Vec<u8>, ClientError> {
        read_bytes(
            self.client
                .agent
                .get(self.client.url(path))
                .header(header::COOKIE, &self.cookie)
                .call(),
            ANSWER_BYTES_MAX,
        )
    }

    /// A whole inquiry up to the end of its first review, by one person who operates and examines.
    pub fn search(&self, request: &Request, probe: &[u8]) -> Result<Array, ClientError> {
        let array = self.ask(request, probe)?;
        let mut view = array.view;
        loop {
            let (claimed, now) = self.or_as_it_is_now(&view, self.claim(&view))?;
            view = now;
            if claimed {
                return Ok(Array { view: self.dispose_all(view)?, timings: array.timings });
            }
        }
    }

    /// An inquiry up to its answer.
    pub fn ask(&self, request: &Request, probe: &[u8]) -> Result<Array, ClientError> {
        let opened = self.open(request)?;
        let chosen = self.choose(&self.hand_over(&opened, probe)?, None, Edits::default(), None)?;
        self.approve(&chosen.view)
    }

    /// A picture of a candidate's photo; the view is logged.
    pub fn photo(&self, id: InquiryId, version: VersionId) -> Result<Vec<u8>, ClientError> {
        let path = format!("/v1/inquiries/{id}/candidates/{version}/photo");
        read_bytes(
            self.client
                .agent
                .get(self.client.url(&path))
                .header(header::COOKIE, &self.cookie)
                .call(),
            PHOTO_BYTES_MAX,
        )
    }
}

impl Client {
    fn post_from<T: DeserializeOwned>(
        &self,
        path: &str,
        relying_party: &RelyingParty,
        cookie: Option<&str>,
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        let bytes = self.answer_from(path, relying_party, cookie, body)?;
        serde_json::from_slice(&bytes).map_err(|source| ClientError::Json { source })
    }

    fn send_from(
        &self,
        path: &str,
        relying_party: &RelyingParty,
        cookie: Option<&str>,
        body: &impl Serialize,
    ) -> Result<(), ClientError> {
        self.answer_from(path, relying_party, cookie, body).map(|_| ())
    }

    fn answer_from(
        &self,
        path: &str,
        relying_party: &RelyingParty,
        cookie: Option<&str>,
        body: &impl Serialize,
    ) -> Result<Vec<u8>, ClientError> {
        let mut request = self
            .agent
            .post(self.url(path))
            .content_type("application/json")
            .header(header::ORIGIN, relying_party.origin());
        if let Some(cookie) = cookie {
            request = request.header(header::COOKIE, cookie);
        }
        read_bytes(request.send(&json(body)?[..]), ANSWER_BYTES_MAX)
    }
}

fn held(key: &SharedKey) -> std::sync::MutexGuard<'_, SoftKey> {
    key.lock().expect("nothing panics while it holds the key")
}

/// The people of a site, each with a software key: the commander and an administrator who admit all
/// others, as people do.
pub struct Staff {
    relying_party: RelyingParty,
    commander: Identifier,
    administrator: Identifier,
    keys: BTreeMap<Identifier, SharedKey>,
}

impl Staff {
    /// Enrols the keys of a commander and an administrator who were appointed at the box, each with
    /// the code.
    pub fn found(
        client: &Client,
        relying_party: &RelyingParty,
        commander: (&Identifier, &str),
        administrator: (&Identifier, &str),
    ) -> Result<Self, ClientError> {
        let mut keys = BTreeMap::new();
        for (person, code) in [commander, administrator] {
            let key = shared_key()?;
            enrol_first_key(client, relying_party, person, code, &key)?;
            keys.insert(person.clone(), key);
        }
        let (commander, administrator) = (commander.0.clone(), administrator.0.clone());
        Ok(Self { relying_party: relying_party.clone(), commander, administrator, keys })
    }

    /// Has the administrator ask for a person's account with a fresh key, and the commander approve
    /// it.
    pub fn admit(&mut self, client: &Client, person: &Person) -> Result<(), ClientError> {
        let key = shared_key()?;
        let administrator = self.desk(client, &self.administrator)?;
        let grant = administrator.ask_grant(person, Some(&key))?;
        let commander = self.desk(client, &self.commander)?;
        commander.approve_grant(&grant)?;
        self.keys.insert(person.id.clone(), key);
        administrator.log_off()?;
        commander.log_off()
    }

    /// Whether a person has a key here.
    pub fn knows(&self, person: &Identifier) -> bool {
        self.keys.contains_key(person)
    }

    /// A person's key.
    pub fn key(&self, person: &Identifier) -> Option<&SharedKey> {
        self.keys.get(person)
    }

    /// The key of this credential, base64url.
    pub fn key_named(&self, credential: &str) -> Option<&SharedKey> {
        self.keys.values().find(|key| held(key).credential().to_string() == credential)
    }

    /// The names of the people.
    pub fn people(&self) -> impl Iterator<Item = &Identifier> {
        self.keys.keys()
    }

    /// Logs a person on at the console of this client.
    ///
    /// Errors: somebody who has no key here.
    pub fn desk(&self, client: &Client, person: &Identifier) -> Result<Desk, ClientError> {
        let unknown = || ClientError::Unexpected {
            status: 0,
            found: format!("no key of '{person}' at hand"),
        };
        Desk::log_on(
            client,
            &self.relying_party,
            person,
            self.keys.get(person).ok_or_else(unknown)?,
        )
    }
}
