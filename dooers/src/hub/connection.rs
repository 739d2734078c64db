//! Connections of the hub.

use super::analytics_queue::{AnalyticsQueue, AnalyticsRoom, PublishedEvent};
use super::frame::Frame;
use super::lock::lock;
use super::outbound::{Outbound, OutboundLimits};
use super::shown_text::{ShownText, ShownTexts};
use super::total::OutboundTotal;
use crate::auth::access::{can_see, could_see};
use crate::broker::{ParticipantKey, Watch};
use crate::protocol::Audience;
use crate::shrink::shrink;
use crate::store::{Position, Scope, ThreadRecord, WorkerKey};
use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;

/// A connection: its scope, its outbound queue, and the data that must be read from the store for it.
#[derive(Debug)]
pub(crate) struct Connection {
    id: u64,
    outbound: Outbound,
    /// True if the client takes streamed texts in pieces. Otherwise it is sent whole texts from time to time.
    takes_deltas: AtomicBool,
    state: Mutex<ConnectionState>,
    fell_behind: Notify,
}

#[derive(Debug, Default)]
struct ConnectionState {
    scope: Option<Scope>,
    subscribed: HashMap<String, Subscribed>,
    subscriptions: u64,
    /// Threads that must be read from the store.
    backlog: BTreeSet<String>,
    /// The worker whose settings the connection subscribed to, and the audience.
    settings: Option<(WorkerKey, Audience)>,
    /// The settings whose changes did not fit into the queue.
    missed_settings: BTreeSet<String>,
    /// The subscription to analytics.
    analytics: Option<AnalyticsQueue>,
}

/// The subscription of a connection to a thread.
#[derive(Debug)]
struct Subscribed {
    /// A unique number. A subscription that ends and starts again has another one.
    number: u64,
    /// The position up to which the connection has the thread, if the rest must be read from the store. Otherwise the feed
    /// knows the position.
    behind: Option<Position>,
    /// Other nodes send the news of the thread to this one.
    _watch: Watch,
    /// The unfinished texts of other nodes that the client has. Empty while the feed knows them.
    shown: ShownTexts,
}

/// Data that did not fit into the connection's queue and must be read from the store when the queue has drained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Backlog {
    /// The changes of a subscribed thread above a position.
    Thread(String, Position),
    /// The row of a thread that is not subscribed.
    Row(String),
    /// A setting.
    Setting(String),
    /// Analytics events. They are not in the store, but in the connection itself.
    Analytics,
}

