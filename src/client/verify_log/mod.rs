//! Offline verification of a log: from a copy of it in a folder, the keys of the log and its
//! witnesses, and perhaps a checkpoint kept from before.
//!
//! Invariant: nothing in the folder is believed. Leaves are hashed again, every checkpoint's
//! signature and root is checked, and what only the folder itself says, its keys among it, is
//! marked so in the result.

mod checkpoints;
mod details;
mod error;
mod text;
mod tree;
mod verdict;

use std::collections::BTreeMap;

use super::log_folder::LogFolder;
use crate::audit::{Hash, KeyUse, Note, Place, Quorum, Remarks, Ruled, Rules, VerifierKey, when};
use crate::calendar::{Span, Time};
use crate::ids::Digest;
use checkpoints::{Checkpoints, Signed};
use details::Details;
pub use error::LogVerifyError;
use tree::{Walk, Walked};
pub use verdict::{CheckedCounts, KeyView, LogVerdict, WitnessedView};

/// What a log is verified against.
#[derive(Debug, Default)]
pub struct VerifyOptions {
    /// The keys of the log and of its witnesses, with their quorum; those of the folder if none.
    pub keys: Option<Quorum>,
    /// A checkpoint kept from before, with the name of its file: the log must continue it.
    pub since: Option<(String, Note)>,
    /// Every detail must be there, unless the log says that it has expired.
    pub all_details: bool,
}

/// Verifies the log in a folder.
///
/// Errors: no log, no keys, a file that can't be read. Whatever is missing or wrong in the log
/// itself is in the result.
pub fn verify(folder: &LogFolder, options: &VerifyOptions) -> Result<LogVerdict, LogVerifyError> {
    if let Ok(None) = folder.checkpoint() {
        return Err(LogVerifyError::NoLog { folder: folder.path().to_owned() });
    }
    let stated = folder.policy()?;
    let quorum = match (&options.keys, &stated) {
        (Some(keys), _) => keys.clone(),
        (None, Some(policy)) => Quorum::parse(policy).map_err(LogVerifyError::Policy)?,
        (None, None) => return Err(LogVerifyError::NoKeys),
    };
    if quorum.logs().is_empty() {
        return Err(LogVerifyError::NoLogKey);
    }
    let mut checkpoints = Checkpoints::read(
        folder,
        &quorum,
        options.since.as_ref().map(|(path, note)| (path.as_str(), note)),
    )?;
    // A log that signed none of its checkpoints is still checked as far as its own size says.
    let unsigned = || {
        folder
            .checkpoint()
            .ok()
            .flatten()
            .and_then(|note| note.checkpoint().ok())
            .map_or(0, |checkpoint| checkpoint.leaves)
    };
    let leaves = checkpoints.largest().map_or_else(unsigned, |largest| largest.leaves);
    let mut wanted: Vec<u64> = checkpoints
        .all()
        .chain(checkpoints.others())
        .map(|signed| signed.checkpoint.leaves)
        .collect();
    wanted.push(0);
    wanted.sort_unstable();
    wanted.dedup();
    let bounds = checkpoints.bounds();
    let root = checkpoints.largest().map(|largest| largest.root);
    let walk = Walk { folder, leaves, root, wanted: &wanted, bounds: &bounds };
    let walked = walk.run(Rules::new(options.all_details), Details::new(folder.detail_lines()?))?;
    let (newest, seen) = (walked.rules.newest(), walked.rules.leaves());
    let Walked { rules, root, roots, times, violations: of_tree, files } = walked;
    let ruled = rules.end();

    let mut violations = std::mem::take(&mut checkpoints.violations);
    violations.append(of_tree);
    let mut observations = std::mem::take(&mut checkpoints.observations);
    let mut judge = Judge {
        quorum: &quorum,
        checkpoints: &checkpoints,
        leaves,
        roots: &roots,
        times: &times,
        violations,
        observations,
    };
    judge.roots();
    judge.since();
    judge.origins(&ruled);
    let (witnessed, not_witnessed) = judge.witnessed(newest);
    (violations, observations) = (judge.violations, judge.observations);
    violations.append(ruled.violations);
    observations.append(ruled.observations);
    if options.keys.is_some()
        && stated
            .as_deref()
            .and_then(|policy| Quorum::parse(policy).ok())
            .is_some_and(|stated| stated != quorum)
    {
        let what = "states other keys or another quorum than those that you gave; yours were used";
        observations.add(Place::File { path: super::log_folder::POLICY.to_owned() }, what);
    }
    let cosignatures = checkpoints
        .all()
        .chain(checkpoints.others())
        .map(|signed| signed.witnessed.by.len() as u64)
        .sum();
    Ok(LogVerdict {
        holds: violations.is_empty(),
        origin: checkpoints.largest().map(|largest| largest.origin.clone()).unwrap_or_default(),
        leaves: seen,
        root: root.map(hex::encode),
        keys_from_export: options.keys.is_none(),
        keys: keys(&quorum),
        checked: CheckedCounts {
            files,
            checkpoints: checkpoints.looked_at,
            cosignatures,
            details: ruled.details,
            since_leaves: checkpoints.since.as_ref().map(|since| since.checkpoint.leaves),
        },
        witnessed,
        witnesses_asked: quorum.is_asked(),
        not_witnessed,
        kinds: ruled.tallies,
        not_understood: ruled.foreign,
        violations,
        observations,
    })
}

