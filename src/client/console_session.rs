//! Session of one person at a console, driven by software: the console's verbs under a device's
//! certificate, with a software key in place of the person's security key.
//!
//! For tests and for the demonstration: a box with real bookings refuses software keys.

use std::sync::{Arc, Mutex, MutexGuard};

use serde::Serialize;
use serde::de::DeserializeOwned;
use ureq::http::{Response, header};
use ureq::typestate::WithBody;
use ureq::{Body, RequestBuilder};

use super::connection::Client;
use super::error::ClientError;
use super::software_key::SoftwareKey;
use crate::api::wire::TIMING_HEADER;
use crate::api::wire::{
    AccountView, Banner, Because, ChallengeView, CopyRequest, CopyTouched, CopyView, Enrolment,
    EnrolmentRequest, GrantAsked, GrantRequest, GrantTouched, GrantView, LogOn, LogOnRequest,
    SESSION_COOKIE, SessionState, Touched,
};
use crate::api::wire::{
    At, CandidateCard, FaceChosen, FaceRequest, FindingRequest, HeadView, InquiryView, ProbeHere,
    SearchTouched, UploadRequest, UploadState,
};
use crate::audit::touch::RelyingParty;
use crate::booking::{Identifier, Text, VersionId};
use crate::face::Edits;
use crate::ids::{Digest, GrantId};
use crate::inquiry::{CopyOrder, Disposition, Finding, InquiryId, Request};
use crate::limits::{ANSWER_BYTES_MAX, PHOTO_BYTES_MAX};
use crate::roster::Person;
use crate::rule::Rule;
use crate::service::GrantOrder;

/// A software key that several sessions share, as a person takes one key from console to console.
pub type SharedKey = Arc<Mutex<SoftwareKey>>;

/// The session of a person who has logged on at a console.
#[derive(Clone)]
pub struct ConsoleSession {
    client: Client,
    relying_party: RelyingParty,
    person: Identifier,
    key: SharedKey,
    cookie: String,
}

/// The answer to a search, as its operator sees it.
#[derive(Clone, Debug)]
pub struct Array {
    pub view: InquiryView,
    /// Milliseconds that each step of the search took, as the server reports them.
    pub timings: Vec<(String, f64)>,
}

impl Array {
    /// Candidates that are still shown, with score and biography: none before two have looked.
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

impl std::fmt::Debug for ConsoleSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ConsoleSession({})", self.person)
    }
}

/// A new software key, to be shared.
pub fn shared_key() -> Result<SharedKey, ClientError> {
    Ok(Arc::new(Mutex::new(SoftwareKey::new()?)))
}

/// Enrols the key of a person whom `smrtd appoint` appointed, with the code that it printed.
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
        client.ask_from("/v1/enrolment/challenge", relying_party, &request)?;
    let registration = lock(key).register(&asked.challenge, relying_party);
    let enrolment = Enrolment { person, code, nonce: asked.nonce, registration };
    let answer = client
        .post_from("/v1/enrolment", relying_party, None)
        .send(&Client::to_json(&enrolment)?[..]);
    Client::read_bytes(answer, ANSWER_BYTES_MAX).map(|_| ())
}

impl ConsoleSession {
    /// Logs a person on: touches the key and acknowledges the use banner.
    pub fn log_on(
        client: &Client,
        relying_party: &RelyingParty,
        person: &Identifier,
        key: &SharedKey,
    ) -> Result<Self, ClientError> {
        let request = LogOnRequest { person: person.clone() };
        let asked: ChallengeView =
            client.ask_from("/v1/session/challenge", relying_party, &request)?;
        let touch = lock(key).touch(&asked.challenge, relying_party)?;
        let body = Client::to_json(&LogOn { person: person.clone(), nonce: asked.nonce, touch })?;
        let answer = client.post_from("/v1/session", relying_party, None).send(&body[..]);
        let set = answer
            .as_ref()
            .ok()
            .and_then(|answer| answer.headers().get(header::SET_COOKIE)?.to_str().ok());
        let cookie = set
            .and_then(|set| set.split(';').next())
            .filter(|cookie| cookie.starts_with(SESSION_COOKIE))
            .map(str::to_owned);
        let Banner { .. } = Client::read_json(answer)?;
        let cookie = cookie.ok_or_else(|| ClientError::Unexpected {
            status: 201,
            found: "a log-on without a session".to_owned(),
        })?;
        let session = Self {
            client: client.clone(),
            relying_party: relying_party.clone(),
            person: person.clone(),
            key: key.clone(),
            cookie,
        };
        session.send("/v1/session/banner", &())?;
        Ok(session)
    }

