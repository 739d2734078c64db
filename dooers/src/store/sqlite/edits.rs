//! Changes of threads that no turn makes.

use super::batch::Operation;
use super::database::Database;
use super::thread::OpenThread;
use crate::protocol::{Run, ThreadEvent};
use crate::store::edit::{
    cancel_of_removed, changeable, check_removable, check_run, endable, id_is_taken,
};
use crate::store::message::shown;
use crate::store::sql::{self, CreateThread, EditThread, Stop, int, json};
use crate::store::{Change, Edited, Participant, ThreadEdit, WorkerKey};
use rusqlite::params;

impl Operation for CreateThread {
    type Answer = Change;
    const WHAT: &'static str = CreateThread::WHAT;

    fn run(&self, db: &Database) -> Result<Change, Stop> {
        let new = &self.draft.thread;
        if db.has(&db.sql.writes.has_thread, &new.id)? {
            return Err(id_is_taken("thread", &new.id).into());
        }
        let owner = self.draft.participant();
        let thread = self.draft.thread(&self.scope);
        let (_, created) = OpenThread::create(db, &self.scope, thread, owner.as_ref())?;
        Ok(created)
    }
}

impl Operation for EditThread {
    type Answer = Edited;
    const WHAT: &'static str = EditThread::WHAT;

    fn run(&self, db: &Database) -> Result<Edited, Stop> {
        let mut thread = OpenThread::open(db, &self.scope, &self.thread_id)?;
        let edited = thread.edit(&self.edit)?;
        thread.save()?;
        Ok(edited)
    }
}

/// Forgets a setting of a worker.
#[derive(Debug)]
pub(super) struct RemoveSetting {
    pub(super) worker: WorkerKey,
    pub(super) field_id: String,
}

impl Operation for RemoveSetting {
    type Answer = ();
    const WHAT: &'static str = "forget a setting";

    fn run(&self, db: &Database) -> Result<(), Stop> {
        let key = params![self.worker.agent, self.worker.worker_id, self.field_id];
        // It may be a secret.
        db.forget_in_log();
        db.execute(&db.sql.writes.remove_setting, key)
    }
}

impl OpenThread<'_> {
    fn edit(&mut self, edit: &ThreadEdit) -> Result<Edited, Stop> {
        let change = match edit {
            ThreadEdit::Patch { patch, at } => self.patch(patch, *at),
            ThreadEdit::CreateEvent(event) => return self.create_event(event),
            ThreadEdit::UpdateEvent { event_id, patch } => {
                let event = changeable(self.event(event_id)?)?;
                self.replace(patch.clone().apply(event))?
            }
            ThreadEdit::RemoveEvent {
                event_id,
                run_id,
                at,
            } => {
                let event = changeable(self.event(event_id)?)?;
                let removed = self.replace(event.removed())?;
                let cancelled = self.cancel(event_id, &cancel_of_removed(event_id, run_id, *at))?;
                return Ok(Edited::by([removed]).and(cancelled));
            }
            ThreadEdit::CreateRun(run) => {
                if self.db.has(&self.db.sql.writes.has_run, &run.id)? {
                    return Err(id_is_taken("run", &run.id).into());
                }
                self.upsert_run(run.clone())?
            }
            ThreadEdit::UpdateRun { run_id, patch, at } => {
                let run = self.run(run_id)?;
                let turn = match run.as_ref().and_then(|run| run.event_id.as_deref()) {
                    Some(event_id) => self.turn_of(event_id)?,
                    None => None,
                };
                let run = endable(run, |_| turn.is_some())?;
                self.upsert_run(patch.clone().apply(run, *at))?
            }
            ThreadEdit::RemoveRun(run_id) => {
                check_removable(self.run(run_id)?.as_ref())?;
                let place = params![self.row.pk, run_id];
                self.db.execute(&self.db.sql.writes.delete_run, place)?;
                self.change_row()
            }
        };
        Ok(Edited::by([change]))
    }

    fn create_event(&mut self, event: &ThreadEvent) -> Result<Edited, Stop> {
        if self.db.has(&self.db.sql.writes.has_event, &event.id)? {
            return Err(id_is_taken("event", &event.id).into());
        }
        let run = match &event.run_id {
            Some(run_id) => self.run(run_id)?,
            None => None,
        };
        check_run(event.run_id.as_deref(), |_| run.is_some())?;
        let at = event.created_at;
        let is_met = match event.user.as_ref().and_then(shown) {
            Some(user) => self.meet(&Participant::user(user), user, at)?,
            None => false,
        };
        self.touch(at)?;
        let answers = self.first_answer(event)?.map(str::to_owned);
        let (event, rev) = self.append(event.clone(), answers.as_deref(), None)?;
        let row = if is_met {
            self.redescribe()
        } else {
            self.change_row()
        };
        Ok(Edited::by([Change::of_event(event, rev), row]))
    }

    /// Puts an event in the place of one that is there.
    fn replace(&mut self, event: ThreadEvent) -> Result<Change, Stop> {
        let rev = self.next_rev();
        let values = params![
            self.row.pk,
            int(event.seq),
            int(rev),
            event.kind.as_str(),
            json(&event.content)?,
            json(&event.data)?,
            event.deleted,
        ];
        self.db.execute(&self.db.sql.writes.replace_event, values)?;
        Ok(Change::of_event(event, rev))
    }

    fn run(&self, run_id: &str) -> Result<Option<Run>, Stop> {
        let place = params![self.row.pk, run_id];
        self.db.first(&self.db.sql.reads.run, place, |row| {
            Ok(sql::run(row, self.id())?.0)
        })
    }
}
