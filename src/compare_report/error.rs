//! Why a compare report can't be made.

/// Why a compare report can't be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompareReportError {
    #[error("the inquiry is {stage}, wanted one that two examiners have finished")]
    Unfinished { stage: &'static str },
    #[error("{which} can't be printed: {what}")]
    Picture { which: String, what: String },
    #[error("no proof was given that the log holds the entry '{what}'")]
    Unproven { what: &'static str },
    #[error("the proof that the log holds the entry '{what}' does not lead to its checkpoint")]
    Proof { what: &'static str },
    /// The standard forbids what is in the report.
    #[error("the report can't be written as PDF/A: {what}")]
    Pdf { what: String },
}
