//! The parts that both SQL stores share: operations, statements that read, rows, migrations, and the methods of
//! [`Store`](super::Store) that only forward an operation or a read.

mod catching_up;
mod changed;
mod event_page;
mod exact_sizes;
mod feedback;
mod find;
mod list_parameters;
mod migration;
mod nodes;
mod operations;
mod read;
mod rows;
mod search;
mod sizes;
mod statements;
mod stop;
mod store_macro;
mod turns;
mod usage;
mod values;

pub(crate) use migration::{Applied, Migration, TableError, checksum_of, migrations, pending};
pub(crate) use nodes::node_info;
pub(crate) use operations::{
    Begin, ClaimTurn, CreateThread, DeleteThread, EditThread, FinishTurn, ResumeTurn, RetryTurn,
    ThreadOperation, WriteTurn,
};
pub(crate) use read::{Parameter, ReadTransaction, Reading};
pub(crate) use rows::{
    Columns, RowError, WholeThread, event, feedback, run, thread_place, usage_column,
};
pub(crate) use statements::{Dialect, Reads, statements};
pub(crate) use stop::Stop;
pub(crate) use store_macro::sql_store;
pub(crate) use turns::{held_turn, questions_column, sealed_column, turn, turn_slot, turn_state};
pub(crate) use usage::{amount_columns, day_total};
pub(crate) use values::{int, json};
