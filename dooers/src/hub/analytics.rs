//! Live delivery of analytics events.

use super::Hub;
use super::analytics_queue::{AnalyticsQueue, AnalyticsRoom, PublishedEvent};
use super::analytics_rooms::Members;
use super::connection::Connection;
use crate::protocol::AnalyticsEvent;
use crate::store::analytics::{ChangeSource, TurnSource, built_in_events, feedback_event};
use crate::store::{AnalyticsFilter, Change, FeedbackUpdate, Scope, ThreadRecord};
use std::sync::Arc;

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
        if self.hub.0.analytics.is_empty() {
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
        let Some(room) = self.hub.0.analytics.find(scope) else {
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
        self.0.analytics.enter(room, connection);
    }

    /// Ends the subscription, if there is one. Events that wait for it are dropped.
    pub(crate) fn unsubscribe_analytics(&self, connection: &Connection) {
        if let Some(queue) = connection.set_analytics(None) {
            self.0.analytics.leave(queue.room(), connection);
        }
    }
}
