//! The process that uses the file, on the writer's connection.

use super::batch::SqliteOperation;
use super::database::WriterDatabase;
use super::migrate::MIGRATIONS;
use crate::protocol::timestamp;
use crate::store::claim::end_of_lease;
use crate::store::node::in_order;
use crate::store::sql::{Stop, int, node_info};
use crate::store::{NodeInfo, NodeReport};
use chrono::TimeDelta;
use rusqlite::params;
use std::time::Duration;

/// Stores a report.
#[derive(Debug)]
pub(super) struct ReportNode {
    pub(super) report: NodeReport,
    pub(super) lease: Duration,
}

impl SqliteOperation for ReportNode {
    type Answer = ();
    const WHAT: &'static str = "report this process";

    fn run(&self, db: &WriterDatabase) -> Result<(), Stop> {
        let report = &self.report;
        let row = params![
            report.id,
            report.state.as_str(),
            timestamp::now().timestamp_micros(),
            end_of_lease(self.lease).timestamp_micros(),
            report.version,
            MIGRATIONS.last().map_or(0, |last| last.version),
            report.broker,
            report.is_connected,
            int(report.malformed_messages),
            int(report.connections),
            int(report.running_turns),
            report.host,
            report.process_id,
        ];
        db.execute(&db.sql.writes.report_node, row)
    }
}

/// Lists the processes.
#[derive(Debug)]
pub(super) struct ListNodes;

impl SqliteOperation for ListNodes {
    type Answer = Vec<NodeInfo>;
    const WHAT: &'static str = "list processes";

    fn run(&self, db: &WriterDatabase) -> Result<Vec<NodeInfo>, Stop> {
        let now = params![timestamp::now().timestamp_micros()];
        let nodes = db.every(&db.sql.writes.nodes, now, |row| node_info(row))?;
        Ok(in_order(nodes))
    }
}

/// Removes a process.
#[derive(Debug)]
pub(super) struct RemoveNode(pub(super) String);

impl SqliteOperation for RemoveNode {
    type Answer = ();
    const WHAT: &'static str = "remove this process";

    fn run(&self, db: &WriterDatabase) -> Result<(), Stop> {
        db.execute(&db.sql.writes.remove_node, params![self.0])
    }
}

/// Removes the processes that died long ago.
#[derive(Debug)]
pub(super) struct RemoveDeadNodes(pub(super) Duration);

impl SqliteOperation for RemoveDeadNodes {
    type Answer = ();
    const WHAT: &'static str = "remove dead processes";

    fn run(&self, db: &WriterDatabase) -> Result<(), Stop> {
        let dead_for = TimeDelta::from_std(self.0).unwrap_or(TimeDelta::MAX);
        let before = timestamp::now().checked_sub_signed(dead_for);
        let before = before.map_or(i64::MIN, |before| before.timestamp_micros());
        db.execute(&db.sql.writes.remove_dead_nodes, params![before])
    }
}

/// Marks all processes as dead. Only one process opens the file, so the others have ended.
#[derive(Debug)]
pub(super) struct BuryNodes;

impl SqliteOperation for BuryNodes {
    type Answer = ();
    const WHAT: &'static str = "mark processes as dead";

    fn run(&self, db: &WriterDatabase) -> Result<(), Stop> {
        let now = timestamp::now().timestamp_micros();
        db.execute(&db.sql.writes.bury_nodes, params![now])
    }
}
