//! People of a test or demonstration site, each with a software key: a commander and an
//! administrator who admit all others, as people do.

use std::collections::BTreeMap;

use super::connection::Client;
use super::console_session::{ConsoleSession, SharedKey, enrol_first_key, lock, shared_key};
use super::error::ClientError;
use crate::audit::touch::RelyingParty;
use crate::booking::Identifier;
use crate::roster::Person;

/// The software keys of a site's people.
pub struct Staff {
    relying_party: RelyingParty,
    commander: Identifier,
    administrator: Identifier,
    keys: BTreeMap<Identifier, SharedKey>,
}

impl Staff {
    /// Enrols the keys of a commander and an administrator whom `smrtd appoint` appointed, each
    /// with the code that it printed.
    pub fn enrol(
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

    /// Makes a person's account with a new key: the administrator asks for it, the commander
    /// approves.
    pub fn admit(&mut self, client: &Client, person: &Person) -> Result<(), ClientError> {
        let key = shared_key()?;
        let administrator = self.log_on(client, &self.administrator)?;
        let grant = administrator.ask_grant(person, Some(&key))?;
        let commander = self.log_on(client, &self.commander)?;
        commander.approve_grant(grant)?;
        self.keys.insert(person.id.clone(), key);
        administrator.log_off()?;
        commander.log_off()
    }

    /// Whether a person has a software key here.
    pub fn has_key(&self, person: &Identifier) -> bool {
        self.keys.contains_key(person)
    }

    /// A person's software key.
    pub fn key(&self, person: &Identifier) -> Option<&SharedKey> {
        self.keys.get(person)
    }

    /// The key with this credential id, base64url.
    pub fn key_of_credential(&self, credential: &str) -> Option<&SharedKey> {
        self.keys.values().find(|key| lock(key).credential().to_string() == credential)
    }

    /// The people who have keys here.
    pub fn people(&self) -> impl Iterator<Item = &Identifier> {
        self.keys.keys()
    }

    /// Logs a person on at the console of this client.
    ///
    /// Errors: a person who has no key here.
    pub fn log_on(
        &self,
        client: &Client,
        person: &Identifier,
    ) -> Result<ConsoleSession, ClientError> {
        let unknown = || ClientError::Unexpected {
            status: 0,
            found: format!("'{person}' has no software key here"),
        };
        ConsoleSession::log_on(
            client,
            &self.relying_party,
            person,
            self.keys.get(person).ok_or_else(unknown)?,
        )
    }
}
