//! Inquiries in the ledger: one record under a key of its own, its steps and its probe.
//!
//! Each step is decided in the writer on the revision that its person saw, and written with its
//! leaf. A search runs between two such steps, `asked` and `answered`; what a crash leaves between
//! them is interrupted by the next start.

use std::collections::HashSet;
use std::sync::Arc;

use time::Date;
use zeroize::Zeroizing;

use super::core::Core;
use super::error::{Fate, Fated, LedgerError};
use super::generation::Generation;
use super::handle::Ledger;
use super::inquiry_keys::{key_owner, report_id};
use super::write::{Decision, FilesFirst, Group, NewLeaf, ReportFile, Subject, Write};
use crate::audit::touch::{Credential, SearchApproval, Touch};
use crate::audit::{Actor, Detail, Shown};
use crate::booking::VersionId;
use crate::calendar::Time;
use crate::ids::{Digest, InquiryId, SearchId};
use crate::inquiry::{
    Action, ActionError, Disposition, Event, Finding, Inquiry, NumberPattern, Probe, Report,
    Request, Review, Who,
};
use crate::limits::INQUIRIES_MAX;
use crate::store::{Commit, InquiryRow, VersionState};
use crate::vault::{Announced, PhotoKey, ProbeKey, Upload, VaultError};

/// An inquiry with the key that opens it.
pub(crate) struct Kept {
    pub(crate) row: InquiryRow,
    pub(crate) key: ProbeKey,
    pub(crate) inquiry: Inquiry,
}

impl Kept {
    /// The tag that leaves bear of what became of it.
    pub(crate) fn tag(&self, ledger: &Ledger) -> u64 {
        ledger.core().master.inquiry_tag(self.row.opened)
    }
}

impl Core {
    /// An inquiry as it stands now: candidates that were released since, and a search whose end
    /// lies in a log that was taken over, have happened to it.
    pub(crate) fn inquiry(&self, id: InquiryId) -> Result<Kept, LedgerError> {
        self.inquiry_beside(id, None)
    }

    pub(super) fn inquiry_beside(
        &self,
        id: InquiryId,
        group: Option<&Group<'_>>,
    ) -> Result<Kept, LedgerError> {
        let Kept { row, key, mut inquiry } = self.recorded_inquiry(id)?;
        let now = group.map_or_else(|| self.clock.now(), |group| group.now);
        if row.asked.is_none() && inquiry.under_way() {
            let leaf = inquiry.searches().last().map_or(row.opened, |search| search.leaf);
            inquiry.happen(now, Event::Interrupted { leaf })?;
        }
        let standing: Vec<VersionId> = inquiry
            .candidates()
            .iter()
            .filter(|candidate| candidate.released_cs.is_none())
            .map(|candidate| candidate.version)
            .collect();
        for version in standing {
            let state = self.store.version(version)?.map(|row| row.state);
            let stands = matches!(
                state,
                Some(VersionState::Live | VersionState::Superseded | VersionState::Unusable)
            );
            if !stands || group.is_some_and(|group| group.suppressed.contains(&version)) {
                inquiry.happen(now, Event::Released { version })?;
            }
        }
        Ok(Kept { row, key, inquiry })
    }

    /// An inquiry as its record says, whatever happened to its candidates since.
    fn recorded_inquiry(&self, id: InquiryId) -> Result<Kept, LedgerError> {
        let row = self.store.inquiry(id)?.ok_or(LedgerError::NotFound { what: "inquiry" })?;
        let key = self.vault.probes.key(row.slot, &key_owner(id))?;
        let plain = key.open_record(id, &row.record)?;
        let inquiry = serde_json::from_slice(&plain)
            .map_err(|source| LedgerError::Sealed { what: "inquiry", source })?;
        Ok(Kept { row, key, inquiry })
    }

