//! Errors inside the backend, before they are told where they happened.

use crate::StoreError;

/// Why a call did not do what it was asked.
#[derive(Debug)]
pub(super) enum Failure {
    /// What SQLite said; [`super::place::Place::error`] finds out what it means.
    Sql(sqlx::Error),
    /// What is stored makes no sense.
    Damaged(String),
    /// Anything that means the same everywhere.
    Store(StoreError),
}

impl Failure {
    /// An argument that no caller should pass.
    pub(super) fn invalid(why: impl Into<String>) -> Self {
        Self::Store(StoreError::Invalid(why.into()))
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
