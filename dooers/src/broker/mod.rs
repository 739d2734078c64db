//! Messages between the nodes: the processes that share one database.
//!
//! The database is the record, and the broker is a hint. Messages may be lost, repeated and reordered. Most contain only ids
//! and the `rev`s of changes, and a node that receives one reads the store.

#![cfg_attr(
    not(feature = "nats"),
    allow(
        dead_code,
        reason = "without PostgreSQL, no broker has anything to carry, and without NATS, none carries it by topics"
    )
)]

mod broker_trait;
mod by_topic;
mod events;
#[cfg(feature = "testing")]
mod faults;
mod lines;
#[cfg(any(feature = "postgres", test))]
mod linked;
mod live_analytics;
#[cfg(all(test, feature = "testing"))]
mod local;
mod message;
#[cfg(feature = "nats")]
mod nats;
mod news;
mod none;
mod notice;
mod pending;
mod place;
#[cfg(feature = "postgres")]
mod postgres;
mod spent;
mod text_piece;
mod topic;
mod watched;

pub(crate) use broker_trait::Broker;
pub(crate) use events::{BrokerEvent, BrokerEvents};
#[cfg(feature = "testing")]
pub use faults::BrokerFaults;
#[cfg(any(feature = "postgres", test))]
pub(crate) use linked::LinkedBroker;
pub(crate) use live_analytics::{AnalyticsEntry, AnalyticsNews};
#[cfg(all(test, feature = "testing"))]
pub(crate) use local::{Delivered, LocalBus};
#[cfg(feature = "nats")]
pub use nats::{InvalidNatsOptions, NatsOptions};
#[cfg(feature = "nats")]
pub(crate) use nats::{NatsPart, start_nats};
pub(crate) use news::News;
pub(crate) use none::NoBroker;
pub(crate) use notice::{SettingsNotice, ThreadNotice};
pub(crate) use place::{ParticipantKey, PlaceKey, UserKey};
#[cfg(feature = "postgres")]
pub(crate) use postgres::start_postgres;
pub(crate) use spent::{AccountKey, SharedRate, SpentNotice};
pub(crate) use text_piece::TextPiece;
pub(crate) use watched::{Watch, Watched};
