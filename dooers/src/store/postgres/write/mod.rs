//! The writer. It executes batches of operations: it reads the rows that they need, applies the shared rules in memory, and
//! writes the difference in one statement.

pub(super) mod batch;
pub(super) mod batch_writer;
pub(super) mod cache;
pub(super) mod columns;
pub(super) mod commit;
pub(super) mod cte;
pub(super) mod diff;
pub(super) mod load;
pub(super) mod operations;
pub(super) mod rows;
pub(super) mod scopes;
pub(super) mod working_set;
pub(super) mod write_set;
pub(super) mod writer;
pub(super) mod writer_connection;