    pub(super) fn put_inquiry(&self, tables: &Commit, kept: &Kept) -> Result<(), LedgerError> {
        let id = kept.inquiry.id();
        let plain = Zeroizing::new(
            serde_json::to_vec(&kept.inquiry)
                .expect("an inquiry holds only strings, numbers and lists of them"),
        );
        let asked = kept.row.asked.filter(|_| kept.inquiry.under_way());
        let row =
            InquiryRow { asked, record: kept.key.seal_record(id, &plain), ..kept.row.clone() };
        Ok(tables.put_inquiry(id, &row)?)
    }
}

impl Core {
    /// The probe that is recorded. Between its record and its taking the upload is it, and an
    /// earlier one may lie in its place still.
    fn read_probe(&self, kept: &Kept, probe: &Probe) -> Result<Vec<u8>, LedgerError> {
        let (probes, id) = (&self.vault.probes, kept.inquiry.id());
        let recorded = |found: &Vec<u8>| is_recorded(probe, found);
        let read = || probes.read_photo(id, &kept.key);
        if let Some(found) = read().ok().filter(&recorded) {
            return Ok(found);
        }
        if let Some(found) = probes.finished_upload(id, &kept.key)?.filter(&recorded) {
            return Ok(found);
        }
        // It may have been taken between these two looks.
        let found = read()?;
        if recorded(&found) {
            Ok(found)
        } else {
            Err(VaultError::Unreadable { what: "the probe that is recorded" }.into())
        }
    }

    /// What a crash left of uploads: one that is recorded takes its place, one that no inquiry
    /// waits for any more is removed.
    pub(crate) fn settle_uploads(&self) -> Result<(), LedgerError> {
        let probes = &self.vault.probes;
        for id in probes.uploads()? {
            let kept = match self.inquiry(id) {
                Ok(kept) => kept,
                Err(e) if e.fate() == Fate::Halt => return Err(e),
                Err(e) => {
                    log::warn!(
                        "an upload of an inquiry that doesn't open stays as it is: {}",
                        e.chain()
                    );
                    continue;
                }
            };
            let whole = match kept.inquiry.probe() {
                Some(probe) => {
                    probes.finished_upload(id, &kept.key)?.filter(|found| is_recorded(probe, found))
                }
                None => None,
            };
            if whole.is_some() {
                probes.take_upload(id)?;
            } else if kept.inquiry.stage().is_over() || !kept.inquiry.searches().is_empty() {
                probes.abandon_upload(id)?;
            }
        }
        Ok(())
    }
}

impl Ledger {
    /// Takes a step of an inquiry; gives the index of the last leaf that logs it, where it has one.
    ///
    /// `act` makes the step of that index, and it is made twice: to see that it may be taken, and
    /// to take it. `log` says by which leaves, of the inquiry as it was before.
    pub(crate) fn step(
        &self,
        id: InquiryId,
        act: impl Fn(&mut Inquiry, u64, Time) -> Result<(), ActionError> + Send + 'static,
        log: impl FnOnce(&Inquiry) -> Vec<NewLeaf> + Send + 'static,
    ) -> Result<Option<u64>, LedgerError> {
        self.write(Subject::Inquiry(id), move |core, group| {
            let mut kept = core.inquiry_beside(id, Some(group))?;
            let now = group.now;
            act(&mut kept.inquiry.clone(), 0, now)?;
            Write::new(log(&kept.inquiry), move |core, tables, leaf| {
                act(&mut kept.inquiry, leaf.unwrap_or(0), now)?;
                if kept.inquiry.under_way() && kept.row.asked.is_none() {
                    kept.row.asked = leaf;
                }
                core.put_inquiry(tables, &kept)
            })
            .decided()
        })
    }

