//! Submission of a message: the message is stored, acknowledged and published, and its turn starts.

use super::session::Session;
use crate::crash;
use crate::store::{Admitted, BeginOutcome, NewMessage, Position, Scope, StoreError};

/// Stores a message, calls `stored` to acknowledge it, publishes it, and starts its turn unless the turn must wait.
///
/// The session is subscribed to the thread. A message that was already stored changes nothing, and `stored` is not called.
pub(super) async fn submit_message(
    session: &Session,
    scope: &Scope,
    message: Admitted<NewMessage>,
    stored: impl FnOnce(&BeginOutcome),
) -> Result<BeginOutcome, StoreError> {
    let mut message = message.into_inner();
    let server = &session.server;
    let thread_id = message.thread.id().to_owned();
    let is_subscribed = session.connection.is_subscribed(&thread_id);
    // Subscribe before the commit, so that no change is missed.
    let join = if is_subscribed {
        None
    } else {
        Some(server.hub.join(&session.connection, &thread_id).await)
    };
    let publisher = server.runner.publisher();
    let _claiming = server.runner.claiming(&thread_id);
    let start = server.runner.claim_options(&session.agent);
    server.runner.answer_keys.seal(scope, &mut message);
    let acknowledge = |begun: &mut BeginOutcome| {
        crash::point("after-commit");
        if begun.is_repeated {
            return;
        }
        if let Some(join) = join {
            join.activate([], position_before(begun));
        }
        stored(begun);
        crash::point("after-ack");
        publisher.report_withdrawn(&begun.changes);
    };
    let begin = server.store.begin_turn(scope, message, &start);
    let mut begun = publisher
        .commit_then((scope, &thread_id), begin, acknowledge)
        .await?;
    if begun.is_repeated {
        return Ok(begun);
    }
    crash::point("after-publish");
    for event_id in &begun.interrupted {
        server.runner.cancel(event_id);
    }
    if let Some(answered) = &begun.answered {
        server.runner.answer(scope, answered, &begun.event);
    }
    if let Some(claim) = begun.claim.take() {
        server.runner.run(session.agent.clone(), claim);
    }
    Ok(begun)
}

/// The position in the thread right before the message.
fn position_before(begun: &BeginOutcome) -> Position {
    let first_rev = begun.changes.first().map_or(begun.rev, |change| change.rev);
    Position {
        first_seq: begun.event.seq,
        last_seq: begun.event.seq - 1,
        sent_from: begun.event.seq,
        rev: first_rev - 1,
        known: None,
    }
}
