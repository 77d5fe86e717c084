//! Bringing a restored backup's log up to what others have kept of it, so that no log goes on as if
//! nothing had been lost.
//!
//! **With the newer log** (every witness keeps all leaves): it must begin with the backup's own and
//! contain the anchor's checkpoint. Its leaves are taken over without their details, which are
//! lost. What they say happened to the backup's bookings and searches is done again: what was
//! released or replaced is out of every search, what was purged is purged again, what was answered
//! isn't asked any more. Bookings that came in meanwhile are lost until their agencies send them
//! again. Which bookings the leaves speak of is told by tags, which only the box with its master
//! key can compute.
//!
//! **Without it** the log goes on under another origin, and says so in its first leaf. Nobody knows
//! what was released meanwhile, so no booking of the backup is found by any search before its
//! agency has sent it again.
//!
//! Everything is one transaction: a restore that a crash ended has not happened.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::error::LedgerError;
use super::setup::VERSION;
use super::start::move_anchor;
use super::stopped::{StoppedFolder, StoppedSetup};
use super::write::NewLeaf;
use crate::audit::{Alarm, Checkpoint, Detail, Edge, Entry, LeafKind, Note, TileNode, leaf_hash};
use crate::booking::VersionId;
use crate::disk::Disk;
use crate::ids::InquiryId;
use crate::store::{
    InquiryRow, LeafRow, NumberRow, NumberState, Store, StoreError, VersionRow, VersionState,
};
use crate::vault::MasterKey;

/// The newer log, as somebody kept it.
pub struct KeptLog<'l> {
    /// Its newest checkpoint.
    pub checkpoint: Note,
    /// All of its leaves.
    pub leaves: &'l mut dyn Iterator<Item = Result<Vec<u8>, LedgerError>>,
    /// Checkpoints that witnesses cosigned.
    pub cosigned: Vec<Note>,
}

/// What a restore did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Restored {
    /// Leaves of the backup.
    pub backup_leaves: u64,
    /// Leaves of the log that was supplied, or that witnesses had cosigned.
    pub supplied_leaves: u64,
    /// Bookings of the backup that no search finds any more.
    pub suppressed: u64,
    /// Searches that nobody answered before all was lost.
    pub interrupted: u64,
}

/// What leaves beyond the backup say.
#[derive(Debug, Default)]
struct Since {
    rows: Vec<LeafRow>,
    nodes: Vec<TileNode>,
    /// Tag of a booking to its release.
    released: BTreeMap<u64, u64>,
    /// Tag of a booking to the leaf of the one that replaced it.
    replaced: BTreeMap<u64, u64>,
    /// Tags of bookings, or of their releases, that were purged.
    purged: BTreeSet<u64>,
    /// Leaves `asked` of searches that have their end.
    ended: BTreeSet<u64>,
    asked: BTreeSet<u64>,
    /// Code of an alarm to the leaf that raised it, where none cleared it since.
    raised: BTreeMap<u64, u64>,
    /// Codes of alarms that were cleared and not raised since.
    cleared: BTreeSet<u64>,
}

/// What became of a version of the backup.
#[derive(Clone, Copy)]
struct Fallen {
    state: VersionState,
    /// The leaf of the release and that of the version that stood then.
    release: Option<(u64, u64)>,
    /// The leaf by which it left the gallery.
    left: u64,
}

