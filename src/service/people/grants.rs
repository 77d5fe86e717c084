//! Grants: an account, a role or a key, asked for by an administrator and approved by the
//! commander, each by touch.

use serde::{Deserialize, Serialize};

use super::accounts::known_key;
use super::desk::AtDesk;
use super::session_table::Asked;
use crate::audit::touch::{Credential, Registration, Touch, Verb};
use crate::audit::{Detail, Sealed};
use crate::calendar::Time;
use crate::ids::GrantId;
use crate::ledger::{Core, Grant, Group, LedgerError, Member, NewLeaf, Subject, Write};
use crate::limits::ACCOUNTS_MAX;
use crate::roster::{Account, Duty, Person, PersonError, decide_together};
use crate::service::appliance::Service;
use crate::service::error::ServiceError;
use crate::store::Commit;

/// What an administrator asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GrantOrder {
    /// The person as it shall be; a known name changes that account.
    #[schema(value_type = Object)]
    pub person: Person,
    /// The person's new key; none where a known account keeps its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registration: Option<Registration>,
}

impl Service {
    /// What an administrator touches to ask for an account, a role or a key; `key_nonce` is that of
    /// the challenge by which the key was made.
    pub fn challenge_grant(
        &self,
        desk: &AtDesk,
        order: &GrantOrder,
        key_nonce: Option<[u8; 32]>,
    ) -> Result<Asked, ServiceError> {
        self.allowed(desk, Duty::Administer, "change the roster")?;
        self.wanted(desk, order)?;
        let made = order
            .registration
            .as_ref()
            .map(|registration| self.made(desk, &order.person.id, key_nonce, registration))
            .transpose();
        self.refused_at(desk, made)?;
        self.guard.sessions.ask(desk.approval(self, Verb::Grant, &order_bytes(order)))
    }

