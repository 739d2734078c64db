//! A user's message and its turn.

use super::questions::answer_question;
use super::rows::{Rows, SentEvent, SentKey, ThreadRows};
use super::thread::{OpenThread, find, make, open};
use super::usage::check_limits;
use crate::protocol::FormAnswer;
use crate::store::{
    BeginOutcome, Change, ClaimOptions, NewMessage, Origin, Scope, StoreError, ThreadTarget,
    message,
};

/// Stores a user's message and its turn: see [`Store::begin_turn`](crate::store::Store::begin_turn).
pub(crate) fn begin<S: Rows>(
    rows: &mut S,
    scope: &Scope,
    new: &NewMessage,
    start: &ClaimOptions,
) -> Result<BeginOutcome, S::Error> {
    let key = SentKey::of(scope, new);
    if let Some(key) = &key
        && let Some(begun) = repeated(rows, scope, key, new)?
    {
        return Ok(begun);
    }
    let answer = new.form_answer()?;
    // The answer to a form that a running turn waits for starts no turn, so no limit of turns applies to it.
    if let (ThreadTarget::Existing(_), Some(answer)) = (&new.thread, &answer)
        && let Some(begun) = answer_question(rows, scope, new, answer)?
    {
        insert_sent(rows, key, new)?;
        return Ok(begun);
    }
    check_limits(rows, scope, new, start)?;
    let thread_id = new.thread.id();
    let mut changes = Vec::new();
    let is_there = match &new.thread {
        ThreadTarget::Existing(_) => true,
        ThreadTarget::New(_) | ThreadTarget::ExistingOrNew(_) => rows.has_thread(thread_id)?,
    };
    let made = match &new.thread {
        ThreadTarget::Existing(_) => None,
        ThreadTarget::ExistingOrNew(_) if is_there => None,
        ThreadTarget::New(made) | ThreadTarget::ExistingOrNew(made) => Some(made),
    };
    let (mut thread, accepted) = match made {
        None => {
            let mut thread = open(rows, scope, thread_id)?;
            let accepted = thread.accept(new, answer.as_ref())?;
            thread.check_busy(start)?;
            if thread.add_participant(&new.participant, &new.user, new.at)? {
                changes.push(thread.change_row());
            }
            thread.touch(new.at)?;
            (thread, accepted)
        }
        Some(made) => {
            if answer.is_some() {
                return Err(StoreError::NotFound("form in this thread").into());
            }
            if is_there {
                // A thread outside of the scope is reported as missing.
                open(rows, scope, thread_id)?;
                let text = format!("a thread with the id `{thread_id}` exists already");
                return Err(StoreError::Conflict(text).into());
            }
            let thread = made.thread(scope, &new.user, new.at);
            let (thread, created) = make(rows, scope, thread, Some(&new.participant))?;
            changes.push(created);
            (thread, None)
        }
    };
    let new = accepted.as_ref().unwrap_or(new);
    let answers = answer.as_ref().map(|answer| answer.form_event_id.as_str());
    let (event, rev) = thread.append(new.event(0), answers, None)?;
    changes.push(Change::of_event(event.clone(), rev).by(Origin::Created));
    // The preemption follows the message, because the message causes it.
    let (withdrawn, interrupted) = thread.preempt(start)?;
    changes.extend(withdrawn);
    let mut claim = thread.queue(&event, new, start)?;
    if let Some(claim) = &mut claim {
        changes.append(&mut claim.changes);
    }
    thread.save(&changes, None)?;
    insert_sent(rows, key, new)?;
    Ok(BeginOutcome {
        event,
        rev,
        is_repeated: false,
        changes,
        claim,
        interrupted,
        answered: None,
    })
}

/// Stores the key of a message, if its sender gave it an id.
fn insert_sent<S: Rows>(
    rows: &mut S,
    key: Option<SentKey>,
    new: &NewMessage,
) -> Result<(), S::Error> {
    let Some(key) = key else {
        return Ok(());
    };
    let sent = SentEvent {
        thread_id: new.thread.id().to_owned(),
        event_id: new.event_id.clone(),
        deleted_at: None,
    };
    rows.insert_sent(key, sent)
}

/// Returns the stored event of a message that was sent before.
fn repeated<S: Rows>(
    rows: &mut S,
    scope: &Scope,
    key: &SentKey,
    new: &NewMessage,
) -> Result<Option<BeginOutcome>, S::Error> {
    let Some(sent) = rows.sent(key)? else {
        return Ok(None);
    };
    let Some(thread) = find(rows, scope, &sent.thread_id)? else {
        // The message was sent to another agent. Its sender knows it, so the error reveals nothing.
        return Err(if rows.is_stored(&sent)? {
            message::was_sent_to_another_agent().into()
        } else {
            StoreError::NotFound("thread").into()
        });
    };
    let event = thread.rows.event(&sent.event_id)?;
    let rev = thread.rows.first_rev(&sent.event_id)?;
    let (event, rev) = event.zip(rev).ok_or(StoreError::NotFound("thread"))?;
    let digest = thread.digest_of(&event)?;
    new.must_repeat(&event, digest.as_ref())?;
    Ok(Some(BeginOutcome {
        event,
        rev,
        is_repeated: true,
        changes: Vec::new(),
        claim: None,
        interrupted: Vec::new(),
        answered: None,
    }))
}

impl<R: ThreadRows> OpenThread<R> {
    /// Returns the answer to a form of this thread as it is stored, or refuses it. `None` if the message does not
    /// answer a form.
    fn accept(
        &self,
        new: &NewMessage,
        answer: Option<&FormAnswer>,
    ) -> Result<Option<NewMessage>, R::Error> {
        let Some(answer) = answer else {
            return Ok(None);
        };
        let form = self.rows.event(&answer.form_event_id)?;
        let is_answered = self.rows.has_answer_to(&answer.form_event_id)?;
        Ok(Some(new.accepted(answer, form.as_ref(), is_answered)?))
    }
}
