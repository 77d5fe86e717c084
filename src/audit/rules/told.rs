//! What an opened detail must be: the one that its leaf committed to, of its kind, saying again
//! what the leaf says, and agreeing with the details of the leaves that it follows, where those
//! were opened too.

use crate::inquiry::Disposition;
use std::collections::{BTreeMap, HashMap};

use super::purges::Purges;
use super::{Found, Sample};
use crate::audit::leaf::LeafView;
use crate::audit::remark::Place;
use crate::audit::{Detail, SALT_BYTES, commit};
use crate::booking::VersionId;

/// A detail that was opened.
#[derive(Clone, Debug)]
pub struct Opened<'d> {
    /// The salt of the leaf's commitment.
    pub salt: &'d [u8; SALT_BYTES],
    /// The detail, as it was committed to.
    pub text: &'d str,
    /// Where it stands.
    pub place: Place,
}

/// What is remembered of details for those that come after.
#[derive(Debug, Default)]
pub(super) struct Told {
    checked: u64,
    /// Searches by the leaves that asked for and answered them.
    searches: BTreeMap<u64, Search>,
    /// The answers that reviews are of.
    reviews: BTreeMap<u64, u64>,
    inquiries: BTreeMap<u64, String>,
    released: BTreeMap<u64, Vec<VersionId>>,
    /// Versions that others replaced, by their tags, with the leaf that says so.
    replaced: HashMap<u64, (u64, VersionId)>,
    /// Notices of evidentiary value of bookings that stood, by version.
    holds: BTreeMap<VersionId, Vec<u64>>,
}

/// What the leaves before one say that its detail must agree with.
pub(super) struct Before<'b> {
    pub(super) drawn: &'b BTreeMap<u64, Sample>,
    /// All searches asked for.
    pub(super) asked: &'b [u64],
    pub(super) purges: &'b mut Purges,
}

#[derive(Clone, Debug)]
struct Search {
    name: String,
    operator: String,
    first_examiner: Option<String>,
}

impl Told {
    pub(super) fn checked(&self) -> u64 {
        self.checked
    }

    pub(super) fn check(
        &mut self,
        index: u64,
        leaf: &LeafView<'_>,
        opened: Opened<'_>,
        before: Before<'_>,
        found: &mut Found,
    ) {
        self.checked += 1;
        if commit(opened.salt, opened.text.as_bytes()) != *leaf.commitment {
            let what = format!(
                "what is given as the detail of leaf {index} is not the detail that this leaf \
                 committed to"
            );
            return found.violations.add(opened.place, what);
        }
        let detail = match serde_json::from_str::<Detail>(opened.text) {
            Ok(detail) => detail,
            Err(e) => return found.wrong(index, format!("its detail cannot be read: {e}")),
        };
        if detail.kind() != leaf.kind {
            return found.wrong(
                index,
                format!(
                    "is '{}', and its detail is of a leaf '{}'",
                    leaf.kind.name(),
                    detail.kind().name()
                ),
            );
        }
        let mut counts = leaf.kind.counts().iter().zip(leaf.counts()).zip(counts(&detail));
        if let Some(((name, count), Some(told))) =
            counts.find(|((_, count), told)| told.is_some_and(|told| told != *count))
        {
            found.wrong(
                index,
                format!("counts {count} {}, its detail {told}", name.replace('_', " ")),
            );
        }
        if let Some(what) = self.relations(index, leaf, detail, before) {
            found.wrong(index, what);
        }
    }

    /// Remembers a detail; what doesn't agree with those before it, in words.
    fn relations(
        &mut self,
        index: u64,
        leaf: &LeafView<'_>,
        detail: Detail,
        before: Before<'_>,
    ) -> Option<String> {
        let first = leaf.follows().next().unwrap_or(index);
        let other =
            |what: &str| Some(format!("its detail names another {what} than that of leaf {first}"));
        match detail {
            Detail::InquiryOpened { inquiry, .. } => {
                self.inquiries.insert(index, inquiry);
            }
            Detail::InquiryClosed { inquiry, .. } => {
                return self
                    .inquiries
                    .remove(&first)
                    .filter(|opened| *opened != inquiry)
                    .and_then(|_| other("inquiry"));
            }
            Detail::Asked { actor, search, .. } => {
                let operator = actor.person.map_or(actor.certificate, |person| person.to_string());
                self.searches
                    .insert(index, Search { name: search, operator, first_examiner: None });
            }
            Detail::Answered { search, .. } => {
                let asked = self.searches.remove(&first)?;
                let differs = asked.name != search;
                self.searches.insert(index, asked);
                return differs.then(|| other("search")).flatten();
            }
            Detail::Interrupted { search, .. } => {
                // A search whose details were lost with a state folder has no name any more.
                let differs =
                    |asked: &Search| search.as_ref().is_some_and(|search| asked.name != *search);
                return self.searches.remove(&first).filter(differs).and_then(|_| other("search"));
            }
            Detail::PhotoViewed { search, .. } => {
                return self
                    .searches
                    .get(&first)
                    .filter(|answered| answered.name != search)
                    .and_then(|_| other("search"));
            }
            Detail::Reviewed { actor, .. } => {
                let examiner = actor.person.map_or(actor.certificate, |person| person.to_string());
                return self.reviewed(index, leaf, examiner);
            }
            Detail::BookingIn { replaces, .. } => {
                match (replaces, leaf.count(0)) {
                    (Some(_), 0) => return Some(
                        "its detail says that it replaces a version, and it bears the tag of none"
                            .to_owned(),
                    ),
                    (Some(version), tag) => _ = self.replaced.insert(tag, (index, version)),
                    (None, 0) => {}
                    (None, _) => return Some(
                        "it bears the tag of a version that it replaces, and its detail names none"
                            .to_owned(),
                    ),
                }
            }
            Detail::Released { versions, .. } => {
                let holds = versions.iter().filter_map(|version| self.holds.remove(version));
                before.purges.told_release(index, holds.flatten());
                self.released.insert(index, versions);
            }
            Detail::Purged { version, .. } if leaf.follows().len() == 0 => {
                let (by, _) = self
                    .replaced
                    .get(&leaf.count(0))
                    .filter(|(_, replaced)| *replaced != version)?;
                return Some(format!(
                    "its detail names another booking than the one that leaf {by} replaced"
                ));
            }
            Detail::HoldNoticed { version, .. } if leaf.follows().len() == 0 => {
                before.purges.told_notice(index);
                self.holds.entry(version).or_default().push(index);
            }
            Detail::Purged { version, .. }
            | Detail::HoldNoticed { version, .. }
            | Detail::ExtensionDecided { version, .. } => {
                return self
                    .released
                    .get(&first)
                    .filter(|versions| !versions.contains(&version))
                    .and_then(|_| other("booking"));
            }
            Detail::SampleDrawn { leaves, .. } => {
                let again = before.drawn.get(&index)?.drawn(before.asked);
                return (!again.eq(leaves)).then(|| {
                    "its detail does not name the searches that its seed draws".to_owned()
                });
            }
            Detail::SampleReviewed { asked, .. } => {
                let sample =
                    before.drawn.get(&first).filter(|sample| !sample.draws(asked, before.asked));
                return sample.map(|_| {
                    format!(
                        "its detail is about the search of leaf {asked}, which the \
                        sample of leaf {first} did not draw"
                    )
                });
            }
            _ => {}
        }
        None
    }

