//! The watch: the thread that looks at clock, medium, witnesses, audits, sessions, purges, accounts
//! and terms every few seconds.

use std::time::Duration;

use super::background::{Bell, OnHalt};
use super::error::ServiceError;
use super::guard::Guard;
use crate::audit::{Alarm, Detail, Entry};
use crate::calendar::{Span, Time};
use crate::ledger::{ClockStep, Fate, Fated, LedgerError};
use crate::limits::{
    ALARM_LISTS_MAX, AT_BOX_ALARM_DAYS, EXPIRY_LOOK_HOURS, PURGE_LOOK_HOURS, PURGE_WITHIN_HOURS,
    WATCH_SECONDS,
};

impl Guard {
    /// Looks at clock, medium and witnesses, and ends the hours that are over.
    pub(super) fn look(&self) -> Result<(), ServiceError> {
        if !self.is_open() {
            return Ok(());
        }
        self.look_at_clock()?;
        self.look_at_disk()?;
        self.look_at_witnesses()?;
        self.look_at_credentials()?;
        self.end_alarm_of_box()?;
        match self.ledger.audit_overdue()? {
            Some(what) => self.raise(Alarm::AuditOverdue, what)?,
            None => self.clear(Alarm::AuditOverdue, "nothing of audits is overdue")?,
        }
        self.end_idle_sessions()?;
        self.purge()?;
        // What a clock in doubt says ends no account and destroys nothing.
        if !self.stands(Alarm::ClockAhead) {
            self.end_accounts()?;
            self.expire_inquiries()?;
            self.ledger.expire_details()?;
        }
        self.ledger.end_hours()?;
        Ok(self.reads.end_hours(&self.ledger, false)?)
    }

    /// Purges what was released or replaced; a clock in doubt doesn't stop it.
    fn purge(&self) -> Result<(), ServiceError> {
        let (now, mut next) = (
            self.ledger.now(),
            self.purging.lock().expect("nothing panics while it holds the time"),
        );
        if now < *next {
            return Ok(());
        }
        self.ledger.purge_due()?;
        *next = now + Span::hours(PURGE_LOOK_HOURS);
        match self.ledger.purges_overdue()? {
            0 => self.clear(Alarm::PurgeOverdue, "all that was overdue is purged"),
            overdue => self.raise(
                Alarm::PurgeOverdue,
                format!(
                    "{overdue} bookings were released or replaced over {PURGE_WITHIN_HOURS} hours \
                     ago and are not purged; the journal says why"
                ),
            ),
        }
    }

    fn expire_inquiries(&self) -> Result<(), ServiceError> {
        let (now, mut next) = (
            self.ledger.now(),
            self.expiry.lock().expect("nothing panics while it holds the time"),
        );
        if now >= *next && self.ledger.expire_inquiries()? {
            *next = now + Span::hours(EXPIRY_LOOK_HOURS);
        }
        Ok(())
    }

    fn look_at_clock(&self) -> Result<(), ServiceError> {
        let newest = self.ledger.core().newest().time;
        let step = self
            .look
            .lock()
            .expect("nothing panics while it holds the last look")
            .again(self.ledger.clock(), newest);
        match step {
            ClockStep::Behind(behind) if !self.stands(Alarm::ClockBehind) => {
                self.ledger.note(
                    Vec::new(),
                    vec![behind.cs(), 0],
                    Detail::ClockStepped { behind_cs: behind, ahead_cs: Span::default() },
                )?;
                let what = format!(
                    "the clock is {} s behind the newest leaf: nobody searches until it is right",
                    behind.whole_seconds()
                );
                self.raise(Alarm::ClockBehind, what)
            }
            ClockStep::Ahead(ahead) => {
                self.ledger.note(
                    Vec::new(),
                    vec![0, ahead.cs()],
                    Detail::ClockStepped { behind_cs: Span::default(), ahead_cs: ahead },
                )?;
                let what = format!(
                    "the clock went {} s ahead: holds and extensions don't expire until it is \
                     confirmed",
                    ahead.whole_seconds()
                );
                self.raise(Alarm::ClockAhead, what)
            }
            ClockStep::Behind(_) => Ok(()),
            ClockStep::None => {
                self.clear(Alarm::ClockBehind, "the clock has reached the newest leaf")
            }
        }
    }

