//! The verb `connect`.

use crate::protocol::{ConnectPayload, ErrorBody, ErrorCode};
use crate::server::session::Session;
use std::time::Duration;

/// Sets the identity of a connection. A repeated `connect` replaces the identity.
///
/// The subscriptions continue if an authenticator has confirmed that it is the same user in the same organization, workspace
/// and worker. Otherwise they are dropped.
pub(super) async fn connect(
    session: &Session,
    id: &str,
    payload: ConnectPayload,
) -> Result<(), ErrorBody> {
    let server = &session.server;
    let disconnects = server.open.disconnects();
    let mut identity = session.authenticate(id, payload).await?;
    let entry = match &session.meter {
        Some(meter) => Some((meter, meter.enter(&identity.granted)?)),
        None => None,
    };
    let earlier = session.identity();
    let connection = session.connection.id();
    if let Some(earlier) = &earlier {
        server.open.remove(&earlier.user().user_id, connection);
    }
    let user_id = identity.user().user_id.clone();
    server.open.add(&user_id, connection, &session.ending);
    if !server.config.authenticator.believes_clients() && server.open.disconnects() != disconnects {
        // The identity may be one that the program has just revoked, and the client was not among those that it closed.
        server.open.remove(&user_id, connection);
        if let Some(earlier) = &earlier {
            let earlier = &earlier.user().user_id;
            server.open.add(earlier, connection, &session.ending);
        }
        let text = "connections were closed while this client was authenticated; try again";
        return Err(ErrorBody::new(ErrorCode::Overloaded, text).after(Duration::ZERO));
    }
    if let Some((meter, entry)) = entry {
        meter.set(entry);
    }
    let continues = earlier.is_some_and(|earlier| {
        !server.config.authenticator.believes_clients() && identity.continue_from(&earlier)
    });
    if continues {
        session.renew_identity(identity);
        session.welcome(id);
    } else {
        // No frame for the old identity is sent after the answer, and none for the new one before it.
        server.hub.leave(&session.connection);
        session.welcome(id);
        let scope = identity.scope.clone();
        session.set_identity(identity);
        server.hub.hears(&scope).await;
    }
    Ok(())
}
