//! The box from outside: whoever calls it, by which certificate and at which desk, whatever process
//! it runs in.

use std::net::SocketAddr;
use std::ops::{Deref, DerefMut};
use std::process::Command;
use std::sync::MutexGuard;

use smrt::api::wire::InquiryView;
use smrt::booking::Identifier;
use smrt::client::console_session::{Array, ConsoleSession};
use smrt::client::staff::Staff;
use smrt::client::{Client, ClientError, Credentials};
use smrt::inquiry::Request;
use smrt::roster::{Person, Role};

use crate::daemon::{Ended, ended};
use crate::desks::{person, relying_party};
use crate::raw::{Answer, Form, Identity, Line};
use crate::site::{Site, witness_name};

/// A site's box at an address.
pub(crate) struct Door<'s> {
    pub(crate) site: &'s Site,
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

impl Door<'_> {
    /// The client of an agency's feed.
    pub(crate) fn feed(&self, agency: &str) -> Client {
        self.client(&self.site.feed_identity(agency))
    }

    /// The client of a console.
    pub(crate) fn console(&self, device: &str) -> Client {
        self.client(&self.site.console_identity(device))
    }

    /// The desk of an operator and examiner, of whom each console has one.
    pub(crate) fn desk(&self, device: &str) -> ConsoleSession {
        self.desk_of(device, &person(&format!("op-{device}"), Role::OperatorExaminer))
    }

    /// An inquiry of this desk's, to the end of both reviews: the second is another examiner's, at
    /// the second console.
    pub(crate) fn array(
        &self,
        desk: &ConsoleSession,
        request: &Request,
        probe: &[u8],
    ) -> Result<Array, ClientError> {
        let second = self.desk_of("rtcc-2", &person("second-look", Role::Examiner));
        desk.search_with(&second, request, probe)
    }

    /// The second review of an inquiry of this desk's, by another examiner at the second console.
    pub(crate) fn second_review(&self, desk: &ConsoleSession, view: &InquiryView) -> InquiryView {
        let second = self.desk_of("rtcc-2", &person("second-look", Role::Examiner));
        second.dispose_all(second.claim(view).unwrap()).unwrap();
        desk.inquiry(view.inquiry).unwrap()
    }

    /// A desk at which this person has logged on, admitted first where need be.
    pub(crate) fn desk_of(&self, device: &str, person: &Person) -> ConsoleSession {
        let (console, mut staff) = (self.console(device), self.staff());
        if !staff.has_key(&person.id) {
            staff.admit(&console, person).unwrap();
        }
        staff.log_on(&console, &person.id).unwrap()
    }

    /// The people of the site with their keys; the first two enrol theirs when somebody asks.
    pub(crate) fn staff(&self) -> HeldStaff<'_> {
        let mut staff = self.site.staff.lock().unwrap();
        if staff.is_none() {
            let [commander, administrator] =
                self.site.appointed.as_ref().expect("people are admitted on a staffed site");
            let (boss, admin) = (
                Identifier::parse("commander").unwrap(),
                Identifier::parse("administrator").unwrap(),
            );
            let console = self.console("admin-1");
            *staff = Some(
                Staff::enrol(
                    &console,
                    &relying_party(),
                    (&boss, commander),
                    (&admin, administrator),
                )
                .unwrap(),
            );
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
    pub(crate) fn send(
        &self,
        identity: &Identity,
        method: &str,
        path: &str,
        form: &[u8],
    ) -> Answer {
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
    pub(crate) fn witness_of(
        &self,
        id: &str,
        identity: &Identity,
        folder: &str,
        log: &str,
    ) -> Ended {
        let (folder, secret) =
            (self.site.path(&format!("{folder}-{id}")), self.site.witness_secret(id));
        let words = [
            "witness",
            "run",
            "--dir",
            folder.to_str().unwrap(),
            "--log",
            log,
            "--name",
            &witness_name(id),
            "--secret",
        ];
        self.smrtctl(identity, &[&words[..], &[secret.to_str().unwrap()]].concat())
    }
}
