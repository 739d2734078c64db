//! The parts that the stores on both databases share: operations, statements that read, rows, migrations, and the methods
//! of [`Store`](super::Store) that only pass an operation or a read on.

mod catching_up;
mod find;
mod migration;
mod operations;
mod read;
mod rows;
mod sizes;
mod statements;
mod stop;
mod store;

pub(crate) use migration::{Applied, Migration, SchemaError, checksum_of, migrations, pending};
pub(crate) use operations::{
    Begin, ClaimTurn, CreateThread, DeleteThread, EditThread, FinishTurn, ResumeTurn, RetryTurn,
    ThreadOperation, WriteTurn,
};
pub(crate) use read::{Parameter, ReadTransaction, Reading};
pub(crate) use rows::{
    Columns, RowError, WholeThread, event, held_turn, run, sealed_column, thread_place, turn,
    turn_slot, turn_state,
};
pub(crate) use statements::{Dialect, Reads, statements};
pub(crate) use stop::Stop;
pub(crate) use store::sql_store;

/// A number as databases keep it. None of ours comes near the end of the range.
pub(crate) fn int(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(crate) fn json<T: serde::Serialize>(
    value: &Option<T>,
) -> Result<Option<String>, serde_json::Error> {
    value.as_ref().map(serde_json::to_string).transpose()
}
