//! Live delivery of analytics events.

use super::Hub;
use super::analytics_queue::{AnalyticsQueue, AnalyticsRoom, PublishedEvent};
use super::connection::Connection;
use super::lock::lock;
use crate::protocol::AnalyticsEvent;
use crate::shrink::shrink;
use crate::store::analytics::{ChangeSource, TurnSource, built_in_events, feedback_event};
use crate::store::{AnalyticsFilter, Change, FeedbackUpdate, Scope, ThreadRecord};
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// The connections that subscribed to analytics.
#[derive(Debug, Default)]
pub(super) struct AnalyticsRooms {
    /// The number of subscriptions. It is read without the lock, so that analytics cost nothing without a subscriber.
    count: AtomicUsize,
    members: Mutex<HashMap<AnalyticsRoom, HashMap<u64, Arc<Connection>>>>,
}

/// Computes analytics events for subscribers, and publishes them.
#[derive(Debug, Clone)]
pub(crate) struct LiveAnalytics {
    hub: Hub,
    filter: Arc<AnalyticsFilter>,
}

/// Events with their subscribers.
#[derive(Debug, Default)]
#[must_use]
pub(crate) struct LiveEvents {
    events: Vec<AnalyticsEvent>,
    room: Option<(AnalyticsRoom, Members)>,
}

type Members = Vec<Arc<Connection>>;

impl LiveAnalytics {
    pub(crate) fn new(hub: Hub, filter: AnalyticsFilter) -> Self {
        Self {
            hub,
            filter: Arc::new(filter),
        }
    }

    /// Returns the events that follow from changes which are not part of a turn.
    pub(crate) fn of_changes(&self, scope: &Scope, changes: &[Change]) -> LiveEvents {
        let source = ChangeSource {
            worker_id: &scope.worker_id,
            turn: None,
        };
        let create = || built_in_events(changes, &source, &self.filter);
        self.events_in(scope, create)
    }

    /// Returns the events that a turn tracked, and those that follow from its changes.
    pub(crate) fn of_turn(
        &self,
        thread: &ThreadRecord,
        turn: TurnSource<'_>,
        changes: &[Change],
        tracked: &[AnalyticsEvent],
    ) -> LiveEvents {
        if !self.hub.has_analytics_members() {
            return LiveEvents::default();
        }
        let source = ChangeSource {
            worker_id: &thread.thread.worker_id,
            turn: Some(turn),
        };
        let create = || {
            let allowed = |event: &&AnalyticsEvent| self.filter.allows(&event.event);
            let mut events: Vec<_> = tracked.iter().filter(allowed).cloned().collect();
            events.extend(built_in_events(changes, &source, &self.filter));
            events
        };
        self.events_in(&thread.scope(), create)
    }

    /// Returns the event of a new or changed feedback.
    pub(crate) fn of_feedback(&self, update: &FeedbackUpdate) -> LiveEvents {
        let create = || feedback_event(update, &self.filter).into_iter().collect();
        self.events_in(&update.scope, create)
    }

    /// Returns an event of the program, unless the configuration turns it off.
    pub(crate) fn of_program(&self, scope: &Scope, event: &AnalyticsEvent) -> LiveEvents {
        let allowed = Some(event).filter(|event| self.filter.allows(&event.event));
        let create = || allowed.into_iter().cloned().collect();
        self.events_in(scope, create)
    }

    /// Returns `false` if the configuration turns all events off.
    pub(crate) fn is_on(&self) -> bool {
        !self.filter.is_off
    }

    /// Sends events to their subscribers. No subscriber delays the caller.
    pub(crate) fn publish(&self, live: LiveEvents) {
        let Some((room, members)) = live.room else {
            return;
        };
        for event in live.events {
            let event = PublishedEvent::new(event);
            for member in &members {
                member.notify_analytics(&room, &event);
            }
        }
    }

    /// Computes events if they have subscribers.
    fn events_in(&self, scope: &Scope, create: impl FnOnce() -> Vec<AnalyticsEvent>) -> LiveEvents {
        let Some(room) = self.hub.analytics_room(scope) else {
            return LiveEvents::default();
        };
        LiveEvents {
            events: create(),
            room: Some(room),
        }
    }
}

impl Hub {
    /// Subscribes a connection to the analytics of the worker of this scope, in its organization. A second subscription
    /// replaces the first.
    pub(crate) fn subscribe_analytics(&self, connection: &Arc<Connection>, scope: &Scope) {
        self.unsubscribe_analytics(connection);
        let room = AnalyticsRoom::of(scope);
        connection.set_analytics(Some(AnalyticsQueue::new(room.clone())));
        let mut members = lock(&self.0.analytics.members);
        let members = members.entry(room).or_default();
        members.insert(connection.id(), Arc::clone(connection));
        self.0.analytics.count.fetch_add(1, Ordering::Relaxed);
    }

    /// Ends the subscription, if there is one. Events that wait for it are dropped.
    pub(crate) fn unsubscribe_analytics(&self, connection: &Connection) {
        let Some(queue) = connection.set_analytics(None) else {
            return;
        };
        let mut rooms = lock(&self.0.analytics.members);
        if let Some(members) = rooms.get_mut(queue.room())
            && members.remove(&connection.id()).is_some()
        {
            self.0.analytics.count.fetch_sub(1, Ordering::Relaxed);
            shrink(members);
            if members.is_empty() {
                rooms.remove(queue.room());
                shrink(&mut rooms);
            }
        }
    }

    fn has_analytics_members(&self) -> bool {
        self.0.analytics.count.load(Ordering::Relaxed) > 0
    }

    fn analytics_room(&self, scope: &Scope) -> Option<(AnalyticsRoom, Members)> {
        if !self.has_analytics_members() {
            return None;
        }
        let room = AnalyticsRoom::of(scope);
        let rooms = lock(&self.0.analytics.members);
        let members = rooms.get(&room)?.values().cloned().collect();
        Some((room, members))
    }

    /// The number of workers for which memory is allocated.
    #[cfg(test)]
    pub(super) fn analytics_capacity(&self) -> usize {
        lock(&self.0.analytics.members).capacity()
    }
}
