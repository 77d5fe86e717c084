//! The log as a client reads it, and the export of all of it into a folder.

use base64::{Engine, engine::general_purpose::STANDARD};

use super::archive::{Archive, ArchiveError, OpenedDetail};
use super::{Client, ClientError, json, read_bytes, read_json};
use crate::api::wire::{
    ClockWord, CosignedView, ExportView, FindingView, ReviewLeaf, SampleOrder, SampleReview,
    SampleView,
};
use crate::audit::{AuditError, Checkpoint, Hash, Note, Quorum, TileId, TlogProof};
use crate::limits::{
    ANSWER_BYTES_MAX, CHECKPOINT_BYTES_MAX, CHECKPOINTS_PER_ANSWER_MAX, DETAILS_PER_ANSWER_MAX,
    PROBE_BYTES_MAX, TILE_BYTES_MAX,
};

/// Why a log couldn't be fetched or kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The server didn't give it.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The folder didn't take it.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// What the server gave is no part of a log.
    #[error("what the server gave is no part of a log")]
    Log(#[from] AuditError),
    /// An export is to end with what is witnessed, and nothing is.
    #[error(
        "no checkpoint has the cosignatures that the log's policy asks for yet; wanted one to end \
         the export with"
    )]
    NotWitnessed,
    /// An export is to end before what an earlier one left in its folder.
    #[error(
        "the folder holds {held} leaves of the log already, and only {witnessed} are witnessed; \
         wanted another folder"
    )]
    Shorter {
        /// Leaves in the folder.
        held: u64,
        /// Leaves that are witnessed.
        witnessed: u64,
    },
}

impl Client {
    /// The newest checkpoint of the log with what cosignatures there are of it.
    pub fn cosigned_checkpoint(&self) -> Result<Note, FetchError> {
        Ok(Note::parse(&self.checkpoint()?)?)
    }

    /// The checkpoint that witnesses are asked to cosign.
    pub fn pending_checkpoint(&self) -> Result<Note, FetchError> {
        Ok(Note::parse(&self.text("/v1/log/checkpoint/pending")?)?)
    }

    /// Checkpoints that witnesses cosigned, of trees of this size or larger; as many as one answer
    /// gives.
    pub fn checkpoints(&self, since: u64) -> Result<Vec<Note>, FetchError> {
        let notes: Vec<String> = self.read(&format!("/v1/log/checkpoints?since={since}"))?;
        Ok(notes.iter().map(|note| Note::parse(note)).collect::<Result<_, _>>()?)
    }

    /// A tile or bundle.
    pub fn tile(&self, id: TileId) -> Result<Vec<u8>, ClientError> {
        read_bytes(
            self.agent.get(self.url(&format!("/v1/log/{}", id.path()))).call(),
            TILE_BYTES_MAX,
        )
    }

    /// The proof that a leaf stands in the log.
    pub fn proof(&self, leaf: u64) -> Result<TlogProof, FetchError> {
        Ok(TlogProof::parse(&self.text(&format!("/v1/log/proof/{leaf}"))?)?)
    }

    /// The proof that the tree of one size continues that of another.
    pub fn consistency(&self, old: u64, new: u64) -> Result<Vec<Hash>, FetchError> {
        let lines = self.text(&format!("/v1/log/consistency?old={old}&new={new}"))?;
        let hash = |line: &str| STANDARD.decode(line).ok()?.try_into().ok();
        Ok(lines
            .lines()
            .map(hash)
            .collect::<Option<_>>()
            .ok_or(AuditError::Proof("a line of it is not 32 bytes in base64"))?)
    }

    /// The keys of the log and its witnesses with their quorum, as the server states them.
    pub fn policy(&self) -> Result<String, ClientError> {
        self.text("/v1/log/policy")
    }

    /// Brings a cosignature, or evidence.
    pub fn cosign(&self, note: &Note) -> Result<CosignedView, ClientError> {
        let request = self
            .agent
            .post(self.url("/v1/log/cosignatures"))
            .content_type("text/plain; charset=utf-8");
        read_json(request.send(note.to_string().as_bytes()))
    }

    /// Details of some leaves.
    pub fn details(&self, first: u64, end: u64) -> Result<Vec<OpenedDetail>, ClientError> {
        self.read(&format!("/v1/log/details?first={first}&end={end}"))
    }

    /// The probe of a search, as it was received.
    pub fn probe(&self, search: &str) -> Result<Vec<u8>, ClientError> {
        read_bytes(
            self.agent.get(self.url(&format!("/v1/log/probes/{search}"))).call(),
            PROBE_BYTES_MAX,
        )
    }

    /// Draws a sample of searches.
    pub fn draw_sample(&self, order: &SampleOrder) -> Result<SampleView, ClientError> {
        self.post("/v1/log/samples", order)
    }

