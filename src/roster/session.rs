//! Session times: when a session locks and when it ends. Pure: times are given.

use crate::calendar::{Span, Time};
use crate::limits::{SESSION_ENDS_MINUTES, SESSION_LOCKS_MINUTES, SESSION_PROVES_HOURS};

/// When a session was used and proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionTimes {
    /// When the person's key was touched last for it.
    pub proven: Time,
    /// When the person did something last.
    pub used: Time,
}

/// Where a session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionStanding {
    /// In use.
    Open,
    /// Idle for too long, or too long since the key was touched: the screen is hidden until it is
    /// touched again.
    Locked,
    /// Over.
    Ended,
}

impl SessionTimes {
    /// Where the session stands now.
    pub fn standing(&self, now: Time) -> SessionStanding {
        let (idle, unproven) = (now.since(self.used), now.since(self.proven));
        if idle >= Span::minutes(SESSION_ENDS_MINUTES) {
            SessionStanding::Ended
        } else if idle >= Span::minutes(SESSION_LOCKS_MINUTES)
            || unproven >= Span::hours(SESSION_PROVES_HOURS)
        {
            SessionStanding::Locked
        } else {
            SessionStanding::Open
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_locks_when_idle_or_unproven_and_ends_after_an_hour_idle() {
        let at = |proven: u64, used: u64, now: u64| {
            let [proven, used, now] =
                [proven, used, now].map(|minutes| Time::EPOCH + Span::minutes(minutes));
            SessionTimes { proven, used }.standing(now)
        };
        assert_eq!(at(0, 0, 29), SessionStanding::Open);
        assert_eq!(at(0, 0, 30), SessionStanding::Locked);
        assert_eq!(at(0, 0, 59), SessionStanding::Locked);
        assert_eq!(at(0, 0, 60), SessionStanding::Ended);
        assert_eq!(at(0, 719, 719), SessionStanding::Open);
        assert_eq!(at(0, 719, 720), SessionStanding::Locked);
        assert_eq!(at(720, 719, 720), SessionStanding::Open, "touched again");
        assert_eq!(at(720, 660, 720), SessionStanding::Ended);
    }
}
