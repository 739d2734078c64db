//! Changes of a thread that no turn makes.

use crate::protocol::ThreadEvent;
use crate::store::edit::{cancel_of_removed, changeable, check_removable, check_run, endable};
use crate::store::message::shown;
use crate::store::state::ThreadState;
use crate::store::{Edited, Participant, StoreError, ThreadEdit};
use chrono::{DateTime, Utc};

impl ThreadState {
    /// Changes the thread, or refuses to.
    ///
    /// In a state that has not all of its thread, what the change names must be there: the event, the run, and the runs
    /// of that event.
    pub(crate) fn edit(&mut self, edit: ThreadEdit) -> Result<Edited, StoreError> {
        match edit {
            ThreadEdit::Patch { patch, at } => {
                patch.apply(&mut self.thread, at);
                Ok(Edited::by([self.change_row()]))
            }
            ThreadEdit::CreateEvent(event) => self.create_event(*event),
            ThreadEdit::UpdateEvent { event_id, patch } => {
                let event = changeable(self.event(&event_id).cloned())?;
                Ok(Edited::by([self.replace(patch.apply(event))]))
            }
            ThreadEdit::RemoveEvent {
                event_id,
                run_id,
                at,
            } => self.remove_event(&event_id, &run_id, at),
            ThreadEdit::CreateRun(run) => Ok(Edited::by([self.upsert_run(run)])),
            ThreadEdit::UpdateRun { run_id, patch, at } => {
                let run = endable(self.run(&run_id).cloned(), |event_id| {
                    self.has_turn(event_id)
                })?;
                Ok(Edited::by([self.upsert_run(patch.apply(run, at))]))
            }
            ThreadEdit::RemoveRun(run_id) => {
                check_removable(self.run(&run_id))?;
                self.runs.retain(|kept| kept.run.id != run_id);
                Ok(Edited::by([self.change_row()]))
            }
        }
    }

    fn create_event(&mut self, event: ThreadEvent) -> Result<Edited, StoreError> {
        check_run(event.run_id.as_deref(), |id| self.run(id).is_some())?;
        let at = event.created_at;
        if let Some(user) = event.user.as_ref().and_then(shown) {
            self.meet(&Participant::user(user), user, at);
        }
        self.touch(at);
        let appended = self.append(event, None);
        Ok(Edited::by([appended, self.change_row()]))
    }

    fn remove_event(
        &mut self,
        event_id: &str,
        run_id: &str,
        at: DateTime<Utc>,
    ) -> Result<Edited, StoreError> {
        let event = changeable(self.event(event_id).cloned())?;
        let removed = self.replace(event.removed());
        Ok(Edited::by([removed]).and(self.cancel(&cancel_of_removed(event_id, run_id, at))))
    }
}
