//! The rule that a server which believes its clients is reached from its own machine only.

use super::authority::is_loopback;
use super::config::WorkerConfig;
use super::error::ServerError;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};

/// Refuses to serve an address that other machines can reach, if the authenticator believes clients and the program does not
/// allow that.
pub(super) fn check(address: SocketAddr, config: &WorkerConfig) -> Result<(), ServerError> {
    if !config.authenticator.believes_clients() || config.allow_open || is_loopback(address.ip()) {
        return Ok(());
    }
    Err(ServerError::OpenAddress(address))
}

/// A log line, once, about a client that other machines may imitate.
#[derive(Debug, Default)]
pub(super) struct OpenWarning(AtomicBool);

impl OpenWarning {
    /// Logs that a client from another machine is believed without proof.
    pub(super) fn reached_from(&self, peer: IpAddr) {
        if !is_loopback(peer) && !self.0.swap(true, Ordering::Relaxed) {
            tracing::warn!(target: "dooers::server", %peer, "clients of other machines reach this server, and it believes what they state about themselves; set an authenticator with `WorkerServer::authenticator`, or allow this with WORKER_ALLOW_OPEN=true");
        }
    }
}
