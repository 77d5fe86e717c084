//! The log's verbs: checkpoints, tiles, proofs, cosignatures, opened details, samples of audits,
//! and the export of the whole log into a folder.

use base64::{Engine, engine::general_purpose::STANDARD};

use super::connection::Client;
use super::error::ClientError;
use super::log_folder::{LogFolder, LogFolderError, OpenedDetail};
use crate::api::wire::{
    CosignedView, ExportView, ReviewLeaf, SampleOrder, SampleReview, SampleView,
};
use crate::audit::{AuditError, Checkpoint, Hash, Note, Quorum, TileId, TlogProof};
use crate::limits::{
    CHECKPOINTS_PER_ANSWER_MAX, DETAILS_PER_ANSWER_MAX, PROBE_BYTES_MAX, TILE_BYTES_MAX,
};

/// Why the log can't be fetched, or not written into a folder.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogFetchError {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error(transparent)]
    Folder(#[from] LogFolderError),
    #[error("the server's answer is not part of a log")]
    Log(#[from] AuditError),
    #[error(
        "no checkpoint has the cosignatures that the log's policy asks for yet; export again once \
         witnesses have cosigned, or without asking for a witnessed end"
    )]
    NotWitnessed,
    #[error(
        "the folder already holds {held} leaves of the log, and only {witnessed} are witnessed; \
         export into another folder"
    )]
    Shorter { held: u64, witnessed: u64 },
}

impl Client {
    /// The newest signed checkpoint of the server's log, as text.
    pub fn checkpoint(&self) -> Result<String, ClientError> {
        self.get_text("/v1/log/checkpoint")
    }

    /// The newest checkpoint of the log, with the cosignatures that it has.
    pub fn cosigned_checkpoint(&self) -> Result<Note, LogFetchError> {
        Ok(Note::parse(&self.checkpoint()?)?)
    }

    /// The checkpoint that witnesses are asked to cosign.
    pub fn pending_checkpoint(&self) -> Result<Note, LogFetchError> {
        Ok(Note::parse(&self.get_text("/v1/log/checkpoint/pending")?)?)
    }

    /// Checkpoints that witnesses cosigned, of trees of this size or larger; as many as one answer
    /// gives.
    pub fn checkpoints(&self, since: u64) -> Result<Vec<Note>, LogFetchError> {
        let notes: Vec<String> = self.get_json(&format!("/v1/log/checkpoints?since={since}"))?;
        Ok(notes.iter().map(|note| Note::parse(note)).collect::<Result<_, _>>()?)
    }

    /// A tile or bundle.
    pub fn tile(&self, id: TileId) -> Result<Vec<u8>, ClientError> {
        self.get_bytes(&format!("/v1/log/{}", id.path()), TILE_BYTES_MAX)
    }

    /// The proof that a leaf stands in the log.
    pub fn proof(&self, leaf: u64) -> Result<TlogProof, LogFetchError> {
        Ok(TlogProof::parse(&self.get_text(&format!("/v1/log/proof/{leaf}"))?)?)
    }

    /// The proof that the tree of one size continues that of another.
    pub fn consistency(&self, old: u64, new: u64) -> Result<Vec<Hash>, LogFetchError> {
        let lines = self.get_text(&format!("/v1/log/consistency?old={old}&new={new}"))?;
        let hash = |line: &str| STANDARD.decode(line).ok()?.try_into().ok();
        Ok(lines
            .lines()
            .map(hash)
            .collect::<Option<_>>()
            .ok_or(AuditError::Proof("a line of it is not 32 bytes in base64"))?)
    }

    /// The keys of the log and its witnesses with their quorum, as the server states them.
    pub fn policy(&self) -> Result<String, ClientError> {
        self.get_text("/v1/log/policy")
    }

    /// Brings a cosignature, or evidence.
    pub fn cosign(&self, note: &Note) -> Result<CosignedView, ClientError> {
        let request = self
            .agent()
            .post(self.url("/v1/log/cosignatures"))
            .content_type("text/plain; charset=utf-8");
        Self::read_json(request.send(note.to_string().as_bytes()))
    }

    /// Details of some leaves.
    pub fn details(&self, first: u64, end: u64) -> Result<Vec<OpenedDetail>, ClientError> {
        self.get_json(&format!("/v1/log/details?first={first}&end={end}"))
    }

    /// The probe of a search, as it was received.
    pub fn probe(&self, search: &str) -> Result<Vec<u8>, ClientError> {
        self.get_bytes(&format!("/v1/log/probes/{search}"), PROBE_BYTES_MAX)
    }

    /// Draws a sample of searches.
    pub fn draw_sample(&self, order: &SampleOrder) -> Result<SampleView, ClientError> {
        self.post_json("/v1/log/samples", order)
    }

    /// The newest samples and what is left to be reviewed of them.
    pub fn samples(&self) -> Result<Vec<SampleView>, ClientError> {
        self.get_json("/v1/log/samples")
    }

    /// Records what was found of a search of a sample.
    pub fn review_sample(&self, review: &SampleReview) -> Result<ReviewLeaf, ClientError> {
        self.post_json("/v1/log/reviews", review)
    }

    /// Exports the log into a folder: tiles, leaves, checkpoints, policy, and the opened details of
    /// these ranges of leaves. Resumes an earlier export into the same folder. Ends with the newest
    /// leaf or, if `witnessed`, with the newest checkpoint that a quorum cosigned. Calls `progress`
    /// with the number of files fetched and of all to fetch.
    ///
    /// Returns the number of leaves.
    ///
    /// Errors: with `witnessed`, nothing is witnessed yet, or less than the folder already holds.
    pub fn export(
        &self,
        folder: &LogFolder,
        details: &[(u64, u64)],
        witnessed: bool,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<u64, LogFetchError> {
        let ExportView { .. } = self.post_json("/v1/log/exports", &())?;
        let (policy, mut checkpoints) = (self.policy()?, self.all_checkpoints(0)?);
        let note = match witnessed {
            // At least the leaf of this export is covered by it.
            false => self.cosigned_checkpoint()?,
            true => {
                let quorum = Quorum::parse(&policy)?;
                let newest = checkpoints
                    .iter()
                    .rposition(|note| quorum.witnessed(note).complete.is_some())
                    .ok_or(LogFetchError::NotWitnessed)?;
                checkpoints.truncate(newest + 1);
                checkpoints[newest].clone()
            }
        };
        let Checkpoint { origin, leaves: size, .. } = note.checkpoint()?;
        let kept = folder.checkpoint()?.map(|kept| kept.checkpoint()).transpose()?;
        let before = kept.filter(|kept| kept.origin == origin).map_or(0, |kept| kept.leaves);
        if before > size && witnessed {
            return Err(LogFetchError::Shorter { held: before, witnessed: size });
        }
        let before = before.min(size);
        let lacking: Vec<TileId> = TileId::since(before, size).collect();
        for (tile, done) in lacking.iter().zip(1..) {
            folder.put_tile(*tile, &self.tile(*tile)?, false)?;
            progress(done, lacking.len() as u64);
        }
        folder.put_policy(&policy)?;
        folder.put_checkpoints(&checkpoints)?;
        folder.put_checkpoint(&note)?;
        folder.drop_partial(before, size)?;
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
            folder.put_details(opened)?;
        }
        Ok(size)
    }

    /// All checkpoints that witnesses cosigned from this size on.
    pub(super) fn all_checkpoints(&self, mut since: u64) -> Result<Vec<Note>, LogFetchError> {
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
}
