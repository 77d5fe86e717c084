//! Releases and what becomes of them: gone within ten days, unless a notice of evidentiary value or
//! an extension stopped the clock.
//!
//! A notice that came before its booking was released follows nothing, so only details tell which
//! release it holds. Where those weren't opened, a release that is past due is given the benefit of
//! the doubt: any such notice before it may be the reason, and that is said.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::found::Found;
use crate::calendar::{Span, Time};
use crate::limits::RELEASE_TO_PURGE_DAYS_MAX;

const TERM_DAYS: u64 = RELEASE_TO_PURGE_DAYS_MAX;
const TERM: Span = Span::days(TERM_DAYS);

#[derive(Debug, Default)]
pub(super) struct Purges {
    /// Releases without a purge.
    open: BTreeMap<u64, Release>,
    /// The tags of all releases, by their leaves in rising order.
    tags: Vec<(u64, u64)>,
    /// The tags of bookings that others replaced.
    replaced: HashSet<u64>,
    /// Notices of evidentiary value, by the release that they hold and their own leaf; by their own
    /// leaf alone while no release is known.
    holds: BTreeMap<(u64, u64), Hold>,
    /// Notices whose release isn't known: all of them, and those whose details weren't opened,
    /// which may be about any.
    unbound: UnboundNotices,
    unopened: UnboundNotices,
    /// What a notice holds, and which notice a decision is on.
    about: BTreeMap<u64, u64>,
    /// Until when a release was extended.
    extended: BTreeMap<u64, Time>,
}

#[derive(Debug)]
struct Release {
    time: Time,
    /// Whether its detail was opened.
    is_opened: bool,
}

#[derive(Debug, Default)]
struct UnboundNotices {
    /// Those that stand.
    standing: BTreeSet<u64>,
    /// The latest end of the others.
    ended: Time,
}

#[derive(Debug)]
struct Hold {
    noticed: Time,
    by_order: bool,
    granted: bool,
    /// When it was refused, or what it asked for was transferred.
    ended: Option<Time>,
}

/// When a release must be purged.
enum Due<'h> {
    By(Time),
    /// Not while this notice stands, of this leaf.
    Stopped(u64, &'h Hold),
}

impl Purges {
    pub(super) fn any_open(&self) -> bool {
        !self.open.is_empty()
    }

    /// A booking bears the tag of the one that it replaced, or 0.
    pub(super) fn replaced(&mut self, tag: u64) {
        if tag != 0 {
            self.replaced.insert(tag);
        }
    }

    pub(super) fn released(&mut self, index: u64, tag: u64, time: Time) {
        self.open.insert(index, Release { time, is_opened: false });
        self.tags.push((index, tag));
    }

    /// A release's detail was opened, and these notices are of what it released.
    pub(super) fn release_detail(&mut self, index: u64, notices: impl Iterator<Item = u64>) {
        if let Some(release) = self.open.get_mut(&index) {
            release.is_opened = true;
        }
        for notice in notices {
            if let Some(hold) = self.holds.remove(&(notice, notice)) {
                self.unbound.standing.remove(&notice);
                self.about.insert(notice, index);
                self.holds.insert((index, notice), hold);
            }
        }
    }

    pub(super) fn noticed(&mut self, index: u64, release: Option<u64>, time: Time, by_order: bool) {
        let held = release.unwrap_or(index);
        self.about.insert(index, held);
        self.holds
            .insert((held, index), Hold { noticed: time, by_order, granted: false, ended: None });
        if release.is_none() {
            self.unbound.standing.insert(index);
            self.unopened.standing.insert(index);
        }
    }

    /// A notice's detail was opened.
    pub(super) fn notice_detail(&mut self, index: u64) {
        self.unopened.standing.remove(&index);
    }

    pub(super) fn decided(&mut self, index: u64, notice: u64, time: Time, granted: bool) {
        self.about.insert(index, notice);
        if let Some(hold) = self.hold(notice) {
            hold.granted = granted;
        }
        if !granted {
            self.ended(notice, time);
        }
    }

    pub(super) fn transferred(&mut self, decision: u64, time: Time) {
        if let Some(&notice) = self.about.get(&decision) {
            self.ended(notice, time);
        }
    }

    fn ended(&mut self, notice: u64, time: Time) {
        let Some(hold) = self.hold(notice) else { return };
        hold.ended = Some(time);
        for unbound in [&mut self.unbound, &mut self.unopened] {
            if unbound.standing.remove(&notice) {
                unbound.ended = time.max(unbound.ended);
            }
        }
    }

