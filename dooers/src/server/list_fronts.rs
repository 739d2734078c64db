//! The fronts of lists: the newest threads, which are compared with the database when news were lost.

use super::comparison::{COMPARE, COMPARED};
use super::listed_rows::{Listed, Unread};
use super::server_state::ServerState;
use crate::broker::ThreadNotice;
use crate::store::{StoreError, ThreadQuery, ThreadRecord};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use tokio::time::sleep;

/// Maximum number of scopes whose lists are compared.
const SCOPES: usize = 100;

/// The number of threads at the front of a list.
const FRONT: usize = 30;

/// The fronts of the lists of this node's connections, as they were last published.
#[derive(Debug, Default)]
pub(super) struct ListFronts {
    /// For each thread, the announcement of its deletion, with the `rev` of its row. `None` until its row is read.
    threads: HashMap<String, Option<ThreadNotice>>,
}

impl ListFronts {
    /// Adds a thread to those that must be read, unless its row was published with this `rev`. A thread without a `rev` does
    /// not exist.
    fn compare(&self, id: &str, rev: Option<u64>, listed: &mut Listed) {
        let known = self.threads.get(id).and_then(Option::as_ref);
        if rev.is_none() || known.map(|notice| notice.rev) != rev {
            listed.add(id.to_owned(), known.cloned());
        }
    }

    /// Replaces the threads. What is known of those that stay is kept.
    fn replace(&mut self, ids: BTreeSet<String>) {
        let mut known = std::mem::take(&mut self.threads);
        let with_known = ids.into_iter().map(|id| {
            let notice = known.remove(&id).flatten();
            (id, notice)
        });
        self.threads = with_known.collect();
    }

    /// Notes the row of a thread that is published now.
    pub(super) fn note(&mut self, record: &ThreadRecord) {
        if let Some(known) = self.threads.get_mut(&record.thread.id) {
            *known = Some(ThreadNotice::deletion_of(record));
        }
    }
}

impl ServerState {
    /// Compares the fronts of all lists with the database while this node does not hear all others, until the server has
    /// stopped.
    pub(super) async fn follow_lists(self: Arc<Self>, unread: Arc<Unread>) {
        let following = async {
            loop {
                sleep(COMPARE).await;
                if !self.hears_all() {
                    let outdated = Listed {
                        is_outdated: true,
                        ..Listed::default()
                    };
                    // There is always room for a mark.
                    unread.add(outdated);
                }
            }
        };
        self.stopped.run_until_cancelled(following).await;
    }

    /// Adds those threads at the front of lists, now or the last time, that have changed or were deleted.
    pub(super) async fn compare_fronts(
        &self,
        fronts: &mut ListFronts,
        listed: &mut Listed,
    ) -> Result<(), StoreError> {
        let mut ids = BTreeSet::new();
        for scope in self.hub.listed_scopes(SCOPES) {
            let front = ThreadQuery::newest(FRONT);
            let threads = self.store.find_threads(&scope, &front).await?;
            ids.extend(threads.into_iter().map(|thread| thread.id));
        }
        let earlier = fronts.threads.keys().cloned();
        let compared: BTreeSet<_> = ids.iter().cloned().chain(earlier).collect();
        let compared: Vec<_> = compared.into_iter().collect();
        for some in compared.chunks(COMPARED) {
            let revs = self.store.thread_revs(some).await?;
            for id in some {
                fronts.compare(id, revs.get(id).copied(), listed);
            }
        }
        fronts.replace(ids);
        Ok(())
    }
}
