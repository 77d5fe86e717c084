//! People's accounts with their keys, as they are kept; and the verbs by which two people together
//! change who may do what.
//!
//! An account, a role or a key takes an administrator who asks and the commander who approves, two
//! touches and two leaves. Taking away takes one of them. The first commander and the first
//! administrator are appointed at the box itself, while nobody is there who could ask.

use super::desk::AtDesk;
use super::session_table::Asked;
use crate::audit::touch::{
    ActApproval, Challenge, Credential, Registration, Touch, Verb, verify, verify_registration,
};
use crate::audit::{Actor, Alarm, Detail, Sealed};
use crate::booking::Identifier;
use crate::calendar::Span;
use crate::crypto::random;
use crate::ids::Digest;
use crate::ledger::{
    Code, Core, Decision, Group, Member, NewLeaf, StoppedFolder, StoppedSetup, Subject, Write,
    open_member, put_member,
};
use crate::limits::{APPOINTMENT_HOURS_MAX, LEAF_FOLLOWS_MAX};
use crate::roster::{Account, Caller, Duty, Off, OffReason, Person, PersonError, Role};
use crate::service::appliance::Service;
use crate::service::error::ServiceError;
use crate::store::{Commit, StateKind};

const CODE_BYTES: usize = 16;

/// An account as it is shown to those who manage and audit it.
#[derive(Clone, Debug)]
pub struct AccountStanding {
    /// The account.
    pub account: Account,
    /// Its key, if it has one.
    pub key: Option<Credential>,
    /// Whether somebody must confirm that the person still needs it.
    pub review_due: bool,
}

/// Appoints the first commander or administrator, at the box and while no daemon runs; makes the
/// state folder's content where it is empty and `create_as` says for what. Gives the code by which
/// the person enrols a key within `APPOINTMENT_HOURS_MAX`.
///
/// Errors: another role; somebody who has that role and a key already; a name that is taken; a
/// folder that doesn't fit.
pub fn appoint(
    setup: &StoppedSetup,
    create_as: Option<StateKind>,
    person: Person,
) -> Result<String, ServiceError> {
    if !matches!(person.role, Role::Commander | Role::Administrator) {
        return Err(ServiceError::NotAppointed {
            why: "only a commander and an administrator are appointed at the box",
        });
    }
    let folder = StoppedFolder::open_or_create(setup, create_as)?;
    let now = setup.clock.now().max(folder.time);
    let members = folder
        .store
        .accounts()?
        .into_iter()
        .map(|(id, sealed)| open_member(&folder.master, &id, &sealed));
    let members = members.collect::<Result<Vec<_>, _>>()?;
    let stands = |member: &&Member| member.account.off.is_none() && member.key.is_some();
    if members.iter().filter(stands).any(|member| member.account.person.role == person.role) {
        return Err(ServiceError::NotAppointed {
            why: "one with a key is there, who asks or approves at a console",
        });
    }
    let known = members.iter().find(|member| member.account.person.id == person.id);
    if known.is_some_and(|known| known.key.is_some() && !known.account.frees_name(now)) {
        return Err(PersonError::NameTaken { id: person.id }.into());
    }
    let code = hex::encode(random::<CODE_BYTES>());
    let account = Account::new(person.clone(), now)?;
    let until_cs = now + Span::hours(APPOINTMENT_HOURS_MAX);
    let kept = Code { sha256: Digest::of(code.as_bytes()), until_cs, leaf: folder.leaves() };
    folder.store.commit::<ServiceError>(|tables| {
        put_member(&folder.master, tables, &Member { account, key: None, code: Some(kept) })?;
        let leaf = NewLeaf::new(Vec::new(), Vec::new(), Detail::Appointed { person });
        Ok(folder.log(tables, vec![leaf], setup.clock.as_ref())?)
    })?;
    Ok(code)
}

