//! The verbs `analytics.subscribe` and `analytics.unsubscribe`.

use super::caller::Caller;
use crate::protocol::{ErrorBody, ErrorCode, WorkerPayload};

/// Subscribes to the analytics events of the connection's worker in its organization.
///
/// There is no authenticator, so the server trusts the identity in `connect`, and any connection may subscribe.
pub(super) fn subscribe(caller: &Caller<'_>, payload: WorkerPayload) -> Result<(), ErrorBody> {
    check(caller, payload)?;
    let session = caller.session;
    // No event precedes the answer.
    session.ack(&caller.id);
    let hub = &session.server.hub;
    hub.subscribe_analytics(&session.connection, &caller.identity.scope);
    Ok(())
}

/// Ends the subscription.
pub(super) fn unsubscribe(caller: &Caller<'_>, payload: WorkerPayload) -> Result<(), ErrorBody> {
    check(caller, payload)?;
    let session = caller.session;
    session
        .server
        .hub
        .unsubscribe_analytics(&session.connection);
    session.ack(&caller.id);
    Ok(())
}

/// Checks that the request is for the connection's own worker, and that analytics are on.
fn check(caller: &Caller<'_>, payload: WorkerPayload) -> Result<(), ErrorBody> {
    caller.check_worker("the analytics", payload.agent_id.or(payload.worker_id))?;
    if caller.session.server.runner.publisher().analytics().is_on() {
        return Ok(());
    }
    Err(ErrorBody::new(
        ErrorCode::NotConfigured,
        "this server records no analytics",
    ))
}
