//! Messages between the nodes: the processes that share one database.
//!
//! The database is the record, and the broker is a hint. Messages may be lost, repeated and reordered. Most contain only ids
//! and the `rev`s of changes, and a node that receives one reads the store.

#![cfg_attr(
    not(any(feature = "postgres", test)),
    allow(
        dead_code,
        reason = "without PostgreSQL, no broker has anything to carry"
    )
)]

mod broker_trait;
mod events;
mod lines;
#[cfg(all(test, feature = "testing"))]
mod local;
mod message;
mod news;
mod none;
mod notice;
mod pending;
mod place;
#[cfg(feature = "postgres")]
mod postgres;
mod spent;
mod topic;

pub(crate) use broker_trait::Broker;
pub(crate) use events::{BrokerEvent, BrokerEvents};
#[cfg(all(test, feature = "testing"))]
pub(crate) use local::{Faults, LocalBus};
pub(crate) use news::News;
pub(crate) use none::NoBroker;
pub(crate) use notice::ThreadNotice;
pub(crate) use place::{ParticipantKey, PlaceKey};
#[cfg(feature = "postgres")]
pub(crate) use postgres::PostgresBroker;
pub(crate) use spent::{AccountKey, SharedRate, SpentNotice};
