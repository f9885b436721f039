//! The one connection that writes, and its transactions.

mod apply;
mod lines;
mod memory;
mod rows;
mod tracks;

use sqlx::{Connection as _, SqliteConnection, raw_sql};

use self::{apply::Commit, memory::Memory};
use super::{bulk::Statements, failure::Failure, place::Place, values};
use crate::{Entry, StoreError};

/// The writing connection, and what it remembers of what it wrote.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) db: SqliteConnection,
    place: Place,
    memory: Memory,
    statements: Statements,
    /// A transaction was begun and neither committed nor rolled back: its future was dropped.
    unfinished: bool,
    /// Foreign keys are not looked at until that transaction ends.
    unchecked: bool,
}

impl Writer {
    pub(super) fn new(db: SqliteConnection, place: Place) -> Self {
        Self {
            db,
            place,
            memory: Memory::default(),
            statements: Statements::default(),
            unfinished: false,
            unchecked: false,
        }
    }

    pub(super) async fn begin(&mut self) -> Result<(), StoreError> {
        self.roll_back().await;
        self.start().await
    }

    /// As [`Self::begin`], without checks of foreign keys until [`Self::finish`].
    pub(super) async fn begin_unchecked(&mut self) -> Result<(), StoreError> {
        self.roll_back().await;
        self.unchecked = true;
        // A flag of the connection, which no transaction undoes; within one it could not be changed.
        let off = raw_sql("PRAGMA foreign_keys = OFF").execute(&mut self.db).await;
        off.map_err(|error| self.place.sql(error))?;
        self.start().await
    }

    async fn start(&mut self) -> Result<(), StoreError> {
        // Before it is asked for: dropped while waiting, it begins all the same.
        self.unfinished = true;
        raw_sql("BEGIN IMMEDIATE").execute(&mut self.db).await.map_err(|error| self.place.sql(error))?;
        Ok(())
    }

    /// Commits what was done since [`Self::begin`], or undoes it where it failed.
    pub(super) async fn finish<T>(&mut self, done: Result<T, Failure>) -> Result<T, StoreError> {
        let done = match done {
            Ok(value) => {
                let committed = raw_sql("COMMIT").execute(&mut self.db).await;
                committed.map(|_| value).map_err(|error| self.place.sql(error))
            }
            Err(failure) => Err(self.place.error(failure)),
        };
        match done {
            Ok(value) => {
                self.unfinished = false;
                self.check_again().await;
                Ok(value)
            }
            Err(error) => {
                self.roll_back().await;
                Err(error)
            }
        }
    }

    async fn roll_back(&mut self) {
        if self.unfinished {
            // What is remembered may not be so.
            self.memory = Memory::default();
            // Fails where the engine has rolled back by itself, as it does when there is no room: then nothing is left to do.
            raw_sql("ROLLBACK").execute(&mut self.db).await.ok();
            self.unfinished = false;
        }
        self.check_again().await;
    }

    async fn check_again(&mut self) {
        if self.unchecked {
            // Only a flag in memory: there is nothing that could fail.
            raw_sql("PRAGMA foreign_keys = ON").execute(&mut self.db).await.ok();
            self.unchecked = false;
        }
    }

    /// Identities changed: derivations may have come to ledgers that are remembered without.
    pub(super) fn forget(&mut self) {
        self.memory = Memory::default();
    }

    pub(super) async fn commit(&mut self, entries: &[Entry]) -> Result<(), StoreError> {
        entries.iter().try_for_each(values::entry)?;
        self.begin().await?;
        self.memory.make_room();
        let mut commit = Commit::new(&mut self.db, &mut self.memory, &mut self.statements);
        let written = commit.write(entries).await;
        self.finish(written).await
    }

    pub(super) async fn close(mut self) -> Result<(), StoreError> {
        self.roll_back().await;
        self.db.close().await.map_err(|error| self.place.sql(error))
    }
}
