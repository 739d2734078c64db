//! The verb `run.cancel`.

use super::caller::Caller;
use crate::protocol::{ErrorBody, RunCancelPayload, clean_id};
use crate::store::CancelTarget;

/// Cancels a turn. A turn that has ended is not changed.
pub(super) async fn cancel(
    caller: &Caller<'_>,
    payload: RunCancelPayload,
) -> Result<(), ErrorBody> {
    let target = match (payload.run_id, payload.event_id) {
        (Some(id), None) => {
            clean_id("payload.run_id", &id)?;
            CancelTarget::Run(id)
        }
        (None, Some(id)) => {
            clean_id("payload.event_id", &id)?;
            CancelTarget::Event(id)
        }
        _ => {
            return Err(ErrorBody::invalid_payload(
                "`payload` needs either `run_id`, or the `event_id` of a message",
            ));
        }
    };
    let session = caller.session;
    let scope = &caller.identity.scope;
    let acked = || session.ack(&caller.id);
    session
        .server
        .cancel(Some(scope), target, acked)
        .await
        .map_err(|error| caller.refusal(error))
}
