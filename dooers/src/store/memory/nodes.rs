//! The reports of processes in memory.

use crate::protocol::timestamp;
use crate::store::claim::end_of_lease;
use crate::store::node::in_order;
use crate::store::{NodeBroker, NodeInfo, NodeReport};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::HashMap;
use std::time::Duration;

/// The reports of processes, by their ids.
#[derive(Debug, Default)]
pub(super) struct MemoryNodes(HashMap<String, Row>);

#[derive(Debug)]
struct Row {
    info: NodeInfo,
    alive_until: DateTime<Utc>,
}

impl MemoryNodes {
    pub(super) fn report(&mut self, report: &NodeReport, lease: Duration) {
        let now = timestamp::now();
        let before = self.0.get(&report.id);
        let info = NodeInfo {
            id: report.id.clone(),
            state: report.state,
            is_alive: true,
            started_at: before.map_or(now, |row| row.info.started_at),
            seen_at: now,
            version: report.version.clone(),
            schema_version: 0,
            broker: NodeBroker::new(
                &report.broker,
                report.is_connected,
                report.malformed_messages,
            ),
            connections: report.connections,
            running_turns: report.running_turns,
            host: report.host.clone(),
            process_id: report.process_id,
        };
        let alive_until = end_of_lease(lease);
        self.0.insert(report.id.clone(), Row { info, alive_until });
    }

    pub(super) fn list(&self) -> Vec<NodeInfo> {
        let now = timestamp::now();
        let info = |row: &Row| NodeInfo {
            is_alive: row.alive_until > now,
            ..row.info.clone()
        };
        in_order(self.0.values().map(info).collect())
    }

    pub(super) fn remove(&mut self, id: &str) {
        self.0.remove(id);
    }

    pub(super) fn remove_dead(&mut self, dead_for: Duration) {
        let dead_for = TimeDelta::from_std(dead_for).unwrap_or(TimeDelta::MAX);
        let Some(before) = timestamp::now().checked_sub_signed(dead_for) else {
            return;
        };
        self.0.retain(|_, row| row.alive_until >= before);
    }
}
