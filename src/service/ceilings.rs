//! Who is at work on what, and how fast an operator searches: one search at a time, and no more of
//! them in an hour or a day than a person does by hand.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;

use super::error::ServiceError;
use crate::booking::Identifier;
use crate::calendar::{Span, Time};
use crate::roster::Ceilings;

/// Names that are taken, each by one at a time.
#[derive(Debug, Default)]
pub(super) struct Places(Mutex<HashSet<Identifier>>);

/// A name that is taken until this is dropped.
#[derive(Debug)]
pub(super) struct TakenName<'p> {
    places: &'p Places,
    name: Identifier,
}

impl Places {
    /// Takes a name.
    ///
    /// Errors: somebody has it.
    pub(super) fn take(&self, name: Identifier) -> Result<TakenName<'_>, ServiceError> {
        let mut taken = self.0.lock().expect("nothing panics while it holds the names");
        if taken.insert(name.clone()) {
            Ok(TakenName { places: self, name })
        } else {
            Err(ServiceError::AtWork)
        }
    }
}

impl Drop for TakenName<'_> {
    fn drop(&mut self) {
        self.places.0.lock().expect("nothing panics while it holds the names").remove(&self.name);
    }
}

/// When each operator searched during the last day.
#[derive(Debug)]
pub(super) struct SearchRate {
    ceilings: Ceilings,
    searched: Mutex<HashMap<Identifier, Vec<Time>>>,
    at_work: Places,
}

impl SearchRate {
    /// `searched` says when each operator searched during the last day, before this start.
    pub(super) fn new(ceilings: Ceilings, searched: HashMap<Identifier, Vec<Time>>) -> Self {
        Self { ceilings, searched: Mutex::new(searched), at_work: Places::default() }
    }

    /// Whether an operator may search now.
    ///
    /// Errors: too soon after the last search, or too many in an hour or a day.
    pub(super) fn may(&self, operator: &Identifier, now: Time) -> Result<(), ServiceError> {
        let mut searched = self.searched.lock().expect("nothing panics while it holds the times");
        let Some(times) = searched.get_mut(operator) else { return Ok(()) };
        times.retain(|&at| at + Span::days(1) > now);
        let within = |span: Span| times.iter().filter(|&&at| at + span > now).count();
        let Ceilings { seconds_between, per_hour, per_day } = self.ceilings;
        if within(Span::seconds(seconds_between)) > 0 {
            return Err(ServiceError::TooFast { seconds: seconds_between });
        }
        let found = within(Span::hours(1));
        if found >= per_hour {
            return Err(ServiceError::Ceiling { found, within: "hour", most: per_hour });
        }
        if times.len() >= per_day {
            return Err(ServiceError::Ceiling { found: times.len(), within: "day", most: per_day });
        }
        Ok(())
    }

    /// Begins a search: the operator's only one until what this gives is dropped.
    pub(super) fn begin(
        &self,
        operator: &Identifier,
        now: Time,
    ) -> Result<TakenName<'_>, ServiceError> {
        let place = self.at_work.take(operator.clone())?;
        self.may(operator, now)?;
        self.searched
            .lock()
            .expect("nothing panics while it holds the times")
            .entry(operator.clone())
            .or_default()
            .push(now);
        Ok(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Time = Time::from_cs(179_000_000_000);

    #[test]
    fn an_operator_searches_one_at_a_time_and_so_often_an_hour_and_a_day() {
        let pace = SearchRate::new(
            Ceilings { seconds_between: 5, per_hour: 3, per_day: 5 },
            HashMap::new(),
        );
        let diaz = Identifier::parse("diaz").unwrap();
        let search = |minute: u64| pace.begin(&diaz, NOW + Span::minutes(minute)).map(drop);
        let first = pace.begin(&diaz, NOW).unwrap();
        assert!(matches!(search(1), Err(ServiceError::AtWork)));
        drop(first);
        assert!(matches!(
            pace.may(&diaz, NOW + Span::from_cs(499)),
            Err(ServiceError::TooFast { .. })
        ));
        assert!(pace.may(&diaz, NOW + Span::from_cs(500)).is_ok());
        search(10).unwrap();
        search(20).unwrap();
        assert!(matches!(search(59), Err(ServiceError::Ceiling { within: "hour", .. })));
        search(60).unwrap();
        search(71).unwrap();
        assert!(matches!(search(600), Err(ServiceError::Ceiling { within: "day", .. })));
        assert!(
            pace.may(&Identifier::parse("chen").unwrap(), NOW + Span::minutes(600)).is_ok(),
            "each operator by themselves"
        );
        search(24 * 60).unwrap();
    }
}
