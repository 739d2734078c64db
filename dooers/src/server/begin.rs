//! A user's message: stored, told, and its turn begun.

use super::session::Session;
use crate::crash;
use crate::store::{Admitted, Begun, NewMessage, Position, Scope, StoreError};

/// Stores a message, tells its sender `stored`, and then everybody; who sends to a thread is subscribed to it. Its turn
/// begins, or waits. A message that was stored before does nothing of this.
pub(super) async fn begin(
    session: &Session,
    scope: &Scope,
    message: Admitted<NewMessage>,
    stored: impl FnOnce(&Begun),
) -> Result<Begun, StoreError> {
    let mut message = message.into_inner();
    let running = &session.running;
    let thread_id = message.thread.id().to_owned();
    let is_subscribed = session.connection.is_subscribed(&thread_id);
    // Before the storing, so that no change falls in between.
    let join = (!is_subscribed).then(|| running.hub.join(&session.connection, &thread_id));
    let writing = running.hub.writing(&thread_id);
    let start = running.runner.start_of(&session.agent);
    running.runner.answer_keys.seal(scope, &mut message);
    let mut begun = running.store.begin_turn(scope, message, &start).await?;
    crash::point("after-commit");
    if begun.is_repeated {
        return Ok(begun);
    }
    if let Some(join) = join {
        let first_rev = begun.changes.first().map_or(begun.rev, |change| change.rev);
        let before = Position {
            first_seq: begun.event.seq,
            last_seq: begun.event.seq - 1,
            sent_from: begun.event.seq,
            rev: first_rev - 1,
            known: None,
        };
        join.settle([], before);
    }
    stored(&begun);
    crash::point("after-ack");
    let changes = std::mem::take(&mut begun.changes);
    running.runner.publish_withdrawn(changes);
    crash::point("after-publish");
    drop(writing);
    for event_id in &begun.interrupted {
        running.runner.cancel(event_id);
    }
    if let Some(claim) = begun.claim.take() {
        running.runner.run(session.agent, claim);
    }
    Ok(begun)
}