    /// Opens an inquiry under a key of its own; gives its id.
    ///
    /// Errors: what `Inquiry::open` refuses; a full table or medium.
    pub fn open_inquiry(
        &self,
        actor: Actor,
        who: Who,
        request: Request,
        today: Date,
        pattern: Option<NumberPattern>,
    ) -> Result<InquiryId, LedgerError> {
        let id = InquiryId::random();
        self.write(Subject::Inquiry(id), move |core, group| {
            if core.store.inquiries_len()? >= INQUIRIES_MAX {
                let most = usize::try_from(INQUIRIES_MAX).unwrap_or(usize::MAX);
                return Err(LedgerError::TooMany { what: "inquiries", most });
            }
            let (opened, pattern) = (request.clone(), pattern.as_ref());
            let inquiry = Inquiry::open(id, opened, &who, today, pattern, group.now)?;
            let key = ProbeKey::generate();
            let stored = core.vault.probes.store_key(&key_owner(id), &key);
            let slot = stored.map_err(LedgerError::of_slot)?;
            let opened = Detail::InquiryOpened { actor, inquiry: id.to_string(), request };
            let leaf = NewLeaf::new(Vec::new(), Vec::new(), opened);
            Write::logged(leaf, move |core, tables, leaf| {
                let row = InquiryRow {
                    slot,
                    opened: leaf,
                    asked: None,
                    issued: None,
                    record: Vec::new(),
                };
                core.put_inquiry(tables, &Kept { row, key, inquiry })
            })
            .behind(FilesFirst::ProbeSlot)
            .answering(id)
            .decided()
        })
    }

    /// Does something with the upload of an inquiry's probe; a probe that was received before stays
    /// until the next one is recorded.
    ///
    /// Errors: those of the vault: a size out of bounds, another file that was begun, pieces that
    /// don't fit.
    pub fn upload<T>(
        &self,
        id: InquiryId,
        announced: Announced,
        work: impl FnOnce(Upload) -> Result<T, VaultError>,
    ) -> Result<T, LedgerError> {
        let (kept, probes) = (self.core().inquiry(id)?, &self.core().vault.probes);
        probes
            .upload(id, &kept.key, announced)
            .and_then(work)
            .map_err(|e| if e.is_full() { LedgerError::DiskFull } else { e.into() })
    }

    /// Takes a person's step that has no leaf of its own. A probe that is received takes its place
    /// once it is recorded, and the one before is gone then.
    pub fn act(
        &self,
        id: InquiryId,
        who: Who,
        revision: u64,
        action: Action,
    ) -> Result<(), LedgerError> {
        let receives = matches!(action, Action::ReceiveProbe(_));
        let act = move |inquiry: &mut Inquiry, _: u64, now: Time| {
            inquiry.act(&who, revision, now, action.clone())
        };
        self.step(id, act, |_| Vec::new())?;
        if receives {
            let taken = self.core().vault.probes.take_upload(id);
            taken.map_err(|e| LedgerError::from(e).halting())?;
        }
        Ok(())
    }

    /// Logs that a search was approved by this touch; on return it may run. Gives the leaf.
    pub fn ask(
        &self,
        id: InquiryId,
        actor: Actor,
        who: Who,
        approval: SearchApproval,
        touch: Touch,
        key: Credential,
    ) -> Result<u64, LedgerError> {
        let search = SearchId::random();
        let kept = self.core().inquiry(id)?;
        let (opened, request, revision) =
            (kept.row.opened, kept.inquiry.request().clone(), approval.revision);
        let act = move |inquiry: &mut Inquiry, leaf: u64, now: Time| {
            inquiry.act(&who, revision, now, Action::Ask { search, leaf })
        };
        let log = move |_: &Inquiry| {
            let detail = Detail::Asked {
                actor,
                search: search.to_string(),
                inquiry: id.to_string(),
                request,
                approval,
                touch,
                key,
            };
            vec![NewLeaf::new(vec![opened], Vec::new(), detail)]
        };
        Ok(self.step(id, act, log)?.expect("an approved search is logged"))
    }

