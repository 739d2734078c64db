//! The rule that a server which believes its clients is reached from its own machine only, and not by every page.

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

/// Refuses to let the pages of every origin use a server that believes its clients, if the program does not allow that. Any
/// page that a user visits could otherwise use the server of the user's own machine.
pub(super) fn check_origins(config: &WorkerConfig) -> Result<(), ServerError> {
    let is_open = config.authenticator.believes_clients() && config.allowed_origins.every();
    if is_open && !config.allow_open {
        return Err(ServerError::OpenToEveryPage);
    }
    Ok(())
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
