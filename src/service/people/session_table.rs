//! The table of sessions, and the challenges that wait for a touch.
//!
//! A challenge is answered once, within `TOUCH_SECONDS_MAX`, by whom and for what it was made: what
//! it is for is computed again when the answer comes, and any change since is another challenge.
//!
//! How many wait, and how many are asked for in an hour, is bounded for each device: whoever asks
//! for more at one of them keeps nobody from working at another.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard};

use crate::audit::Actor;
use crate::audit::touch::{ActApproval, CredentialId, SearchApproval, Verb};
use crate::booking::Identifier;
use crate::crypto::random;
use crate::ids::Digest;
use crate::limits::{
    CHALLENGES_MAX, CHALLENGES_PER_HOUR_MAX, CHALLENGES_WAITING_MAX,
    LOG_ON_CHALLENGES_PER_HOUR_MAX, TOUCH_SECONDS_MAX,
};
use crate::roster::{Caller, SessionTimes};
use crate::service::error::ServiceError;

const HOUR_SECONDS: u64 = 3_600;

/// A challenge on its way to a person's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// What names it when the answer comes.
    pub nonce: [u8; 32],
    /// What the key signs.
    pub challenge: [u8; 32],
    /// The key that is to answer; none where a new one is made, or where nobody has proven yet who
    /// they are.
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
    challenges: Mutex<Challenges>,
}

/// Challenges that wait for their answers, by their nonces, and when each device asked for some.
#[derive(Default)]
struct Challenges {
    acts: HashMap<[u8; 32], ActApproval>,
    searches: HashMap<[u8; 32], SearchApproval>,
    asked: HashMap<Identifier, AskedFor>,
}

/// Seconds since 1970-01-01 UTC at which a device asked for challenges, in the last hour.
#[derive(Default)]
struct AskedFor {
    /// To log on, which whoever sits there may.
    log_ons: VecDeque<u64>,
    /// Within sessions, or with the code of an appointment.
    others: VecDeque<u64>,
}

impl Challenges {
    /// Counts a challenge that a device asks for.
    ///
    /// Errors: too many that wait, or in this hour.
    fn admit(&mut self, device: &Identifier, log_on: bool, now: u64) -> Result<(), ServiceError> {
        self.acts.retain(|_, kept| kept.expires > now);
        self.searches.retain(|_, kept| kept.expires > now);
        let here = self.acts.values().filter(|kept| kept.device == *device).count()
            + self.searches.values().filter(|kept| kept.device == *device).count();
        let all = self.acts.len() + self.searches.len();
        if here >= CHALLENGES_WAITING_MAX || all >= CHALLENGES_MAX {
            return Err(ServiceError::busy());
        }
        let asked = self.asked.entry(device.clone()).or_default();
        let (times, most) = match log_on {
            true => (&mut asked.log_ons, LOG_ON_CHALLENGES_PER_HOUR_MAX),
            false => (&mut asked.others, CHALLENGES_PER_HOUR_MAX),
        };
        times.retain(|&at| at + HOUR_SECONDS > now);
        if times.len() >= most {
            return Err(ServiceError::TooManyChallenges { device: device.clone(), most });
        }
        times.push_back(now);
        Ok(())
    }
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

    fn challenges(&self) -> MutexGuard<'_, Challenges> {
        self.challenges.lock().expect("nothing panics while it holds the challenges")
    }

    /// Gives a fresh nonce and an end to an approval, and keeps it until it is answered.
    ///
    /// Errors: too many that wait, or that its device asked for in this hour.
    pub(in crate::service) fn ask(
        &self,
        unasked: Result<Unasked, ServiceError>,
    ) -> Result<Asked, ServiceError> {
        let Unasked { mut approval, now, key } = unasked?;
        approval.nonce = random();
        approval.expires = now + TOUCH_SECONDS_MAX;
        let mut challenges = self.challenges();
        challenges.admit(&approval.device, approval.verb == Verb::LogOn, now)?;
        let (nonce, expires, challenge) = (approval.nonce, approval.expires, approval.challenge());
        challenges.acts.insert(nonce, approval);
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
        let mut challenges = self.challenges();
        challenges.admit(&approval.device, false, now)?;
        let (nonce, expires, challenge) = (approval.nonce, approval.expires, approval.challenge());
        challenges.searches.insert(nonce, approval);
        Ok(Asked { nonce, challenge, key, expires })
    }

    /// As `answered`, for a search.
    pub(in crate::service) fn answered_search(
        &self,
        nonce: [u8; 32],
        wanted: &SearchApproval,
        now: u64,
    ) -> Result<SearchApproval, ServiceError> {
        let kept = self.challenges().searches.remove(&nonce);
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
        let kept = self.challenges().acts.remove(&nonce);
        same(kept, now)
    }

    /// As `answered`, and it may be given again.
    pub(in crate::service) fn still_asked(
        &self,
        nonce: [u8; 32],
        now: &Result<Unasked, ServiceError>,
    ) -> Result<ActApproval, ServiceError> {
        let kept = self.challenges().acts.get(&nonce).cloned();
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