    pub(super) fn extended(&mut self, release: u64, time: Time, days: u64) {
        let until = time + Span::days(days);
        let known = self.extended.entry(release).or_default();
        *known = until.max(*known);
    }

    /// One release may name several versions of a booking; the first purge stands for all, and
    /// details tell of each. Where it isn't `sure` that all leaves were read, one that wasn't may
    /// have changed what is due.
    pub(super) fn purged(
        &mut self,
        index: u64,
        release: u64,
        tag: u64,
        time: Time,
        sure: bool,
        found: &mut Found,
    ) {
        let released = self
            .tags
            .binary_search_by_key(&release, |(leaf, _)| *leaf)
            .ok()
            .and_then(|at| self.tags.get(at));
        if released.is_some_and(|(_, released)| *released != tag) {
            found.wrong(
                index,
                format!("bears the tag of another booking than leaf {release}, which it follows"),
            );
        }
        let Some(of) = self.open.remove(&release) else { return };
        let what = match self.due(release, &of) {
            Due::By(due) if time > due => {
                let days = time.since(of.time).whole_days();
                let what = format!(
                    "purges what leaf {release} released {days} days before; {TERM_DAYS} days are \
                     allowed"
                );
                match self.may_be_held(release, &of, due, time) {
                    Some(doubt) => return found.note(index, format!("{what}; {doubt}")),
                    None => what,
                }
            }
            Due::Stopped(notice, hold) if hold.by_order => {
                format!(
                    "purges what leaf {release} released, though the order noticed in leaf \
                     {notice} had stopped that"
                )
            }
            _ => return,
        };
        match sure {
            true => found.wrong(index, what),
            false => found
                .note(index, format!("{what}; a leaf that was not read or understood may say why")),
        }
    }

    /// A purge that follows no release is of a version that another one replaced.
    pub(super) fn purged_replaced(&self, index: u64, tag: u64, sure: bool, found: &mut Found) {
        if sure && !self.replaced.contains(&tag) {
            found.wrong(index, "purges a booking that no leaf before it released or replaced");
        }
    }

    /// What of it should be gone by now.
    pub(super) fn unfinished(&self, now: Time, found: &mut Found) {
        for (&release, of) in &self.open {
            match self.due(release, of) {
                Due::By(due) if now > due => {
                    let days = now.since(of.time).whole_days();
                    let what = format!(
                        "was released {days} days before the log ends and is not purged; \
                         {TERM_DAYS} days are allowed"
                    );
                    match self.may_be_held(release, of, due, now) {
                        Some(doubt) => found.note(release, format!("{what}; {doubt}")),
                        None => found.wrong(release, what),
                    }
                }
                Due::Stopped(notice, hold) if hold.granted => {
                    found.note(
                        release,
                        format!(
                            "is kept until it is transferred, since the notice \
                        of leaf {notice} was granted"
                        ),
                    );
                }
                Due::Stopped(notice, _) if now > of.time + TERM => {
                    found.note(
                        release,
                        format!(
                            "past due, undecided: kept because nobody decided \
                        the notice of leaf {notice}"
                        ),
                    );
                }
                _ => {}
            }
        }
    }

    fn hold(&mut self, notice: u64) -> Option<&mut Hold> {
        let held = *self.about.get(&notice)?;
        self.holds.get_mut(&(held, notice))
    }

    /// Why a release that is past due may be in order all the same, in words: a notice before it
    /// whose booking isn't known.
    fn may_be_held(&self, release: u64, of: &Release, due: Time, now: Time) -> Option<String> {
        let unbound = if of.is_opened { &self.unopened } else { &self.unbound };
        if let Some(notice) = unbound.standing.first().filter(|&&notice| notice < release) {
            return Some(format!(
                "the notice of leaf {notice}, of a booking that stood then, may hold it: only \
                 opened details tell"
            ));
        }
        let paused = unbound.ended.since(of.time);
        let doubt = || {
            "a notice of a booking that stood then may have held it for a while: only opened \
             details tell"
                .to_owned()
        };
        (now <= due + paused).then(doubt)
    }

    /// The clock stands from a notice until it is refused, or what it asked for is transferred; an
    /// extension starts the term anew at its end.
    fn due(&self, release: u64, of: &Release) -> Due<'_> {
        let mut paused = Span::default();
        for (&(_, notice), hold) in self.holds.range((release, 0)..=(release, u64::MAX)) {
            let Some(ended) = hold.ended else { return Due::Stopped(notice, hold) };
            paused = paused + ended.since(hold.noticed.max(of.time));
        }
        let extended = self.extended.get(&release).copied().unwrap_or_default();
        Due::By((of.time + paused).max(extended) + TERM)
    }
}
