//! Feedback of users.

use super::rows::{Rows, ThreadRows};
#[cfg(feature = "postgres")]
use super::thread::open;
use super::thread::{OpenThread, find};
use crate::protocol::FeedbackTarget;
use crate::store::analytics::feedback_event;
use crate::store::feedback::KeptFeedback;
use crate::store::{CancelTarget, FeedbackUpdate, GivenFeedback, NewFeedback, Scope};

/// Stores a feedback: see [`Store::give_feedback`](crate::store::Store::give_feedback).
///
/// The ids of runs are unique only in each thread. If several visible threads have a run with this id, the feedback is
/// stored for one of them.
pub(crate) fn give_feedback<S: Rows>(
    rows: &mut S,
    scope: &Scope,
    given: &NewFeedback,
) -> Result<GivenFeedback, S::Error> {
    let thread_ids = match place_of(&given.target) {
        None => vec![given.target.id().to_owned()],
        Some(place) => {
            let threads = rows.threads_of(Some(scope), &place)?.into_iter();
            threads.map(|(_, thread_id)| thread_id).collect()
        }
    };
    for thread_id in thread_ids {
        let Some(mut thread) = find(rows, scope, &thread_id)? else {
            continue;
        };
        if let Some(stored) = thread.give_feedback(given)? {
            thread.save(&[], None)?;
            return Ok(stored);
        }
    }
    Err(given.not_found().into())
}

/// Stores a feedback in this thread.
#[cfg(feature = "postgres")]
pub(crate) fn give_feedback_in<S: Rows>(
    rows: &mut S,
    scope: &Scope,
    thread_id: &str,
    given: &NewFeedback,
) -> Result<GivenFeedback, S::Error> {
    let mut thread = open(rows, scope, thread_id)?;
    let stored = thread.give_feedback(given)?;
    thread.save(&[], None)?;
    Ok(stored.ok_or_else(|| given.not_found())?)
}

/// Returns the key by which the thread of a target is found. `None` if the target is the thread.
pub(crate) fn place_of(target: &FeedbackTarget) -> Option<CancelTarget> {
    match target {
        FeedbackTarget::Event(id) => Some(CancelTarget::Event(id.clone())),
        FeedbackTarget::Run(id) => Some(CancelTarget::Run(id.clone())),
        FeedbackTarget::Thread(_) => None,
    }
}

impl<R: ThreadRows> OpenThread<R> {
    /// Stores a feedback, unless the same is stored. `None` if the thread does not contain the target, or if the target
    /// is a removed event.
    fn give_feedback(&mut self, given: &NewFeedback) -> Result<Option<GivenFeedback>, R::Error> {
        let (run_id, event_id) = match &given.target {
            FeedbackTarget::Event(id) => {
                let event = self.rows.event(id)?.filter(|event| !event.is_deleted());
                let Some(event) = event else {
                    return Ok(None);
                };
                (event.run_id, Some(event.id))
            }
            FeedbackTarget::Run(id) => {
                let Some(run) = self.rows.run(id)? else {
                    return Ok(None);
                };
                (Some(run.id), run.event_id)
            }
            FeedbackTarget::Thread(_) => (None, None),
        };
        let before = self.rows.feedback(&given.participant, &given.target)?;
        let repeated = before.clone().filter(|before| given.repeats(before));
        let is_changed = repeated.is_none();
        let feedback = match repeated {
            Some(repeated) => repeated,
            None => {
                let feedback = given.replacing(before.as_ref(), self.id());
                self.rows.put_feedback(&KeptFeedback {
                    participant: given.participant.clone(),
                    feedback: feedback.clone(),
                })?;
                feedback
            }
        };
        let update = FeedbackUpdate {
            scope: self.record().scope(),
            feedback,
            previous: before.map(|before| before.value),
            run_id,
            event_id,
        };
        if is_changed
            && let Some(filter) = self.rows.outbox()
            && let Some(event) = feedback_event(&update, &filter)
        {
            self.rows.insert_outbox(&[event])?;
        }
        Ok(Some(GivenFeedback { update, is_changed }))
    }
}
