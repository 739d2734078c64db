//! `connect`.

use crate::protocol::{ConnectPayload, ErrorBody};
use crate::server::identity::Identity;
use crate::server::session::Session;

/// Makes a connection known. Another `connect` replaces the identity and drops its subscriptions.
pub(super) fn connect(
    session: &Session,
    id: &str,
    payload: &ConnectPayload,
) -> Result<(), ErrorBody> {
    let private_threads = session.running.config.private_threads;
    let identity = Identity::of(payload, session.agent.name(), private_threads)?;
    // Nothing of the old identity comes after the answer, and nothing of the new one before it.
    session.running.hub.leave(&session.connection);
    session.welcome(id);
    session.become_known(identity);
    Ok(())
}
