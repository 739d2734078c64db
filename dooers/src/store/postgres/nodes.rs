//! The processes that share the database, by its clock.

use super::migrate::{MIGRATIONS, known_version};
use super::statements::Statements;
use super::time::lease_micros;
use crate::store::node::in_order;
use crate::store::postgres::connect::error::into_store_error;
use crate::store::postgres::connect::statement::query;
use crate::store::postgres::read::readers::Readers;
use crate::store::sql::{Columns, RowError, TableError, int, node_info};
use crate::store::{NodeInfo, NodeReport, StoreError};
use std::time::Duration;

/// Stores a report. Returns the reason if the tables can no longer be used, because a newer program has migrated them.
pub(super) async fn report(
    readers: &Readers,
    report: &NodeReport,
    lease: Duration,
) -> Result<Result<(), TableError>, StoreError> {
    const WHAT: &str = "report this process";
    let known = known_version(MIGRATIONS);
    let put = |sql: &Statements| {
        query(&sql.own.report_node)
            .bind(known)
            .bind(report.id.clone())
            .bind(report.state.as_str().to_owned())
            .bind(lease_micros(lease))
            .bind(report.version.clone())
            .bind(report.broker.clone())
            .bind(report.is_connected)
            .bind(int(report.malformed_messages))
            .bind(int(report.connections))
            .bind(int(report.running_turns))
            .bind(report.host.clone())
            .bind(i64::from(report.process_id))
    };
    let rows = readers.execute(WHAT, put).await?;
    let found = rows.first().map(|row| row.optional_number(0));
    let found = found.transpose();
    let found = found.map_err(|error| into_store_error(error, WHAT))?;
    Ok(match found.flatten() {
        Some(found) => Err(TableError::Overtaken { found, known }),
        None => Ok(()),
    })
}

/// Lists the processes.
pub(super) async fn list(readers: &Readers) -> Result<Vec<NodeInfo>, StoreError> {
    const WHAT: &str = "list processes";
    let rows = readers.execute(WHAT, |sql| query(&sql.own.nodes)).await?;
    let nodes: Result<_, RowError> = rows.iter().map(node_info).collect();
    Ok(in_order(
        nodes.map_err(|error| into_store_error(error, WHAT))?,
    ))
}

/// Removes a process.
pub(super) async fn remove(readers: &Readers, id: &str) -> Result<(), StoreError> {
    let remove = |sql: &Statements| query(&sql.own.remove_node).bind(id.to_owned());
    let removed = readers.execute("remove this process", remove).await;
    removed.map(drop)
}

/// Removes the processes that died long ago.
pub(super) async fn remove_dead(readers: &Readers, dead_for: Duration) -> Result<(), StoreError> {
    let remove = |sql: &Statements| query(&sql.own.remove_dead_nodes).bind(lease_micros(dead_for));
    let removed = readers.execute("remove dead processes", remove).await;
    removed.map(drop)
}