    /// Logs the answer before it leaves. Where a candidate was released meanwhile, nothing is
    /// logged and those are given.
    pub fn answer(
        &self,
        id: InquiryId,
        actor: Actor,
        generation: &Generation,
        candidates: Vec<(VersionId, f64)>,
    ) -> Result<Vec<VersionId>, LedgerError> {
        let (model, gallery_rows) =
            (generation.model().to_string(), u64::from(generation.gallery().live()));
        self.write(Subject::Inquiry(id), move |core, group| {
            let mut gone = Vec::new();
            for (version, _) in &candidates {
                let row = core.store.version(*version)?;
                let live = row.is_some_and(|row| row.state == VersionState::Live);
                if !live || group.suppressed.contains(version) {
                    gone.push(*version);
                }
            }
            if !gone.is_empty() {
                return Ok(Decision::Nothing(gone));
            }
            let mut kept = core.inquiry_beside(id, Some(group))?;
            let now = group.now;
            let ranked = candidates.clone();
            let answered = move |leaf| Event::Answered { candidates: ranked.clone(), leaf };
            kept.inquiry.clone().happen(now, answered(0))?;
            let searched = kept.inquiry.searches().last();
            let search = searched.ok_or(LedgerError::NotFound { what: "open search" })?;
            let shown = candidates.into_iter().map(|(version, score)| Shown { version, score });
            let candidates: Vec<Shown> = shown.collect();
            let (follows, counts) = (vec![search.leaf], vec![candidates.len() as u64]);
            let search = search.id.to_string();
            let detail = Detail::Answered { actor, search, model, gallery_rows, candidates };
            let leaf = NewLeaf::new(follows, counts, detail);
            Write::logged(leaf, move |core, tables, leaf| {
                kept.inquiry.happen(now, answered(leaf))?;
                kept.row.asked = None;
                core.put_inquiry(tables, &kept)
            })
            .answering(Vec::new())
            .decided()
        })
    }

    /// Ends the review of the examiner at work; gives the leaf that says so.
    ///
    /// Errors: what the inquiry refuses, a candidate that was skipped above all.
    pub fn finish(
        &self,
        id: InquiryId,
        actor: Actor,
        who: Who,
        revision: u64,
    ) -> Result<u64, LedgerError> {
        let act = move |inquiry: &mut Inquiry, leaf: u64, now: Time| {
            inquiry.act(&who, revision, now, Action::Finish { leaf })
        };
        let log = move |inquiry: &Inquiry| {
            let second = inquiry.second();
            let review = second.or(inquiry.first());
            let findings = review.map(|review| review.findings.clone()).unwrap_or_default();
            let undone =
                |version: &VersionId| findings.iter().all(|finding| finding.candidate != *version);
            let released: Vec<VersionId> = inquiry
                .candidates()
                .iter()
                .map(|candidate| candidate.version)
                .filter(undone)
                .collect();
            let (answered, first) = (
                inquiry.answer().map(|answer| answer.leaf),
                inquiry.first().and_then(|review| review.leaf),
            );
            let follows = answered.into_iter().chain(first.filter(|_| second.is_some())).collect();
            let disagreements =
                second.and(inquiry.first()).map_or(0, |first| disagreements(first, &findings));
            let counts =
                vec![if second.is_some() { 2 } else { 1 }, inquiry.candidates().len() as u64];
            let inquiry = inquiry.id().to_string();
            let detail = Detail::Reviewed { actor, inquiry, findings, released, disagreements };
            vec![NewLeaf::new(follows, counts, detail)]
        };
        Ok(self.step(id, act, log)?.expect("a review's end is logged"))
    }

    /// Issues the report of an inquiry: the leaf names the digest of this file, which lies sealed
    /// and synced before the leaf is written, and nowhere if it isn't. Gives the leaf.
    ///
    /// Errors: what the inquiry refuses; a full medium.
    pub(crate) fn issue(
        &self,
        id: InquiryId,
        actor: Actor,
        who: Who,
        revision: u64,
        file: Arc<[u8]>,
    ) -> Result<u64, LedgerError> {
        let sha256 = Digest::of(&file);
        self.write(Subject::Inquiry(id), move |core, group| {
            let mut kept = core.inquiry_beside(id, Some(group))?;
            let now = group.now;
            let issue = move |leaf| Action::Issue { sha256, leaf };
            kept.inquiry.clone().act(&who, revision, now, issue(0))?;
            let leaf = issued_leaf(&kept.inquiry, actor, sha256);
            let report = ReportFile { id: report_id(id), key: kept.key.clone(), file };
            Write::logged(leaf, move |core, tables, leaf| {
                kept.inquiry.act(&who, revision, now, issue(leaf))?;
                kept.row.issued = Some(leaf);
                core.put_inquiry(tables, &kept)
            })
            .behind(FilesFirst::Report(Box::new(report)))
            .decided()
        })
    }

