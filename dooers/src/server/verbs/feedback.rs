//! The verb `feedback`.

use super::caller::Caller;
use crate::protocol::{
    ErrorBody, FeedbackPayload, FeedbackTarget, NotAdmitted, ServerFrame, new_id, timestamp,
};
use crate::store::{Admitted, NewFeedback};

/// Stores the user's feedback on an event, a run or a thread.
pub(super) async fn give(caller: &Caller<'_>, payload: FeedbackPayload) -> Result<(), ErrorBody> {
    let identity = &caller.identity;
    let given = NewFeedback {
        id: new_id(),
        target: FeedbackTarget::new(payload.target_type, payload.target_id),
        user_id: identity.user().user_id.clone(),
        participant: identity.participant.clone(),
        value: payload.value,
        reason: payload.reason,
        classification: payload.classification,
        at: timestamp::now(),
    };
    let given = Admitted::new(given)
        .map_err(|refused: NotAdmitted| refused.at(&format!("payload.{}", refused.member)))?;
    let session = caller.session;
    let giving = session.server.give_feedback(identity.scope.clone(), given);
    let stored = giving.await.map_err(|error| caller.refusal(error))?;
    let feedback = stored.update.feedback;
    session.push(&ServerFrame::FeedbackAck {
        target_type: feedback.target.target_type(),
        target_id: feedback.target.id(),
        feedback: feedback.value,
        ok: true,
    });
    Ok(())
}
