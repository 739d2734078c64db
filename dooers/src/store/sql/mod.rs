//! What the stores on databases share: what is read, what rows are made into, and in which steps the tables came
//! to be.

mod catching_up;
mod find;
mod migration;
mod operations;
mod read;
mod rows;
mod sizes;
mod statements;
mod stop;

pub(crate) use migration::{Applied, Migration, SchemaError, checksum_of, pending};
pub(crate) use operations::{
    Begin, ClaimTurn, CreateThread, DeleteThread, EditThread, FinishTurn, RetryTurn, WriteTurn,
};
pub(crate) use read::{Parameter, ReadTransaction, Reading};
pub(crate) use rows::{
    Columns, RowError, WholeThread, event, run, sealed_answer, sealed_column, thread_place,
};
pub(crate) use statements::{Dialect, Reads, statements};
pub(crate) use stop::Stop;

/// A number as databases keep it. None of ours comes near the end of the range.
pub(crate) fn int(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(crate) fn json<T: serde::Serialize>(
    value: &Option<T>,
) -> Result<Option<String>, serde_json::Error> {
    value.as_ref().map(serde_json::to_string).transpose()
}