/// Takes the newer log over.
///
/// Errors: a log that doesn't begin with the backup's own, or doesn't contain the anchor's
/// checkpoint; one that isn't what its checkpoint signs, or that this log's key never signed.
pub fn restore(setup: &StoppedSetup, kept: KeptLog<'_>) -> Result<Restored, LedgerError> {
    let folder = StoppedFolder::open(setup, &setup.origin)?;
    let checkpoint = kept.checkpoint.checkpoint_of(folder.log_key.verifier())?;
    let backup_leaves = folder.edge.leaves();
    let (since, edge) = folder.read(kept.leaves, &checkpoint)?;
    let mut done =
        Restored { backup_leaves, supplied_leaves: checkpoint.leaves, ..Restored::default() };
    let fallen = folder.fallen(&since)?;
    let open: Vec<u64> =
        since.asked.iter().filter(|asked| !since.ended.contains(asked)).copied().collect();
    done.interrupted = open.len() as u64;
    let said = Detail::LogRestored {
        software: VERSION.to_owned(),
        backup_leaves,
        supplied_leaves: checkpoint.leaves,
        checkpoint: kept.checkpoint.to_string(),
    };
    let mut leaves = vec![NewLeaf::new(Vec::new(), vec![backup_leaves, checkpoint.leaves], said)];
    leaves.extend(
        open.into_iter().map(|asked| {
            NewLeaf::new(vec![asked], Vec::new(), Detail::Interrupted { search: None })
        }),
    );
    let standing = folder.store.alarms()?;
    let doubt = standing
        .iter()
        .find(|(code, ..)| *code == Alarm::LogInDoubt as u8)
        .map(|(_, leaf, _)| *leaf);
    leaves.extend(doubt.map(|raised| {
        let cleared = Detail::AlarmCleared {
            alarm: Alarm::LogInDoubt,
            what: "the newer log was supplied".to_owned(),
        };
        NewLeaf::new(vec![raised], vec![Alarm::LogInDoubt as u64], cleared)
    }));
    let searching = folder.searching()?;
    let store = &folder.store;
    store.commit::<LedgerError>(|tables| {
        tables.put_leaves(backup_leaves, &since.rows)?;
        tables.put_nodes(&since.nodes)?;
        for (&id, &Fallen { state, release, left }) in &fallen {
            let Some(row) = store.version(id)? else { continue };
            done.suppressed += u64::from(row.state == VersionState::Live);
            if let (Some(number), Some((release, leaf))) = (store.number(&row.number_key)?, release)
            {
                tables.put_number(
                    &row.number_key,
                    &NumberRow {
                        state: NumberState::Released,
                        leaf,
                        released: Some(release),
                        ..number
                    },
                )?;
            }
            tables.put_version(id, &VersionRow { state, left: row.left.or(Some(left)), ..row })?;
        }
        for (id, row) in &searching {
            if row.asked.is_some_and(|asked| since.ended.contains(&asked)) {
                tables.put_inquiry(*id, &InquiryRow { asked: None, ..row.clone() })?;
            }
        }
        for (&code, &leaf) in &since.raised {
            if let Some(alarm) = Alarm::of(code) {
                tables.put_alarm(alarm as u8, leaf, "it was raised before the log was restored")?;
            }
        }
        for (code, raised, _) in &standing {
            if doubt == Some(*raised) || since.cleared.contains(&u64::from(*code)) {
                tables.remove_alarm(*code)?;
            }
        }
        for note in &kept.cosigned {
            let checkpoint = note.checkpoint()?;
            if checkpoint.leaves <= edge.leaves() && folder.log_key.verifier().signed(note) {
                tables.put_cosigned(checkpoint.leaves, &note.to_string())?;
            }
        }
        folder.append(tables, edge.clone(), leaves, setup.clock.as_ref())
    })?;
    Ok(done)
}

