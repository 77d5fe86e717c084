//! Releases and what becomes of them: gone within ten days, unless a notice of evidentiary value or an extension stopped the clock.

use std::collections::BTreeMap;

use super::Found;
use crate::limits::RELEASE_TO_PURGE_DAYS_MAX;

const DAY_CS: u64 = 24 * 60 * 60 * 100;
const TERM_DAYS: u64 = RELEASE_TO_PURGE_DAYS_MAX;
const TERM_CS: u64 = TERM_DAYS * DAY_CS;

#[derive(Debug, Default)]
pub(super) struct Purges {
    /// Releases without a purge.
    open: BTreeMap<u64, Release>,
    /// Notices of evidentiary value, by the leaf that they hold and their own.
    holds: BTreeMap<(u64, u64), Hold>,
    /// What a notice holds, and which notice a decision is on.
    about: BTreeMap<u64, u64>,
    /// Until when a release was extended.
    extended: BTreeMap<u64, u64>,
}

#[derive(Debug)]
struct Release {
    booking: u64,
    time_cs: u64,
}

#[derive(Debug)]
struct Hold {
    noticed_cs: u64,
    by_order: bool,
    granted: bool,
    /// When it was refused, or what it asked for was transferred.
    ended_cs: Option<u64>,
}

/// When a release must be purged.
enum Due<'h> {
    By(u64),
    /// Not while this notice stands, of this leaf.
    Stopped(u64, &'h Hold),
}

impl Purges {
    pub(super) fn any_open(&self) -> bool {
        !self.open.is_empty()
    }

    pub(super) fn released(&mut self, index: u64, booking: u64, time_cs: u64) {
        self.open.insert(index, Release { booking, time_cs });
    }

    pub(super) fn noticed(&mut self, index: u64, held: u64, time_cs: u64, by_order: bool) {
        self.about.insert(index, held);
        self.holds.insert((held, index), Hold { noticed_cs: time_cs, by_order, granted: false, ended_cs: None });
    }

    pub(super) fn decided(&mut self, index: u64, notice: u64, time_cs: u64, granted: bool) {
        self.about.insert(index, notice);
        if let Some(hold) = self.hold(notice) {
            hold.granted = granted;
            hold.ended_cs = (!granted).then_some(time_cs);
        }
    }

    pub(super) fn transferred(&mut self, decision: u64, time_cs: u64) {
        let notice = self.about.get(&decision).copied();
        if let Some(hold) = notice.and_then(|notice| self.hold(notice)) {
            hold.ended_cs = Some(time_cs);
        }
    }

    pub(super) fn extended(&mut self, release: u64, time_cs: u64, days: u64) {
        let until = time_cs.saturating_add(days.saturating_mul(DAY_CS));
        let known = self.extended.entry(release).or_default();
        *known = until.max(*known);
    }

    /// One release may name several versions of a booking; the first purge stands for all, and details tell of each. Where it isn't `sure`
    /// that all leaves were read, one that wasn't may have changed what is due.
    pub(super) fn purged(&mut self, index: u64, release: u64, time_cs: u64, sure: bool, found: &mut Found) {
        let Some(of) = self.open.remove(&release) else { return };
        let what = match self.due(release, &of) {
            Due::By(due) if time_cs > due => {
                let days = (time_cs - of.time_cs) / DAY_CS;
                format!("purges what leaf {release} released {days} days before; {TERM_DAYS} days are allowed")
            }
            Due::Stopped(notice, hold) if hold.by_order => {
                format!("purges what leaf {release} released, though the order noticed in leaf {notice} had stopped that")
            }
            _ => return,
        };
        match sure {
            true => found.wrong(index, what),
            false => found.note(index, format!("{what}; a leaf that was not read or understood may say why")),
        }
    }

    /// What of it should be gone by now.
    pub(super) fn unfinished(&self, now_cs: u64, found: &mut Found) {
        for (&release, of) in &self.open {
            match self.due(release, of) {
                Due::By(due) if now_cs > due => {
                    let days = (now_cs - of.time_cs) / DAY_CS;
                    found.wrong(
                        release,
                        format!("was released {days} days before the log ends and is not purged; {TERM_DAYS} days are allowed"),
                    );
                }
                Due::Stopped(notice, hold) if hold.granted => {
                    found.note(release, format!("is kept until it is transferred, since the notice of leaf {notice} was granted"));
                }
                Due::Stopped(notice, _) if now_cs > of.time_cs.saturating_add(TERM_CS) => {
                    found.note(release, format!("past due, undecided: kept because nobody decided the notice of leaf {notice}"));
                }
                _ => {}
            }
        }
    }

    fn hold(&mut self, notice: u64) -> Option<&mut Hold> {
        let held = *self.about.get(&notice)?;
        self.holds.get_mut(&(held, notice))
    }

    /// The clock stands from a notice until it is refused, or what it asked for is transferred; an extension starts the term anew at its end.
    fn due(&self, release: u64, of: &Release) -> Due<'_> {
        let mut paused_cs: u64 = 0;
        let about = |leaf| self.holds.range((leaf, 0)..=(leaf, u64::MAX));
        for (&(_, notice), hold) in about(release).chain(about(of.booking)) {
            let Some(ended_cs) = hold.ended_cs else { return Due::Stopped(notice, hold) };
            paused_cs = paused_cs.saturating_add(ended_cs.saturating_sub(hold.noticed_cs.max(of.time_cs)));
        }
        let from = of.time_cs.saturating_add(paused_cs).max(self.extended.get(&release).copied().unwrap_or(0));
        Due::By(from.saturating_add(TERM_CS))
    }
}
