//! Delivery of frames to subscribed connections.
//!
//! The changes of a thread are delivered strictly in the order of their `rev`. A change that arrives early is held. A change
//! that a subscriber already has is skipped for it. Missing changes, and changes that did not fit into the queue of a slow
//! reader, are read from the store by the session of the connection.

mod analytics;
mod analytics_queue;
mod analytics_rooms;
mod connection;
mod elsewhere;
mod feed;
mod feed_elsewhere;
mod feeds;
mod frame;
mod growing_elsewhere;
mod growing_text;
mod handle;
mod lock;
mod outbound;
mod pending_subscription;
mod rooms;
mod seen_events;
mod sender;
mod settings_rooms;
mod settings_subscriptions;
mod shown_text;
mod source;
mod subscribers_elsewhere;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_of_analytics;
#[cfg(test)]
mod tests_of_nodes;
#[cfg(test)]
mod tests_of_texts;
mod text;
mod text_elsewhere;
mod total;
mod whole_pace;

pub(crate) use analytics::LiveAnalytics;
pub(crate) use connection::{Backlog, Connection};
pub(crate) use frame::{Frame, Update};
pub(crate) use growing_text::GrowingText;
pub(crate) use handle::Hub;
pub(crate) use outbound::OutboundLimits;
pub(crate) use sender::ChangeSender;
pub(crate) use settings_subscriptions::PublishedSetting;
pub(crate) use source::sender_of;
pub(crate) use subscribers_elsewhere::ANNOUNCE_SUBSCRIBERS;
pub(crate) use text_elsewhere::TextLookUp;
pub(crate) use total::OutboundTotal;
