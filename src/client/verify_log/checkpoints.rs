//! Checkpoints of a copy of the log: their signatures, cosignatures and times, and what doesn't
//! hold.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::error::{LogVerifyError, damage};
use super::tree::Bound;
use crate::audit::{Checkpoint, Note, Place, Quorum, Remarks, VerifierKey, Witnessed};
use crate::calendar::Time;
use crate::client::log_folder::{CHECKPOINT, CHECKPOINTS, LogFolder};
use crate::limits::COSIGN_TOLERANCE_SECONDS;

/// A checkpoint that the log signed.
#[derive(Clone, Debug)]
pub(super) struct Signed {
    pub(super) place: Place,
    pub(super) checkpoint: Checkpoint,
    pub(super) witnessed: Witnessed,
}

/// All checkpoints of the copy, and the auditor's own.
#[derive(Debug, Default)]
pub(super) struct Checkpoints {
    /// Those that the log signed under its present origin, the smallest first.
    pub(super) signed: Vec<Signed>,
    /// Those of other origins.
    former: Vec<Signed>,
    /// The one in the file `checkpoint`; none where it is damaged or not signed by the log.
    pub(super) newest: Option<Checkpoint>,
    /// The one that the auditor kept from before.
    pub(super) since: Option<Signed>,
    pub(super) violations: Remarks,
    pub(super) observations: Remarks,
    /// How many were looked at.
    pub(super) looked_at: u64,
}

impl Checkpoints {
    /// Reads the newest checkpoint and all that were kept, and checks their signatures.
    ///
    /// Errors: no newest checkpoint, a file that can't be read.
    pub(super) fn read(
        folder: &LogFolder,
        quorum: &Quorum,
        since: Option<(&str, &Note)>,
    ) -> Result<Self, LogVerifyError> {
        let mut all = Self::default();
        let newest = match folder.checkpoint() {
            Ok(Some(note)) => Some(note),
            Ok(None) => return Err(LogVerifyError::NoLog { folder: folder.path().to_owned() }),
            Err(e) => {
                let (place, what) = damage(folder, e)?;
                all.violations.add(place, what);
                None
            }
        };
        let mut found: Vec<(Place, Note)> = newest
            .map(|note| (Place::File { path: CHECKPOINT.to_owned() }, note))
            .into_iter()
            .collect();
        for (line, number) in folder.checkpoint_lines()?.into_iter().zip(1..) {
            match line {
                Ok(note) => {
                    found.push((Place::Line { path: CHECKPOINTS.to_owned(), line: number }, note))
                }
                Err(e) => {
                    let (place, what) = damage(folder, e)?;
                    all.violations.add(place, what);
                }
            }
        }
        all.looked_at = found.len() as u64;
        let looked: Vec<(Option<Signed>, Remarks)> =
            found.par_iter().map(|(place, note)| look(place, note, quorum)).collect();
        let mut kept: Vec<Signed> = Vec::new();
        for (signed, violations) in looked {
            all.violations.append(violations);
            let Some(signed) = signed else { continue };
            if matches!(signed.place, Place::File { .. }) {
                all.newest = Some(signed.checkpoint.clone());
                kept.push(signed);
                continue;
            }
            let before = kept.last().filter(|before| matches!(before.place, Place::Line { .. }));
            if before.is_some_and(|before| {
                before.checkpoint.origin == signed.checkpoint.origin
                    && before.checkpoint.leaves > signed.checkpoint.leaves
            }) {
                all.violations.add(
                    signed.place.clone(),
                    "is of a smaller log than the line before it: the lines were exchanged",
                );
            }
            kept.push(signed);
        }
        if let Some((path, note)) = since {
            let (signed, violations) = look(&Place::File { path: path.to_owned() }, note, quorum);
            all.violations.append(violations);
            all.since = signed;
        }
        let origin = all
            .newest
            .as_ref()
            .or(kept.last().map(|kept| &kept.checkpoint))
            .map(|checkpoint| checkpoint.origin.clone());
        (all.signed, all.former) =
            kept.into_iter().partition(|signed| Some(&signed.checkpoint.origin) == origin.as_ref());
        all.signed.sort_by_key(|signed| signed.checkpoint.leaves);
        all.check_newest();
        Ok(all)
    }