    /// Gives out the report of an inquiry: the file that was issued and that the log names, once
    /// its leaf says to whom.
    ///
    /// Errors: none was issued, or the inquiry is closed; one that shows a candidate whose booking
    /// was released since, or that went with such a booking; a file that isn't the one that was
    /// issued.
    pub(crate) fn take_report(&self, id: InquiryId, actor: Actor) -> Result<Vec<u8>, LedgerError> {
        let kept = self.core().inquiry(id)?;
        kept.inquiry.given_report()?;
        let file = self.issued_file(&kept)?;
        self.write(Subject::Inquiry(id), move |core, group| {
            let kept = core.inquiry_beside(id, Some(group))?;
            kept.inquiry.given_report()?;
            let report_sha256 = kept_report(&kept)?.sha256.to_string();
            let detail = Detail::ReportGiven { actor, inquiry: id.to_string(), report_sha256 };
            Write::logged(NewLeaf::new(Vec::new(), Vec::new(), detail), |_, _, _| Ok(()))
                .answering(file)
                .decided()
        })
    }

    /// The file of an inquiry's report, held against what record and log say of it.
    pub(super) fn issued_file(&self, kept: &Kept) -> Result<Vec<u8>, LedgerError> {
        let report = kept_report(kept)?;
        let read = self.core().vault.probes.read_photo(report_id(kept.inquiry.id()), &kept.key);
        let file = match read {
            // It went with a booking in this moment.
            Err(e) if e.is_lost() => return Err(ActionError::ReportWithheld.into()),
            read => read?,
        };
        let logged = match self.detail_of(report.leaf)? {
            Some(Detail::ReportIssued { report_sha256, .. }) => {
                report_sha256 == report.sha256.to_string()
            }
            // Its term was over before the inquiry's.
            detail => detail.is_none(),
        };
        if logged && Digest::of(&file) == report.sha256 {
            Ok(file)
        } else {
            Err(VaultError::Unreadable { what: "the report that was issued" }.into())
        }
    }

    /// Forgets what was handed over of a probe.
    pub(crate) fn abandon_upload(&self, inquiry: InquiryId) -> Result<(), LedgerError> {
        Ok(self.core().vault.probes.abandon_upload(inquiry)?)
    }

    /// Whether there is an inquiry of this name.
    pub(crate) fn has_inquiry(&self, inquiry: InquiryId) -> Result<bool, LedgerError> {
        Ok(self.core().store.inquiry(inquiry)?.is_some())
    }

    /// All inquiries that haven't ended.
    pub(crate) fn inquiry_ids(&self) -> Result<Vec<InquiryId>, LedgerError> {
        let mut ids = Vec::new();
        self.core().store.for_each_inquiry::<LedgerError>(|id, _| {
            ids.push(id);
            Ok(())
        })?;
        Ok(ids)
    }

    /// Ends a search that was asked for and will never be answered.
    pub(crate) fn interrupt(&self, id: InquiryId) -> Result<(), LedgerError> {
        let act = |inquiry: &mut Inquiry, leaf: u64, now: Time| {
            inquiry.happen(now, Event::Interrupted { leaf })
        };
        let log = |inquiry: &Inquiry| {
            let search = inquiry.searches().last();
            let follows = search.map(|search| search.leaf).into_iter().collect();
            let interrupted =
                Detail::Interrupted { search: search.map(|search| search.id.to_string()) };
            vec![NewLeaf::new(follows, Vec::new(), interrupted)]
        };
        self.step(id, act, log).map(|_| ())
    }

