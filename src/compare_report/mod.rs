//! The Facial Recognition Image Compare Report (SO-C4, C5): one inquiry on paper, as a tagged PDF/A
//! that needs nothing but itself to be read.
//!
//! Invariants: the same report gives the same bytes; no I/O, no clock, no chance. Photos keep their
//! proportions and are never sharpened. A score is a plain number. The order's NOTE stands on every
//! page.

mod back;
mod candidates;
mod compose;
mod fonts;
mod front;
mod header_footer;
mod input;
mod layout;
mod pdf;
mod picture;
mod qr;
#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod tests;
mod words;

pub use input::{
    Booking, Candidate, CompareReport, Disposition, Edit, Event, Evidence, Feature, Measure,
    Person, Picture, Policy, Probe, Proven, Receipt, Request, Review, Search, StateMark,
};

use self::compose::Composer;
use self::pdf::Imprint;
use crate::audit::{Note, is_included, leaf_hash};

/// Why there is no file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SheetError {
    /// A photo can't be read.
    #[error("{which} can't be printed: {what}")]
    Picture {
        /// Which photo.
        which: String,
        /// What is wrong with it.
        what: String,
    },
    /// A proof doesn't hold.
    #[error("the proof that the log holds the entry '{what}' does not lead to its checkpoint")]
    Proof {
        /// What the entry says.
        what: String,
    },
    /// The standard forbids what is in the report.
    #[error("the report can't be written as PDF/A: {what}")]
    Pdf {
        /// What the standard calls it.
        what: String,
    },
}

impl CompareReport {
    /// The report as a PDF/A-2a file, tagged as PDF/UA-1 asks: Letter, with its own typefaces,
    /// without scripts, links or attachments.
    ///
    /// Errors: a photo that can't be read; a proof that doesn't lead from its leaf to its
    /// checkpoint, whose signatures are not looked at here. Source: the same report gives the same
    /// bytes; the file's date is `issued_cs`.
    pub fn to_pdf(&self) -> Result<Vec<u8>, SheetError> {
        self.check_proofs()?;
        let composer = self.laid_out()?;
        let mark = self.state.word().map_or_else(String::new, |word| format!("{word}: "));
        // What says of the file what it is holds no more than the pages do: nothing unseen, no
        // line's end.
        let plain = |text: String| composer.letters.printable(&text).replace('\n', " ");
        let imprint = Imprint {
            title: plain(format!("{mark}{}, inquiry {}", header_footer::TITLE_TEXT, self.inquiry)),
            subject: plain(format!("{} {}", self.request.reference_kind, self.request.reference)),
            author: plain(self.issuer.clone()),
            creator: plain(self.software.clone()),
            id: format!("{} {}", self.search.origin, self.inquiry),
            date: words::time_of(self.issued_cs),
        };
        let Composer { letters, tags, paper, pictures, contents } = composer;
        pdf::print(&paper.pages, &tags, &pictures, &letters, &imprint, &contents)
    }

    /// All pages, before anything is printed.
    fn laid_out(&self) -> Result<Composer, SheetError> {
        let (top, bottom) = header_footer::body(self);
        let mut composer = Composer::new(top, bottom);
        front::front(&mut composer, self);
        let probe = front::probe(&mut composer, self)?;
        candidates::array(&mut composer, self, probe)?;
        back::disagreements(&mut composer, self);
        back::search(&mut composer, self);
        back::proofs(&mut composer, self);
        header_footer::furnish(&mut composer, self);
        Ok(composer)
    }

    /// A report that prints proofs which don't hold would be worse than none.
    fn check_proofs(&self) -> Result<(), SheetError> {
        for Proven { what, leaf, proof } in &self.proofs {
            let checkpoint = Note::parse(&proof.checkpoint).and_then(|note| note.checkpoint());
            let holds = checkpoint.is_ok_and(|checkpoint| {
                is_included(
                    &leaf_hash(&leaf.to_bytes()),
                    proof.index,
                    checkpoint.leaves,
                    &checkpoint.root,
                    &proof.path,
                )
            });
            if !holds {
                return Err(SheetError::Proof { what: what.clone() });
            }
        }
        Ok(())
    }
}
