//! The database that several processes share.

use super::PostgresOptions;
use crate::cipher::CipherKey;

/// The database through which several processes reach each other.
#[derive(Debug, Clone, Copy)]
pub struct SharedDatabase<'a> {
    pub(crate) options: &'a PostgresOptions,
    /// The key that seals the messages between the processes.
    pub(crate) node_key: &'a CipherKey,
}