/// Lets the log go on under the setup's origin, another than the folder's; its first leaf says what
/// is lost.
///
/// Errors: the folder's own origin.
pub fn open_origin(setup: &StoppedSetup, former: &str) -> Result<Restored, LedgerError> {
    if former == setup.origin {
        return Err(LedgerError::Setup {
            found: format!("the origin '{former}', which the log has already"),
            wanted: "another one in the configuration, which the log goes on under".to_owned(),
        });
    }
    let folder = StoppedFolder::open(setup, former)?;
    let backup_leaves = folder.edge.leaves();
    let mut cosigned = folder.anchor.as_ref().map(|anchor| (anchor.leaves, anchor.text()));
    folder.store.for_each_cosigned_back::<LedgerError>(|leaves, note| {
        if cosigned.as_ref().is_none_or(|(anchored, _)| *anchored < leaves) {
            cosigned = Some((leaves, note.to_owned()));
        }
        Ok(false)
    })?;
    let (cosigned_leaves, cosigned) = cosigned.unwrap_or_default();
    let said = Detail::OriginOpened {
        software: VERSION.to_owned(),
        former: former.to_owned(),
        backup_leaves,
        backup_root: hex::encode(folder.edge.root()),
        cosigned,
    };
    let mut standing = Vec::new();
    folder.store.for_each_version::<LedgerError>(0..=u8::MAX, |id, head| {
        if matches!(head.state, VersionState::Live | VersionState::Unusable) {
            standing.push(id);
        }
        Ok(())
    })?;
    let alarms = folder.store.alarms()?;
    let store = &folder.store;
    store.commit::<LedgerError>(|tables| {
        for &id in &standing {
            let row = store.version(id)?.ok_or(StoreError::Corrupt { what: "booking" })?;
            tables.put_version(id, &VersionRow { state: VersionState::Withheld, ..row })?;
        }
        tables.put_origin(&setup.origin, former)?;
        let mut leaves = vec![NewLeaf::new(Vec::new(), vec![backup_leaves, cosigned_leaves], said)];
        for (code, raised, _) in &alarms {
            if let Some(alarm) = Alarm::of(u64::from(*code)) {
                let cleared = Detail::AlarmCleared {
                    alarm,
                    what: "the log goes on under another origin".to_owned(),
                };
                leaves.push(NewLeaf::new(vec![*raised], vec![alarm as u64], cleared));
                tables.remove_alarm(*code)?;
            }
        }
        folder.append(tables, folder.edge.clone(), leaves, setup.clock.as_ref())
    })?;
    // It speaks of the former origin, and the new one has none yet.
    move_anchor(setup.disk.as_ref(), setup.anchor.as_deref())?;
    Ok(Restored {
        backup_leaves,
        supplied_leaves: cosigned_leaves,
        suppressed: standing.len() as u64,
        interrupted: 0,
    })
}

/// The origin of a state folder's log.
pub fn origin_of(disk: &Arc<dyn Disk>, state: &std::path::Path) -> Result<String, LedgerError> {
    Ok(Store::open(disk, state)?.origin()?)
}

impl StoppedFolder {
    /// Reads the supplied log: it must begin with the folder's own, contain the anchor's checkpoint
    /// and end at its checkpoint.
    fn read(
        &self,
        leaves: &mut dyn Iterator<Item = Result<Vec<u8>, LedgerError>>,
        checkpoint: &Checkpoint,
    ) -> Result<(Since, Edge), LedgerError> {
        let wrong = |what: String| LedgerError::Supplied { what };
        let (mut edge, mut since, own) = (Edge::default(), Since::default(), self.edge.leaves());
        let anchored = self.anchor.as_ref().filter(|anchor| anchor.leaves > 0);
        for leaf in leaves {
            let leaf = leaf?;
            let index = edge.append_hash(leaf_hash(&leaf), &mut |node| since.nodes.push(node));
            if edge.leaves() == own && edge != self.edge {
                return Err(wrong(format!(
                    "its first {own} leaves are not those of the state folder"
                )));
            }
            if let Some(anchor) = anchored
                .filter(|anchor| anchor.leaves == edge.leaves() && anchor.root != edge.root())
            {
                return Err(wrong(format!(
                    "it does not contain the checkpoint over {} leaves that the anchor holds",
                    anchor.leaves
                )));
            }
            if index >= own {
                since.take(index, &leaf)?;
                since.rows.push(LeafRow { leaf, detail: None });
            }
        }
        if edge.leaves() < own || anchored.is_some_and(|anchor| edge.leaves() < anchor.leaves) {
            let wanted = anchored.map_or(own, |anchor| anchor.leaves.max(own));
            return Err(wrong(format!(
                "it has {} leaves, wanted at least {wanted}",
                edge.leaves()
            )));
        }
        if (edge.leaves(), edge.root()) != (checkpoint.leaves, checkpoint.root) {
            return Err(wrong(format!(
                "its {} leaves are not those that its checkpoint signs",
                edge.leaves()
            )));
        }
        Ok((since, edge))
    }

