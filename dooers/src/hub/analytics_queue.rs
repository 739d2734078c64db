//! The analytics events that wait for one subscriber.

use super::frame::Frame;
use super::outbound::Outbound;
use crate::protocol::{AnalyticsEvent, ServerFrame};
use crate::store::Scope;
use std::collections::VecDeque;
use std::sync::Arc;

/// Maximum number of events that wait for a subscriber beside its outbound queue.
pub(super) const WAITING_EVENTS: usize = 1_000;

/// Maximum size of these events, in bytes of their frames. A single event may be larger.
pub(super) const WAITING_BYTES: usize = 256 * 1024;

/// The subscribers of a worker's analytics in one organization.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct AnalyticsRoom {
    agent: String,
    worker_id: String,
    organization_id: String,
}

impl AnalyticsRoom {
    pub(super) fn of(scope: &Scope) -> Self {
        Self {
            agent: scope.agent.clone(),
            worker_id: scope.worker_id.clone(),
            organization_id: scope.organization_id.clone(),
        }
    }
}

/// An event that all its subscribers share, with its frame.
#[derive(Debug)]
pub(super) struct PublishedEvent {
    event: AnalyticsEvent,
    frame: Frame,
}

impl PublishedEvent {
    pub(super) fn new(event: AnalyticsEvent) -> Arc<Self> {
        let frame = frame_of(&event, None);
        Arc::new(Self { event, frame })
    }
}

fn frame_of(event: &AnalyticsEvent, dropped: Option<u64>) -> Frame {
    Frame::from(ServerFrame::AnalyticsEvent { event, dropped }.encode())
}

/// The subscription of a connection to analytics, and the events that wait for it.
#[derive(Debug)]
pub(super) struct AnalyticsQueue {
    room: AnalyticsRoom,
    waiting: VecDeque<Arc<PublishedEvent>>,
    /// The size of these events in bytes.
    bytes: usize,
    /// The number of events that were dropped since the last event was sent.
    dropped: u64,
}

impl AnalyticsQueue {
    pub(super) fn new(room: AnalyticsRoom) -> Self {
        Self {
            room,
            waiting: VecDeque::new(),
            bytes: 0,
            dropped: 0,
        }
    }

    pub(super) fn room(&self) -> &AnalyticsRoom {
        &self.room
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Adds an event. Drops the oldest ones above the limits.
    pub(super) fn push(&mut self, event: &Arc<PublishedEvent>) {
        self.bytes += event.frame.len();
        self.waiting.push_back(Arc::clone(event));
        while self.waiting.len() > WAITING_EVENTS
            || self.bytes > WAITING_BYTES && self.waiting.len() > 1
        {
            self.take();
            if self.dropped == 0 {
                tracing::warn!(target: "dooers::analytics", worker_id = self.room.worker_id, "a client reads analytics events too slowly; the oldest are dropped, and the next one that it receives has their number");
            }
            self.add_dropped(1);
        }
    }

    /// Counts events that another node has dropped.
    pub(super) fn add_dropped(&mut self, number: u64) {
        self.dropped = self.dropped.saturating_add(number);
    }

    /// Moves events to the outbound queue while it has room. Returns `true` if none is left.
    pub(super) fn send(&mut self, outbound: &Outbound) -> bool {
        while let Some(next) = self.waiting.front() {
            let is_sent = match self.dropped {
                0 => outbound.offer_spare(&next.frame),
                dropped => outbound.offer_spare(&frame_of(&next.event, Some(dropped))),
            };
            if !is_sent {
                return false;
            }
            self.dropped = 0;
            self.take();
        }
        // An idle subscriber holds no memory for events.
        self.waiting = VecDeque::new();
        true
    }

    fn take(&mut self) {
        if let Some(taken) = self.waiting.pop_front() {
            self.bytes -= taken.frame.len();
        }
    }
}