impl Connection {
    /// Creates a connection. Its frames count towards `total`, which is `None` for a connection in the same process.
    pub(crate) fn new(limits: OutboundLimits, total: Option<Arc<OutboundTotal>>) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            outbound: Outbound::new(limits, total),
            takes_deltas: AtomicBool::new(false),
            state: Mutex::default(),
            fell_behind: Notify::new(),
        }
    }

    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    pub(crate) fn outbound(&self) -> &Outbound {
        &self.outbound
    }

    pub(crate) fn takes_deltas(&self) -> bool {
        self.takes_deltas.load(Ordering::Relaxed)
    }

    pub(crate) fn set_takes_deltas(&self, takes_deltas: bool) {
        self.takes_deltas.store(takes_deltas, Ordering::Relaxed);
    }

    /// Returns true if the connection receives the thread's changes, now or after its queue has drained.
    pub(crate) fn is_subscribed(&self, thread_id: &str) -> bool {
        self.subscription(thread_id).is_some()
    }

    /// The number of threads whose changes the connection receives.
    pub(crate) fn subscribed_threads(&self) -> usize {
        lock(&self.state).subscribed.len()
    }

    /// The number of the subscription to a thread. Work for a subscription with another number is obsolete.
    pub(crate) fn subscription(&self, thread_id: &str) -> Option<u64> {
        let state = lock(&self.state);
        Some(state.subscribed.get(thread_id)?.number)
    }

    /// Waits for data that must be read from the store, and takes it.
    pub(crate) async fn next_backlog(&self) -> Backlog {
        loop {
            let fell_behind = self.fell_behind.notified();
            if let Some(next) = lock(&self.state).next_backlog() {
                return next;
            }
            fell_behind.await;
        }
    }

    /// Puts a thread back that could not be read yet.
    pub(crate) fn put_back(&self, thread_id: &str) {
        lock(&self.state).backlog.insert(thread_id.to_owned());
        self.fell_behind.notify_one();
    }

    /// Puts a setting back whose change could not be sent yet.
    pub(crate) fn put_back_setting(&self, field_id: &str) {
        let mut state = lock(&self.state);
        if state.settings.is_some() {
            state.missed_settings.insert(field_id.to_owned());
            self.fell_behind.notify_one();
        }
    }

    /// The audience of the connection's subscription to settings.
    pub(crate) fn settings_audience(&self) -> Audience {
        self.subscribed_audience().unwrap_or(Audience::User)
    }

    /// The audience of the subscription to settings. `None` without one.
    pub(crate) fn subscribed_audience(&self) -> Option<Audience> {
        let state = lock(&self.state);
        state.settings.as_ref().map(|(_, audience)| *audience)
    }

    /// Returns true if the connection is subscribed to the settings of this worker, with an audience that sees the field.
    pub(crate) fn sees_setting(&self, worker: &WorkerKey, is_for_creators: bool) -> bool {
        let state = lock(&self.state);
        state.settings.as_ref().is_some_and(|(of, audience)| {
            of == worker && (!is_for_creators || *audience == Audience::Creator)
        })
    }

    /// The position up to which the connection has a subscribed thread, if the rest must be read from the store.
    pub(crate) fn behind(&self, thread_id: &str) -> Option<Position> {
        let state = lock(&self.state);
        state.subscribed.get(thread_id)?.behind.clone()
    }

    /// Returns true if the thread must still be read from the store.
    pub(super) fn is_behind(&self, thread_id: &str) -> bool {
        lock(&self.state).backlog.contains(thread_id)
    }

    pub(super) fn scope(&self) -> Option<Scope> {
        lock(&self.state).scope.clone()
    }

    pub(super) fn set_scope(&self, scope: Option<Scope>) -> Option<Scope> {
        std::mem::replace(&mut lock(&self.state).scope, scope)
    }

    /// Replaces the subscription to settings. Returns the previous one.
    pub(super) fn set_settings(
        &self,
        settings: Option<(WorkerKey, Audience)>,
    ) -> Option<(WorkerKey, Audience)> {
        let mut state = lock(&self.state);
        state.missed_settings.clear();
        std::mem::replace(&mut state.settings, settings)
    }

    /// Replaces the subscription to analytics. Returns the previous one.
    pub(super) fn set_analytics(&self, queue: Option<AnalyticsQueue>) -> Option<AnalyticsQueue> {
        std::mem::replace(&mut lock(&self.state).analytics, queue)
    }

    /// Sends an analytics event. If the outbound queue is half full, the event waits beside it, and the oldest waiting
    /// events are dropped.
    ///
    /// A connection that has subscribed elsewhere in the meantime is not notified.
    pub(super) fn notify_analytics(&self, room: &AnalyticsRoom, event: &Arc<PublishedEvent>) {
        let mut state = lock(&self.state);
        if let Some(queue) = &mut state.analytics
            && queue.room() == room
        {
            // The events that wait come first. Sending them makes room for this one.
            queue.send(&self.outbound);
            queue.push(event);
            if !queue.send(&self.outbound) {
                self.fell_behind.notify_one();
            }
        }
    }

    /// Counts analytics events that another node has dropped.
    pub(super) fn add_dropped_analytics(&self, room: &AnalyticsRoom, number: u64) {
        if let Some(queue) = &mut lock(&self.state).analytics
            && queue.room() == room
        {
            queue.add_dropped(number);
        }
    }

    /// Sends the analytics events that wait, as far as the outbound queue has room.
    pub(crate) fn send_analytics(&self) {
        if let Some(queue) = &mut lock(&self.state).analytics {
            queue.send(&self.outbound);
        }
    }

    pub(super) fn remember(&self, thread_id: &str, watch: &Watch) {
        let mut state = lock(&self.state);
        if !state.subscribed.contains_key(thread_id) {
            state.subscriptions += 1;
            let new = Subscribed {
                number: state.subscriptions,
                behind: None,
                _watch: watch.clone(),
                shown: ShownTexts::new(),
            };
            state.subscribed.insert(thread_id.to_owned(), new);
        }
    }

    /// Removes the subscription to a thread. Returns `false` if there was none.
    pub(super) fn forget(&self, thread_id: &str) -> bool {
        let mut state = lock(&self.state);
        state.backlog.remove(thread_id);
        let is_removed = state.subscribed.remove(thread_id).is_some();
        shrink(&mut state.subscribed);
        is_removed
    }

    pub(super) fn forget_all(&self) -> Vec<String> {
        let mut state = lock(&self.state);
        state.backlog.clear();
        std::mem::take(&mut state.subscribed).into_keys().collect()
    }

    /// Makes the connection continue a subscribed thread from the store at this position. The client has these unfinished texts.
    pub(super) fn fall_behind(&self, thread_id: &str, position: Position, shown: ShownTexts) {
        let mut state = lock(&self.state);
        if let Some(subscribed) = state.subscribed.get_mut(thread_id) {
            subscribed.behind = Some(position);
            subscribed.shown = shown;
            state.backlog.insert(thread_id.to_owned());
            self.fell_behind.notify_one();
        }
    }

    /// Takes the unfinished texts of a thread that the client has, for the feed.
    pub(super) fn take_shown(&self, thread_id: &str) -> ShownTexts {
        let mut state = lock(&self.state);
        let subscribed = state.subscribed.get_mut(thread_id);
        subscribed.map_or_else(ShownTexts::new, |subscribed| {
            std::mem::take(&mut subscribed.shown)
        })
    }

    /// Marks a subscription as live: from now on the thread's feed knows its position.
    pub(super) fn catch_up(&self, thread_id: &str) {
        if let Some(subscribed) = lock(&self.state).subscribed.get_mut(thread_id) {
            subscribed.behind = None;
        }
    }

    /// Extends a subscription that continues from the store to older events that were sent. `texts` are those among them whose
    /// texts grow.
    pub(super) fn extend_back(
        &self,
        thread_id: &str,
        first_seq: u64,
        texts: impl Iterator<Item = u64>,
    ) {
        let mut state = lock(&self.state);
        if let Some(subscribed) = state.subscribed.get_mut(thread_id)
            && let Some(position) = &mut subscribed.behind
        {
            position.first_seq = position.first_seq.min(first_seq);
            let unsure = texts.map(|seq| (seq, ShownText::Unsure));
            subscribed.shown.extend(unsure);
        }
    }

    /// Sends the row of a thread without a subscription, if the connection may see the thread. If the queue is full, the row
    /// is read from the store later.
    ///
    /// A connection that has entered another place in the meantime is not notified.
    pub(super) fn notify_thread(&self, record: &ThreadRecord, frame: &Frame) {
        let mut state = lock(&self.state);
        let scope = state.scope.as_ref();
        if scope.is_some_and(|scope| can_see(scope, record)) && !self.outbound.offer(frame) {
            state.backlog.insert(record.thread.id.clone());
            self.fell_behind.notify_one();
        }
    }

    /// Reports the deletion of a thread with these participants, if the connection could see the thread and is not
    /// subscribed to it. If the queue is full, the connection finds out from the store later.
    pub(super) fn notify_deleted(
        &self,
        thread_id: &str,
        participants: &[ParticipantKey],
        frame: &Frame,
    ) {
        let mut state = lock(&self.state);
        let is_subscribed = state.subscribed.contains_key(thread_id);
        let scope = state.scope.as_ref();
        let sees = scope.is_some_and(|scope| could_see(scope, participants));
        if sees && !is_subscribed && !self.outbound.offer(frame) {
            state.backlog.insert(thread_id.to_owned());
            self.fell_behind.notify_one();
        }
    }

    /// Sends the change of a setting. If the queue is full, the setting is read later.
    pub(super) fn notify_setting(&self, field_id: &str, frame: &Frame) {
        if !self.outbound.offer(frame) {
            self.put_back_setting(field_id);
        }
    }
}

impl ConnectionState {
    fn next_backlog(&mut self) -> Option<Backlog> {
        if let Some(field_id) = self.missed_settings.pop_first() {
            return Some(Backlog::Setting(field_id));
        }
        let Some(thread_id) = self.backlog.pop_first() else {
            // Analytics come last, because a client can read everything else again.
            let waits = |queue: &AnalyticsQueue| !queue.is_empty();
            return self
                .analytics
                .as_ref()
                .is_some_and(waits)
                .then_some(Backlog::Analytics);
        };
        let subscribed = self.subscribed.get(&thread_id);
        let behind = subscribed.and_then(|subscribed| subscribed.behind.clone());
        Some(match behind {
            Some(position) => Backlog::Thread(thread_id, position),
            None => Backlog::Row(thread_id),
        })
    }
}