    /// The versions of the backup that don't stand any more by what came since: each version's tag
    /// is looked up in it.
    fn fallen(&self, since: &Since) -> Result<BTreeMap<VersionId, Fallen>, LedgerError> {
        let mut fallen = BTreeMap::new();
        self.store.for_each_version::<LedgerError>(0..=u8::MAX, |id, head| {
            fallen.extend(since.fallen(head.leaf, &self.master).map(|what| (id, what)));
            Ok(())
        })?;
        // A release is of all versions before the one that stood; a purge that follows it may be of
        // any of them.
        let released: Vec<(VersionId, Fallen)> = fallen
            .iter()
            .filter(|(_, what)| what.release.is_some())
            .map(|(&id, &what)| (id, what))
            .collect();
        for (id, what) in released {
            let purged = what.release.is_some_and(|(_, standing)| {
                since.purged.contains(&self.master.booking_tag(standing))
            });
            let state = if purged { VersionState::Purging } else { VersionState::Released };
            let mut next = self.store.version(id)?.and_then(|row| row.previous);
            while let Some(version) = next {
                let Some(row) = self.store.version(version)? else { break };
                fallen.entry(version).or_insert(Fallen { state, ..what });
                next = row.previous;
            }
        }
        Ok(fallen)
    }

    /// The inquiries of which a search waits for its end.
    fn searching(&self) -> Result<Vec<(InquiryId, InquiryRow)>, LedgerError> {
        let mut searching = Vec::new();
        self.store.for_each_inquiry::<LedgerError>(|id, head| {
            searching.extend(head.asked.map(|_| id));
            Ok(())
        })?;
        let row =
            |id| Ok((id, self.store.inquiry(id)?.ok_or(StoreError::Corrupt { what: "inquiry" })?));
        searching.into_iter().map(row).collect()
    }
}

impl Since {
    /// What became of the version that came in with this leaf; none where nothing is said of it.
    fn fallen(&self, leaf: u64, master: &MasterKey) -> Option<Fallen> {
        let own = master.booking_tag(leaf);
        // What replaced it came in after the backup and is lost; its leaf's index is all that its
        // tag is made of.
        let (mut standing, mut tag) = (leaf, own);
        while let Some(&later) = self.replaced.get(&tag).filter(|&&later| later > standing) {
            (standing, tag) = (later, master.booking_tag(later));
        }
        let release = self.released.get(&tag).map(|&release| (release, standing));
        // A purge that was finished is begun again: the backup has brought the key back.
        let state = match release {
            _ if self.purged.contains(&own) => VersionState::Purging,
            Some(_) if self.purged.contains(&tag) => VersionState::Purging,
            Some(_) => VersionState::Released,
            None if standing != leaf => VersionState::Superseded,
            None => return None,
        };
        let left = self.replaced.get(&own).copied().or(release.map(|(by, _)| by)).unwrap_or(leaf);
        Some(Fallen { state, release, left })
    }

