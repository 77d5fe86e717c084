//! Accounts in the ledger: people with their keys, changes that wait for approval, and what ends by
//! itself.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::core::Core;
use super::error::LedgerError;
use super::handle::Ledger;
use super::write::{NewLeaf, Subject, Write};
use crate::audit::Detail;
use crate::audit::touch::Credential;
use crate::booking::Identifier;
use crate::calendar::{Span, Time};
use crate::ids::{Digest, GrantId};
use crate::limits::GRANT_DAYS_MAX;
use crate::roster::{Account, Off, OffReason, Person, Roster};
use crate::store::Commit;
use crate::vault::MasterKey;

/// A person's account with the key that it is used by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Member {
    pub(crate) account: Account,
    /// None until a person who was appointed at the box has enrolled one.
    pub(crate) key: Option<Credential>,
    /// By which such a person enrols a key.
    pub(crate) code: Option<Code>,
}

impl Member {
    /// The account with its key, where it has one.
    pub(crate) fn with_key(&mut self) -> Option<(&mut Account, &mut Credential)> {
        self.key.as_mut().map(|key| (&mut self.account, key))
    }
}

/// What proves that somebody was appointed at the box.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Code {
    /// SHA-256 of it.
    pub(crate) sha256: Digest,
    /// Until when it holds.
    pub(crate) until_cs: Time,
    /// The leaf that says so.
    pub(crate) leaf: u64,
}

/// What waits for the commander.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// The person as it shall be.
    pub person: Person,
    /// The person's new key.
    pub key: Option<Credential>,
    /// Who asked for it.
    pub asked_by: Person,
    /// When.
    pub asked_cs: Time,
    /// The leaf that says so.
    pub leaf: u64,
}

impl Core {
    /// A person's account.
    pub(crate) fn member(&self, id: &Identifier) -> Result<Option<Member>, LedgerError> {
        let sealed = self.store.account(id.as_str())?;
        sealed.map(|sealed| open_member(&self.master, id.as_str(), &sealed)).transpose()
    }

    /// All accounts, by their names.
    pub(crate) fn members(&self) -> Result<Vec<Member>, LedgerError> {
        self.store
            .accounts()?
            .into_iter()
            .map(|(id, sealed)| open_member(&self.master, &id, &sealed))
            .collect()
    }

    pub(crate) fn grant(&self, id: GrantId) -> Result<Grant, LedgerError> {
        let sealed =
            self.store.grant(id)?.ok_or(LedgerError::NotFound { what: "change of the roster" })?;
        self.open_grant(id, &sealed)
    }

    /// All changes that wait for approval.
    pub(crate) fn grants(&self) -> Result<Vec<(GrantId, Grant)>, LedgerError> {
        let open = |(id, sealed): (GrantId, Vec<u8>)| Ok((id, self.open_grant(id, &sealed)?));
        self.store.grants()?.into_iter().map(open).collect()
    }

    fn open_grant(&self, id: GrantId, sealed: &[u8]) -> Result<Grant, LedgerError> {
        let plain = self.master.open_grant(id, sealed)?;
        serde_json::from_slice(&plain)
            .map_err(|source| LedgerError::Sealed { what: "change of the roster", source })
    }

    /// Writes an account.
    pub(crate) fn put_member(&self, tables: &Commit, member: &Member) -> Result<(), LedgerError> {
        put_member(&self.master, tables, member)
    }

    pub(crate) fn put_grant(
        &self,
        tables: &Commit,
        id: GrantId,
        grant: &Grant,
    ) -> Result<(), LedgerError> {
        let plain = Zeroizing::new(
            serde_json::to_vec(grant)
                .expect("a change of the roster holds only strings and numbers"),
        );
        Ok(tables.put_grant(id, &self.master.seal_grant(id, &plain))?)
    }
}

impl Ledger {
    /// Turns off accounts that nobody used for too long, whose time is over or whose agency left,
    /// and drops what nobody approved in time; gives the names of those that went off.
    pub(crate) fn end_accounts(
        &self,
        roster: &Arc<Roster>,
    ) -> Result<Vec<Identifier>, LedgerError> {
        let core = self.core();
        let now = self.now();
        let roster = roster.clone();
        let goes_off = move |account: &Account, now: Time| {
            let agency = roster.requester(&account.person.agency, now.date()).map(|_| ());
            if account.is_unassociated(&agency, now) {
                Some(OffReason::Unassociated)
            } else {
                account.goes_off(now)
            }
        };
        let due = core.members()?.iter().any(|member| goes_off(&member.account, now).is_some());
        let waiting = core.store.grants()?;
        let stale = waiting.iter().map(|(id, sealed)| core.open_grant(*id, sealed));
        let stale = stale.collect::<Result<Vec<_>, _>>()?.iter().any(|grant| grant.is_over(now));
        if !due && !stale {
            return Ok(Vec::new());
        }
        self.write(Subject::People, move |core, group| {
            let (mut leaves, mut gone, mut over) = (Vec::new(), Vec::new(), Vec::new());
            for mut member in core.members()? {
                let Some(why) = goes_off(&member.account, group.now) else { continue };
                member.account.off = Some(Off { since_cs: group.now, why });
                let person = member.account.person.id.clone();
                leaves.push(NewLeaf::new(
                    Vec::new(),
                    vec![why as u64],
                    Detail::AccountOff { actor: None, person, why },
                ));
                gone.push(member);
            }
            for (id, sealed) in core.store.grants()? {
                let grant = core.open_grant(id, &sealed)?;
                if grant.is_over(group.now) {
                    let reason = format!("nobody approved it within {GRANT_DAYS_MAX} days");
                    let detail = Detail::GrantDeclined {
                        actor: None,
                        grant: id.to_string(),
                        person: grant.person.id,
                        reason,
                    };
                    leaves.push(NewLeaf::new(vec![grant.leaf], Vec::new(), detail));
                    over.push(id);
                }
            }
            let names = gone.iter().map(|member| member.account.person.id.clone()).collect();
            Write::new(leaves, move |core, tables, _| {
                gone.iter().try_for_each(|member| core.put_member(tables, member))?;
                over.iter().try_for_each(|id| Ok(tables.remove_grant(*id)?))
            })
            .answering::<Vec<Identifier>>(names)
            .decided()
        })
    }
}

impl Grant {
    fn is_over(&self, now: Time) -> bool {
        now >= self.asked_cs + Span::days(GRANT_DAYS_MAX)
    }
}

impl Code {
    pub(crate) fn holds(&self, sha256: Digest, now: Time) -> bool {
        self.sha256 == sha256 && now < self.until_cs
    }
}

pub(crate) fn open_member(
    master: &MasterKey,
    id: &str,
    sealed: &[u8],
) -> Result<Member, LedgerError> {
    let plain = master.open_account(id, sealed)?;
    serde_json::from_slice(&plain).map_err(|source| LedgerError::Sealed { what: "account", source })
}

pub(crate) fn put_member(
    master: &MasterKey,
    tables: &Commit,
    member: &Member,
) -> Result<(), LedgerError> {
    let plain = Zeroizing::new(
        serde_json::to_vec(member).expect("an account holds only strings and numbers"),
    );
    let id = member.account.person.id.as_str();
    Ok(tables.put_account(id, &master.seal_account(id, &plain))?)
}
