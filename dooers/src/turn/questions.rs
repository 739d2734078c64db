//! Replies to the forms that the turns of this process wait for.

use super::runner::Runner;
use crate::handler::{AnswerKeys, FormReply, FormResponse, Outbox, QuestionReply};
use crate::protocol::ThreadEvent;
use crate::store::{
    AnsweredQuestion, GivenAnswer, HeldTurn, Scope, SealedAnswer, StoreError, TurnKey,
    UnaskedQuestion,
};
use std::sync::Arc;

/// The forms that a turn waits for, and that are stored.
#[derive(Debug)]
pub(super) struct WaitingTurn {
    key: TurnKey,
    outbox: Arc<Outbox>,
    form_event_ids: Vec<String>,
}

impl Runner {
    /// Passes a stored answer to the turn that waits for it. If another process runs the turn, that process is signalled, and
    /// finds the answer when it renews its leases.
    pub(crate) fn answer(&self, scope: &Scope, answered: &AnsweredQuestion, answer: &ThreadEvent) {
        let Some(outbox) = self.context().active.outbox(&answered.turn) else {
            return self.publisher().signal(&answered.turn.event_id);
        };
        let reply = reply_of(&self.answer_keys, scope, answer, answered.sealed.as_ref());
        let questions = outbox.questions();
        questions.resolve(&answered.form_event_id, reply, Some(answer.seq));
    }

    /// Ends the wait for the answer to a form that was removed. If another process runs the turn, that process is signalled.
    pub(crate) fn unask(&self, unasked: &UnaskedQuestion) {
        let Some(outbox) = self.context().active.outbox(&unasked.turn) else {
            return self.publisher().signal(&unasked.turn.event_id);
        };
        let questions = outbox.questions();
        questions.resolve(&unasked.form_event_id, Ok(FormReply::Expired), None);
    }

    /// The turns that wait for answers. Call it before the store is read, so that every form in the result is a question in the
    /// store unless it has ended.
    pub(super) fn waiting_turns(&self) -> Vec<WaitingTurn> {
        let turns = self.context().active.outboxes().into_iter();
        let waiting = turns.map(|(key, outbox)| WaitingTurn {
            form_event_ids: outbox.questions().stored(),
            key,
            outbox,
        });
        waiting
            .filter(|turn| !turn.form_event_ids.is_empty())
            .collect()
    }

    /// Passes answers that other processes have stored, or whose commits had no answer, to the turns that wait for them. `held`
    /// contains the questions as they are stored.
    pub(super) async fn find_answers(&self, waiting: Vec<WaitingTurn>, held: &[HeldTurn]) {
        for turn in waiting {
            // A turn that is missing was lost.
            let Some(held) = held.iter().find(|held| held.key == turn.key) else {
                continue;
            };
            for form_event_id in &turn.form_event_ids {
                let mut questions = held.questions.iter();
                let question = questions.find(|question| question.form_event_id == *form_event_id);
                let found = match question.map(|question| question.answer.as_ref()) {
                    // The question has ended, and the answer to the change that ended it was lost.
                    None => Ok((Ok(FormReply::Expired), None)),
                    Some(None) => continue,
                    Some(Some(answer)) => self.stored_answer(held, answer).await,
                };
                match found {
                    Ok((reply, seq)) => turn.outbox.questions().resolve(form_event_id, reply, seq),
                    Err(error) => {
                        tracing::warn!(target: "dooers::turn", error = &error as &dyn std::error::Error, form_event_id, "the answer to a form could not be read; trying again");
                    }
                }
            }
        }
    }

    async fn stored_answer(
        &self,
        held: &HeldTurn,
        answer: &GivenAnswer,
    ) -> Result<(QuestionReply, Option<u64>), StoreError> {
        let (scope, thread_id) = (&held.scope, &held.key.thread_id);
        let store = &self.context().store;
        let event = store.event(scope, thread_id, &answer.event_id).await?;
        let reply = reply_of(&self.answer_keys, scope, &event, answer.sealed.as_ref());
        Ok((reply, Some(event.seq)))
    }
}

/// The reply that a handler receives for an answer. An answer that was removed counts as dismissed.
fn reply_of(
    keys: &AnswerKeys,
    scope: &Scope,
    answer: &ThreadEvent,
    sealed: Option<&SealedAnswer>,
) -> QuestionReply {
    let secrets = keys.open_answer(scope, (&answer.thread_id, &answer.id), sealed)?;
    let response = FormResponse::of(answer.kind, answer.data.as_ref(), &secrets);
    Ok(match response.filter(|response| !response.cancelled) {
        Some(response) => FormReply::Answered(response),
        None => FormReply::Dismissed,
    })
}
