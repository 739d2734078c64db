//! The rows of processes.

use super::rows::{Columns, RowError};
use crate::store::{NodeBroker, NodeInfo};

/// Reads a process from the columns of the statement `nodes`.
pub(crate) fn node_info(row: &impl Columns) -> Result<NodeInfo, RowError> {
    let broker = NodeBroker::new(row.text(7)?, row.number(8)? != 0, row.count(9)?);
    Ok(NodeInfo {
        id: row.text(0)?.to_owned(),
        state: row.name(1)?,
        started_at: row.time(2)?,
        seen_at: row.time(3)?,
        is_alive: row.number(4)? != 0,
        version: row.text(5)?.to_owned(),
        schema_version: u32::try_from(row.number(6)?)?,
        broker,
        connections: row.count(10)?,
        running_turns: row.count(11)?,
        host: row.text(12)?.to_owned(),
        process_id: u32::try_from(row.number(13)?)?,
    })
}
