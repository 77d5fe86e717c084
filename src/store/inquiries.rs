//! Inquiries, by their ids.
//!
//! What an inquiry says is sealed under its own key, which is destroyed with its probe. Its id, the
//! slot of that key, whether a search of it waits for its end and whether a report of it is kept
//! aren't sealed, since a start must know them.

use redb::{ReadableTable, ReadableTableMetadata, TableDefinition};

use super::database::{Commit, Store};
use super::error::{StoreError, commit_error, read_error};
use super::rows::Id;
use crate::ids::InquiryId;

/// Slot of the key, leaf that opened it, leaf `asked` of a search that waits for its end, leaf
/// `issued` of the report that is kept, sealed record.
type InquiryValue<'a> = (u32, u64, Option<u64>, Option<u64>, &'a [u8]);

/// Inquiry id to inquiry.
const INQUIRIES: TableDefinition<Id, InquiryValue<'static>> = TableDefinition::new("inquiries");

/// An inquiry: what is open of it, and its sealed record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InquiryRow {
    /// The slot of its key.
    pub slot: u32,
    /// The leaf that logged that it was opened.
    pub opened: u64,
    /// The leaf `asked` of a search that is neither answered nor interrupted.
    pub asked: Option<u64>,
    /// The leaf `issued` of the report whose file is kept; none where none is.
    pub issued: Option<u64>,
    /// What it says, sealed; empty while the inquiry is ending, and then it is there for nobody.
    pub record: Vec<u8>,
}

/// An inquiry without its sealed record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InquiryHead {
    /// The slot of its key.
    pub slot: u32,
    /// The leaf that logged that it was opened.
    pub opened: u64,
    /// The leaf `asked` of a search that is neither answered nor interrupted.
    pub asked: Option<u64>,
    /// The leaf `issued` of the report whose file is kept; none where none is.
    pub issued: Option<u64>,
}

impl Store {
    /// An inquiry; none once it is ending.
    pub fn inquiry(&self, id: InquiryId) -> Result<Option<InquiryRow>, StoreError> {
        Ok(self.inquiry_even_if_ending(id)?.filter(|row| !row.record.is_empty()))
    }

    /// An inquiry, or what is left of one that is ending: a row with an empty record.
    pub fn inquiry_even_if_ending(&self, id: InquiryId) -> Result<Option<InquiryRow>, StoreError> {
        let table = self.table(INQUIRIES)?;
        Ok(table.get(id.0).map_err(read_error)?.map(|row| inquiry_row(row.value())))
    }

    /// Number of inquiries.
    pub fn inquiries_len(&self) -> Result<u64, StoreError> {
        self.table(INQUIRIES)?.len().map_err(read_error)
    }

    /// The heads of all inquiries, in the order of their ids.
    pub fn for_each_inquiry<E: From<StoreError>>(
        &self,
        mut visit: impl FnMut(InquiryId, InquiryHead) -> Result<(), E>,
    ) -> Result<(), E> {
        let table = self.table(INQUIRIES)?;
        for row in table.iter().map_err(read_error)? {
            let (id, row) = row.map_err(read_error)?;
            let (slot, opened, asked, issued, record) = row.value();
            if !record.is_empty() {
                visit(InquiryId(id.value()), InquiryHead { slot, opened, asked, issued })?;
            }
        }
        Ok(())
    }

    /// Inquiries that are ending.
    pub fn ending_inquiries(&self) -> Result<Vec<InquiryId>, StoreError> {
        let table = self.table(INQUIRIES)?;
        let mut ending = Vec::new();
        for row in table.iter().map_err(read_error)? {
            let (id, row) = row.map_err(read_error)?;
            ending.extend(row.value().4.is_empty().then_some(InquiryId(id.value())));
        }
        Ok(ending)
    }
}

impl Commit {
    /// Makes the table of inquiries.
    pub(super) fn make_inquiry_tables(&self) -> Result<(), StoreError> {
        self.table(INQUIRIES)?;
        Ok(())
    }

    /// Writes an inquiry.
    pub fn put_inquiry(&self, id: InquiryId, row: &InquiryRow) -> Result<(), StoreError> {
        let mut table = self.table(INQUIRIES)?;
        table
            .insert(id.0, (row.slot, row.opened, row.asked, row.issued, &row.record[..]))
            .map_err(commit_error)?;
        Ok(())
    }

    /// Removes an inquiry.
    pub fn remove_inquiry(&self, id: InquiryId) -> Result<(), StoreError> {
        self.table(INQUIRIES)?.remove(id.0).map_err(commit_error)?;
        Ok(())
    }
}

fn inquiry_row((slot, opened, asked, issued, record): InquiryValue<'_>) -> InquiryRow {
    InquiryRow { slot, opened, asked, issued, record: record.to_vec() }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::disk::{Disk, RealDisk};
    use crate::store::StateKind;

    #[test]
    fn an_inquiry_comes_back_as_it_was_written_last() {
        let folder = tempfile::tempdir().unwrap();
        let disk: Arc<dyn Disk> = Arc::new(RealDisk);
        let store =
            Store::create(&disk, folder.path(), StateKind::Test, "test.example/log", b"edge")
                .unwrap();
        let id = InquiryId([5; 16]);
        let row =
            |asked| InquiryRow { slot: 3, opened: 9, asked, issued: Some(14), record: vec![1, 2] };
        store.commit::<StoreError>(|commit| commit.put_inquiry(id, &row(Some(12)))).unwrap();
        store.commit::<StoreError>(|commit| commit.put_inquiry(id, &row(None))).unwrap();
        assert_eq!(
            (store.inquiry(id).unwrap(), store.inquiry(InquiryId([6; 16])).unwrap()),
            (Some(row(None)), None)
        );
        let mut seen = Vec::new();
        store
            .for_each_inquiry::<StoreError>(|id, row| {
                seen.push((id, row));
                Ok(())
            })
            .unwrap();
        assert_eq!(
            (seen, store.inquiries_len().unwrap()),
            (vec![(id, InquiryHead { slot: 3, opened: 9, asked: None, issued: Some(14) })], 1)
        );
        let rest = InquiryRow { record: Vec::new(), ..row(None) };
        store.commit::<StoreError>(|commit| commit.put_inquiry(id, &rest)).unwrap();
        assert_eq!(
            (store.inquiry(id).unwrap(), store.ending_inquiries().unwrap()),
            (None, vec![id]),
            "it is there for nobody"
        );
        store.for_each_inquiry::<StoreError>(|id, _| panic!("{id:?} is ending")).unwrap();
        assert_eq!(store.inquiry_even_if_ending(id).unwrap(), Some(rest));
        store.commit::<StoreError>(|commit| commit.remove_inquiry(id)).unwrap();
        assert_eq!(
            (store.ending_inquiries().unwrap(), store.inquiries_len().unwrap()),
            (Vec::new(), 0)
        );
    }
}
