//! The identity of the tables with a prefix in a database.

use super::PostgresOptions;
use super::statements::render;
use crate::store::StoreError;
use crate::store::postgres::connect::error::into_store_error;
use crate::store::postgres::connect::limit::Limit;
use crate::store::postgres::connect::statement::query;
use crate::store::sql::{Columns, RowError};
use sha2::{Digest, Sha256};
use sqlx::{Connection, PgConnection};
use std::fmt::Write;
use std::sync::Arc;

/// The time of the first migration tells databases with the same name on different servers apart.
const PLACE: &str =
    "SELECT current_database()::text, current_schema()::text, extract(epoch FROM applied_at)::text
    FROM {prefix}schema_migrations WHERE version = 1";

/// Returns an identifier of the tables with the options' prefix: 32 hexadecimal digits. All processes that use these tables
/// get the same one, and those that use other tables get another one.
///
/// # Errors
///
/// `Unavailable` if the database cannot be reached, and `Failed` for any other error.
pub(crate) async fn place_of_tables(options: &PostgresOptions) -> Result<String, StoreError> {
    let sql: Arc<str> = render(PLACE, &options.table_prefix).into();
    let all = async {
        let mut connection = PgConnection::connect_with(&options.direct_options()).await?;
        // In a transaction, because the connection may go through a pooler.
        let mut transaction = connection.begin().await?;
        let row = query(&sql)
            .persistent(false)
            .fetch_one(&mut *transaction)
            .await?;
        let mut place = options.table_prefix.as_str().to_owned();
        for column in 0..3 {
            let part = row.text(column).map_err(sqlx::Error::Decode)?;
            // A null character is not part of a name.
            place.push('\0');
            place.push_str(part);
        }
        transaction.commit().await?;
        // An error while closing does not matter.
        let _ = connection.close().await;
        Ok(digest(&place))
    };
    let found = Limit::of_connecting(options.connect_limit()).on(all).await;
    found.map_err(|error: sqlx::Error| {
        into_store_error(RowError::from(error), "identify the tables")
    })
}

/// The first 128 bits of a hash, as 32 hexadecimal digits.
pub(super) fn digest(text: &str) -> String {
    let mut digits = String::new();
    for byte in &Sha256::digest(text.as_bytes())[..16] {
        // Writing to a string cannot fail.
        let _ = write!(digits, "{byte:02x}");
    }
    digits
}
