//! Does everything fit together?

use sqlx::SqliteConnection;

use super::failure::Failure;

pub(super) async fn check(_db: &mut SqliteConnection) -> Result<Vec<String>, Failure> {
    Ok(Vec::new())
}
