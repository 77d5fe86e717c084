//! Rules of details: an opened detail must be the one that its leaf committed to, of its kind,
//! saying again what the leaf says, and agreeing with the details of the leaves that it follows,
//! where those were opened too.

use std::collections::{BTreeMap, HashMap};

use super::found::Found;
use super::purges::Purges;
use super::sample::Sample;
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
pub(super) struct DetailRules {
    checked: u64,
    /// Searches by the leaves that asked for and answered them.
    searches: BTreeMap<u64, Search>,
    /// The answers that reviews are of.
    reviews: BTreeMap<u64, u64>,
    /// The tags of inquiries, by their names.
    tags: HashMap<String, u64>,
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

impl DetailRules {
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
        let mut counts = leaf.kind.counts().iter().zip(leaf.counts()).zip(detail.counts());
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
        match detail {
            Detail::OutcomeRecorded { inquiry, .. }
            | Detail::InquiryClosed { inquiry, .. }
            | Detail::EvidenceMarked { inquiry, .. }
            | Detail::CopyOrdered { inquiry, .. }
            | Detail::CopyGiven { inquiry, .. } => {
                let tag = *self.tags.entry(inquiry).or_insert(leaf.count(0));
                (tag != leaf.count(0))
                    .then(|| "its detail names an inquiry that bore another tag before".to_owned())
            }
            Detail::Reviewed { actor, .. } => {
                let examiner = actor.person.map_or(actor.certificate, |person| person.to_string());
                self.reviewed(index, leaf, examiner)
            }
            Detail::SampleDrawn { leaves, .. } => {
                let again = before.drawn.get(&index)?.drawn(before.asked);
                let wrong = "its detail does not name the searches that its seed draws";
                (!again.eq(leaves)).then(|| wrong.to_owned())
            }
            Detail::SampleReviewed { asked, .. } => {
                let sample =
                    before.drawn.get(&first).filter(|sample| !sample.draws(asked, before.asked));
                sample.map(|_| {
                    format!(
                        "its detail is about the search of leaf {asked}, which the sample of leaf \
                         {first} did not draw"
                    )
                })
            }
            Detail::Asked { .. }
            | Detail::Answered { .. }
            | Detail::Interrupted { .. }
            | Detail::PhotoViewed { .. } => self.search(index, first, detail),
            detail => self.booking(index, leaf, detail, before),
        }
    }

    /// The leaves of one search name one search.
    fn search(&mut self, index: u64, first: u64, detail: Detail) -> Option<String> {
        let another = |name: &str, told: &str| (name != told).then(|| other("search", first));
        match detail {
            Detail::Asked { actor, search, .. } => {
                let operator = actor.person.map_or(actor.certificate, |person| person.to_string());
                let asked = Search { name: search, operator, first_examiner: None };
                self.searches.insert(index, asked);
                None
            }
            Detail::Answered { search, .. } => {
                let asked = self.searches.remove(&first)?;
                let differs = another(&asked.name, &search);
                self.searches.insert(index, asked);
                differs
            }
            // A search whose details were lost with a state folder has no name any more.
            Detail::Interrupted { search, .. } => {
                another(&self.searches.remove(&first)?.name, &search?)
            }
            Detail::PhotoViewed { search, .. } => {
                another(&self.searches.get(&first)?.name, &search)
            }
            _ => None,
        }
    }

    /// What becomes of a booking names the booking that was released or replaced.
    fn booking(
        &mut self,
        index: u64,
        leaf: &LeafView<'_>,
        detail: Detail,
        before: Before<'_>,
    ) -> Option<String> {
        let follows_none = leaf.follows().len() == 0;
        let first = leaf.follows().next().unwrap_or(index);
        match detail {
            Detail::BookingIn { replaces, .. } => match (replaces, leaf.count(0)) {
                (Some(_), 0) => Some(
                    "its detail says that it replaces a version, and it bears the tag of none"
                        .to_owned(),
                ),
                (None, 1..) => Some(
                    "it bears the tag of a version that it replaces, and its detail names none"
                        .to_owned(),
                ),
                (None, 0) => None,
                (Some(version), tag) => {
                    self.replaced.insert(tag, (index, version));
                    None
                }
            },
            Detail::Released { versions, .. } => {
                let holds = versions.iter().filter_map(|version| self.holds.remove(version));
                before.purges.release_detail(index, holds.flatten());
                self.released.insert(index, versions);
                None
            }
            Detail::Purged { version, .. } if follows_none => {
                let replaced = self.replaced.get(&leaf.count(0));
                let (by, _) = replaced.filter(|(_, replaced)| *replaced != version)?;
                Some(format!(
                    "its detail names another booking than the one that leaf {by} replaced"
                ))
            }
            Detail::HoldNoticed { version, .. } if follows_none => {
                before.purges.notice_detail(index);
                self.holds.entry(version).or_default().push(index);
                None
            }
            Detail::Purged { version, .. }
            | Detail::HoldNoticed { version, .. }
            | Detail::ExtensionDecided { version, .. } => {
                let released = self.released.get(&first);
                released
                    .filter(|versions| !versions.contains(&version))
                    .map(|_| other("booking", first))
            }
            _ => None,
        }
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

/// That a detail and that of the leaf that it follows are not of one thing.
fn other(what: &str, leaf: u64) -> String {
    format!("its detail names another {what} than that of leaf {leaf}")
}
