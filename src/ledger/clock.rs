//! What time it is, and whether that can be believed.
//!
//! The floor is the newest leaf: no leaf is dated before it, and while the clock stands behind it
//! nobody searches. A clock that goes ahead by more than time passed says nothing about how long
//! something was held: until an administrator has compared it with the site's time source, holds
//! and extensions don't expire.

use std::fmt::Debug;
use std::time::Instant;

use time::OffsetDateTime;

use crate::calendar::{Span, Time};
use crate::limits::{CLOCK_AHEAD_SECONDS_MAX, CLOCK_BEHIND_SECONDS_MAX};

/// The time of day, and a time that only passes.
pub trait Clock: Debug + Send + Sync {
    /// The time of day.
    fn now(&self) -> Time;
    /// How long ago any one moment was: never set, never back.
    fn passed(&self) -> Span;
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
    fn now(&self) -> Time {
        OffsetDateTime::now_utc().into()
    }

    fn passed(&self) -> Span {
        let hundredths = self.0.elapsed().as_millis() / 10;
        Span::from_cs(u64::try_from(hundredths).expect("nothing runs that long"))
    }
}

/// How a clock stands to what passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClockStep {
    /// As it should.
    None,
    /// Behind the newest leaf by so much.
    Behind(Span),
    /// Ahead of what passed since the last look by so much.
    Ahead(Span),
}

/// What the last look at the clock showed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LastLook {
    now: Time,
    passed: Span,
}

impl LastLook {
    pub(crate) fn at(clock: &dyn Clock) -> Self {
        Self { now: clock.now(), passed: clock.passed() }
    }

    /// Looks again; the clock is compared with the newest leaf and with the look before.
    pub(crate) fn again(&mut self, clock: &dyn Clock, newest: Time) -> ClockStep {
        let before = std::mem::replace(self, Self::at(clock));
        let expected = before.now + (self.passed - before.passed);
        match (behind(self.now, newest), self.now.since(expected)) {
            (Some(behind), _) => ClockStep::Behind(behind),
            (None, ahead) if ahead > Span::seconds(CLOCK_AHEAD_SECONDS_MAX) => {
                ClockStep::Ahead(ahead)
            }
            _ => ClockStep::None,
        }
    }
}

/// By how much a clock stands behind the newest leaf, where that is more than clocks are put right
/// by every day.
pub(crate) fn behind(now: Time, newest: Time) -> Option<Span> {
    Some(newest.since(now)).filter(|&behind| behind > Span::seconds(CLOCK_BEHIND_SECONDS_MAX))
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
        pub(crate) fn at(now: Time) -> Self {
            Self { now_cs: now.cs().into(), passed_cs: 7.into() }
        }

        /// Time passes.
        pub(crate) fn pass(&self, span: Span) {
            self.now_cs.fetch_add(span.cs(), Ordering::Relaxed);
            self.passed_cs.fetch_add(span.cs(), Ordering::Relaxed);
        }

        /// Somebody sets the clock.
        pub(crate) fn set(&self, now: Time) {
            self.now_cs.store(now.cs(), Ordering::Relaxed);
        }
    }

    impl Clock for SetClock {
        fn now(&self) -> Time {
            Time::from_cs(self.now_cs.load(Ordering::Relaxed))
        }

        fn passed(&self) -> Span {
            Span::from_cs(self.passed_cs.load(Ordering::Relaxed))
        }
    }

    #[test]
    fn a_clock_that_goes_as_time_passes_is_right_and_small_corrections_are_nothing() {
        let clock = SetClock::at(Time::from_cs(1_000_000));
        let mut look = LastLook::at(&clock);
        clock.pass(Span::from_cs(500_000));
        assert_eq!(look.again(&clock, Time::from_cs(1_400_000)), ClockStep::None);
        let newest = Time::from_cs(1_500_000);
        clock.set(newest - Span::seconds(CLOCK_BEHIND_SECONDS_MAX));
        assert_eq!(look.again(&clock, newest), ClockStep::None);
        clock.set(newest + Span::seconds(CLOCK_AHEAD_SECONDS_MAX - 100));
        assert_eq!(look.again(&clock, newest), ClockStep::None);
    }

    #[test]
    fn a_clock_behind_the_newest_leaf_or_ahead_of_what_passed_is_told() {
        let (began, behind) = (Time::from_cs(9_000_000), Span::from_cs(100_000));
        let clock = SetClock::at(began);
        let mut look = LastLook::at(&clock);
        assert_eq!(look.again(&clock, began + behind), ClockStep::Behind(behind));
        clock.pass(behind);
        let ahead = Span::seconds(CLOCK_AHEAD_SECONDS_MAX) + Span::from_cs(1);
        clock.set(began + behind + ahead);
        assert_eq!(look.again(&clock, began), ClockStep::Ahead(ahead));
        assert_eq!(look.again(&clock, began), ClockStep::None);
    }
}
