//! The verb `connect`.

use crate::protocol::{ConnectPayload, ErrorBody};
use crate::server::identity::Identity;
use crate::server::session::Session;

/// Sets the identity of a connection. A repeated `connect` replaces the identity and drops the subscriptions.
pub(super) fn connect(
    session: &Session,
    id: &str,
    payload: &ConnectPayload,
) -> Result<(), ErrorBody> {
    let private_threads = session.server.config.is_private(&session.agent);
    let identity = Identity::of(payload, session.agent.name(), private_threads)?;
    // No frame for the old identity is sent after the answer, and none for the new one before it.
    session.server.hub.leave(&session.connection);
    session.welcome(id);
    session.set_identity(identity);
    Ok(())
}
