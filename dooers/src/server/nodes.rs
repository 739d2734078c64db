//! The changes of other nodes: the processes that share the database.
//!
//! Announcements arrive through the broker. They may be lost, so the threads with live subscribers are also compared with the
//! database, slowly.

use super::changed_rows::ROWS;
use super::listed_rows::{Listed, Unread};
use super::server_state::ServerState;
use crate::broker::{BrokerEvent, BrokerEvents, News, ThreadNotice};
use crate::hub::TextLookUp;
use futures::FutureExt;
use std::sync::Arc;
use tokio::task::JoinSet;

/// Maximum number of events of streamed texts that are read at once.
const LOOK_UPS: usize = 64;

/// The reads that received events require of this node.
#[derive(Debug, Default)]
struct Heard {
    listed: Listed,
    /// The events of streamed texts that subscribers need.
    texts: Vec<TextLookUp>,
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
                .spawn(Arc::clone(self).follow_lists(Arc::clone(&unread)));
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

    /// Reads the event of a text that another node streams. After an error, the next piece of the text leads to another
    /// attempt.
    pub(super) async fn look_up(&self, look_up: TextLookUp) {
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
            News::Alive(node) => self.silent.heard(&node),
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
}
