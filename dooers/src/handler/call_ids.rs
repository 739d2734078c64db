//! The ids of tool calls.

use crate::AgentError;
use crate::history::{MemoryError, WorkerMemory, is_call_id};
use crate::protocol::{EventType, new_id};
use std::collections::HashSet;
use tokio::sync::{Mutex, MutexGuard};

/// The number of earlier tool events whose ids are read. An id that is older is made unique when a history is written.
const EARLIER: usize = 200;

/// The ids of calls that are used in a thread. All sets of tools of a turn share them.
///
/// Models repeat ids and leave them empty. A program that appends calls to a history needs ids that are unique in it.
#[derive(Debug, Default)]
pub(crate) struct CallIds(Mutex<Option<UsedIds>>);

/// The ids of calls, which have been read.
#[derive(Debug, Default)]
struct UsedIds(HashSet<String>);

impl CallIds {
    /// Reads the ids of the turn's thread from its memory, when this is called for the first time.
    pub(super) async fn used(
        &self,
        memory: impl Future<Output = Result<WorkerMemory, MemoryError>>,
    ) -> Result<IdsGuard<'_>, AgentError> {
        let mut used = self.0.lock().await;
        if used.is_none() {
            *used = Some(UsedIds::read(&memory.await?).await?);
        }
        Ok(IdsGuard(used))
    }
}

/// The ids of calls, while no other call of the turn gets an id.
#[derive(Debug)]
pub(crate) struct IdsGuard<'a>(MutexGuard<'a, Option<UsedIds>>);

impl IdsGuard<'_> {
    /// Returns this id if every provider accepts it and no other call has it, or else a new one.
    pub(crate) fn unique(&mut self, id: String) -> String {
        let used = self.0.get_or_insert_default();
        let is_free = is_call_id(&id) && !used.0.contains(&id);
        let id = if is_free { id } else { new_id() };
        used.0.insert(id.clone());
        id
    }
}

impl UsedIds {
    async fn read(memory: &WorkerMemory) -> Result<Self, AgentError> {
        let events = memory
            .events()
            .kind(EventType::ToolCall)
            .kind(EventType::ToolTransaction)
            .kind(EventType::ToolResult)
            .limit(EARLIER)
            .await?;
        let id = |data: serde_json::Value| data["id"].as_str().map(str::to_owned);
        let ids = events.into_iter().filter_map(|event| id(event.data?));
        Ok(Self(ids.collect()))
    }
}