    /// Takes note of what a leaf says happened.
    fn take(&mut self, index: u64, leaf: &[u8]) -> Result<(), LedgerError> {
        let Entry::Known(view) = Entry::read(leaf)? else { return Ok(()) };
        let first = view.follows().next();
        match (view.kind, first) {
            (LeafKind::Released, _) => {
                self.released.insert(view.count(0), index);
            }
            (LeafKind::BookingIn, _) if view.count(0) != 0 => {
                self.replaced.insert(view.count(0), index);
            }
            (LeafKind::Purged, _) => {
                self.purged.insert(view.count(0));
            }
            (LeafKind::Asked, _) => {
                self.asked.insert(index);
            }
            (LeafKind::Answered | LeafKind::Interrupted, Some(asked)) => {
                self.ended.insert(asked);
            }
            (LeafKind::AlarmRaised, _) => {
                self.cleared.remove(&view.count(0));
                self.raised.insert(view.count(0), index);
            }
            (LeafKind::AlarmCleared, _) => {
                self.raised.remove(&view.count(0));
                self.cleared.insert(view.count(0));
            }
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::Leaf;
    use crate::calendar::Time;

    /// What came since the backup, told by tags.
    fn since(master: &MasterKey, leaves: &[(u64, LeafKind, Option<u64>, Option<u64>)]) -> Since {
        let mut since = Since::default();
        for &(index, kind, follows, of) in leaves {
            let tag = of.map_or(0, |leaf| master.booking_tag(leaf));
            let leaf = Leaf {
                kind,
                time: Time::EPOCH,
                follows: follows.into_iter().collect(),
                counts: vec![tag],
                commitment: [0; 32],
            };
            since.take(index, &leaf.to_bytes()).unwrap();
        }
        since
    }

    #[test]
    fn a_version_of_the_backup_is_found_by_its_tag_through_whatever_replaced_it_since() {
        use LeafKind::{BookingIn, Purged, Released};
        let master = MasterKey::new(&[1; 32]).unwrap();
        let said = [
            (20, Released, None, Some(1)),
            (21, BookingIn, None, Some(2)),
            (22, BookingIn, None, Some(3)),
            (23, BookingIn, None, Some(22)),
            (24, Released, None, Some(23)),
            (25, Purged, None, Some(2)),
            (26, Released, None, Some(4)),
            (27, Purged, Some(26), Some(4)),
            (28, BookingIn, None, None),
        ];
        let since = since(&master, &said);
        let fallen = |leaf| since.fallen(leaf, &master).map(|what| (what.state, what.release));
        assert_eq!(fallen(1), Some((VersionState::Released, Some((20, 1)))));
        assert_eq!(fallen(2), Some((VersionState::Purging, None)), "replaced, then purged");
        assert_eq!(
            fallen(3),
            Some((VersionState::Released, Some((24, 23)))),
            "what replaced what replaced it was released"
        );
        assert_eq!(fallen(4), Some((VersionState::Purging, Some((26, 4)))));
        assert_eq!((fallen(5), fallen(0)), (None, None), "nothing was said of it");
        let other = MasterKey::new(&[2; 32]).unwrap();
        assert!(
            (0..30).all(|leaf| since.fallen(leaf, &other).is_none()),
            "no tag says anything under another key"
        );
    }

    #[test]
    fn an_alarm_stands_as_the_last_leaf_of_it_says() {
        let said = [
            (LeafKind::AlarmRaised, 1),
            (LeafKind::AlarmCleared, 1),
            (LeafKind::AlarmRaised, 1),
            (LeafKind::AlarmRaised, 2),
        ];
        let said =
            said.into_iter().chain([(LeafKind::AlarmCleared, 2), (LeafKind::AlarmCleared, 3)]);
        let mut since = Since::default();
        for ((kind, code), index) in said.zip(20..) {
            let (time, follows, counts) = (Time::EPOCH, Vec::new(), vec![code]);
            let leaf = Leaf { kind, time, follows, counts, commitment: [0; 32] };
            since.take(index, &leaf.to_bytes()).unwrap();
        }
        assert_eq!(since.raised, BTreeMap::from([(1, 22)]), "raised again by that leaf");
        assert_eq!(
            since.cleared,
            BTreeSet::from([2, 3]),
            "one of them stood in the backup already, perhaps"
        );
    }
}