/// Releases a locked commander at the box, while no daemon runs: there is one of them, and where no
/// administrator is there either, nobody else could. An alarm says so for `AT_BOX_ALARM_DAYS`.
///
/// Errors: another role; an account that isn't locked; a folder that doesn't fit.
pub fn release_at_box(setup: &StoppedSetup, person: &Identifier) -> Result<(), ServiceError> {
    let folder = StoppedFolder::open(setup, &setup.origin)?;
    let sealed = folder.store.account(person.as_str())?;
    let sealed = sealed.ok_or(ServiceError::not_found("account"))?;
    let mut member = open_member(&folder.master, person.as_str(), &sealed)?;
    if member.account.person.role != Role::Commander {
        return Err(ServiceError::NotReleased);
    }
    let mut leaves = vec![NewLeaf::new(
        released(&mut member.account)?,
        Vec::new(),
        Detail::UnlockedAtBox { person: person.clone() },
    )];
    let alarm = Alarm::ReleasedAtBox;
    if let Some(raised) = folder.standing(alarm)? {
        let what = "another account is released".to_owned();
        let cleared = Detail::AlarmCleared { alarm, what };
        leaves.push(NewLeaf::new(vec![raised], vec![alarm as u64], cleared));
    }
    let what = format!("the locked account of '{person}' was released at the box itself");
    let raised = Detail::AlarmRaised { alarm, what: what.clone() };
    leaves.push(NewLeaf::new(Vec::new(), vec![alarm as u64], raised));
    let last = folder.leaves() + leaves.len() as u64 - 1;
    folder.store.commit::<ServiceError>(|tables| {
        put_member(&folder.master, tables, &member)?;
        tables.put_alarm(alarm as u8, last, &what)?;
        Ok(folder.log(tables, leaves, setup.clock.as_ref())?)
    })
}

impl Service {
    /// What a person who was appointed at the box has a new key made for.
    ///
    /// Errors: a caller that is no device; no such person, or a code that isn't the one or no
    /// longer holds.
    pub fn challenge_first_key(
        &self,
        caller: &Caller,
        person: &Identifier,
        code: &str,
    ) -> Result<Asked, ServiceError> {
        let device = self.admitted(caller, self.roster.device(caller, "enrol a key"))?.id.clone();
        self.refuse_log_on(caller, Some(person), self.appointed(person, code))?;
        self.guard.sessions.ask(self.approval(
            Verb::Enrol,
            caller,
            &device,
            person,
            code.as_bytes(),
        ))
    }

