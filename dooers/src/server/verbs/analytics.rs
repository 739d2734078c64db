//! The verbs `analytics.subscribe` and `analytics.unsubscribe`.

use super::caller::Caller;
use crate::protocol::{ErrorBody, ErrorCode};

/// Subscribes to the analytics events of the connection's worker in its organization.
pub(super) async fn subscribe(caller: &Caller<'_>) -> Result<(), ErrorBody> {
    check(caller)?;
    let session = caller.session;
    // No event precedes the answer.
    session.ack(&caller.id);
    let live = session.server.runner.publisher().analytics();
    live.subscribe(&session.connection, &caller.identity.scope)
        .await;
    Ok(())
}

/// Ends the subscription.
pub(super) fn unsubscribe(caller: &Caller<'_>) -> Result<(), ErrorBody> {
    check(caller)?;
    let session = caller.session;
    session
        .server
        .hub
        .unsubscribe_analytics(&session.connection);
    session.ack(&caller.id);
    Ok(())
}

/// Checks that analytics are on.
fn check(caller: &Caller<'_>) -> Result<(), ErrorBody> {
    if caller.session.server.runner.publisher().analytics().is_on() {
        return Ok(());
    }
    Err(ErrorBody::new(
        ErrorCode::NotConfigured,
        "this server records no analytics",
    ))
}
