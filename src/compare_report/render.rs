//! Rendering a compare report: its parts laid out on pages, and the pages written as a file.

use super::compose::Composer;
use super::error::CompareReportError;
use super::pdf::DocumentInfo;
use super::report::CompareReport;
use super::{back, candidates, front, header_footer, pdf, words};

impl CompareReport<'_> {
    /// The report as a PDF/A-2a file, tagged as PDF/UA-1 asks: Letter, with its own typefaces,
    /// without scripts, links or attachments.
    ///
    /// Errors: a photo that can't be read. Source: the same report gives the same bytes; the file's
    /// date is `issued`.
    pub fn to_pdf(&self) -> Result<Vec<u8>, CompareReportError> {
        let composer = self.laid_out()?;
        let (inquiry, supplement) = (self.inquiry, self.supplement);
        let mark = supplement.state.mark().map_or_else(String::new, |word| format!("{word}: "));
        let reference = words::reference(&inquiry.request().reference);
        // The file's own title and the like hold no more than the pages do: no character that is
        // there unseen, no line's end.
        let plain = |text: &str| composer.fonts.printable(text).replace('\n', " ");
        let info = DocumentInfo {
            title: plain(&format!("{mark}{}, inquiry {}", header_footer::TITLE_TEXT, inquiry.id())),
            subject: plain(&format!("{} {}", reference.0, reference.1)),
            author: plain(&supplement.issuer),
            creator: plain(&supplement.software),
            id: format!("{} {}", supplement.search.origin, inquiry.id()),
            date: words::in_calendar(supplement.issued),
        };
        let Composer { fonts, tags, pages, photos, bookmarks } = composer;
        pdf::write(&pages.all, &tags, &photos, &fonts, &info, &bookmarks)
    }

    /// All pages, before anything is written.
    pub(super) fn laid_out(&self) -> Result<Composer, CompareReportError> {
        let (top, bottom) = header_footer::body(self);
        let mut composer = Composer::new(top, bottom);
        front::front(&mut composer, self);
        let probe = front::probe(&mut composer, self)?;
        candidates::candidates(&mut composer, self, probe)?;
        back::disagreements(&mut composer, self);
        back::search(&mut composer, self);
        back::proofs(&mut composer, self);
        header_footer::add(&mut composer, self);
        Ok(composer)
    }
}
