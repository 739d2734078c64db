//! The brokers that are measured.

use crate::nats::NatsServer;
use crate::nodes::Nodes;

/// A broker.
#[derive(Debug)]
pub(crate) struct Broker {
    pub(crate) name: &'static str,
    /// The value of `WORKER_BROKER`.
    pub(crate) variable: String,
}

/// The brokers that are available. Without a broker, nodes do not notify each other.
pub(crate) struct Brokers {
    all: Vec<Broker>,
    _nats: Option<NatsServer>,
}

impl Brokers {
    /// Starts the server of NATS, if it is installed. The first line says why a broker is missing.
    pub(crate) fn start(url: &str) -> Self {
        let broker = |name, variable: &str| Broker {
            name,
            variable: variable.to_owned(),
        };
        let mut all = vec![broker("none", "none"), broker("PostgreSQL", "postgres")];
        let nats = NatsServer::start();
        match &nats {
            Some(nats) => all.push(broker("NATS", &nats.url())),
            None => println!("NATS is not available: the program `nats-server` is not installed"),
        }
        // A program without the feature refuses the URL.
        all.retain(|broker| match Nodes::refusal(url, broker) {
            None => true,
            Some(why) => {
                println!("{} is not available: {}", broker.name, why.trim_end());
                false
            }
        });
        Self { all, _nats: nats }
    }

    pub(crate) fn all(&self) -> &[Broker] {
        &self.all
    }

    /// All brokers but `none`.
    pub(crate) fn carrying(&self) -> &[Broker] {
        &self.all[1..]
    }

    pub(crate) fn names(&self) -> Vec<&'static str> {
        self.all.iter().map(|broker| broker.name).collect()
    }
}