    /// Checks that no kept checkpoint is larger than the newest: leaves would be hidden.
    fn check_newest(&mut self) {
        let (Some(newest), Some(largest)) = (&self.newest, self.signed.last()) else { return };
        if newest.leaves < largest.checkpoint.leaves {
            let what = format!(
                "is of {} leaves, and {} is of {}: an older checkpoint was put in place of the \
                 newest",
                newest.leaves, largest.place, largest.checkpoint.leaves
            );
            self.violations.add(Place::File { path: CHECKPOINT.to_owned() }, what);
        }
    }

    /// The largest checkpoint that the log signed.
    pub(super) fn largest(&self) -> Option<&Checkpoint> {
        self.signed.last().map(|signed| &signed.checkpoint)
    }

    /// All of the log's present origin, the auditor's own among them.
    pub(super) fn all(&self) -> impl Iterator<Item = &Signed> {
        self.signed.iter().chain(self.since.iter().filter(|since| self.is_present(since)))
    }

    /// All of other origins, the auditor's own among them.
    pub(super) fn others(&self) -> impl Iterator<Item = &Signed> {
        self.former.iter().chain(self.since.iter().filter(|since| !self.is_present(since)))
    }

    fn is_present(&self, signed: &Signed) -> bool {
        self.largest().is_some_and(|largest| largest.origin == signed.checkpoint.origin)
    }

    /// Bounds on the times of leaves from the times of cosignatures: no leaf that a cosigned
    /// checkpoint covers is later than the cosignature, none beyond it earlier.
    pub(super) fn bounds(&self) -> Vec<Bound> {
        let mut times: BTreeMap<u64, (u64, u64)> = BTreeMap::new();
        for signed in self.all() {
            for (_, time) in &signed.witnessed.by {
                let (earliest, latest) =
                    times.entry(signed.checkpoint.leaves).or_insert((*time, *time));
                (*earliest, *latest) = ((*earliest).min(*time), (*latest).max(*time));
            }
        }
        let mut not_after = Time::MAX;
        let mut bounds = Vec::new();
        for (&leaves, &(earliest, latest)) in times.iter().rev() {
            bounds.push(Bound {
                first: leaves,
                not_before: Time::from_seconds(latest.saturating_sub(COSIGN_TOLERANCE_SECONDS)),
                not_after,
            });
            not_after = not_after
                .min(Time::from_seconds(earliest.saturating_add(COSIGN_TOLERANCE_SECONDS)));
        }
        bounds.push(Bound { first: 0, not_before: Time::EPOCH, not_after });
        bounds.reverse();
        let mut not_before = Time::EPOCH;
        for bound in &mut bounds {
            not_before = bound.not_before.max(not_before);
            bound.not_before = not_before;
        }
        bounds
    }
}

/// The checkpoint of a note, where the key of its log signed it.
fn look(place: &Place, note: &Note, quorum: &Quorum) -> (Option<Signed>, Remarks) {
    let mut violations = Remarks::default();
    let mut wrong = |what: String| violations.add(place.clone(), what);
    let keys: Vec<&VerifierKey> =
        quorum.logs().iter().chain(quorum.witnesses().iter().map(|witness| &witness.key)).collect();
    let signed = match note.checkpoint() {
        Err(e) => {
            wrong(e.to_string());
            None
        }
        Ok(checkpoint) => match quorum.logs().iter().find(|key| key.name() == checkpoint.origin) {
            None => {
                wrong(format!(
                    "is a checkpoint of a log '{}', of which no key was given",
                    checkpoint.origin
                ));
                None
            }
            Some(key) if !key.signed(note) => {
                wrong(format!(
                    "is not signed by the key of the log '{}': it was changed, or is somebody \
                     else's",
                    checkpoint.origin
                ));
                None
            }
            Some(_) => {
                Some(Signed { place: place.clone(), checkpoint, witnessed: quorum.witnessed(note) })
            }
        },
    };
    if signed.is_some() {
        let names: Vec<String> =
            note.forged(&keys).into_iter().map(|name| format!("'{name}'")).collect();
        if !names.is_empty() {
            let names = names.join(", ");
            wrong(format!(
                "bears a signature in the name of {names} that is not by the key given for it, or \
                 not over this checkpoint"
            ));
        }
    }
    (signed, violations)
}