    /// Asks for an account, a role or a key; gives the id under which the commander approves it.
    ///
    /// Errors: another role; a touch for anything else; an agency that isn't active; a name or key
    /// that is somebody's.
    pub fn ask_grant(
        &self,
        desk: &AtDesk,
        order: GrantOrder,
        key_nonce: Option<[u8; 32]>,
        nonce: [u8; 32],
        touch: Touch,
    ) -> Result<GrantId, ServiceError> {
        self.allowed(desk, Duty::Administer, "change the roster")?;
        self.wanted(desk, &order)?;
        let made = order
            .registration
            .as_ref()
            .map(|registration| self.made(desk, &order.person.id, key_nonce, registration))
            .transpose();
        let key = self.refused_at(desk, made)?;
        let approval = self.touched(desk, Verb::Grant, &order_bytes(&order), nonce, &touch)?;
        let (id, actor, asked_by) = (GrantId::random(), desk.actor(), desk.person.clone());
        let GrantOrder { person, registration } = order;
        let registration = registration.map(Box::new);
        let decide = move |core: &Core, group: &mut Group<'_>| -> Result<_, ServiceError> {
            let members = core.members()?;
            if members.len() >= ACCOUNTS_MAX {
                let (what, most) = ("accounts", ACCOUNTS_MAX);
                return Err(LedgerError::TooMany { what, most }.into());
            }
            fits(&members, &person, key.as_ref(), group.now)?;
            let (grant, of) = (id.to_string(), person.clone());
            let detail = Detail::GrantAsked {
                actor,
                grant,
                person: of,
                key: key.clone(),
                registration,
                approval,
                touch,
            };
            let asked_cs = group.now;
            let rows = move |core: &Core, tables: &Commit, leaf: Option<u64>| {
                let leaf = leaf.expect("a change of the roster is logged");
                core.put_grant(tables, id, &Grant { person, key, asked_by, asked_cs, leaf })
            };
            Write::new(vec![NewLeaf::new(Vec::new(), Vec::new(), detail)], rows)
                .answering(())
                .decided()
        };
        self.refused_at(desk, self.ledger.write(Subject::People, decide))?;
        Ok(id)
    }

    /// What waits for the commander.
    pub fn grants(&self, desk: &AtDesk) -> Result<Vec<(GrantId, Grant)>, ServiceError> {
        self.allowed_any(
            desk,
            &[Duty::Administer, Duty::Command, Duty::Audit],
            "look at changes of the roster",
        )?;
        self.shows(desk.actor(), Sealed::Grants, None)?;
        let mut grants = self.ledger.core().grants()?;
        grants.sort_by_key(|(_, grant)| grant.asked_cs);
        Ok(grants)
    }

    /// What the commander touches to approve.
    pub fn challenge_approval(&self, desk: &AtDesk, id: GrantId) -> Result<Asked, ServiceError> {
        self.allowed(desk, Duty::Command, "approve a change of the roster")?;
        let grant = self.ledger.core().grant(id)?;
        self.guard.sessions.ask(desk.approval(self, Verb::ApproveGrant, &grant_bytes(id, &grant)))
    }

    /// Approves what an administrator asked for: from here on it holds, and sessions of that person
    /// end.
    ///
    /// Errors: another role; nobody decides on an account of their own; a touch for anything else;
    /// what was asked for doesn't fit any more.
    pub fn approve_grant(
        &self,
        desk: &AtDesk,
        id: GrantId,
        nonce: [u8; 32],
        touch: Touch,
    ) -> Result<(), ServiceError> {
        self.allowed(desk, Duty::Command, "approve a change of the roster")?;
        let grant = self.ledger.core().grant(id)?;
        let together = decide_together(&grant.asked_by, &desk.person, &grant.person.id);
        self.refused_at(desk, together.map_err(ServiceError::from))?;
        let approval =
            self.touched(desk, Verb::ApproveGrant, &grant_bytes(id, &grant), nonce, &touch)?;
        let (actor, person) = (desk.actor(), grant.person.id.clone());
        let decide = move |core: &Core, group: &mut Group<'_>| -> Result<_, ServiceError> {
            let Grant { person, key, leaf, .. } = core.grant(id)?;
            let members = core.members()?;
            fits(&members, &person, key.as_ref(), group.now)?;
            let known = members.into_iter().find(|member| member.account.person.id == person.id);
            let own_key = known
                .filter(|known| !known.account.frees_name(group.now))
                .and_then(|known| known.key);
            let member = Member {
                account: Account::new(person.clone(), group.now)?,
                key: key.or(own_key),
                code: None,
            };
            let detail = Detail::GrantApproved {
                actor,
                grant: id.to_string(),
                person: person.id,
                approval,
                touch,
            };
            let rows = move |core: &Core, tables: &Commit, _: Option<u64>| {
                core.put_member(tables, &member)?;
                Ok(tables.remove_grant(id)?)
            };
            Write::new(vec![NewLeaf::new(vec![leaf], Vec::new(), detail)], rows)
                .answering(())
                .decided()
        };
        self.refused_at(desk, self.ledger.write(Subject::People, decide))?;
        self.guard.end_sessions_of(&person, "the roster changed")
    }

    /// Declines what an administrator asked for.
    pub fn decline_grant(
        &self,
        desk: &AtDesk,
        id: GrantId,
        reason: &str,
    ) -> Result<(), ServiceError> {
        self.allowed(desk, Duty::Command, "decline a change of the roster")?;
        let (actor, reason) = (desk.actor(), reason.to_owned());
        let decide = move |core: &Core, _: &mut Group<'_>| -> Result<_, ServiceError> {
            let grant = core.grant(id)?;
            let detail = Detail::GrantDeclined {
                actor: Some(actor),
                grant: id.to_string(),
                person: grant.person.id,
                reason,
            };
            let rows =
                move |_: &Core, tables: &Commit, _: Option<u64>| Ok(tables.remove_grant(id)?);
            Write::new(vec![NewLeaf::new(vec![grant.leaf], Vec::new(), detail)], rows)
                .answering(())
                .decided()
        };
        self.refused_at(desk, self.ledger.write(Subject::People, decide)).map(|_| ())
    }

    /// What must hold of an order before anybody touches anything.
    fn wanted(&self, desk: &AtDesk, order: &GrantOrder) -> Result<(), ServiceError> {
        if order.person.id == desk.person.id {
            return self.refused_at(desk, Err(PersonError::SamePerson));
        }
        let agency = self.roster.requester(&order.person.agency, self.today());
        self.refused_at(desk, agency).map(|_| ())
    }
}

/// Whether a person may have this account and key beside the accounts there are.
fn fits(
    members: &[Member],
    person: &Person,
    key: Option<&Credential>,
    now: Time,
) -> Result<(), ServiceError> {
    let known = members.iter().find(|member| member.account.person.id == person.id);
    let is_new = known.is_none_or(|known| known.account.frees_name(now));
    if let Some(known) = known
        && (&known.account.person.badge, &known.account.person.agency)
            != (&person.badge, &person.agency)
        && !known.account.frees_name(now)
    {
        return Err(PersonError::NameTaken { id: person.id.clone() }.into());
    }
    if is_new && key.is_none() {
        return Err(ServiceError::NoKey);
    }
    // One person, one account.
    let twin = |other: &&Member| {
        let other = &other.account;
        other.off.is_none()
            && other.person.id != person.id
            && (&other.person.badge, &other.person.agency) == (&person.badge, &person.agency)
    };
    if let Some(twin) = members.iter().find(twin) {
        return Err(ServiceError::SecondAccount { id: twin.account.person.id.clone() });
    }
    Account::new(person.clone(), now)?;
    key.map_or(Ok(()), |key| known_key(members, key))
}

fn order_bytes(order: &GrantOrder) -> Vec<u8> {
    serde_json::to_vec(order).expect("an order holds only strings and numbers")
}

fn grant_bytes(id: GrantId, grant: &Grant) -> Vec<u8> {
    [
        &id.0[..],
        &serde_json::to_vec(grant).expect("a change of the roster holds only strings and numbers"),
    ]
    .concat()
}
