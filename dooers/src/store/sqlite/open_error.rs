//! The error for a database that cannot be opened.

use crate::store::StoreError;
use std::fmt::Display;
use std::path::Path;

/// Returns the error for a database that cannot be opened. `why` is one sentence.
pub(super) fn cannot_open(path: &Path, why: impl Display) -> StoreError {
    StoreError::Open(format!(
        "cannot open the database `{}`: {why}",
        path.display()
    ))
}
