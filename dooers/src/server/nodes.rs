//! The changes of other nodes: the processes that share the database.
//!
//! Announcements arrive through the broker. They may be lost, so the threads with live subscribers are also compared with the
//! database, slowly.

use super::server_state::ServerState;
use crate::broker::{BrokerEvent, BrokerEvents, News, ThreadNotice};
use crate::hub::TextLookUp;
use crate::store::{StoreError, ThreadQuery};
use futures::FutureExt;
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::sleep;

/// The interval at which threads are compared with the database, while the broker is connected.
const COMPARE: Duration = Duration::from_secs(5);

/// The same interval while the broker is not connected.
const COMPARE_ALONE: Duration = Duration::from_secs(1);

/// Maximum number of threads that are compared by one statement.
const COMPARED: usize = 2_000;

/// Maximum number of rows that are read by one statement.
const ROWS: usize = 200;

/// Maximum number of rows that wait to be read, and of threads that wait to be compared. Above this number, the front of each
/// list is read instead, and all threads are compared.
const MOST_WAITING: usize = 10_000;

/// Maximum number of scopes whose lists are read after announcements were lost.
const SCOPES: usize = 100;

/// The number of threads at the front of a list that are read then.
const FRONT: usize = 30;

/// Maximum number of events of streamed texts that are read at once.
const LOOK_UPS: usize = 64;

/// The delay before rows are read again after an error.
const RETRY: Duration = Duration::from_secs(1);

/// The rows that must be read for lists.
#[derive(Debug, Default)]
struct Listed {
    /// The ids of threads, with the announcements of their deletion.
    threads: BTreeMap<String, Vec<ThreadNotice>>,
    /// The ids of threads that were read before their news arrived.
    late: BTreeSet<String>,
    /// The front of each list must be read, because announcements were lost.
    is_outdated: bool,
}

/// The rows that wait to be read. A task of their own reads them, so that a slow database delays no other news.
#[derive(Debug, Default)]
struct Unread {
    listed: Mutex<Listed>,
    added: Notify,
}

/// The reads that received events require of this node.
#[derive(Debug, Default)]
struct Heard {
    listed: Listed,
    /// The events of streamed texts that subscribers need.
    texts: Vec<TextLookUp>,
}

impl Listed {
    fn is_empty(&self) -> bool {
        self.threads.is_empty() && self.late.is_empty() && !self.is_outdated
    }

    fn add(&mut self, thread_id: String, deletion: Option<ThreadNotice>) {
        let deletions = self.threads.entry(thread_id).or_default();
        if let Some(deletion) = deletion
            && !deletions.contains(&deletion)
        {
            deletions.push(deletion);
        }
    }

    /// Adds later rows. Returns `false` if there were too many.
    #[must_use]
    fn merge(&mut self, later: Self) -> bool {
        for (thread_id, deletions) in later.threads {
            self.add(thread_id.clone(), None);
            for deletion in deletions {
                self.add(thread_id.clone(), Some(deletion));
            }
        }
        self.late.extend(later.late);
        self.is_outdated |= later.is_outdated;
        let has_room = self.threads.len() <= MOST_WAITING && self.late.len() <= MOST_WAITING;
        if !has_room {
            *self = Self {
                is_outdated: true,
                ..Self::default()
            };
        }
        has_room
    }
}

impl Unread {
    /// Adds rows. Returns `false` if there were too many.
    fn add(&self, listed: Listed) -> bool {
        let has_room = self.with(|unread| unread.merge(listed));
        self.added.notify_one();
        has_room
    }

    /// Waits for rows, and takes them. Dropping the future loses nothing.
    async fn take(&self) -> Listed {
        loop {
            let added = self.added.notified();
            let listed = self.with(std::mem::take);
            if !listed.is_empty() {
                return listed;
            }
            added.await;
        }
    }