    /// Enrols the first key of a person who was appointed at the box.
    ///
    /// Errors: as `challenge_first_key`; a registration for another request, or by a key that this
    /// box doesn't take.
    pub fn enrol_first_key(
        &self,
        caller: &Caller,
        person: &Identifier,
        code: &str,
        nonce: [u8; 32],
        registration: &Registration,
    ) -> Result<(), ServiceError> {
        let device = self.admitted(caller, self.roster.device(caller, "enrol a key"))?.id.clone();
        let enrolled = self.appointed(person, code).and_then(|_| {
            let approval = self.guard.sessions.answered(
                nonce,
                &self.approval(Verb::Enrol, caller, &device, person, code.as_bytes()),
            )?;
            self.new_key(registration, &approval.challenge()).map(|key| (approval, key))
        });
        let (approval, key) = self.refuse_log_on(caller, Some(person), enrolled)?;
        let (actor, id, sha256) =
            (Actor::from(caller), person.clone(), Digest::of(code.as_bytes()));
        let registration = Box::new(registration.clone());
        let decide = move |core: &Core, group: &mut Group<'_>| -> Result<_, ServiceError> {
            let mut member = core.member(&id)?.ok_or(ServiceError::NoSuchCode)?;
            let code = member
                .code
                .take()
                .filter(|code| code.holds(sha256, group.now))
                .ok_or(ServiceError::NoSuchCode)?;
            known_key(&core.members()?, &key)?;
            member.key = Some(key.clone());
            let actor = Actor {
                person: Some(id.clone()),
                agency: Some(member.account.person.agency.clone()),
                ..actor
            };
            let leaf = NewLeaf::new(
                vec![code.leaf],
                Vec::new(),
                Detail::KeyEnrolled { actor, person: id, key, registration, approval },
            );
            let rows = move |core: &Core, tables: &Commit, _: Option<u64>| {
                core.put_member(tables, &member)
            };
            Write::new(vec![leaf], rows).answering(()).decided()
        };
        self.refuse_log_on(caller, Some(person), self.ledger.write(Subject::People, decide))
            .map(|_| ())
    }

    fn appointed(&self, person: &Identifier, code: &str) -> Result<Member, ServiceError> {
        let member = self.ledger.core().member(person)?.ok_or(ServiceError::NoSuchCode)?;
        let holds = member
            .code
            .as_ref()
            .is_some_and(|known| known.holds(Digest::of(code.as_bytes()), self.ledger.now()));
        if holds { Ok(member) } else { Err(ServiceError::NoSuchCode) }
    }

    /// All accounts, for those who manage or audit them.
    pub fn people(&self, desk: &AtDesk) -> Result<Vec<AccountStanding>, ServiceError> {
        self.allowed_any(
            desk,
            &[Duty::Administer, Duty::Command, Duty::Audit],
            "look at the roster",
        )?;
        self.shows(desk.actor(), Sealed::Accounts, None)?;
        let now = self.ledger.now();
        let standing = |member: Member| AccountStanding {
            review_due: member.account.is_review_due(now),
            account: member.account,
            key: member.key,
        };
        Ok(self.ledger.core().members()?.into_iter().map(standing).collect())
    }

    /// What a person's new key is made for, at an administrator's desk.
    pub fn challenge_key(&self, desk: &AtDesk, person: &Identifier) -> Result<Asked, ServiceError> {
        self.allowed(desk, Duty::Administer, "have a key made")?;
        self.guard.sessions.ask(desk.approval(self, Verb::Enrol, person.as_str().as_bytes()))
    }

    /// What somebody touches to release a locked account.
    pub fn challenge_release(
        &self,
        desk: &AtDesk,
        person: &Identifier,
    ) -> Result<Asked, ServiceError> {
        self.may_release(desk, person)?;
        self.guard.sessions.ask(desk.approval(self, Verb::ReleaseLock, person.as_str().as_bytes()))
    }

    /// Releases a locked account, everywhere: an administrator, or the commander where an
    /// administrator is locked.
    ///
    /// Errors: another role, or the own account; an account that isn't locked; a touch for anything
    /// else.
    pub fn release_lock(
        &self,
        desk: &AtDesk,
        person: &Identifier,
        nonce: [u8; 32],
        touch: Touch,
    ) -> Result<(), ServiceError> {
        self.may_release(desk, person)?;
        let approval =
            self.touched(desk, Verb::ReleaseLock, person.as_str().as_bytes(), nonce, &touch)?;
        let (actor, person) = (desk.actor(), person.clone());
        let decide = move |core: &Core, _: &mut Group<'_>| -> Result<_, ServiceError> {
            let mut member = core.member(&person)?.ok_or(ServiceError::not_found("account"))?;
            let leaf = NewLeaf::new(
                released(&mut member.account)?,
                Vec::new(),
                Detail::Unlocked { actor, person, approval, touch },
            );
            let rows = move |core: &Core, tables: &Commit, _: Option<u64>| {
                core.put_member(tables, &member)
            };
            Write::new(vec![leaf], rows).answering(()).decided()
        };
        self.refused_at(desk, self.ledger.write(Subject::People, decide)).map(|_| ())
    }

    fn may_release(&self, desk: &AtDesk, person: &Identifier) -> Result<(), ServiceError> {
        let member =
            self.ledger.core().member(person)?.ok_or(ServiceError::not_found("account"))?;
        let duties: &[Duty] = match member.account.person.role {
            Role::Administrator => &[Duty::Administer, Duty::Command],
            _ => &[Duty::Administer],
        };
        self.allowed_any(desk, duties, "release a locked account")?;
        let own = if desk.person.id == *person { Err(PersonError::SamePerson) } else { Ok(()) };
        self.refused_at(desk, own)
    }

    /// Turns an account off, because its person no longer belongs to the site: it takes one person,
    /// and two to bring it back.
    ///
    /// Errors: another role, or the own account; an account that is off.
    pub fn turn_off(&self, desk: &AtDesk, person: &Identifier) -> Result<(), ServiceError> {
        self.allowed_any(desk, &[Duty::Administer, Duty::Command], "turn an account off")?;
        let own = if desk.person.id == *person { Err(PersonError::SamePerson) } else { Ok(()) };
        self.refused_at(desk, own)?;
        let (actor, id) = (desk.actor(), person.clone());
        let decide = move |core: &Core, group: &mut Group<'_>| -> Result<_, ServiceError> {
            let member = core.member(&id)?.filter(|member| member.account.off.is_none());
            let mut member = member.ok_or(ServiceError::not_found("account that is on"))?;
            let why = OffReason::Unassociated;
            member.account.off = Some(Off { since_cs: group.now, why });
            let leaf = NewLeaf::new(
                Vec::new(),
                vec![why as u64],
                Detail::AccountOff { actor: Some(actor), person: id, why },
            );
            let rows = move |core: &Core, tables: &Commit, _: Option<u64>| {
                core.put_member(tables, &member)
            };
            Write::new(vec![leaf], rows).answering(()).decided()
        };
        self.refused_at(desk, self.ledger.write(Subject::People, decide))?;
        self.guard.end_sessions_of(person, "the account went off")
    }

    /// Confirms that a person still needs an account.
    pub fn confirm_account(&self, desk: &AtDesk, person: &Identifier) -> Result<(), ServiceError> {
        self.allowed(desk, Duty::Administer, "review an account")?;
        let (actor, id) = (desk.actor(), person.clone());
        let decide = move |core: &Core, group: &mut Group<'_>| -> Result<_, ServiceError> {
            let member = core.member(&id)?.filter(|member| member.account.off.is_none());
            let mut member = member.ok_or(ServiceError::not_found("account that is on"))?;
            member.account.reviewed_cs = group.now;
            let leaf =
                NewLeaf::new(Vec::new(), Vec::new(), Detail::AccountReviewed { actor, person: id });
            let rows = move |core: &Core, tables: &Commit, _: Option<u64>| {
                core.put_member(tables, &member)
            };
            Write::new(vec![leaf], rows).answering(()).decided()
        };
        self.refused_at(desk, self.ledger.write(Subject::People, decide)).map(|_| ())
    }

    /// The key of a registration that was made at this desk.
    pub(super) fn made(
        &self,
        desk: &AtDesk,
        person: &Identifier,
        nonce: Option<[u8; 32]>,
        registration: &Registration,
    ) -> Result<Credential, ServiceError> {
        let nonce = nonce.ok_or(ServiceError::NoChallenge)?;
        let approval = self
            .guard
            .sessions
            .still_asked(nonce, &desk.approval(self, Verb::Enrol, person.as_str().as_bytes()))?;
        self.new_key(registration, &approval.challenge())
    }

    /// A new key, if it was made for this challenge and its maker vouches that it is of a model
    /// that the site lists. One of software is taken only where the folder is for tests or a
    /// demonstration.
    fn new_key(
        &self,
        registration: &Registration,
        challenge: &Challenge,
    ) -> Result<Credential, ServiceError> {
        let keys = self.keys()?;
        let key = verify_registration(registration, challenge, &keys.relying_party)?;
        keys.models.model_of(registration, self.ledger.now())?;
        match key.software() && self.ledger.kind() == StateKind::Real {
            true => Err(ServiceError::SoftwareKey),
            false => Ok(key),
        }
    }

    /// Checks a touch at a desk for this and nothing else; the counter is kept.
    pub(in crate::service) fn touched(
        &self,
        desk: &AtDesk,
        verb: Verb,
        what: &[u8],
        nonce: [u8; 32],
        touch: &Touch,
    ) -> Result<ActApproval, ServiceError> {
        let checked =
            self.guard.sessions.answered(nonce, &desk.approval(self, verb, what)).and_then(
                |approval| {
                    self.verify_touch(&desk.person.id, touch, &approval.challenge())?;
                    Ok(approval)
                },
            );
        self.refused_at(desk, checked)
    }

    /// Checks that a person's own key answered this challenge, and keeps its counter.
    pub(in crate::service) fn verify_touch(
        &self,
        person: &Identifier,
        touch: &Touch,
        challenge: &[u8; 32],
    ) -> Result<Credential, ServiceError> {
        let (person, touch, challenge, relying_party) =
            (person.clone(), touch.clone(), *challenge, self.relying_party()?.clone());
        let decide = move |core: &Core, _: &mut Group<'_>| -> Result<_, ServiceError> {
            let mut member = core.member(&person)?.ok_or(ServiceError::NoKey)?;
            let key = member.key.as_mut().ok_or(ServiceError::NoKey)?;
            // Given as it was when it was asked, so that whoever checks the touch again sees the
            // counter rise.
            let asked = key.clone();
            key.sign_count = verify(&touch, &challenge, key, &relying_party)?;
            let counts = key.sign_count != asked.sign_count;
            if !counts {
                return Ok(Decision::Nothing(asked));
            }
            Write::unlogged(move |core, tables| core.put_member(tables, &member))
                .answering(asked)
                .decided()
        };
        self.ledger.write(Subject::People, decide)
    }
}

/// Takes an account's locks off; gives the leaves that a leaf about it follows, the newest where
/// there are more.
///
/// Errors: it isn't locked.
fn released(account: &mut Account) -> Result<Vec<u64>, ServiceError> {
    let mut locks = account.released();
    if locks.is_empty() {
        return Err(ServiceError::not_found("locked account"));
    }
    locks.drain(..locks.len().saturating_sub(LEAF_FOLLOWS_MAX));
    Ok(locks)
}

/// One credential, one person.
pub(super) fn known_key(members: &[Member], key: &Credential) -> Result<(), ServiceError> {
    let same = |member: &Member| {
        member
            .key
            .as_ref()
            .is_some_and(|known| known.id == key.id || known.public_key == key.public_key)
    };
    if members.iter().any(same) { Err(ServiceError::KeyTaken) } else { Ok(()) }
}
