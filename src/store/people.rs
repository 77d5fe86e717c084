//! People: accounts by their names, and grants, the changes of the roster that wait for the
//! commander.
//!
//! All of it comes sealed and leaves sealed; the names of accounts aren't sealed, since rows are
//! found by them.

use redb::{ReadableTable, TableDefinition};

use super::database::{Commit, Store};
use super::error::{StoreError, commit_error, read_error};
use super::rows::Id;
use crate::ids::GrantId;

/// Name of the account to the sealed account.
const ACCOUNTS: TableDefinition<&str, &[u8]> = TableDefinition::new("accounts");
/// Id of the grant to the sealed grant.
const GRANTS: TableDefinition<Id, &[u8]> = TableDefinition::new("grants");

impl Store {
    /// A sealed account.
    pub fn account(&self, id: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let table = self.table(ACCOUNTS)?;
        Ok(table.get(id).map_err(read_error)?.map(|sealed| sealed.value().to_vec()))
    }

    /// All sealed accounts by their names.
    pub fn accounts(&self) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        let table = self.table(ACCOUNTS)?;
        let rows = table.iter().map_err(read_error)?;
        rows.map(|row| {
            row.map(|(id, sealed)| (id.value().to_owned(), sealed.value().to_vec()))
                .map_err(read_error)
        })
        .collect()
    }

    /// A sealed grant.
    pub fn grant(&self, id: GrantId) -> Result<Option<Vec<u8>>, StoreError> {
        let table = self.table(GRANTS)?;
        Ok(table.get(id.0).map_err(read_error)?.map(|sealed| sealed.value().to_vec()))
    }

    /// All sealed grants.
    pub fn grants(&self) -> Result<Vec<(GrantId, Vec<u8>)>, StoreError> {
        let table = self.table(GRANTS)?;
        let rows = table.iter().map_err(read_error)?;
        rows.map(|row| {
            row.map(|(id, sealed)| (GrantId(id.value()), sealed.value().to_vec()))
                .map_err(read_error)
        })
        .collect()
    }
}

impl Commit {
    /// Makes the tables of people.
    pub(super) fn make_people_tables(&self) -> Result<(), StoreError> {
        self.table(ACCOUNTS)?;
        self.table(GRANTS)?;
        Ok(())
    }

    /// Writes a sealed account.
    pub fn put_account(&self, id: &str, sealed: &[u8]) -> Result<(), StoreError> {
        self.table(ACCOUNTS)?.insert(id, sealed).map_err(commit_error)?;
        Ok(())
    }

    /// Writes a sealed grant.
    pub fn put_grant(&self, id: GrantId, sealed: &[u8]) -> Result<(), StoreError> {
        self.table(GRANTS)?.insert(id.0, sealed).map_err(commit_error)?;
        Ok(())
    }

    /// Removes a grant that waits no longer.
    pub fn remove_grant(&self, id: GrantId) -> Result<(), StoreError> {
        self.table(GRANTS)?.remove(id.0).map_err(commit_error)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::disk::{Disk, RealDisk};
    use crate::store::StateKind;

    #[test]
    fn accounts_and_changes_that_wait_come_back_and_go() {
        let folder = tempfile::tempdir().unwrap();
        let disk: Arc<dyn Disk> = Arc::new(RealDisk);
        let store =
            Store::create(&disk, folder.path(), StateKind::Test, "test.example/log", b"edge")
                .unwrap();
        let id = GrantId([1; 16]);
        let write = |commit: &Commit| {
            commit.put_account("diaz", b"sealed")?;
            commit.put_account("chen", b"other")?;
            commit.put_grant(id, b"grant")
        };
        store.commit::<StoreError>(write).unwrap();
        assert_eq!(
            (store.account("diaz").unwrap(), store.account("nobody").unwrap()),
            (Some(b"sealed".to_vec()), None)
        );
        assert_eq!(
            store.accounts().unwrap().iter().map(|(id, _)| &**id).collect::<Vec<_>>(),
            ["chen", "diaz"]
        );
        assert_eq!(
            (store.grant(id).unwrap(), store.grants().unwrap().len()),
            (Some(b"grant".to_vec()), 1)
        );
        store.commit::<StoreError>(|commit| commit.remove_grant(id)).unwrap();
        assert_eq!(store.grants().unwrap(), []);
    }
}
