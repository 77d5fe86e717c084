//! The count from a log's first leaf to its last, one leaf at a time.

use base64::{Engine, engine::general_purpose::STANDARD};

use super::counting::Counting;
use super::opened::Opening;
use super::times::rfc3339;
use super::witnesses::Watch;
use super::{FORM, LogHead, Period, PublicReport, ReportError};
use crate::audit::{Detail, Edge, Entry, Hash, LeafKind, Note, Quorum};
use crate::limits::PUBLIC_COUNT_MIN;

/// Takes all leaves of a log in their order and gives the report over them.
pub struct Reckoner {
    period: Period,
    edge: Edge,
    newest_cs: u64,
    counting: Counting,
    opening: Opening,
    watch: Option<Watch>,
}

impl Reckoner {
    /// A report about this period over a log of this many leaves; with the kept checkpoints where a quorum of witnesses is asked for.
    pub fn new(period: Period, leaves: u64, witnessing: Option<(&[Note], &Quorum)>) -> Self {
        let watch = witnessing.filter(|(_, quorum)| quorum.is_asked()).map(|(notes, quorum)| Watch::new(notes, quorum, leaves));
        Self { period, edge: Edge::default(), newest_cs: 0, counting: Counting::new(&period), opening: Opening::default(), watch }
    }

    /// Number of leaves taken.
    pub fn leaves(&self) -> u64 {
        self.edge.leaves()
    }

    /// The root over the leaves taken.
    pub fn root(&self) -> Hash {
        self.edge.root()
    }

    /// Takes the next leaf; asks for its detail, by the leaf's index, where something is counted of it.
    ///
    /// Errors: bytes that are no leaf; whatever `detail` gives.
    pub fn take<E: From<ReportError>>(&mut self, leaf: &[u8], detail: impl FnOnce(u64) -> Result<Option<Detail>, E>) -> Result<(), E> {
        let index = self.edge.append(leaf);
        let entry = Entry::read(leaf).map_err(|source| ReportError::Leaf { leaf: index, source })?;
        let time_cs = entry.time_cs();
        self.newest_cs = self.newest_cs.max(time_cs);
        let [from_cs, to_cs] = self.period.bounds_cs();
        let within = (from_cs..to_cs).contains(&time_cs);
        if let Some(watch) = &mut self.watch {
            watch.take(time_cs, within, &self.edge);
        }
        // What came after the period changes nothing that is said of it.
        if time_cs >= to_cs {
            return Ok(());
        }
        let Entry::Known(leaf) = entry else {
            self.counting.take_unknown(time_cs);
            return Ok(());
        };
        self.counting.take(index, &leaf);
        if Opening::wants(leaf.kind, within) {
            self.opening.take(index, &leaf, detail(index)?);
        }
        if leaf.kind == LeafKind::Interrupted {
            self.opening.end(&leaf, "interrupted");
        }
        Ok(())
    }

    /// The report over the leaves taken.
    pub fn finish(self, origin: &str) -> PublicReport {
        let (leaves, newest_cs) = (self.edge.leaves(), self.newest_cs);
        PublicReport {
            form: FORM,
            period: self.period,
            log: LogHead {
                origin: origin.to_owned(),
                leaves,
                root: STANDARD.encode(self.edge.root()),
                newest: (leaves > 0).then(|| rfc3339(newest_cs)),
            },
            count_min: PUBLIC_COUNT_MIN,
            totals: self.counting.finish(newest_cs),
            witnesses: self.watch.map(|watch| watch.finish(newest_cs)),
            opened: self.opening.finish(),
            measured: None,
        }
    }
}
