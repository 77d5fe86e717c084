//! Session times: when a session locks and when it ends. Pure: times are given, in hundredths of a
//! second since 1970-01-01 UTC.

use crate::calendar::MINUTE_CS;
use crate::limits::{SESSION_ENDS_MINUTES, SESSION_LOCKS_MINUTES, SESSION_PROVES_HOURS};

/// When a session was used and proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionTimes {
    /// When the person's key was touched last for it.
    pub proven_cs: u64,
    /// When the person did something last.
    pub used_cs: u64,
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
    pub fn standing(&self, now_cs: u64) -> SessionStanding {
        let idle_cs = now_cs.saturating_sub(self.used_cs);
        let unproven_cs = now_cs.saturating_sub(self.proven_cs);
        if idle_cs >= SESSION_ENDS_MINUTES * MINUTE_CS {
            SessionStanding::Ended
        } else if idle_cs >= SESSION_LOCKS_MINUTES * MINUTE_CS
            || unproven_cs >= SESSION_PROVES_HOURS * 60 * MINUTE_CS
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
            SessionTimes { proven_cs: proven * MINUTE_CS, used_cs: used * MINUTE_CS }
                .standing(now * MINUTE_CS)
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