    /// Raises and clears what list and certificates call for.
    fn look_at_credentials(&self) -> Result<(), ServiceError> {
        match self.credentials.unfit_list() {
            Some(why) => self.raise_for(
                Alarm::RevocationListUnfit,
                format!("the revocation list that was put in place doesn't count: {why}"),
            )?,
            None => self.clear(Alarm::RevocationListUnfit, "the revocation list counts")?,
        }
        match self.list_allows() {
            Err(e) => self.raise(Alarm::RevocationListOver, e.to_string())?,
            Ok(()) => self.clear(Alarm::RevocationListOver, "a newer revocation list counts")?,
        }
        let on = |what: &str, end: Time| format!("the {what} on {}", end.date());
        let own = self.credentials.ending().into_iter().map(|(what, end)| on(what, end));
        let today = self.ledger.now().date();
        let callers = self.credentials.callers_ending().into_iter();
        let callers = callers.filter(|(name, _)| self.roster.names(name, today));
        let callers = callers.map(|(name, end)| on(&format!("certificate of '{name}'"), end));
        let ending: Vec<String> = own.chain(callers).collect();
        if ending.is_empty() {
            return self.clear(Alarm::CredentialEnds, "nothing ends soon");
        }
        let words = format!("what lets callers in ends: {}", listed(&ending));
        self.raise_for(Alarm::CredentialEnds, words)
    }

    /// Ends the alarm of a release at the box once everybody has had time to see it.
    fn end_alarm_of_box(&self) -> Result<(), ServiceError> {
        let mut alarms = self.alarms().into_iter();
        let raised = alarms.find(|raised| raised.alarm == Alarm::ReleasedAtBox);
        let Some(leaf) = raised.and_then(|raised| raised.leaf) else { return Ok(()) };
        let since = Entry::read(&self.ledger.leaf(leaf)?)?.time();
        match self.ledger.now() < since + Span::days(AT_BOX_ALARM_DAYS) {
            true => Ok(()),
            false => self.clear(Alarm::ReleasedAtBox, "it stood for as long as it is shown"),
        }
    }

    fn look_at_disk(&self) -> Result<(), ServiceError> {
        match self.ledger.room() {
            Err(e @ LedgerError::DiskLow { .. }) => self.raise(Alarm::DiskLow, e.to_string()),
            Err(e) => Err(e.into()),
            Ok(()) => self.clear(Alarm::DiskLow, "there is room again"),
        }
    }

    fn look_at_witnesses(&self) -> Result<(), ServiceError> {
        let (Some(within), true) = (self.quorum.within_minutes(), self.quorum.is_asked()) else {
            return Ok(());
        };
        let witnessed = self.ledger.witnessing().complete.map_or(0, |(leaves, _)| leaves);
        let oldest = if witnessed < self.ledger.leaves() {
            Some(Entry::read(&self.ledger.leaf(witnessed)?)?.time())
        } else {
            None
        };
        match oldest {
            Some(time) if self.ledger.clock().now() > time + Span::minutes(within) => {
                let what = format!(
                    "leaves from {witnessed} on are not cosigned by a quorum after {within} minutes"
                );
                self.raise(Alarm::Unwitnessed, what)
            }
            _ => self.clear(Alarm::Unwitnessed, "a quorum has cosigned what was late"),
        }
    }
}

/// The first few of them, and how many more there are.
fn listed(all: &[String]) -> String {
    let (some, more) = all.split_at(all.len().min(ALARM_LISTS_MAX));
    match more.len() {
        0 => some.join(", "),
        more => format!("{}, and {more} more", some.join(", ")),
    }
}

/// The work of the thread `watch`, until it is to end.
pub(super) fn keep_watch(guard: &Guard, bell: &Bell, on_halt: &OnHalt) {
    while !bell.has_ended() {
        match guard.look() {
            Err(e) if e.fate() == Fate::Halt => {
                return on_halt(&format!("keeping watch: {}", e.chain()));
            }
            Err(e) => log::error!(
                "keeping watch failed and is tried again in {WATCH_SECONDS} s: {}",
                e.chain()
            ),
            Ok(()) => {}
        }
        bell.wait_for(Duration::from_secs(WATCH_SECONDS));
    }
}
