//! What time it is, and whether that can be believed.
//!
//! The floor is the newest leaf: no leaf is dated before it, and while the clock stands behind it
//! nobody searches. A clock that goes ahead by more than time passed says nothing about how long
//! something was held: until an administrator has compared it with the site's time source, holds
//! and extensions don't expire.

use std::fmt::Debug;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use time::{Date, OffsetDateTime};

use crate::limits::{CLOCK_AHEAD_SECONDS_MAX, CLOCK_BEHIND_SECONDS_MAX};

/// The time of day, and a time that only passes.
pub trait Clock: Debug + Send + Sync {
    /// Hundredths of a second since 1970-01-01 UTC.
    fn now_cs(&self) -> u64;
    /// Hundredths of a second since any moment: never set, never back.
    fn passed_cs(&self) -> u64;
}

/// The clock of the machine.
#[derive(Debug)]
pub struct SystemClock(Instant);

impl Default for SystemClock {
    fn default() -> Self {
        Self(Instant::now())
    }
}

impl Clock for SystemClock {
    fn now_cs(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis() / 10).expect("the year is before the end of 64 bits")
    }

    fn passed_cs(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_millis() / 10).expect("nothing runs that long")
    }
}

/// How a clock stands to what passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClockStep {
    /// As it should.
    None,
    /// Behind the newest leaf by so many hundredths of a second.
    Behind(u64),
    /// Ahead of what passed since the last look by so many hundredths of a second.
    Ahead(u64),
}

/// What the last look at the clock showed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LastLook {
    now_cs: u64,
    passed_cs: u64,
}

impl LastLook {
    pub(crate) fn at(clock: &dyn Clock) -> Self {
        Self { now_cs: clock.now_cs(), passed_cs: clock.passed_cs() }
    }

    /// Looks again; the clock is compared with the newest leaf and with the look before.
    pub(crate) fn again(&mut self, clock: &dyn Clock, newest_cs: u64) -> ClockStep {
        let before = std::mem::replace(self, Self::at(clock));
        let expected = before.now_cs + (self.passed_cs - before.passed_cs);
        match (behind_cs(self.now_cs, newest_cs), self.now_cs.saturating_sub(expected)) {
            (Some(behind), _) => ClockStep::Behind(behind),
            (None, ahead) if ahead > CLOCK_AHEAD_SECONDS_MAX * 100 => ClockStep::Ahead(ahead),
            _ => ClockStep::None,
        }
    }
}

/// By how much a clock stands behind the newest leaf, where that is more than clocks are put right
/// by every day.
pub(crate) fn behind_cs(now_cs: u64, newest_cs: u64) -> Option<u64> {
    newest_cs.checked_sub(now_cs).filter(|&behind| behind > CLOCK_BEHIND_SECONDS_MAX * 100)
}

/// The day of a time, UTC.
pub(crate) fn day(now_cs: u64) -> Date {
    let seconds = i64::try_from(now_cs / 100).unwrap_or(i64::MAX);
    OffsetDateTime::from_unix_timestamp(seconds).map_or(Date::MAX, OffsetDateTime::date)
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    /// A clock that stands where it is put.
    #[derive(Debug, Default)]
    pub(crate) struct SetClock {
        now_cs: AtomicU64,
        passed_cs: AtomicU64,
    }

    impl SetClock {
        pub(crate) fn at(now_cs: u64) -> Self {
            Self { now_cs: now_cs.into(), passed_cs: 7.into() }
        }

        /// Time passes.
        pub(crate) fn pass(&self, cs: u64) {
            self.now_cs.fetch_add(cs, Ordering::Relaxed);
            self.passed_cs.fetch_add(cs, Ordering::Relaxed);
        }

        /// Somebody sets the clock.
        pub(crate) fn set(&self, now_cs: u64) {
            self.now_cs.store(now_cs, Ordering::Relaxed);
        }
    }

    impl Clock for SetClock {
        fn now_cs(&self) -> u64 {
            self.now_cs.load(Ordering::Relaxed)
        }

        fn passed_cs(&self) -> u64 {
            self.passed_cs.load(Ordering::Relaxed)
        }
    }

    #[test]
    fn a_clock_that_goes_as_time_passes_is_right_and_small_corrections_are_nothing() {
        let clock = SetClock::at(1_000_000);
        let mut look = LastLook::at(&clock);
        clock.pass(500_000);
        assert_eq!(look.again(&clock, 1_400_000), ClockStep::None);
        clock.set(1_500_000 - CLOCK_BEHIND_SECONDS_MAX * 100);
        assert_eq!(look.again(&clock, 1_500_000), ClockStep::None);
        clock.set(1_500_000 + CLOCK_AHEAD_SECONDS_MAX * 100 - 10_000);
        assert_eq!(look.again(&clock, 1_500_000), ClockStep::None);
    }

    #[test]
    fn a_clock_behind_the_newest_leaf_or_ahead_of_what_passed_is_told() {
        let clock = SetClock::at(9_000_000);
        let mut look = LastLook::at(&clock);
        assert_eq!(look.again(&clock, 9_100_000), ClockStep::Behind(100_000));
        clock.pass(100_000);
        clock.set(9_100_000 + CLOCK_AHEAD_SECONDS_MAX * 100 + 1);
        assert_eq!(
            look.again(&clock, 9_000_000),
            ClockStep::Ahead(CLOCK_AHEAD_SECONDS_MAX * 100 + 1)
        );
        assert_eq!(look.again(&clock, 9_000_000), ClockStep::None);
    }

    #[test]
    fn a_day_is_that_of_its_time() {
        assert_eq!(day(179_554_560_099).to_string(), "2026-11-24");
        assert_eq!((day(0).to_string(), day(u64::MAX)), ("1970-01-01".to_owned(), Date::MAX));
    }
}
