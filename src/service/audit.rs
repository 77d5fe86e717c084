//! An auditor's verbs: open details and probes, draw a sample, review what was drawn; and an
//! administrator's word on the clock.
//!
//! Every opening has its leaf before anything leaves. A sample's seed is in the log before the root
//! that it is drawn with is known to anybody, and whoever has the log can draw it again. What an
//! auditor looked at and found is in the details only: the leaf of a search that was misused must
//! not be pointed at before anybody was heard.

use std::collections::BTreeMap;
use std::ops::Range;

use time::OffsetDateTime;

use super::appliance::Service;
use super::error::ServiceError;
use super::people::{Acting, AtDesk};
use crate::audit::{Actor, Alarm, Detail, Entry, LeafKind, SampleFinding, SampleKey, Sealed};
use crate::booking::Text;
use crate::calendar::{Span, Time};
use crate::inquiry::{InquiryId, Request};
use crate::ledger::{Drawn, OpenedLeaf};
use crate::limits::{
    CLOCK_AGREE_SECONDS_MAX, DETAILS_PER_ANSWER_MAX, LOG_REVIEW_DAYS_MAX, REVIEW_DAYS_MAX,
};
use crate::roster::{Caller, Duty};

const PPM: u64 = 1_000_000;

/// A finding of misuse on its way to the agency that employs the person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Routed {
    /// The leaf of the review.
    pub leaf: u64,
    /// The leaf of the search.
    pub asked: u64,
    /// When it was asked for.
    pub asked_at: Time,
    /// Who asked for what and why.
    pub request: Request,
    /// What the auditor found, in words.
    pub note: String,
}

/// What the log says since an auditor went through it last (CJIS AU-6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogReview {
    /// The first leaf that nobody went through.
    pub first: u64,
    /// When somebody last did, or the log began.
    pub last: Time,
    /// By when somebody must.
    pub due: Time,
    /// Leaves in the log.
    pub end: u64,
    /// How many there are of each kind since.
    pub kinds: BTreeMap<LeafKind, u64>,
}

/// One leaf with its detail, opened.
#[derive(Clone, Debug)]
pub struct LeafAt {
    /// Its kind.
    pub kind: LeafKind,
    /// When.
    pub time: Time,
    /// The leaves that it follows.
    pub follows: Vec<u64>,
    /// Its detail; none once it has expired.
    pub detail: Option<serde_json::Value>,
}

impl Service {
    /// The newest leaves, the newest first: index, kind and time; the public half of the log.
    pub fn newest_leaves(
        &self,
        desk: &AtDesk,
        most: u64,
    ) -> Result<Vec<(u64, LeafKind, Time)>, ServiceError> {
        self.allowed(desk, Duty::Audit, "look at the log")?;
        let leaves = self.ledger.leaves();
        let mut newest = Vec::new();
        self.for_each(leaves.saturating_sub(most)..leaves, |index, entry| {
            if let Entry::Known(view) = entry {
                newest.push((index, view.kind, view.time));
            }
            Ok(())
        })?;
        newest.reverse();
        Ok(newest)
    }

    /// What the log says since an auditor went through it last.
    ///
    /// Errors: another role.
    pub fn log_review(&self, desk: &AtDesk) -> Result<LogReview, ServiceError> {
        self.allowed(desk, Duty::Audit, "go through the log")?;
        let (first, last) = self.ledger.reviewed_to()?;
        let (end, mut kinds) = (self.ledger.leaves(), BTreeMap::new());
        self.for_each(first..end, |_, entry| {
            if let Entry::Known(view) = entry {
                *kinds.entry(view.kind).or_default() += 1;
            }
            Ok(())
        })?;
        Ok(LogReview { first, last, due: last + Span::days(LOG_REVIEW_DAYS_MAX), end, kinds })
    }

