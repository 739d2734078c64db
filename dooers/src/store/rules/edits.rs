//! Changes of a thread without a turn.

use super::rows::{Rows, ThreadRows};
use super::thread::{OpenThread, open};
use crate::protocol::{FeedbackTarget, ThreadEvent};
use crate::store::edit::{
    cancel_of_removed, changeable, check_removable, check_run, endable, id_is_taken,
};
use crate::store::message::shown;
use crate::store::{Change, Edited, Origin, Participant, Scope, ThreadEdit};

/// Changes a thread without a turn: see [`Store::edit_thread`](crate::store::Store::edit_thread).
pub(crate) fn edit<S: Rows>(
    rows: &mut S,
    scope: &Scope,
    thread_id: &str,
    edit: &ThreadEdit,
) -> Result<Edited, S::Error> {
    // The ids of events are unique in the whole store, and so are those of runs that are created here.
    let taken = match edit {
        ThreadEdit::CreateEvent(event) if rows.has_event(&event.id)? => Some(("event", &event.id)),
        ThreadEdit::CreateRun(run) if rows.has_run(&run.id)? => Some(("run", &run.id)),
        _ => None,
    };
    let mut thread = open(rows, scope, thread_id)?;
    if let Some((what, id)) = taken {
        return Err(id_is_taken(what, id).into());
    }
    let edited = thread.edit(edit)?;
    thread.save(&edited.changes, None)?;
    Ok(edited)
}

impl<R: ThreadRows> OpenThread<R> {
    fn edit(&mut self, edit: &ThreadEdit) -> Result<Edited, R::Error> {
        let change = match edit {
            ThreadEdit::Patch { patch, .. } if !self.is_changed_by(patch) => {
                return Ok(Edited::default());
            }
            ThreadEdit::Patch { patch, at } => self.patch(patch, *at),
            ThreadEdit::CreateEvent(event) => return self.create_event(event),
            ThreadEdit::UpdateEvent { event_id, patch } => {
                let event = changeable(self.rows.event(event_id)?)?;
                self.replace(patch.clone().apply(event))?
            }
            ThreadEdit::RemoveEvent {
                event_id,
                run_id,
                at,
            } => {
                let event = changeable(self.rows.event(event_id)?)?;
                let unasked = match event.asked() {
                    Some(_) => self.forget_question(event_id)?,
                    None => None,
                };
                let removed = self.replace(event.removed())?;
                let target = FeedbackTarget::Event(event_id.clone());
                self.rows.delete_feedback(&target)?;
                let cancelled = self.cancel(&cancel_of_removed(event_id, run_id, *at))?;
                return Ok(Edited {
                    unasked,
                    ..Edited::by([removed]).and(cancelled)
                });
            }
            ThreadEdit::CreateRun(run) => self.put_run(run.clone())?,
            ThreadEdit::UpdateRun { run_id, patch, at } => {
                let run = self.rows.run(run_id)?;
                let turn = match run.as_ref().and_then(|run| run.event_id.as_deref()) {
                    Some(event_id) => self.rows.turn_of(event_id)?,
                    None => None,
                };
                let run = endable(run, |_| turn.is_some())?;
                self.update_run(patch.clone().apply(run, *at))?
            }
            ThreadEdit::RemoveRun(run_id) => {
                check_removable(self.rows.run(run_id)?.as_ref())?;
                self.rows.delete_run(run_id)?;
                let target = FeedbackTarget::Run(run_id.clone());
                self.rows.delete_feedback(&target)?;
                self.change_row()
            }
        };
        Ok(Edited::by([change]))
    }

    fn create_event(&mut self, event: &ThreadEvent) -> Result<Edited, R::Error> {
        let run = match &event.run_id {
            Some(run_id) => self.rows.run(run_id)?,
            None => None,
        };
        check_run(event.run_id.as_deref(), |_| run.is_some())?;
        let at = event.created_at;
        if let Some(user) = event.user.as_ref().and_then(shown) {
            self.add_participant(&Participant::user(user), user, at)?;
        }
        self.touch(at)?;
        let answers = self.first_answer(event)?;
        let (event, rev) = self.append(event.clone(), answers, None)?;
        Ok(Edited::by([
            Change::of_event(event, rev).by(Origin::Created),
            self.change_row(),
        ]))
    }
}