    /// An inquiry as it stands now.
    pub fn find_inquiry(&self, id: InquiryId) -> Result<Inquiry, LedgerError> {
        Ok(self.core().inquiry(id)?.inquiry)
    }

    /// The probe of an inquiry as it was received; none where none came or its key is gone.
    pub fn probe(&self, id: InquiryId) -> Result<Option<Vec<u8>>, LedgerError> {
        let kept = self.core().inquiry(id)?;
        match kept.inquiry.probe() {
            Some(probe) => Ok(Some(self.core().read_probe(&kept, probe)?)),
            None => Ok(None),
        }
    }
}

impl Core {
    /// The inquiries of which the box keeps a report that shows one of these bookings. One that
    /// doesn't open any more is among them: nobody can say what its report shows, and nobody is
    /// given it.
    pub(super) fn reports_of(
        &self,
        shown: &HashSet<VersionId>,
    ) -> Result<Vec<(InquiryId, InquiryRow)>, LedgerError> {
        let mut issued = Vec::new();
        self.store.for_each_inquiry::<LedgerError>(|id, head| {
            issued.extend(head.issued.map(|_| id));
            Ok(())
        })?;
        let mut of = Vec::new();
        for id in issued {
            let shows = match self.recorded_inquiry(id) {
                Ok(kept) => kept
                    .inquiry
                    .report()
                    .is_some_and(|report| report.shows.iter().any(|at| shown.contains(at))),
                Err(e) if e.fate() == Fate::Halt => return Err(e),
                Err(e) => {
                    log::error!("the report of an inquiry that doesn't open goes: {}", e.chain());
                    true
                }
            };
            if shows {
                of.extend(self.store.inquiry(id)?.map(|row| (id, row)));
            }
        }
        Ok(of)
    }

    /// Removes the files of these inquiries' reports; durable on return.
    pub(super) fn unlink_reports(&self, of: &[InquiryId]) -> Result<(), LedgerError> {
        let probes = &self.vault.probes;
        of.iter().try_for_each(|id| probes.unlink_photo(report_id(*id)))?;
        Ok(probes.sync_names(of.iter().map(|id| report_id(*id)))?)
    }
}

/// The report of an inquiry, if its file is kept.
pub(super) fn kept_report(kept: &Kept) -> Result<&Report, ActionError> {
    let report = kept.inquiry.report().ok_or(ActionError::NotIssued)?;
    if kept.row.issued.is_some() { Ok(report) } else { Err(ActionError::ReportWithheld) }
}

/// The leaf that says that a report was issued.
fn issued_leaf(inquiry: &Inquiry, actor: Actor, sha256: Digest) -> NewLeaf {
    let reviewed =
        [inquiry.first(), inquiry.second()].into_iter().flatten().filter_map(|review| review.leaf);
    let follows = inquiry.answer().map(|answer| answer.leaf).into_iter().chain(reviewed).collect();
    let leads: Vec<VersionId> = inquiry
        .candidates()
        .iter()
        .map(|candidate| candidate.version)
        .filter(|version| inquiry.is_lead(*version))
        .collect();
    let (inquiry, report_sha256) = (inquiry.id().to_string(), sha256.to_string());
    NewLeaf::new(follows, Vec::new(), Detail::ReportIssued { actor, inquiry, report_sha256, leads })
}

/// Whether these are the bytes of the probe that an inquiry's record names.
fn is_recorded(probe: &Probe, found: &[u8]) -> bool {
    Digest::of(found) == probe.sha256
}

/// Candidates that one examiner took for a lead and the other did not.
fn disagreements(first: &Review, second: &[Finding]) -> u64 {
    let lead = |finding: &Finding| finding.disposition == Disposition::Lead;
    let differs = |finding: &&Finding| {
        first.finding(finding.candidate).is_some_and(|other| lead(other) != lead(finding))
    };
    second.iter().filter(differs).count() as u64
}
