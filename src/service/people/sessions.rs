//! Sessions of people at consoles: log-on, the hidden screen, log-off, and whether a person may do
//! what they ask for.
//!
//! A session is a device's certificate and a person's key together. Its secret is known to the
//! browser and, as a digest, to this process only: a restart ends all of them.

use zeroize::Zeroizing;

use super::desk::{Acting, AtDesk};
use super::session_table::{Asked, Session, Unasked};
use crate::audit::touch::{
    ActApproval, Challenge, RelyingParty, SecurityKeys, Touch, Verb, is_signed, verify,
};
use crate::audit::{Actor, Detail};
use crate::booking::Identifier;
use crate::crypto::fill_random;
use crate::ids::Digest;
use crate::ledger::{Core, Fate, Fated, Group, Member, NewLeaf, Subject, Write};
use crate::limits::{SESSION_SECRET_BYTES, SESSIONS_MAX};
use crate::roster::{Caller, Duty, Lockout, SessionStanding, SessionTimes};
use crate::rule::Rule;
use crate::service::appliance::Service;
use crate::service::error::ServiceError;
use crate::service::guard::BY_HAND;
use crate::store::Commit;

/// What everybody acknowledges before anything else is shown (CJIS AC-8).
pub const BANNER: &str = "You are using a restricted information system of a law enforcement \
    agency. What you do here is recorded, \
monitored and audited, and each search is published in number. Use it only for the purposes of the \
special order on mugshot comparison; \
unauthorised use is prohibited and may be punished by criminal and civil penalties. By going on \
you consent to recording and monitoring.";

/// A session that was begun.
pub struct Begun {
    /// The secret by which the browser goes on.
    pub secret: Zeroizing<[u8; SESSION_SECRET_BYTES]>,
    /// What must be acknowledged first.
    pub banner: &'static str,
}

/// What came of an answer to a challenge that was asked for.
#[derive(Default)]
struct Tried {
    /// Why it is refused, and whether the account's own key signed it.
    refused: Option<(ServiceError, bool)>,
    /// What that locks.
    locked: Option<Lockout>,
}

/// Where a session stands, for pages that must say so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionView {
    /// There is none.
    None,
    /// The banner is yet to be acknowledged.
    Banner(Identifier),
    /// Its screen is hidden until this person touches the key.
    Locked(Identifier),
    /// It stands.
    Open(Identifier),
}

impl AtDesk {
    pub(in crate::service) fn approval(
        &self,
        service: &Service,
        verb: Verb,
        what: &[u8],
    ) -> Result<Unasked, ServiceError> {
        service.approval(verb, &self.caller, &self.device, &self.person.id, what)
    }
}

impl Service {
    /// Which keys are taken.
    ///
    /// Errors: no name is configured that they could be bound to.
    pub(super) fn keys(&self) -> Result<&SecurityKeys, ServiceError> {
        self.keys.as_ref().ok_or(ServiceError::NoConsole)
    }

    /// The name that keys are bound to.
    ///
    /// Errors: none is configured.
    pub(in crate::service) fn relying_party(&self) -> Result<&RelyingParty, ServiceError> {
        self.keys().map(|keys| &keys.relying_party)
    }

    pub(in crate::service) fn approval(
        &self,
        verb: Verb,
        caller: &Caller,
        device: &Identifier,
        person: &Identifier,
        what: &[u8],
    ) -> Result<Unasked, ServiceError> {
        self.relying_party()?;
        let key = match verb {
            // Who logs on has yet to prove who they are: their key knows by itself that it is
            // asked, and whoever isn't there is asked the same.
            Verb::Enrol | Verb::LogOn => None,
            _ => self.ledger.core().member(person)?.and_then(|member| member.key).map(|key| key.id),
        };
        let approval = ActApproval {
            verb,
            log: self.ledger.origin().to_owned(),
            person: person.clone(),
            device: device.clone(),
            certificate_sha256: caller.fingerprint,
            what_sha256: Digest::of(what),
            expires: 0,
            nonce: [0; 32],
        };
        Ok(Unasked { approval, now: self.ledger.now().seconds(), key })
    }

    /// What a person touches to log on at a device. No account is looked up, so the answer is the
    /// same for every name.
    ///
    /// Errors: a caller that is no device; too many of these at it in an hour.
    pub fn challenge_log_on(
        &self,
        caller: &Caller,
        person: &Identifier,
    ) -> Result<Asked, ServiceError> {
        let device = self.admitted(caller, self.roster.device(caller, "log on"))?.id.clone();
        let asked =
            self.guard.sessions.ask(self.approval(Verb::LogOn, caller, &device, person, &[]));
        self.refuse_log_on(caller, Some(person), asked)
    }

