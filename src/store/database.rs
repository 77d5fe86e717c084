//! The database: one redb file on the state folder's disk, read by snapshots and written by one
//! transaction at a time.

use std::io;
use std::sync::Arc;

use redb::{
    Builder, Database, Key, ReadOnlyTable, ReadableDatabase, ReadableTable, StorageBackend, Table,
    TableDefinition, Value, WriteTransaction,
};

use super::error::{StoreError, commit_error, open_error, read_error};
use crate::disk::DiskFile;
use crate::limits::STORE_CACHE_BYTES;

/// Facts about the state folder, by their names.
const META: TableDefinition<&str, &[u8]> = TableDefinition::new("meta");

/// The open store.
#[derive(Debug)]
pub struct Store {
    database: Database,
}

/// A write transaction that is being filled; it counts when `Store::commit` returns.
pub struct Commit {
    transaction: WriteTransaction,
}

impl Store {
    /// Opens the database in a file, and makes it there if the file is empty.
    pub(super) fn on(file: Arc<dyn DiskFile>) -> Result<Self, StoreError> {
        Ok(Self { database: builder().create_with_backend(Backend(file)).map_err(open_error)? })
    }

    /// Fills a write transaction and commits it; durable on return.
    ///
    /// Errors: an error of `fill` leaves the store as it was; a failed commit leaves it unknown.
    pub fn commit<E: From<StoreError>>(
        &self,
        fill: impl FnOnce(&Commit) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut transaction = self.database.begin_write().map_err(commit_error)?;
        transaction.set_quick_repair(true);
        let commit = Commit { transaction };
        fill(&commit)?;
        commit.transaction.commit().map_err(commit_error)?;
        Ok(())
    }

    /// A read transaction: a snapshot of all tables.
    pub(super) fn read(&self) -> Result<Snapshot, StoreError> {
        Ok(Snapshot(self.database.begin_read().map_err(read_error)?))
    }

    /// One table, in a snapshot of its own.
    pub(super) fn table<K: Key + 'static, V: Value + 'static>(
        &self,
        definition: TableDefinition<'_, K, V>,
    ) -> Result<ReadOnlyTable<K, V>, StoreError> {
        self.read()?.table(definition)
    }

    /// A fact about the folder.
    pub(super) fn meta(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let table = self.table(META)?;
        Ok(table.get(name).map_err(read_error)?.map(|value| value.value().to_vec()))
    }
}

/// A snapshot: all tables as they were at one moment.
pub(super) struct Snapshot(redb::ReadTransaction);

impl Snapshot {
    pub(super) fn table<K: Key + 'static, V: Value + 'static>(
        &self,
        definition: TableDefinition<'_, K, V>,
    ) -> Result<ReadOnlyTable<K, V>, StoreError> {
        self.0.open_table(definition).map_err(read_error)
    }
}

impl Commit {
    /// A table to be read and written in this transaction; made if it isn't there.
    pub(super) fn table<K: Key + 'static, V: Value + 'static>(
        &self,
        definition: TableDefinition<'_, K, V>,
    ) -> Result<Table<'_, K, V>, StoreError> {
        self.transaction.open_table(definition).map_err(commit_error)
    }

    /// Removes a table with all its rows.
    pub(super) fn delete_table<K: Key + 'static, V: Value + 'static>(
        &self,
        definition: TableDefinition<'_, K, V>,
    ) -> Result<(), StoreError> {
        self.transaction.delete_table(definition).map(drop).map_err(commit_error)
    }

    /// A fact about the folder, as this transaction has it.
    pub(super) fn meta(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let table = self.table(META)?;
        let value = table.get(name).map_err(commit_error)?;
        Ok(value.map(|value| value.value().to_vec()))
    }

    /// Writes a fact about the folder.
    pub(super) fn put_meta(&self, name: &str, value: &[u8]) -> Result<(), StoreError> {
        self.table(META)?.insert(name, value).map_err(commit_error)?;
        Ok(())
    }

    /// Removes a fact about the folder.
    pub(super) fn remove_meta(&self, name: &str) -> Result<(), StoreError> {
        self.table(META)?.remove(name).map_err(commit_error)?;
        Ok(())
    }
}

fn builder() -> Builder {
    let mut builder = Database::builder();
    builder.set_cache_size(STORE_CACHE_BYTES);
    builder
}

/// The storage backend of redb: the store's file, through the one disk.
#[derive(Debug)]
struct Backend(Arc<dyn DiskFile>);

impl StorageBackend for Backend {
    fn len(&self) -> io::Result<u64> {
        self.0.size()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read_at(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_size(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.write_at(offset, data)
    }
}
