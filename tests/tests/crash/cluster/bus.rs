//! The broker between the nodes.

use crate::database::Database;
use dooers_tests::{Relay, nats};
use sqlx::postgres::PgConnectOptions;
use std::net::{Ipv4Addr, SocketAddr};

/// A kind of broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BusKind {
    None,
    Postgres,
    Nats,
}

/// A broker. Its messages pass through a relay, which a test can cut.
#[derive(Debug)]
pub(crate) struct Bus {
    pub(crate) kind: BusKind,
    relay: Option<Relay>,
    /// The environment variables of a node that uses it.
    pub(crate) variables: Vec<(&'static str, String)>,
}

impl Bus {
    /// Starts a broker of this kind for the nodes of a database. `None`, after printing a line, if it is not configured.
    pub(crate) async fn start(kind: BusKind, database: &Database) -> Option<Self> {
        let (relay, variables) = match kind {
            BusKind::None => (None, vec![("WORKER_BROKER", "none".to_owned())]),
            BusKind::Postgres => {
                let (relay, url) = relay_to(database).await;
                (Some(relay), vec![("WORKER_DATABASE_DIRECT_URL", url)])
            }
            BusKind::Nats => {
                let url = nats::url()?;
                let server = url.strip_prefix("nats://").unwrap().parse().unwrap();
                let relay = Relay::start(server).await;
                let url = format!("nats://{}", relay.address());
                (Some(relay), vec![("WORKER_BROKER", url)])
            }
        };
        Some(Self {
            kind,
            relay,
            variables,
        })
    }

    /// Separates the nodes. Their connections to the database stay.
    pub(crate) fn cut(&self) {
        self.relay.iter().for_each(Relay::cut);
    }

    /// Ends the separation.
    pub(crate) fn restore(&self) {
        self.relay.iter().for_each(Relay::restore);
    }
}

/// A relay to the database, and the URL of the database behind it.
async fn relay_to(database: &Database) -> (Relay, String) {
    let Database::Postgres { url, .. } = database else {
        panic!("the nodes of a broker share a PostgreSQL database");
    };
    let options: PgConnectOptions = url.parse().unwrap();
    let server = SocketAddr::from((Ipv4Addr::LOCALHOST, options.get_port()));
    let relay = Relay::start(server).await;
    let place = format!("{}:{}", options.get_host(), options.get_port());
    let relayed = url.replacen(&place, &relay.address().to_string(), 1);
    assert_ne!(relayed, *url, "the URL names neither host nor port");
    (relay, relayed)
}
