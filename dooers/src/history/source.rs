//! The sources of events.

use super::MemoryError;
use crate::protocol::{EventType, Thread, ThreadEvent};
use crate::store::{EventQuery, Scope, Store};
use std::sync::Arc;

/// Number of forms that are read at once in the search for one form.
const FORMS: usize = 20;

/// A source of a thread's events.
#[derive(Debug, Clone)]
pub(super) enum Source {
    Stored {
        store: Arc<dyn Store>,
        scope: Scope,
        thread_id: String,
    },
    /// The events of a unit test.
    Given(Arc<Given>),
}

/// A thread that is not in a store.
#[derive(Debug, Clone)]
pub(super) struct Given {
    pub(super) thread: Thread,
    /// In the order of their positions.
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

    /// Finds the form with this id among the events before a position.
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
