//! Where the events come from.

use super::MemoryError;
use crate::protocol::{EventType, Thread, ThreadEvent};
use crate::store::{EventQuery, Scope, Store};
use std::sync::Arc;

/// So many forms are read at a time when one is looked for.
const FORMS: usize = 20;

/// Where the events of a thread come from.
#[derive(Debug, Clone)]
pub(super) enum Source {
    Stored {
        store: Arc<dyn Store>,
        scope: Scope,
        thread_id: String,
    },
    /// In a unit test.
    Given(Arc<Given>),
}

/// A thread that is no store's.
#[derive(Debug, Clone)]
pub(super) struct Given {
    pub(super) thread: Thread,
    /// In the order of their places.
    pub(super) events: Vec<ThreadEvent>,
}

impl Source {
    pub(super) async fn thread(&self) -> Result<Thread, MemoryError> {
        match self {
            Self::Stored {
                store,
                scope,
                thread_id,
            } => Ok(store.thread(scope, thread_id).await?.thread),
            Self::Given(given) => Ok(given.thread.clone()),
        }
    }

    pub(super) async fn find(&self, query: &EventQuery) -> Result<Vec<ThreadEvent>, MemoryError> {
        match self {
            Self::Stored {
                store,
                scope,
                thread_id,
            } => Ok(store.find_events(scope, thread_id, query).await?),
            Self::Given(given) => Ok(query.find(given.events.iter())),
        }
    }

    /// The form of this id before a place.
    pub(super) async fn form(
        &self,
        event_id: &str,
        before: u64,
    ) -> Result<Option<ThreadEvent>, MemoryError> {
        let mut query = EventQuery {
            kinds: vec![EventType::Form],
            before,
            ..EventQuery::newest(FORMS)
        };
        loop {
            let forms = self.find(&query).await?;
            let Some(last) = forms.last() else {
                return Ok(None);
            };
            query.before = last.seq;
            let form = forms.into_iter().find(|form| form.id == event_id);
            if form.is_some() {
                return Ok(form);
            }
        }
    }
}