    /// An auditor went through the log up to this leaf, and says what was found; gives the leaf.
    ///
    /// Errors: another role; leaves that somebody went through before, or that aren't there.
    pub fn review_log(&self, desk: &AtDesk, end: u64, note: &Text) -> Result<u64, ServiceError> {
        self.allowed(desk, Duty::Audit, "go through the log")?;
        let (first, leaves) = (self.ledger.reviewed_to()?.0, self.ledger.leaves());
        if end <= first || end > leaves {
            return self.refused_at(
                desk,
                Err(ServiceError::Range { first, end, leaves, most: leaves - first }),
            );
        }
        let detail =
            Detail::LogReviewed { actor: desk.actor(), first, end, note: note.to_string() };
        Ok(self.ledger.note(Vec::new(), vec![first, end], detail)?)
    }

    /// Opens one leaf's detail for an auditor; logged before anything leaves.
    pub fn open_leaf(&self, desk: &AtDesk, leaf: u64) -> Result<LeafAt, ServiceError> {
        self.allowed(desk, Duty::Audit, "open details")?;
        let bytes = self.ledger.leaf(leaf)?;
        let Entry::Known(view) = Entry::read(&bytes)? else {
            return Err(ServiceError::not_found("leaf of a kind that is known"));
        };
        let (kind, time, follows) = (view.kind, view.time, view.follows().collect());
        self.ledger.note(
            Vec::new(),
            vec![1],
            Detail::DetailsOpened { actor: desk.actor(), first: leaf, end: leaf + 1 },
        )?;
        Ok(LeafAt { kind, time, follows, detail: self.ledger.detail(leaf)? })
    }

    /// Samples and how far their reviews are, for an auditor at a desk.
    pub fn samples_at(&self, desk: &AtDesk) -> Result<Vec<Drawn>, ServiceError> {
        self.allowed(desk, Duty::Audit, "look at samples")?;
        self.shows(desk.actor(), Sealed::Samples, None)?;
        Ok(self.ledger.samples()?)
    }

    /// What audits found, for an auditor at a desk, the newest first: sample, search, finding,
    /// note.
    pub fn findings_at(
        &self,
        desk: &AtDesk,
    ) -> Result<Vec<(u64, u64, SampleFinding, String)>, ServiceError> {
        self.allowed(desk, Duty::Audit, "look at findings")?;
        self.shows(desk.actor(), Sealed::Findings, None)?;
        let mut found = Vec::new();
        for leaf in self.ledger.core().audit_leaves() {
            let Some(Detail::SampleReviewed { asked, finding, note, .. }) =
                self.ledger.detail_of(leaf)?
            else {
                continue;
            };
            let sample = match Entry::read(&self.ledger.leaf(leaf)?)? {
                Entry::Known(view) => view.follows().next(),
                Entry::Foreign { .. } => None,
            };
            let sample = sample.unwrap_or(leaf);
            found.push((sample, asked, finding, note));
        }
        found.reverse();
        Ok(found)
    }

    /// Opens the details of some leaves; logged before anything leaves. What has expired is left
    /// out.
    ///
    /// Errors: neither an auditor nor an auditor's console; a range that is empty, beyond the log
    /// or longer than one answer.
    pub fn open_details(
        &self,
        acting: &Acting,
        leaves: Range<u64>,
    ) -> Result<Vec<OpenedLeaf>, ServiceError> {
        self.may_audit(acting, "open details")?;
        let (first, end) = (leaves.start, leaves.end);
        if first >= end || end > self.ledger.leaves() || end - first > DETAILS_PER_ANSWER_MAX {
            return Err(ServiceError::Range {
                first,
                end,
                leaves: self.ledger.leaves(),
                most: DETAILS_PER_ANSWER_MAX,
            });
        }
        let actor = acting.actor();
        self.ledger.note(
            Vec::new(),
            vec![end - first],
            Detail::DetailsOpened { actor, first, end },
        )?;
        let mut opened = Vec::new();
        for leaf in leaves {
            opened.extend(self.ledger.open_detail(leaf)?);
        }
        Ok(opened)
    }