    /// The person who has logged on.
    pub fn person(&self) -> &Identifier {
        &self.person
    }

    /// The session's cookie, for requests that no method makes.
    pub fn cookie(&self) -> &str {
        &self.cookie
    }

    /// The session's state as the server has it.
    pub fn session(&self) -> Result<SessionState, ClientError> {
        self.get("/v1/session")
    }

    /// Ends the session.
    pub fn log_off(&self) -> Result<(), ClientError> {
        let request = self.client.agent().delete(self.client.url("/v1/session"));
        Client::read_bytes(self.in_session(request).call(), ANSWER_BYTES_MAX).map(|_| ())
    }

    /// Posts JSON in this session and reads JSON.
    pub fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        Client::read_json(self.send_json(path, body))
    }

    /// Posts JSON in this session, where the answer has no body.
    pub fn send(&self, path: &str, body: &impl Serialize) -> Result<(), ClientError> {
        Client::read_bytes(self.send_json(path, body), ANSWER_BYTES_MAX).map(|_| ())
    }

    /// Reads JSON in this session.
    pub fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        Client::read_json(self.call(path))
    }

    /// Signs a challenge by a touch of the key.
    pub fn touch(&self, asked: &ChallengeView) -> Result<Touched, ClientError> {
        let touch = lock(&self.key).touch(&asked.challenge, &self.relying_party)?;
        Ok(Touched { nonce: asked.nonce, touch })
    }

    /// All accounts.
    pub fn people(&self) -> Result<Vec<AccountView>, ClientError> {
        self.get("/v1/people")
    }

    /// Asks, as an administrator, for an account with this key; returns the id of the grant, which
    /// the commander approves.
    pub fn ask_grant(
        &self,
        person: &Person,
        key: Option<&SharedKey>,
    ) -> Result<GrantId, ClientError> {
        let (mut registration, mut key_nonce) = (None, None);
        if let Some(key) = key {
            let asked: ChallengeView =
                self.post(&format!("/v1/people/{}/key/challenge", person.id), &())?;
            registration = Some(lock(key).register(&asked.challenge, &self.relying_party));
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

    /// Grants that wait for the commander.
    pub fn grants(&self) -> Result<Vec<GrantView>, ClientError> {
        self.get("/v1/grants")
    }

    /// Approves a grant, as the commander.
    pub fn approve_grant(&self, id: GrantId) -> Result<(), ClientError> {
        let asked: ChallengeView =
            self.post(&format!("/v1/grants/{id}/approval/challenge"), &())?;
        self.send(&format!("/v1/grants/{id}/approval"), &self.touch(&asked)?)
    }

    /// Declines a grant, as the commander.
    pub fn decline_grant(&self, id: GrantId, reason: &str) -> Result<(), ClientError> {
        let body = Client::to_json(&Because { reason: reason.to_owned() })?;
        let request = self.client.agent().delete(self.client.url(&format!("/v1/grants/{id}")));
        let request = self.in_session(request).force_send_body().content_type("application/json");
        Client::read_bytes(request.send(&body[..]), ANSWER_BYTES_MAX).map(|_| ())
    }

    /// Releases a locked account.
    pub fn release_lock(&self, person: &Identifier) -> Result<(), ClientError> {
        let asked: ChallengeView =
            self.post(&format!("/v1/people/{person}/release/challenge"), &())?;
        self.send(&format!("/v1/people/{person}/release"), &self.touch(&asked)?)
    }

    /// Inquiries that the person takes part in, or may.
    pub fn inquiries(&self) -> Result<Vec<HeadView>, ClientError> {
        self.get("/v1/inquiries")
    }

    /// An inquiry, as far as this person may see it.
    pub fn inquiry(&self, id: InquiryId) -> Result<InquiryView, ClientError> {
        self.get(&format!("/v1/inquiries/{id}"))
    }

    /// Opens an inquiry.
    pub fn open(&self, request: &Request) -> Result<InquiryView, ClientError> {
        self.post("/v1/inquiries", request)
    }

    /// Uploads a probe, from the offset that the server has reached, and attaches it to the
    /// inquiry.
    pub fn hand_over(&self, view: &InquiryView, probe: &[u8]) -> Result<InquiryView, ClientError> {
        let (id, bytes) = (view.inquiry, probe.len() as u64);
        let sha256 = Digest::of(probe);
        let mut state: UploadState =
            self.post(&format!("/v1/inquiries/{id}/upload"), &UploadRequest { bytes, sha256 })?;
        while state.received < bytes {
            let rest = &probe[usize::try_from(state.received).unwrap_or(probe.len())..];
            let piece = &rest[..rest.len().min(usize::try_from(state.piece).unwrap_or(rest.len()))];
            state = self.put_piece(id, bytes, sha256, state.received, piece)?;
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
        sha256: Digest,
        offset: u64,
        piece: &[u8],
    ) -> Result<UploadState, ClientError> {
        let path =
            format!("/v1/inquiries/{id}/upload?offset={offset}&bytes={bytes}&sha256={sha256}");
        let request = self.in_session(self.client.agent().put(self.client.url(&path)));
        Client::read_json(request.content_type("application/octet-stream").send(piece))
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

    /// Approves the search by touch and runs it.
    pub fn approve(&self, view: &InquiryView) -> Result<Array, ClientError> {
        let (id, revision) = (view.inquiry, view.revision);
        let asked: ChallengeView =
            self.post(&format!("/v1/inquiries/{id}/challenge"), &At { revision })?;
        let Touched { nonce, touch } = self.touch(&asked)?;
        let answer = self.send_json(
            &format!("/v1/inquiries/{id}/search"),
            &SearchTouched { revision, nonce, touch },
        );
        let timings = answer
            .as_ref()
            .ok()
            .and_then(|answer| answer.headers().get(TIMING_HEADER)?.to_str().ok())
            .map(timings_of);
        Ok(Array { view: Client::read_json(answer)?, timings: timings.unwrap_or_default() })
    }

    /// Claims the review that is due.
    pub fn claim(&self, view: &InquiryView) -> Result<InquiryView, ClientError> {
        self.post(&format!("/v1/inquiries/{}/claim", view.inquiry), &At { revision: view.revision })
    }

    /// Records the examiner's finding on a candidate.
    pub fn dispose(
        &self,
        view: &InquiryView,
        finding: Finding,
    ) -> Result<InquiryView, ClientError> {
        let request = FindingRequest { revision: view.revision, finding };
        self.post(&format!("/v1/inquiries/{}/findings", view.inquiry), &request)
    }

    /// Records "inconclusive" for every candidate that is left, and ends the review.
    pub fn dispose_all(&self, mut view: InquiryView) -> Result<InquiryView, ClientError> {
        let note = Text::parse("looked at by software").ok();
        while let Some(left) =
            view.candidates.iter().find(|candidate| !candidate.released && candidate.own.is_none())
        {
            let (candidate, disposition) = (left.version, Disposition::Inconclusive);
            let finding =
                Finding { candidate, disposition, observations: Vec::new(), note: note.clone() };
            view = self.or_changed(&view, self.dispose(&view, finding))?.1;
        }
        loop {
            let finished = self.post(
                &format!("/v1/inquiries/{}/finish", view.inquiry),
                &At { revision: view.revision },
            );
            let (done, now) = self.or_changed(&view, finished)?;
            if done {
                return Ok(now);
            }
            view = now;
        }
    }

    /// The inquiry after a step, and true; or, where the inquiry was changed meanwhile (a release
    /// raises the revision of an inquiry that shows the booking), the inquiry now, and false.
    fn or_changed(
        &self,
        view: &InquiryView,
        step: Result<InquiryView, ClientError>,
    ) -> Result<(bool, InquiryView), ClientError> {
        match step {
            Err(e)
                if e.problem()
                    .is_some_and(|problem| problem.kind == Rule::ChangedMeanwhile.code()) =>
            {
                Ok((false, self.inquiry(view.inquiry)?))
            }
            step => Ok((true, step?)),
        }
    }

    /// Issues the compare report.
    pub fn issue(&self, view: &InquiryView) -> Result<InquiryView, ClientError> {
        self.post(
            &format!("/v1/inquiries/{}/report", view.inquiry),
            &At { revision: view.revision },
        )
    }

    /// The compare report as it was issued, a PDF.
    pub fn report(&self, id: InquiryId) -> Result<Vec<u8>, ClientError> {
        self.file(&format!("/v1/inquiries/{id}/report.pdf"))
    }

    /// The compare report's proof, with the newest checkpoint.
    pub fn report_proof(&self, id: InquiryId) -> Result<Vec<u8>, ClientError> {
        self.file(&format!("/v1/inquiries/{id}/report.pdf.tlog-proof"))
    }

    /// Orders a further copy of a report, as the commander.
    pub fn order_copy(&self, inquiry: InquiryId, order: &CopyOrder) -> Result<(), ClientError> {
        let request = CopyRequest { inquiry, order: order.clone() };
        let asked: ChallengeView = self.post("/v1/copies/challenge", &request)?;
        let Touched { nonce, touch } = self.touch(&asked)?;
        let CopyRequest { inquiry, order } = request;
        self.send("/v1/copies", &CopyTouched { inquiry, order, nonce, touch })
    }

    /// Gives out a further copy of a report, as an auditor.
    pub fn give_copy(&self, inquiry: InquiryId, copy: usize) -> Result<Vec<u8>, ClientError> {
        let path = format!("/v1/copies/{inquiry}/{copy}");
        let asked: ChallengeView = self.post(&format!("{path}/challenge"), &())?;
        let answer = self.send_json(&path, &self.touch(&asked)?);
        Client::read_bytes(answer, ANSWER_BYTES_MAX)
    }

    /// Further copies of reports that were ordered.
    pub fn copies(&self) -> Result<Vec<CopyView>, ClientError> {
        self.get("/v1/copies")
    }

    /// A page or file, byte for byte.
    pub fn file(&self, path: &str) -> Result<Vec<u8>, ClientError> {
        Client::read_bytes(self.call(path), ANSWER_BYTES_MAX)
    }

    /// Runs an inquiry to the end of its first review, by one person who operates and examines.
    pub fn search(&self, request: &Request, probe: &[u8]) -> Result<Array, ClientError> {
        let array = self.ask(request, probe)?;
        let mut view = array.view;
        loop {
            let (claimed, now) = self.or_changed(&view, self.claim(&view))?;
            view = now;
            if claimed {
                return Ok(Array { view: self.dispose_all(view)?, timings: array.timings });
            }
        }
    }

    /// Runs an inquiry to the end of both reviews, the second by another examiner.
    pub fn search_with(
        &self,
        second: &Self,
        request: &Request,
        probe: &[u8],
    ) -> Result<Array, ClientError> {
        let Array { view, timings } = self.search(request, probe)?;
        let mut view = second.inquiry(view.inquiry)?;
        loop {
            let (claimed, now) = second.or_changed(&view, second.claim(&view))?;
            view = now;
            if claimed {
                let done = second.dispose_all(view)?;
                return Ok(Array { view: self.inquiry(done.inquiry)?, timings });
            }
        }
    }

    /// Runs an inquiry to its answer.
    pub fn ask(&self, request: &Request, probe: &[u8]) -> Result<Array, ClientError> {
        let opened = self.open(request)?;
        let chosen = self.choose(&self.hand_over(&opened, probe)?, None, Edits::default(), None)?;
        self.approve(&chosen.view)
    }

    /// A candidate's photo; the view is logged.
    pub fn photo(&self, id: InquiryId, version: VersionId) -> Result<Vec<u8>, ClientError> {
        let path = format!("/v1/inquiries/{id}/candidates/{version}/photo");
        Client::read_bytes(self.call(&path), PHOTO_BYTES_MAX)
    }

    fn call(&self, path: &str) -> Result<Response<Body>, ClientError> {
        let request = self.client.agent().get(self.client.url(path));
        Ok(request.header(header::COOKIE, &self.cookie).call()?)
    }

    fn send_json(&self, path: &str, body: &impl Serialize) -> Result<Response<Body>, ClientError> {
        let request = self.client.post_from(path, &self.relying_party, Some(&self.cookie));
        Ok(request.send(&Client::to_json(body)?[..])?)
    }

    /// Puts the session's cookie and the console's origin on a request that changes something.
    fn in_session<B>(&self, request: RequestBuilder<B>) -> RequestBuilder<B> {
        request
            .header(header::COOKIE, &self.cookie)
            .header(header::ORIGIN, self.relying_party.origin())
    }
}

impl Client {
    /// A request as a page of the console makes it: with its origin and, in a session, the cookie.
    fn post_from(
        &self,
        path: &str,
        relying_party: &RelyingParty,
        cookie: Option<&str>,
    ) -> RequestBuilder<WithBody> {
        let request = self
            .agent()
            .post(self.url(path))
            .content_type("application/json")
            .header(header::ORIGIN, relying_party.origin());
        match cookie {
            Some(cookie) => request.header(header::COOKIE, cookie),
            None => request,
        }
    }

    fn ask_from<T: DeserializeOwned>(
        &self,
        path: &str,
        relying_party: &RelyingParty,
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        let request = self.post_from(path, relying_party, None);
        Self::read_json(request.send(&Self::to_json(body)?[..]))
    }
}

/// The steps of a `Server-Timing` header; a part of another form is left out.
fn timings_of(header: &str) -> Vec<(String, f64)> {
    let step = |step: &str| {
        let (name, ms) = step.trim().split_once(";dur=")?;
        Some((name.to_owned(), ms.parse().ok()?))
    };
    header.split(',').filter_map(step).collect()
}

/// The key, for one touch.
pub(super) fn lock(key: &SharedKey) -> MutexGuard<'_, SoftwareKey> {
    key.lock().expect("nothing panics while it holds the key")
}
