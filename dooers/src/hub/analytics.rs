//! Live delivery of analytics events.

use super::Hub;
use super::analytics_queue::{AnalyticsQueue, AnalyticsRoom, PublishedEvent};
use super::analytics_rooms::Members;
use super::connection::Connection;
use super::lock::lock;
use super::seen_events::SeenEvents;
use super::subscribers_elsewhere::SubscribersElsewhere;
use crate::broker::{AnalyticsEntry, AnalyticsNews, Broker, News, NoBroker, PlaceKey, Watch};
use crate::protocol::AnalyticsEvent;
use crate::store::analytics::{ChangeSource, TurnSource, built_in_events, feedback_event};
use crate::store::{AnalyticsFilter, Change, FeedbackUpdate, Scope, ThreadRecord};
use std::sync::{Arc, Mutex};

/// Computes analytics events for subscribers, and publishes them.
#[derive(Debug, Clone)]
pub(crate) struct LiveAnalytics {
    hub: Hub,
    filter: Arc<AnalyticsFilter>,
    broker: Arc<dyn Broker>,
    elsewhere: Arc<SubscribersElsewhere>,
    seen: Arc<Mutex<SeenEvents>>,
}

/// Events with their subscribers.
#[derive(Debug, Default)]
#[must_use]
pub(crate) struct LiveEvents {
    events: Vec<AnalyticsEvent>,
    room: Option<(AnalyticsRoom, Members)>,
    /// The place, if other nodes have subscribers.
    elsewhere: Option<PlaceKey>,
}

impl LiveEvents {
    /// Returns true if there is nothing to publish.
    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }
}

impl LiveAnalytics {
    pub(crate) fn new(hub: Hub, filter: AnalyticsFilter) -> Self {
        Self {
            hub,
            filter: Arc::new(filter),
            broker: Arc::new(NoBroker),
            elsewhere: Arc::default(),
            seen: Arc::default(),
        }
    }

    /// Publishes events to the subscribers of other nodes as well.
    pub(crate) fn among_nodes(mut self, broker: Arc<dyn Broker>) -> Self {
        self.broker = broker;
        self
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
        if self.hub.0.analytics.is_empty() && self.elsewhere.is_empty() {
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
        if let Some(place) = live.elsewhere
            && !live.events.is_empty()
        {
            let news = AnalyticsNews::new(place, &live.events);
            self.broker.publish(News::Analytics(news));
        }
        if let Some((room, members)) = live.room {
            for event in live.events {
                notify(&room, &members, event);
            }
        }
    }

    /// Sends the events of another node to their subscribers.
    pub(crate) fn receive(&self, news: AnalyticsNews) {
        let Some((room, members)) = self.hub.0.analytics.find_at(news.place) else {
            return;
        };
        for entry in news.entries {
            match entry {
                AnalyticsEntry::Event(id, event) => {
                    if self.filter.allows(&event.event) && lock(&self.seen).is_new(id) {
                        notify(&room, &members, *event);
                    }
                }
                AnalyticsEntry::Dropped(number) => {
                    for member in &members {
                        member.add_dropped_analytics(&room, number);
                    }
                }
            }
        }
    }

    /// Subscribes a connection, and announces it to the other nodes, so that they send their events.
    pub(crate) async fn subscribe(&self, connection: &Arc<Connection>, scope: &Scope) {
        let watch = self.hub.subscribe_analytics(connection, scope);
        watch.heard().await;
        let places = vec![PlaceKey::of_analytics(scope)];
        self.broker.publish(News::AnalyticsSubscribers(places));
    }

    /// Announces the subscribers of this node, and forgets those of other nodes whose announcements have expired.
    pub(crate) fn announce_subscribers(&self) {
        self.elsewhere.forget_expired();
        let places = self.hub.0.analytics.places();
        if !places.is_empty() {
            self.broker.publish(News::AnalyticsSubscribers(places));
        }
    }

    /// Notes that another node has subscribers in these places.
    pub(crate) fn subscribed_elsewhere(&self, places: &[PlaceKey]) {
        self.elsewhere.note(places);
    }

    /// Computes events if they have subscribers.
    fn events_in(&self, scope: &Scope, create: impl FnOnce() -> Vec<AnalyticsEvent>) -> LiveEvents {
        let room = self.hub.0.analytics.find(scope);
        let elsewhere = self.elsewhere.find(scope);
        if room.is_none() && elsewhere.is_none() {
            return LiveEvents::default();
        }
        LiveEvents {
            events: create(),
            room,
            elsewhere,
        }
    }
}

fn notify(room: &AnalyticsRoom, members: &Members, event: AnalyticsEvent) {
    let event = PublishedEvent::new(event);
    for member in members {
        member.notify_analytics(room, &event);
    }
}

impl Hub {
    /// Subscribes a connection to the analytics of the worker of this scope, in its organization. A second subscription
    /// replaces the first.
    pub(crate) fn subscribe_analytics(&self, connection: &Arc<Connection>, scope: &Scope) -> Watch {
        self.unsubscribe_analytics(connection);
        let room = AnalyticsRoom::of(scope);
        connection.set_analytics(Some(AnalyticsQueue::new(room)));
        self.0.analytics.enter(scope, connection)
    }

    /// Ends the subscription, if there is one. Events that wait for it are dropped.
    pub(crate) fn unsubscribe_analytics(&self, connection: &Connection) {
        if let Some(queue) = connection.set_analytics(None) {
            self.0.analytics.leave(queue.room(), connection);
        }
    }
}