    /// Opens the probe of an inquiry, as it was received; logged before it leaves.
    ///
    /// Errors: neither an auditor nor an auditor's console; no such search, or its probe is gone.
    pub fn open_probe(&self, acting: &Acting, inquiry: InquiryId) -> Result<Vec<u8>, ServiceError> {
        self.may_audit(acting, "open probes")?;
        let not_found = ServiceError::not_found("inquiry");
        if !self.ledger.has_inquiry(inquiry)? {
            return Err(not_found);
        }
        let opened = Detail::ProbeOpened { actor: acting.actor(), inquiry: inquiry.to_string() };
        self.ledger.note(Vec::new(), Vec::new(), opened)?;
        let found = self.ledger.find_inquiry(inquiry)?;
        let _share = self.probe_memory.take(found.probe().map_or(0, |probe| probe.bytes))?;
        self.ledger.probe(inquiry)?.ok_or(not_found)
    }

    /// Logs that the log is exported; what is exported are tiles and checkpoints, which anybody in
    /// the roster may read.
    ///
    /// Gives the number of leaves to export, this one included. Errors: neither an auditor nor an
    /// auditor's console.
    pub fn begin_export(&self, acting: &Acting) -> Result<u64, ServiceError> {
        match acting {
            Acting::Person(desk) => self.allowed(desk, Duty::Audit, "export the log")?,
            Acting::Device(caller) => {
                self.read_by(caller, self.roster.auditor(caller, "export the log")).map(|_| ())?
            }
        }
        let leaves = self.ledger.leaves();
        if !self.guard.is_open() {
            // A shut box writes nothing, and its log is what an auditor needs then.
            return Ok(leaves);
        }
        let leaf = self.ledger.note(
            Vec::new(),
            vec![leaves],
            Detail::Exported { actor: acting.actor(), leaves },
        )?;
        Ok(leaf + 1)
    }

    /// Draws a sample of the searches that were asked for in a range of leaves.
    ///
    /// Errors: neither an auditor nor an auditor's console; a rate of nothing or more than all; a
    /// range beyond the log.
    pub fn draw_sample(
        &self,
        acting: &Acting,
        seed: u64,
        rate_ppm: u64,
        leaves: Range<u64>,
    ) -> Result<Drawn, ServiceError> {
        self.may_audit(acting, "draw a sample")?;
        let (first, end) = (leaves.start, leaves.end);
        if rate_ppm == 0 || rate_ppm > PPM || first >= end || end > self.ledger.leaves() {
            return Err(ServiceError::Sample {
                rate_ppm,
                first,
                end,
                leaves: self.ledger.leaves(),
            });
        }
        let actor = acting.actor();
        let seeding = Detail::SampleSeeded { actor: actor.clone(), seed, rate_ppm, first, end };
        let seeded = self.ledger.note(Vec::new(), vec![seed, rate_ppm, first, end], seeding)?;
        let sample = SampleKey::new(seed, &self.ledger.core().root_at(seeded + 1)?);
        let (mut population, mut asked) = (0, Vec::new());
        self.for_each(leaves, |leaf, entry| {
            if let Entry::Known(view) = entry
                && view.kind == LeafKind::Asked
            {
                population += 1;
                asked.extend(sample.draws(leaf, rate_ppm).then_some(leaf));
            }
            Ok(())
        })?;
        let counts = vec![population, asked.len() as u64];
        let leaf = self.ledger.note(
            vec![seeded],
            counts,
            Detail::SampleDrawn { actor, leaves: asked.clone() },
        )?;
        let time = self.time_of(leaf)?;
        Ok(Drawn {
            seeded,
            leaf,
            time,
            population,
            asked,
            reviewed: Vec::new(),
            due: time + Span::days(REVIEW_DAYS_MAX),
        })
    }

    /// Records what an auditor found of a search of a sample; gives the leaf.
    ///
    /// Errors: neither an auditor nor an auditor's console; no such sample, or the search is none
    /// of it.
    pub fn review_sample(
        &self,
        acting: &Acting,
        sample: u64,
        asked: u64,
        finding: SampleFinding,
        note: String,
    ) -> Result<u64, ServiceError> {
        self.may_audit(acting, "review a sample")?;
        let drawn = self
            .ledger
            .drawn(sample)?
            .filter(|drawn| drawn.asked.contains(&asked))
            .ok_or(ServiceError::not_found("search in that sample"))?;
        // Discipline rests with whoever employs the person who asked (MOU-IV-C).
        let routed_to = match self.ledger.detail_of(asked)? {
            Some(Detail::Asked { request, .. }) if finding == SampleFinding::Misuse => {
                Some(request.requester.agency)
            }
            _ => None,
        };
        let detail =
            Detail::SampleReviewed { actor: acting.actor(), asked, finding, note, routed_to };
        Ok(self.ledger.note(vec![drawn.leaf], Vec::new(), detail)?)
    }

