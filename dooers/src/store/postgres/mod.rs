//! A store in a PostgreSQL database.

mod options;
mod ssl;
mod target;
mod url;

pub use options::PostgresOptions;
pub use ssl::{NotAnSslMode, SslMode};
pub use url::NotAPostgresUrl;