/// Checks that need the recomputed tree: roots, origins, cosignatures.
struct Judge<'j> {
    quorum: &'j Quorum,
    checkpoints: &'j Checkpoints,
    leaves: u64,
    roots: &'j BTreeMap<u64, Hash>,
    times: &'j BTreeMap<u64, Time>,
    violations: Remarks,
    observations: Remarks,
}

impl Judge<'_> {
    /// Whether a checkpoint is of this tree; none where that can't be told.
    fn fits(&self, signed: &Signed) -> Option<bool> {
        self.roots.get(&signed.checkpoint.leaves).map(|root| *root == signed.checkpoint.root)
    }

    /// Whether a checkpoint vouches for its leaves: it is of this tree, and a quorum cosigned it
    /// where the keys name one.
    fn vouches(&self, signed: &Signed) -> bool {
        self.fits(signed) == Some(true)
            && (signed.witnessed.complete.is_some() || !self.quorum.is_asked())
    }

    /// The largest number of leaves, up to `most`, that a checkpoint vouches for.
    fn vouched(&self, most: u64) -> u64 {
        let within = |signed: &&Signed| signed.checkpoint.leaves <= most && self.vouches(signed);
        self.checkpoints
            .all()
            .filter(within)
            .map(|signed| signed.checkpoint.leaves)
            .max()
            .unwrap_or(0)
    }

    /// Checks that every checkpoint of the log has the root of the log's leaves.
    fn roots(&mut self) {
        let unfit: Vec<&Signed> = self
            .checkpoints
            .signed
            .iter()
            .filter(|signed| self.fits(signed) == Some(false))
            .collect();
        let largest_fit = self
            .checkpoints
            .signed
            .iter()
            .filter(|signed| self.fits(signed) == Some(true))
            .map(|s| s.checkpoint.leaves)
            .max();
        let (forks, rest): (Vec<&Signed>, Vec<&Signed>) = unfit
            .into_iter()
            .partition(|signed| largest_fit.is_some_and(|fit| fit >= signed.checkpoint.leaves));
        for signed in forks {
            let what = format!(
                "the log signed this checkpoint of {} leaves, and they are not the first {0} \
                 leaves of the log that it shows now: it has signed two histories",
                signed.checkpoint.leaves
            );
            self.violations.add(signed.place.clone(), what);
        }
        if let Some(first) = rest.first() {
            let place = Place::Leaves {
                first: self.vouched(first.checkpoint.leaves - 1),
                end: first.checkpoint.leaves,
            };
            let others = match rest.len() - 1 {
                0 => String::new(),
                1 => "; one later checkpoint does not fit either".to_owned(),
                others => format!("; {others} later checkpoints do not fit either"),
            };
            let what = format!(
                "are not the leaves that were signed: the checkpoint of {} leaves ({}) is of \
                 others{others}",
                first.checkpoint.leaves, first.place
            );
            self.violations.add(place, what);
        }
    }

    /// Checks that the log continues the checkpoint that the auditor kept.
    fn since(&mut self) {
        let Some(since) = &self.checkpoints.since else { return };
        if self
            .checkpoints
            .largest()
            .is_some_and(|largest| largest.origin != since.checkpoint.origin)
        {
            // It is judged with those of other origins.
            return;
        }
        let (of, place) = (since.checkpoint.leaves, since.place.clone());
        if of > self.leaves {
            let what = format!(
                "are gone: your checkpoint ({place}) covers {of} leaves, the log has {} now",
                self.leaves
            );
            return self.violations.add(Place::Leaves { first: self.leaves, end: of }, what);
        }
        if self.fits(since) == Some(false) {
            let others = self
                .checkpoints
                .signed
                .iter()
                .filter(|signed| signed.checkpoint.leaves < of && self.vouches(signed));
            let first = others.map(|signed| signed.checkpoint.leaves).max().unwrap_or(0);
            let what = format!(
                "are not those that your checkpoint ({place}) covers: the log was rewritten after \
                 it"
            );
            return self.violations.add(Place::Leaves { first, end: of }, what);
        }
        let kept =
            self.checkpoints.signed.iter().any(|signed| signed.checkpoint == since.checkpoint);
        if !kept && since.witnessed.complete.is_some() {
            let what = format!(
                "your checkpoint of {of} leaves, which the witnesses cosigned, is not among those \
                 that the log kept"
            );
            self.violations
                .add(Place::File { path: super::log_folder::CHECKPOINTS.to_owned() }, what);
        }
    }

    /// Checks checkpoints of other origins: a leaf must say that the log went on under a new one.
    fn origins(&mut self, ruled: &Ruled) {
        for signed in self.checkpoints.others() {
            let (origin, of) = (&signed.checkpoint.origin, signed.checkpoint.leaves);
            if ruled.origins.is_empty() {
                let what = format!(
                    "is of a log '{origin}', and no leaf says that this log ever had that name"
                );
                self.violations.add(signed.place.clone(), what);
            } else if ruled.origins.iter().all(|opened| of > opened.backup_leaves.min(opened.leaf))
            {
                let what = format!(
                    "is of the log as it was named before, '{origin}', beyond what its backup \
                     held: it can't be compared"
                );
                self.observations.add(signed.place.clone(), what);
            } else if self.fits(signed) == Some(false) {
                let what = format!(
                    "is of the log as it was named before, '{origin}', and of other leaves than \
                     the log shows now"
                );
                self.violations.add(signed.place.clone(), what);
            }
        }
    }

    /// The newest checkpoint that a quorum cosigned, and the leaves that wait for one.
    fn witnessed(&mut self, newest: Time) -> (Option<WitnessedView>, Option<Place>) {
        let complete =
            |signed: &&Signed| signed.witnessed.complete.is_some() && self.vouches(signed);
        let last = self
            .checkpoints
            .signed
            .iter()
            .filter(complete)
            .max_by_key(|signed| signed.checkpoint.leaves);
        let covered = last.map_or(0, |last| last.checkpoint.leaves);
        let waiting = self.leaves.saturating_sub(covered);
        if !self.quorum.is_asked() {
            return (None, None);
        }
        let cosigned = self
            .checkpoints
            .all()
            .flat_map(|signed| signed.witnessed.by.iter().map(|(_, time)| *time))
            .max()
            .map_or(Time::EPOCH, Time::from_seconds);
        let now = newest.max(cosigned);
        // A size whose root nobody wanted has no time: that of the first leaf then is the earliest
        // there is.
        let oldest = self.times.get(&covered).or_else(|| self.times.values().next());
        let oldest = oldest.copied().unwrap_or_default();
        if let Some(minutes) = self
            .quorum
            .within_minutes()
            .filter(|&minutes| waiting > 0 && now.since(oldest) > Span::minutes(minutes))
        {
            let what = format!(
                "not witnessed in time: the first of them is of {}, the newest time that the log \
                 or a cosignature bears is {}, and {minutes} minutes are allowed",
                when(oldest),
                when(now)
            );
            self.violations.add(Place::Leaves { first: covered, end: self.leaves }, what);
        }
        self.waits();
        let view = last.map(|last| WitnessedView {
            leaves: covered,
            time: last.witnessed.complete.unwrap_or_default(),
            by: last.witnessed.by.iter().map(|(name, _)| name.clone()).collect(),
        });
        (view, (waiting > 0).then_some(Place::Leaves { first: covered, end: self.leaves }))
    }

    /// Notes leaves that waited longer for their witnesses than the policy allows, by the
    /// checkpoints that were kept: until they were cosigned they could have been rewritten.
    fn waits(&mut self) {
        let Some(minutes) = self.quorum.within_minutes() else { return };
        let (mut covered, mut waits) = (0, Vec::new());
        for signed in self.checkpoints.signed.iter().filter(|signed| self.vouches(signed)) {
            let (Some(complete), Some(&oldest)) =
                (signed.witnessed.complete, self.times.get(&covered))
            else {
                continue;
            };
            let waited = Time::from_seconds(complete).since(oldest).whole_minutes();
            let place = Place::Leaves { first: covered, end: signed.checkpoint.leaves };
            waits.push((waited, place));
            covered = signed.checkpoint.leaves;
        }
        waits.retain(|(waited, _)| *waited > minutes);
        let count = waits.len();
        if let Some((waited, place)) = waits.into_iter().max_by_key(|(waited, _)| *waited) {
            let what = format!(
                "waited {waited} minutes for witnesses, {minutes} are allowed; that is the longest \
                 of {count} such waits"
            );
            self.observations.add(place, what);
        }
    }
}

fn keys(quorum: &Quorum) -> Vec<KeyView> {
    let view = |key: &VerifierKey, independent| KeyView {
        name: key.name().to_owned(),
        of: if key.usage() == KeyUse::Log { "log" } else { "witness" },
        independent,
        fingerprint: Digest::of(key.public()).to_string(),
    };
    let logs = quorum.logs().iter().map(|key| view(key, false));
    logs.chain(quorum.witnesses().iter().map(|witness| view(&witness.key, witness.independent)))
        .collect()
}

#[cfg(test)]
mod tests;