    /// The newest samples and what is left to be reviewed of them.
    pub fn samples(&self) -> Result<Vec<SampleView>, ClientError> {
        self.read("/v1/log/samples")
    }

    /// Records what was found of a search of a sample.
    pub fn review_sample(&self, review: &SampleReview) -> Result<ReviewLeaf, ClientError> {
        self.post("/v1/log/reviews", review)
    }

    /// Findings of misuse by people whom the caller's agency employed when they asked.
    pub fn findings(&self) -> Result<Vec<FindingView>, ClientError> {
        self.read("/v1/findings")
    }

    /// Says what the site's time source says.
    pub fn confirm_clock(&self, time_source: &str) -> Result<(), ClientError> {
        let body = json(&ClockWord { time_source: time_source.to_owned() })?;
        let request = self.agent.post(self.url("/v1/clock")).content_type("application/json");
        read_bytes(request.send(&body[..]), ANSWER_BYTES_MAX).map(|_| ())
    }

    /// Exports the log into a folder: tiles, leaves, checkpoints, policy, and the details of these
    /// ranges of leaves. Goes on from what an earlier export left there. It ends with the newest
    /// leaf, or with the newest checkpoint that a quorum cosigned if only what is `witnessed` is
    /// wanted. `watch` is told how many files of how many were fetched.
    ///
    /// Gives the number of leaves.
    ///
    /// Errors: nothing is witnessed, or less than the folder holds already, where that was asked
    /// for.
    pub fn export(
        &self,
        archive: &Archive,
        details: &[(u64, u64)],
        witnessed: bool,
        watch: &mut dyn FnMut(u64, u64),
    ) -> Result<u64, FetchError> {
        let ExportView { .. } = self.post("/v1/log/exports", &())?;
        let (policy, mut checkpoints) = (self.policy()?, self.all_checkpoints(0)?);
        let note = match witnessed {
            // At least the leaf of this export is covered by it.
            false => self.cosigned_checkpoint()?,
            true => {
                let quorum = Quorum::parse(&policy)?;
                let newest = checkpoints
                    .iter()
                    .rposition(|note| quorum.witnessed(note).complete.is_some())
                    .ok_or(FetchError::NotWitnessed)?;
                checkpoints.truncate(newest + 1);
                checkpoints[newest].clone()
            }
        };
        let Checkpoint { origin, leaves: size, .. } = note.checkpoint()?;
        let kept = archive.checkpoint()?.map(|kept| kept.checkpoint()).transpose()?;
        let before = kept.filter(|kept| kept.origin == origin).map_or(0, |kept| kept.leaves);
        if before > size && witnessed {
            return Err(FetchError::Shorter { held: before, witnessed: size });
        }
        let before = before.min(size);
        let lacking: Vec<TileId> = TileId::since(before, size).collect();
        for (tile, done) in lacking.iter().zip(1..) {
            archive.put_tile(*tile, &self.tile(*tile)?, false)?;
            watch(done, lacking.len() as u64);
        }
        archive.put_policy(&policy)?;
        archive.put_checkpoints(&checkpoints)?;
        archive.put_checkpoint(&note)?;
        archive.drop_partial(before, size)?;
        if !details.is_empty() {
            let mut opened = Vec::new();
            for &(first, end) in details {
                let end = end.min(size);
                for first in
                    (first..end).step_by(usize::try_from(DETAILS_PER_ANSWER_MAX).unwrap_or(1))
                {
                    opened.extend(self.details(first, end.min(first + DETAILS_PER_ANSWER_MAX))?);
                }
            }
            archive.put_details(opened)?;
        }
        Ok(size)
    }

    /// All checkpoints that witnesses cosigned from this size on.
    pub(super) fn all_checkpoints(&self, mut since: u64) -> Result<Vec<Note>, FetchError> {
        let mut all = Vec::new();
        loop {
            let some = self.checkpoints(since)?;
            let (whole, last) = (
                some.len() == CHECKPOINTS_PER_ANSWER_MAX,
                some.last().map(Note::checkpoint).transpose()?,
            );
            all.extend(some);
            match last {
                Some(last) if whole => since = last.leaves + 1,
                _ => return Ok(all),
            }
        }
    }

    fn text(&self, path: &str) -> Result<String, ClientError> {
        let bytes = read_bytes(self.agent.get(self.url(path)).call(), CHECKPOINT_BYTES_MAX)?;
        String::from_utf8(bytes).map_err(|_| ClientError::Unexpected {
            status: 200,
            found: "a text that is not UTF-8".to_owned(),
        })
    }

    fn post<T: serde::de::DeserializeOwned>(
        &self,
        path: &str,
        body: &impl serde::Serialize,
    ) -> Result<T, ClientError> {
        let request = self.agent.post(self.url(path)).content_type("application/json");
        read_json(request.send(&json(body)?[..]))
    }
}
