//! The table of sessions, and the challenges that wait for a touch.
//!
//! A challenge is answered once, within `TOUCH_SECONDS_MAX`, by whom and for what it was made: what
//! it is for is computed again when the answer comes, and any change since is another challenge.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};

use crate::audit::Actor;
use crate::audit::touch::{ActApproval, CredentialId, SearchApproval};
use crate::booking::Identifier;
use crate::crypto::random;
use crate::ids::Digest;
use crate::limits::{CHALLENGES_MAX, TOUCH_SECONDS_MAX};
use crate::roster::{Caller, SessionTimes};
use crate::service::error::ServiceError;

/// A challenge on its way to a person's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// What names it when the answer comes.
    pub nonce: [u8; 32],
    /// What the key signs.
    pub challenge: [u8; 32],
    /// The key that is to answer; none where a new one is made.
    pub key: Option<CredentialId>,
    /// Until when it is answered, in seconds since 1970-01-01 UTC.
    pub expires: u64,
}

#[derive(Clone, Debug)]
pub(in crate::service) struct Session {
    pub(in crate::service) person: Identifier,
    pub(in crate::service) fingerprint: Digest,
    pub(in crate::service) actor: Actor,
    pub(in crate::service) times: SessionTimes,
    pub(in crate::service) acknowledged: bool,
    pub(in crate::service) locked: bool,
    /// The leaf that says that it was begun.
    pub(in crate::service) leaf: u64,
    /// Why it has ended: nobody uses it any more, and it is forgotten once its leaf is durable.
    pub(in crate::service) ended: Option<String>,
    /// Whether that leaf is being written.
    pub(in crate::service) ending: bool,
}

/// All sessions, and all challenges that wait.
#[derive(Default)]
pub(in crate::service) struct Sessions {
    /// By the digest of their secret.
    open: Mutex<HashMap<Digest, Session>>,
    waiting: Mutex<HashMap<[u8; 32], ActApproval>>,
    searches: Mutex<HashMap<[u8; 32], SearchApproval>>,
}

impl Sessions {
    pub(in crate::service) fn open(&self) -> MutexGuard<'_, HashMap<Digest, Session>> {
        self.open.lock().expect("nothing panics while it holds the sessions")
    }

    /// The session of this secret at this device, unless it has ended.
    pub(in crate::service) fn of<T>(
        &self,
        caller: &Caller,
        secret: &[u8],
        look: impl FnOnce(&mut Session) -> T,
    ) -> Option<T> {
        let mut open = self.open();
        let session = open.get_mut(&Digest::of(secret))?;
        let own = session.fingerprint == caller.fingerprint && session.ended.is_none();
        own.then(|| look(session))
    }

    /// Who acts in the session of this secret at this device.
    pub(in crate::service) fn actor(&self, caller: &Caller, secret: &[u8]) -> Option<Actor> {
        self.of(caller, secret, |session| session.actor.clone())
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<[u8; 32], ActApproval>> {
        self.waiting.lock().expect("nothing panics while it holds the challenges")
    }

    /// Gives a fresh nonce and an end to an approval, and keeps it until it is answered.
    pub(in crate::service) fn ask(
        &self,
        unasked: Result<Unasked, ServiceError>,
    ) -> Result<Asked, ServiceError> {
        let Unasked { mut approval, now, key } = unasked?;
        approval.nonce = random();
        approval.expires = now + TOUCH_SECONDS_MAX;
        let mut waiting = self.waiting();
        waiting.retain(|_, kept| kept.expires > now);
        if waiting.len() >= CHALLENGES_MAX {
            return Err(ServiceError::busy());
        }
        let (nonce, expires, challenge) = (approval.nonce, approval.expires, approval.challenge());
        waiting.insert(nonce, approval);
        Ok(Asked { nonce, challenge, key, expires })
    }

    /// As `ask`, for a search.
    pub(in crate::service) fn ask_search(
        &self,
        mut approval: SearchApproval,
        now: u64,
        key: Option<CredentialId>,
    ) -> Result<Asked, ServiceError> {
        approval.nonce = random();
        approval.expires = now + TOUCH_SECONDS_MAX;
        let mut searches =
            self.searches.lock().expect("nothing panics while it holds the challenges");
        searches.retain(|_, kept| kept.expires > now);
        if searches.len() >= CHALLENGES_MAX {
            return Err(ServiceError::busy());
        }
        let (nonce, expires, challenge) = (approval.nonce, approval.expires, approval.challenge());
        searches.insert(nonce, approval);
        Ok(Asked { nonce, challenge, key, expires })
    }

    /// As `answered`, for a search.
    pub(in crate::service) fn answered_search(
        &self,
        nonce: [u8; 32],
        wanted: &SearchApproval,
        now: u64,
    ) -> Result<SearchApproval, ServiceError> {
        let kept = self
            .searches
            .lock()
            .expect("nothing panics while it holds the challenges")
            .remove(&nonce);
        let kept = kept.ok_or(ServiceError::NoChallenge)?;
        if now >= kept.expires {
            return Err(ServiceError::ChallengeOver);
        }
        let wanted = SearchApproval { nonce: kept.nonce, expires: kept.expires, ..wanted.clone() };
        if kept == wanted { Ok(kept) } else { Err(ServiceError::ChallengeChanged) }
    }

    /// The approval that was asked for under this nonce, if it is for exactly this; it is never
    /// given again.
    pub(in crate::service) fn answered(
        &self,
        nonce: [u8; 32],
        now: &Result<Unasked, ServiceError>,
    ) -> Result<ActApproval, ServiceError> {
        let kept = self.waiting().remove(&nonce);
        same(kept, now)
    }

    /// As `answered`, and it may be given again.
    pub(in crate::service) fn still_asked(
        &self,
        nonce: [u8; 32],
        now: &Result<Unasked, ServiceError>,
    ) -> Result<ActApproval, ServiceError> {
        let kept = self.waiting().get(&nonce).cloned();
        same(kept, now)
    }
}

/// An approval that nobody was asked for yet.
pub(in crate::service) struct Unasked {
    pub(in crate::service) approval: ActApproval,
    pub(in crate::service) now: u64,
    pub(in crate::service) key: Option<CredentialId>,
}

fn same(
    kept: Option<ActApproval>,
    now: &Result<Unasked, ServiceError>,
) -> Result<ActApproval, ServiceError> {
    let Ok(Unasked { approval, now, .. }) = now else { return Err(ServiceError::NoChallenge) };
    let kept = kept.ok_or(ServiceError::NoChallenge)?;
    if *now >= kept.expires {
        return Err(ServiceError::ChallengeOver);
    }
    let wanted = ActApproval { nonce: kept.nonce, expires: kept.expires, ..approval.clone() };
    if kept == wanted { Ok(kept) } else { Err(ServiceError::ChallengeChanged) }
}