    /// The second look is another person's: neither the first examiner nor whoever ran the search.
    fn reviewed(&mut self, index: u64, leaf: &LeafView<'_>, examiner: String) -> Option<String> {
        let answer_of = |earlier: u64| {
            self.searches
                .contains_key(&earlier)
                .then_some(earlier)
                .or(self.reviews.get(&earlier).copied())
        };
        let answer = leaf.follows().find_map(answer_of)?;
        self.reviews.insert(index, answer);
        let search = self.searches.get_mut(&answer)?;
        match leaf.count(0) {
            1 => search.first_examiner = Some(examiner),
            2 if search.first_examiner.as_ref() == Some(&examiner) => {
                return Some(format!(
                    "the second examiner of leaf {answer} is the first one again"
                ));
            }
            2 if search.operator == examiner => {
                return Some(format!(
                    "the second examiner of leaf {answer} is the person who ran the search"
                ));
            }
            _ => {}
        }
        None
    }
}

/// What a detail says of each of its leaf's counts, in their order; none of those that it doesn't
/// repeat.
fn counts(detail: &Detail) -> Vec<Option<u64>> {
    let len = |of: usize| of as u64;
    let told = match detail {
        Detail::AlarmRaised { alarm, .. } | Detail::AlarmCleared { alarm, .. } => {
            vec![*alarm as u64]
        }
        Detail::ClockStepped { behind_cs, ahead_cs } => vec![*behind_cs, *ahead_cs],
        Detail::LogRestored { backup_leaves, supplied_leaves, .. } => {
            vec![*backup_leaves, *supplied_leaves]
        }
        Detail::OriginOpened { backup_leaves, .. } => vec![*backup_leaves],
        Detail::HoldNoticed { order, .. } => vec![u64::from(order.is_some())],
        Detail::HoldDecided { granted, .. } => vec![u64::from(*granted)],
        Detail::ExtensionDecided { granted, days, .. } => vec![u64::from(*granted), *days],
        Detail::BookingsDamaged { versions } => vec![len(versions.len())],
        Detail::Answered { candidates, .. } => vec![len(candidates.len())],
        Detail::Reviewed { findings, released, .. } => {
            let leads =
                findings.iter().filter(|finding| finding.disposition == Disposition::Lead).count();
            return vec![None, Some(len(findings.len() + released.len())), Some(len(leads))];
        }
        Detail::ReportIssued { leads, .. } => vec![len(leads.len())],
        Detail::InquiryClosed { withdrawn, .. } => vec![u64::from(*withdrawn)],
        Detail::RefusalsGathered { refusals, .. } => return vec![None, Some(*refusals)],
        Detail::ModelSwitchBegun { bookings, accept_failed, .. } => vec![*bookings, *accept_failed],
        Detail::ModelSwitched { bookings, suppressed, .. } => vec![*bookings, *suppressed],
        Detail::ModelSwitchGivenUp { embedded, failed, .. } => vec![*embedded, *failed],
        Detail::BookingsSuppressed { bookings, .. } => vec![len(bookings.len())],
        Detail::DetailsOpened { first, end, .. } => vec![end.saturating_sub(*first)],
        Detail::DetailsExpired { first, end, .. } | Detail::LogReviewed { first, end, .. } => {
            vec![*first, *end]
        }
        Detail::Exported { leaves, .. } => vec![*leaves],
        Detail::ProbesExpired { inquiries, .. } => vec![len(inquiries.len())],
        Detail::SampleSeeded { seed, rate_ppm, first, end, .. } => {
            vec![*seed, *rate_ppm, *first, *end]
        }
        Detail::SampleDrawn { leaves, .. } => return vec![None, Some(len(leaves.len()))],
        _ => Vec::new(),
    };
    told.into_iter().map(Some).collect()
}
