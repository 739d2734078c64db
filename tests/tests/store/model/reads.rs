//! Reads of the store, compared with the model.

use super::Model;
use super::ops::TENANTS;
use crate::asserts::{Reader, assert_not_found, events_and_runs, newest};
use crate::fixtures::{ana, ben};
use dooers::store::{PageLimit, Participant, Scope, Viewer};
use dooers_tests::with;
use std::cmp::Reverse;

impl Model<'_> {
    /// Opens a thread and keeps reading it.
    pub(crate) async fn arrive(&mut self, thread: usize) {
        let Some(index) = self.any_thread(thread) else {
            return;
        };
        if !self.threads[index].is_deleted {
            let id = &self.threads[index].id;
            let reader = Reader::fresh(self.store, &self.scope_of(index), id).await;
            self.readers.push((index, reader));
        }
    }

    /// Reads the missing changes of a reader, or reconnects it. The byte limit admits about as many events as
    /// the item limit.
    pub(crate) async fn read_on(&mut self, reader: usize, limit: usize, was_away: bool) {
        let limit = PageLimit::new(limit).bytes(limit * 300);
        let readers = self.readers.len();
        if readers == 0 {
            return;
        }
        let (index, mut reader) = self.readers.swap_remove(reader % readers);
        let scope = self.scope_of(index);
        let thread = &self.threads[index];
        if thread.is_deleted {
            let answer = self
                .store
                .catch_up(&scope, &thread.id, &reader.position, limit)
                .await;
            return assert_not_found(answer);
        }
        if was_away {
            reader.reconnect(self.store, &scope, limit).await;
        } else {
            reader.advance(self.store, &scope, limit).await;
        }
        reader.assert_up_to_date(self.store, &scope).await;
        assert_eq!(reader.position.rev, thread.rev);
        self.readers.push((index, reader));
    }

    /// Compares all reads with the model.
    pub(crate) async fn check(&mut self) {
        for (index, thread) in self.threads.iter().enumerate() {
            let scope = self.scope_of(index);
            if thread.is_deleted {
                assert_not_found(self.store.thread(&scope, &thread.id).await);
                continue;
            }
            let record = self.store.thread(&scope, &thread.id).await.unwrap();
            assert_eq!(
                (record.rev, &record.thread.title),
                (thread.rev, &thread.title)
            );
            assert_eq!(record.thread.users, thread.users);
            assert_eq!(record.thread.last_event_at, thread.last_event_at);
            let (events, mut runs) = events_and_runs(self.store, &scope, &thread.id).await;
            assert_eq!(events, thread.events);
            let mut expected = thread.runs.clone();
            runs.sort_by(|a, b| a.id.cmp(&b.id));
            expected.sort_by(|a, b| a.id.cmp(&b.id));
            assert_eq!(runs, expected);
            let snapshot = newest(self.store, &scope, &thread.id).await;
            assert_eq!((snapshot.events, snapshot.thread), (events, record));
        }
        for tenant in 0..TENANTS {
            self.check_lists(tenant).await;
        }
        for (thread, reader) in std::mem::take(&mut self.readers) {
            for was_away in [false, true] {
                self.readers = vec![(thread, reader.clone())];
                self.read_on(0, 3, was_away).await;
            }
        }
        self.readers.clear();
    }

    async fn check_lists(&self, tenant: usize) {
        for viewer in [None, Some(ana()), Some(ben())] {
            let mut expected: Vec<_> = self
                .threads
                .iter()
                .filter(|thread| thread.tenant == tenant && !thread.is_deleted)
                .filter(|thread| {
                    viewer
                        .as_ref()
                        .is_none_or(|user| thread.users.contains(user))
                })
                .collect();
            expected.sort_by_key(|thread| Reverse((thread.last_event_at, thread.id.clone())));
            let scope = with!(Scope {
                viewer: match &viewer {
                    Some(user) => Viewer::Only(Participant::user(user)),
                    None => Viewer::Everyone,
                },
                ..self.tenant(tenant)
            });
            let page = self
                .store
                .threads(&scope, None, 1_000.into())
                .await
                .unwrap();
            assert_eq!(page.total_count, expected.len() as u64);
            let listed = page.threads.iter().map(|thread| thread.id.as_str());
            assert!(listed.eq(expected.iter().map(|thread| thread.id.as_str())));
        }
    }
}