    /// Begins a session; the banner must be acknowledged before anything else.
    ///
    /// Errors: an answer to no challenge that was asked for here; one that the account's own key
    /// did not sign, which tells nothing of the account; one that it signed and that is wrong
    /// otherwise, or an account that is locked or off. Refused answers count, and too many lock the
    /// account at this device, or everywhere where its own key signed them.
    pub fn log_on(
        &self,
        caller: &Caller,
        person: &Identifier,
        nonce: [u8; 32],
        touch: Touch,
    ) -> Result<Begun, ServiceError> {
        let device = self.admitted(caller, self.roster.device(caller, "log on"))?.id.clone();
        let approval = self.proven(caller, &device, person, Verb::LogOn, nonce, &touch)?;
        let (actor, id) = (Actor::from(caller), person.clone());
        let decide = move |core: &Core, group: &mut Group<'_>| -> Result<_, ServiceError> {
            let mut member = core.member(&id)?.ok_or(ServiceError::NoKey)?;
            member.account.stands_at(&device, group.now)?;
            member.account.logged_on(group.now);
            let actor = Actor {
                person: Some(id),
                agency: Some(member.account.person.agency.clone()),
                ..actor
            };
            let leaf = NewLeaf::new(
                Vec::new(),
                Vec::new(),
                Detail::LoggedOn { actor: actor.clone(), approval, touch },
            );
            Write::logged(leaf, move |core, tables, _| core.put_member(tables, &member))
                .then(|_, leaf| Ok((actor, leaf.expect("a log-on is logged"))))
                .decided()
        };
        let begun = self.ledger.write(Subject::People, decide);
        let (actor, leaf) = self.refuse_log_on(caller, Some(person), begun)?;
        let now = self.ledger.now();
        let mut secret = Zeroizing::new([0; SESSION_SECRET_BYTES]);
        fill_random(secret.as_mut_slice());
        let session = Session {
            person: person.clone(),
            fingerprint: caller.fingerprint,
            actor,
            times: SessionTimes { proven: now, used: now },
            acknowledged: false,
            locked: false,
            leaf,
            ended: None,
            ending: false,
        };
        let mut open = self.guard.sessions.open();
        if open.len() >= SESSIONS_MAX {
            return Err(ServiceError::busy());
        }
        open.insert(Digest::of(secret.as_slice()), session);
        Ok(Begun { secret, banner: BANNER })
    }

    /// The person has read the banner.
    pub fn acknowledge(&self, caller: &Caller, secret: &[u8]) -> Result<(), ServiceError> {
        self.guard.pass()?;
        let read = |session: &mut Session| session.acknowledged = true;
        self.guard.sessions.of(caller, secret, read).ok_or(ServiceError::NoSession)
    }

    /// The person at a desk; to be asked for with every request, which counts as use.
    ///
    /// Errors: no session of this secret and certificate; a banner that wasn't acknowledged; a
    /// screen that is hidden; an account that went off, or whose agency isn't active any more.
    pub fn at_desk(&self, caller: &Caller, secret: Option<&[u8]>) -> Result<AtDesk, ServiceError> {
        let device =
            self.admitted(caller, self.roster.device(caller, "work at a console"))?.id.clone();
        let secret = secret.ok_or(ServiceError::NoSession)?;
        let key = Digest::of(secret);
        let now = self.ledger.now();
        let uses = |session: &mut Session| match session.times.standing(now) {
            SessionStanding::Ended => Err(ServiceError::NoSession),
            SessionStanding::Open if !session.locked && !session.acknowledged => {
                Err(ServiceError::BannerFirst)
            }
            SessionStanding::Open if !session.locked => {
                session.times.used = now;
                Ok(session.person.clone())
            }
            SessionStanding::Open | SessionStanding::Locked => {
                session.locked = true;
                Err(ServiceError::ScreenHidden)
            }
        };
        let standing =
            self.guard.sessions.of(caller, secret, uses).ok_or(ServiceError::NoSession)?;
        if matches!(standing, Err(ServiceError::NoSession)) {
            self.guard.end_session(&key, "idle for too long")?;
        }
        let id = standing?;
        let member = self.ledger.core().member(&id)?.ok_or(ServiceError::NoSession)?;
        let stands = member.account.stands(now).map_err(ServiceError::from);
        let stands = stands.and_then(|()| {
            Ok(self.roster.requester(&member.account.person.agency, now.date()).map(|_| ())?)
        });
        if let Err(e) = stands {
            self.guard.end_session(&key, "the account went off")?;
            return Err(e);
        }
        Ok(AtDesk { caller: caller.clone(), device, person: member.account.person })
    }

    /// Where a session stands, without using it.
    pub fn session(&self, caller: &Caller, secret: Option<&[u8]>) -> SessionView {
        let Some(secret) = secret else { return SessionView::None };
        let now = self.ledger.now();
        let view = |session: &mut Session| {
            let person = session.person.clone();
            match session.times.standing(now) {
                SessionStanding::Ended => SessionView::None,
                SessionStanding::Locked => SessionView::Locked(person),
                SessionStanding::Open if session.locked => SessionView::Locked(person),
                SessionStanding::Open if !session.acknowledged => SessionView::Banner(person),
                SessionStanding::Open => SessionView::Open(person),
            }
        };
        self.guard.sessions.of(caller, secret, view).unwrap_or(SessionView::None)
    }

    /// Hides the screen until the key is touched again.
    pub fn lock(&self, caller: &Caller, secret: &[u8]) -> Result<(), ServiceError> {
        let hide = |session: &mut Session| session.locked = true;
        self.guard.sessions.of(caller, secret, hide).ok_or(ServiceError::NoSession)
    }

    /// What the person touches to come back to a hidden screen.
    pub fn challenge_unlock(&self, caller: &Caller, secret: &[u8]) -> Result<Asked, ServiceError> {
        let (device, person) = self.hidden(caller, secret)?;
        self.refuse_log_on(caller, Some(&person), self.may_log_on(&person, &device))?;
        let asked =
            self.guard.sessions.ask(self.approval(Verb::Unlock, caller, &device, &person, &[]));
        self.refuse_log_on(caller, Some(&person), asked)
    }

    /// Shows the screen again to the person whose session it is.
    ///
    /// Errors: as `log_on`; a session that is over.
    pub fn unlock(
        &self,
        caller: &Caller,
        secret: &[u8],
        nonce: [u8; 32],
        touch: Touch,
    ) -> Result<(), ServiceError> {
        let (device, person) = self.hidden(caller, secret)?;
        self.proven(caller, &device, &person, Verb::Unlock, nonce, &touch)?;
        let now = self.ledger.now();
        let show = |session: &mut Session| {
            session.times = SessionTimes { proven: now, used: now };
            session.locked = false;
        };
        self.guard.sessions.of(caller, secret, show).ok_or(ServiceError::NoSession)
    }

    fn hidden(
        &self,
        caller: &Caller,
        secret: &[u8],
    ) -> Result<(Identifier, Identifier), ServiceError> {
        let device = self.admitted(caller, self.roster.device(caller, "log on"))?.id.clone();
        match self.session(caller, Some(secret)) {
            SessionView::Locked(person) | SessionView::Open(person) => Ok((device, person)),
            SessionView::None | SessionView::Banner(_) => Err(ServiceError::NoSession),
        }
    }

    /// Ends the session of this secret.
    pub fn log_off(&self, caller: &Caller, secret: &[u8]) -> Result<(), ServiceError> {
        self.guard.sessions.of(caller, secret, |_| ()).ok_or(ServiceError::NoSession)?;
        match self.guard.end_session(&Digest::of(secret), BY_HAND) {
            // Nobody uses the session any more; a log in doubt takes no leaf that says so.
            Err(e) if e.rule() == Rule::DoorsShut => Ok(()),
            ended => ended,
        }
    }

    /// Whether a person's account may be logged on to at this device.
    fn may_log_on(&self, person: &Identifier, device: &Identifier) -> Result<(), ServiceError> {
        let member = self.ledger.core().member(person)?.ok_or(ServiceError::NoPerson)?;
        member.account.stands_at(device, self.ledger.now())?;
        self.roster.requester(&member.account.person.agency, self.today())?;
        if member.key.is_some() { Ok(()) } else { Err(ServiceError::NoPerson) }
    }

    /// Checks a touch for a log-on or an unlocking. One that is refused is logged, and counted if
    /// it answers a challenge that was asked for here.
    fn proven(
        &self,
        caller: &Caller,
        device: &Identifier,
        person: &Identifier,
        verb: Verb,
        nonce: [u8; 32],
        touch: &Touch,
    ) -> Result<ActApproval, ServiceError> {
        let asked =
            self.guard.sessions.answered(nonce, &self.approval(verb, caller, device, person, &[]));
        let approval = self.refuse_log_on(caller, Some(person), asked)?;
        let Tried { refused, locked } =
            self.try_key(device, person, touch, &approval.challenge())?;
        match locked {
            Some(Lockout { device: None, .. }) => {
                self.guard.end_sessions_of(person, "the account was locked")?;
            }
            Some(Lockout { device: Some(_), .. }) => self.guard.end_sessions_at(caller, person)?,
            None => {}
        }
        // Whoever can't show the key learns nothing of the account, not even whether it is there.
        let stranger = verb == Verb::LogOn && matches!(refused, Some((_, false)));
        let standing = match refused {
            Some((e, _)) => Err(e),
            None => self.may_log_on(person, device),
        };
        match self.refuse_log_on(caller, Some(person), standing) {
            Err(e) if stranger && e.fate() == Fate::Refuse => Err(ServiceError::NotProven),
            told => told.map(|()| approval),
        }
    }

    /// Checks the answer to a challenge that was asked for at a device, in the writer; keeps the
    /// key's counter, or counts the try.
    fn try_key(
        &self,
        device: &Identifier,
        person: &Identifier,
        touch: &Touch,
        challenge: &Challenge,
    ) -> Result<Tried, ServiceError> {
        let (device, id, touch, challenge) =
            (device.clone(), person.clone(), touch.clone(), *challenge);
        let relying_party = self.relying_party()?.clone();
        let decide = move |core: &Core, group: &mut Group<'_>| -> Result<_, ServiceError> {
            let mut member = core.member(&id)?;
            let Some((account, key)) = member.as_mut().and_then(Member::with_key) else {
                // As much is written as for somebody who is there: how long it takes tells nothing.
                let nobody = Tried { refused: Some((ServiceError::NoPerson, false)), locked: None };
                return Write::unlogged(|_, _| Ok(())).answering(nobody).decided();
            };
            let (leaves, tried) = match verify(&touch, &challenge, key, &relying_party) {
                Ok(count) => {
                    key.sign_count = count;
                    (Vec::new(), Tried::default())
                }
                Err(e) => {
                    let signed = is_signed(&touch, &challenge, key);
                    let locked = account.refused(&device, signed, group.now);
                    let leaf = locked.clone().map(|Lockout { tries, device }| {
                        let detail = Detail::LockedOut { person: id, device, tries };
                        NewLeaf::new(Vec::new(), Vec::new(), detail)
                    });
                    let refused = Some((e.into(), signed));
                    (leaf.into_iter().collect(), Tried { refused, locked })
                }
            };
            let locked = tried.locked.clone();
            let rows = move |core: &Core, tables: &Commit, leaf: Option<u64>| {
                let mut member = member.expect("it has a key");
                if let (Some(lockout), Some(leaf)) = (locked, leaf) {
                    member.account.lock(lockout, leaf);
                }
                core.put_member(tables, &member)
            };
            Write::new(leaves, rows).answering(tried).decided()
        };
        self.ledger.write(Subject::People, decide)
    }

    /// Logs that a log-on is refused, before it is told.
    pub(in crate::service) fn refuse_log_on<T, E: Into<ServiceError>>(
        &self,
        caller: &Caller,
        person: Option<&Identifier>,
        result: Result<T, E>,
    ) -> Result<T, ServiceError> {
        self.logged(result, |rule, reason| Detail::LogOnRefused {
            actor: Actor::from(caller),
            person: person.cloned(),
            rule,
            reason,
        })
    }

    /// Whether it is the person's duty; a refusal is logged.
    pub(in crate::service) fn allowed(
        &self,
        desk: &AtDesk,
        duty: Duty,
        verb: &'static str,
    ) -> Result<(), ServiceError> {
        self.refused_at(desk, desk.person.may(duty, verb, self.today()).map_err(ServiceError::from))
    }

    /// Whether an audit's verb is allowed: to an auditor, or to an auditor's device by itself.
    pub(in crate::service) fn may_audit(
        &self,
        acting: &Acting,
        verb: &'static str,
    ) -> Result<(), ServiceError> {
        match acting {
            Acting::Person(desk) => self.allowed(desk, Duty::Audit, verb),
            Acting::Device(caller) => {
                self.admitted(caller, self.roster.auditor(caller, verb)).map(|_| ())
            }
        }
    }

    /// As `allowed`, where it is any of these.
    pub(in crate::service) fn allowed_any(
        &self,
        desk: &AtDesk,
        duties: &[Duty],
        verb: &'static str,
    ) -> Result<(), ServiceError> {
        let today = self.today();
        let mut allowed = duties.iter().map(|&duty| desk.person.may(duty, verb, today));
        let last = allowed.next_back().expect("some duty is named");
        let allowed = if allowed.any(|allowed| allowed.is_ok()) { Ok(()) } else { last };
        self.refused_at(desk, allowed.map_err(ServiceError::from))
    }

    /// Logs that a person at a desk is refused, before it is told.
    pub(in crate::service) fn refused_at<T, E: Into<ServiceError>>(
        &self,
        desk: &AtDesk,
        result: Result<T, E>,
    ) -> Result<T, ServiceError> {
        self.logged(result, |rule, reason| Detail::CallerRefused {
            actor: desk.actor(),
            rule,
            reason,
        })
    }
}