    /// Findings of misuse by people whom the caller's agency employed when they asked; the look is
    /// logged.
    ///
    /// Errors: a caller that is no active agency's feed.
    pub fn findings(&self, caller: &Caller) -> Result<Vec<Routed>, ServiceError> {
        let agency = &self
            .admitted(caller, self.roster.member(caller, "look at findings", self.today()))?
            .id;
        let mut routed = Vec::new();
        for leaf in self.ledger.core().audit_leaves() {
            let Some(Detail::SampleReviewed { asked, note, routed_to: Some(to), .. }) =
                self.ledger.detail_of(leaf)?
            else {
                continue;
            };
            if to == *agency
                && let Some(Detail::Asked { request, .. }) = self.ledger.detail_of(asked)?
            {
                routed.push(Routed { leaf, asked, asked_at: self.time_of(asked)?, request, note });
            }
        }
        if let (Some(first), Some(last)) = (routed.first(), routed.last()) {
            let (actor, first, end) = (Actor::from(caller), first.leaf, last.leaf + 1);
            self.ledger.note(
                Vec::new(),
                vec![routed.len() as u64],
                Detail::FindingsRead { actor, first, end },
            )?;
        }
        Ok(routed)
    }

    /// The newest samples and how far their reviews are, the newest last.
    ///
    /// Errors: neither an auditor nor an auditor's console.
    pub fn samples(&self, acting: &Acting) -> Result<Vec<Drawn>, ServiceError> {
        self.may_audit(acting, "look at samples")?;
        self.shows(acting.actor(), Sealed::Samples, None)?;
        Ok(self.ledger.samples()?)
    }

    /// An administrator says what the site's time source says, and that the clock may be believed
    /// again.
    ///
    /// Errors: neither an administrator nor a console with administration; a time source that
    /// doesn't agree; a clock that nobody doubts.
    pub fn confirm_clock(
        &self,
        acting: &Acting,
        time_source: OffsetDateTime,
    ) -> Result<(), ServiceError> {
        match acting {
            Acting::Person(desk) => self.allowed(desk, Duty::Administer, "confirm the clock")?,
            Acting::Device(caller) => self
                .admitted(caller, self.roster.administrator(caller, "confirm the clock"))
                .map(|_| ())?,
        }
        let raised =
            self.guard.alarms().into_iter().find(|raised| raised.alarm == Alarm::ClockAhead);
        let leaf = raised
            .and_then(|raised| raised.leaf)
            .ok_or(ServiceError::not_found("doubt about the clock"))?;
        let now = i64::try_from(self.ledger.clock().now().seconds()).unwrap_or(i64::MAX);
        let apart = now.abs_diff(time_source.unix_timestamp());
        if apart > CLOCK_AGREE_SECONDS_MAX {
            return Err(ServiceError::ClockDisagrees { seconds: apart });
        }
        let detail =
            Detail::ClockConfirmed { actor: acting.actor(), time_source: time_source.to_string() };
        self.ledger.note(vec![leaf], Vec::new(), detail)?;
        self.guard.clear(
            Alarm::ClockAhead,
            "an administrator and the site's time source agree with the clock",
        )
    }

    fn time_of(&self, leaf: u64) -> Result<Time, ServiceError> {
        Ok(Entry::read(&self.ledger.leaf(leaf)?)?.time())
    }

    fn for_each(
        &self,
        leaves: Range<u64>,
        mut visit: impl FnMut(u64, Entry<'_>) -> Result<(), ServiceError>,
    ) -> Result<(), ServiceError> {
        self.ledger
            .for_each_leaf::<ServiceError>(leaves, |leaf, bytes| visit(leaf, Entry::read(bytes)?))
    }
}