    fn with<T>(&self, change: impl FnOnce(&mut Listed) -> T) -> T {
        // No code panics while it holds the lock.
        change(&mut self.listed.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ServerState {
    /// Starts the tasks that find the changes of other nodes, if there can be any.
    pub(super) fn watch_nodes(self: &Arc<Self>) {
        if let Some(events) = self.broker.subscribe() {
            #[cfg(feature = "testing")]
            let events = events.with_faults(self.config.broker_faults);
            let unread = Arc::default();
            self.tasks
                .spawn(Arc::clone(self).read_rows(Arc::clone(&unread)));
            self.tasks
                .spawn(Arc::clone(self).hear_nodes(events, unread));
            self.tasks.spawn(Arc::clone(self).compare_threads());
            self.tasks.spawn(Arc::clone(self).announce_subscribers());
            self.settings.follow_nodes();
            self.tasks.spawn(Arc::clone(self).follow_settings());
            self.tasks.spawn(Arc::clone(self).find_ends());
        }
    }

    /// Acts on announcements of other nodes, until the server has stopped.
    async fn hear_nodes(self: Arc<Self>, events: BrokerEvents, unread: Arc<Unread>) {
        let hearing = self.hear(events, &unread);
        self.stopped.run_until_cancelled(hearing).await;
    }

    /// Waits for nothing but events: a node that waited for the database would not hear who must be disconnected.
    async fn hear(self: &Arc<Self>, mut events: BrokerEvents, unread: &Unread) {
        // Tasks, because a read that nothing polls would keep its connection to the database.
        let mut looking_up = JoinSet::new();
        loop {
            let event = tokio::select! {
                biased;
                Some(_) = looking_up.join_next() => continue,
                event = events.next() => event,
            };
            let Some(event) = event else {
                return;
            };
            let mut heard = Heard::default();
            self.heard(event, &mut heard);
            // All events that have arrived share one read.
            while heard.listed.threads.len() < ROWS
                && let Some(Some(event)) = events.next().now_or_never()
            {
                self.heard(event, &mut heard);
            }
            if !heard.listed.is_empty() && !unread.add(heard.listed) {
                self.compare_soon.notify_one();
            }
            for look_up in heard.texts {
                if looking_up.len() < LOOK_UPS {
                    let server = Arc::clone(self);
                    looking_up.spawn(async move { server.look_up(look_up).await });
                } else {
                    self.hub.look_up_failed(&look_up);
                }
            }
        }
    }

    /// Reads the rows that other nodes have changed, until the server has stopped.
    async fn read_rows(self: Arc<Self>, unread: Arc<Unread>) {
        let reading = self.read_rows_on(&unread);
        self.stopped.run_until_cancelled(reading).await;
    }

    async fn read_rows_on(&self, unread: &Unread) {
        let mut has_failed = false;
        loop {
            let mut listed = unread.take().await;
            self.compare_late(std::mem::take(&mut listed.late)).await;
            match self.publish_lists(&mut listed).await {
                Ok(()) => has_failed = false,
                Err(error) => {
                    if !std::mem::replace(&mut has_failed, true) {
                        tracing::warn!(target: "dooers::broker", error = &error as &dyn Error, "threads that other nodes changed could not be read; trying again");
                    }
                    if !unread.add(listed) {
                        self.compare_soon.notify_one();
                    }
                    sleep(RETRY).await;
                }
            }
        }
    }

    /// Reads the event of a text that another node streams. After an error, the next piece of the text leads to another
    /// attempt.
    async fn look_up(&self, look_up: TextLookUp) {
        let TextLookUp {
            scope,
            thread_id,
            event_id,
            ..
        } = &look_up;
        let event = self.store.event(scope, thread_id, event_id).await;
        self.hub.looked_up(&look_up, event);
    }

    /// Acts on an event, and adds what must be read to `heard`.
    fn heard(&self, event: BrokerEvent, heard: &mut Heard) {
        match event {
            BrokerEvent::Missed => {
                self.compare_soon.notify_one();
                // The mark of a running turn may be among the changes.
                self.renew_soon.notify_one();
                self.settings.announcements_were_lost();
                self.runner.publisher().analytics().announce_subscribers();
                self.runner.publisher().endings().mark_all();
                heard.listed.is_outdated = true;
            }
            BrokerEvent::Late(late) => {
                heard.listed.late.extend(late.threads);
                heard.listed.is_outdated |= late.has_places;
            }
            BrokerEvent::News(news) => {
                for news in news {
                    self.hear_news(news, heard);
                }
            }
        }
    }

    fn hear_news(&self, news: News, heard: &mut Heard) {
        match news {
            News::Thread(notice) => self.noticed(notice, &mut heard.listed),
            News::Turn(event_id) => {
                if self.runner.may_run(&event_id) {
                    self.renew_soon.notify_one();
                }
            }
            News::Settings(notice) => self.settings.may_have_changed(&notice.into_worker()),
            News::Disconnect(user) => {
                self.open.disconnect(user);
            }
            News::Analytics(news) => self.runner.publisher().analytics().receive(news),
            News::AnalyticsSubscribers(places) => {
                self.runner
                    .publisher()
                    .analytics()
                    .subscribed_elsewhere(&places);
            }
            News::Text(piece) => heard.texts.extend(self.hub.grow_elsewhere(&piece)),
            // The same task takes over turns.
            News::Waiting => self.renew_soon.notify_one(),
            News::Spent(notice) => {
                if let Some(accounts) = &self.accounts {
                    accounts.spent_elsewhere(&notice);
                }
            }
            // Arrives as `Missed`.
            News::Everything => {}
        }
    }

    fn noticed(&self, notice: ThreadNotice, listed: &mut Listed) {
        let thread_id = &notice.thread_id;
        self.hub.changed_elsewhere(thread_id, notice.rev);
        self.runner.publisher().endings().mark(thread_id);
        let is_deletion = notice.deleted_for.is_some();
        if is_deletion && self.runner.runs_in(thread_id) {
            // The turns are dropped when the store no longer has them.
            self.renew_soon.notify_one();
        }
        if let Some(place) = notice.place
            && self.hub.lists(place, thread_id)
        {
            listed.add(thread_id.clone(), is_deletion.then_some(notice));
        }
    }

    /// Compares threads with the database that were read before their news arrived.
    async fn compare_late(&self, ids: BTreeSet<String>) {
        let ids: Vec<_> = ids.into_iter().collect();
        for ids in ids.chunks(COMPARED) {
            let Ok(revs) = self.store.thread_revs(ids).await else {
                return self.compare_soon.notify_one();
            };
            for id in ids {
                match revs.get(id) {
                    // Connections that are reading the thread may have read it too early, too.
                    Some(rev) => self.hub.changed_elsewhere(id, *rev),
                    None => self.hub.compare(id, None),
                }
            }
        }
    }

    /// Reads the rows of listed threads and publishes them, or their deletion.
    async fn publish_lists(&self, listed: &mut Listed) -> Result<(), StoreError> {
        if listed.is_outdated {
            for scope in self.hub.listed_scopes(SCOPES) {
                let front = ThreadQuery::newest(FRONT);
                for thread in self.store.find_threads(&scope, &front).await? {
                    listed.threads.entry(thread.id).or_default();
                }
            }
            listed.is_outdated = false;
        }
        let threads = &mut listed.threads;
        while !threads.is_empty() {
            let ids: Vec<_> = threads.keys().take(ROWS).cloned().collect();
            let read = self.store.thread_rows(&ids);
            let found = self.runner.publisher().publish_rows(&ids, read).await?;
            for id in &ids {
                let deletions = threads.remove(id).filter(|_| !found.contains(id));
                for notice in deletions.into_iter().flatten() {
                    self.hub.deleted_elsewhere(&notice);
                }
            }
        }
        Ok(())
    }

    /// Compares the threads with live subscribers with the database, until the server has stopped.
    async fn compare_threads(self: Arc<Self>) {
        self.stopped.run_until_cancelled(self.compare_on()).await;
    }

    async fn compare_on(&self) {
        let (mut after, mut is_all) = (String::new(), false);
        let mut has_failed = false;
        loop {
            let pause = self.compare_pause();
            if !is_all || has_failed {
                tokio::select! {
                    () = sleep(pause) => {}
                    () = self.compare_soon.notified() => {
                        (after, is_all) = (String::new(), true);
                    }
                }
            }
            match self.compare_after(&mut after).await {
                Ok(is_end) => {
                    has_failed = false;
                    is_all &= !is_end;
                }
                Err(error) => {
                    if !std::mem::replace(&mut has_failed, true) {
                        tracing::warn!(target: "dooers::broker", error = &error as &dyn Error, "threads could not be compared with the database; trying again");
                    }
                }
            }
        }
    }

    /// The pause before the database is asked again for what the broker may have lost.
    pub(super) fn compare_pause(&self) -> Duration {
        if self.broker.is_connected() {
            COMPARE
        } else {
            COMPARE_ALONE
        }
    }

    /// Compares some threads, beginning after an id, and moves the id on. Returns `true` if no more threads follow.
    async fn compare_after(&self, after: &mut String) -> Result<bool, StoreError> {
        let ids = self.hub.subscribed_after(after, COMPARED);
        let is_end = ids.len() < COMPARED;
        if !ids.is_empty() {
            let revs = self.store.thread_revs(&ids).await?;
            for id in &ids {
                self.hub.compare(id, revs.get(id).copied());
                // Of these texts, pieces may have been lost.
                for look_up in self.hub.look_up_quiet(id) {
                    self.look_up(look_up).await;
                }
            }
        }
        *after = if is_end {
            String::new()
        } else {
            ids.last().cloned().unwrap_or_default()
        };
        Ok(is_end)
    }
}
