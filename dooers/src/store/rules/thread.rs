//! A thread that is open for one operation.

use super::rows::{NewEvent, Rows, ThreadRows, TurnRow};
use crate::protocol::{Run, Thread, ThreadEvent, User};
use crate::store::analytics::{ChangeSource, TurnSource, built_in_events};
use crate::store::message::shown;
use crate::store::{Change, Origin, Participant, Scope, StoreError, ThreadPatch, ThreadRecord};
use chrono::{DateTime, Utc};

/// A thread that is open for one operation.
#[derive(Debug)]
pub(super) struct OpenThread<R> {
    pub(super) rows: R,
}

/// Opens the thread with this id, if it is visible in this scope.
pub(super) fn find<'a, S: Rows>(
    rows: &'a mut S,
    scope: &Scope,
    thread_id: &str,
) -> Result<Option<OpenThread<S::Thread<'a>>>, S::Error> {
    let thread = rows.thread(scope, thread_id)?;
    Ok(thread.map(|rows| OpenThread { rows }))
}

/// Opens a thread, or refuses the operation if the thread is not visible in this scope.
pub(super) fn open<'a, S: Rows>(
    rows: &'a mut S,
    scope: &Scope,
    thread_id: &str,
) -> Result<OpenThread<S::Thread<'a>>, S::Error> {
    Ok(find(rows, scope, thread_id)?.ok_or(StoreError::NotFound("thread"))?)
}

/// Creates a thread with its owner as participant. Its id must not be in use.
pub(super) fn make<'a, S: Rows>(
    rows: &'a mut S,
    scope: &Scope,
    thread: Thread,
    owner: Option<&Participant>,
) -> Result<(OpenThread<S::Thread<'a>>, Change), S::Error> {
    let mut rows = rows.insert_thread(scope, thread)?;
    if let Some(owner) = owner {
        rows.insert_participant(owner)?;
    }
    let made = OpenThread { rows };
    let change = Change::of_thread(made.record(), made.rows.row().row_rev).by(Origin::Created);
    Ok((made, change))
}

impl<R: ThreadRows> OpenThread<R> {
    /// Ends an operation that made these changes, perhaps in a turn: stores the analytics events that follow from them,
    /// and the thread's own row.
    pub(super) fn save(
        mut self,
        changes: &[Change],
        turn: Option<&TurnRow>,
    ) -> Result<(), R::Error> {
        self.record_events(changes, turn)?;
        self.rows.save()
    }

    /// Stores the analytics events that follow from changes, if the webhook needs them.
    fn record_events(
        &mut self,
        changes: &[Change],
        turn: Option<&TurnRow>,
    ) -> Result<(), R::Error> {
        let Some(filter) = self.rows.outbox().filter(|_| !changes.is_empty()) else {
            return Ok(());
        };
        let message = turn.map(|turn| self.rows.message_of(turn)).transpose()?;
        let turn = turn
            .zip(message.as_ref())
            .map(|(turn, message)| TurnSource {
                event_id: &turn.event_id,
                user_id: message.user.as_ref().map(|user| user.user_id.as_str()),
                attempt: turn.attempt,
            });
        let source = ChangeSource {
            worker_id: &self.thread().worker_id,
            turn,
        };
        let events = built_in_events(changes, &source, &filter);
        if events.is_empty() {
            return Ok(());
        }
        self.rows.insert_outbox(&events)
    }

    pub(super) fn id(&self) -> &str {
        &self.thread().id
    }

    pub(super) fn agent(&self) -> &str {
        &self.rows.row().record.agent
    }

    pub(super) fn record(&self) -> ThreadRecord {
        self.rows.row().record.clone()
    }

    fn thread(&self) -> &Thread {
        &self.rows.row().record.thread
    }

    /// Adds a sender to the participants, and the user to the users. Returns `true` if the users have changed.
    pub(super) fn add_participant(
        &mut self,
        participant: &Participant,
        user: &User,
        at: DateTime<Utc>,
    ) -> Result<bool, R::Error> {
        if !self.rows.row().record.participants.contains(participant) {
            self.rows.insert_participant(participant)?;
        }
        let Some(user) = shown(user) else {
            return Ok(false);
        };
        let users = &self.thread().users;
        let known = users.iter().position(|known| known.user_id == user.user_id);
        if known.is_some_and(|known| users[known] == *user) {
            return Ok(false);
        }
        let users = self.rows.users_mut();
        match known {
            Some(known) => users[known] = user.clone(),
            None => users.push(user.clone()),
        }
        self.rows.description_mut().redescribed(at);
        Ok(true)
    }

    /// Returns `true` if a patch changes the title or the metadata.
    pub(super) fn is_changed_by(&self, patch: &ThreadPatch) -> bool {
        patch.changes(self.thread())
    }

    /// Changes the title or the metadata.
    pub(super) fn patch(&mut self, patch: &ThreadPatch, at: DateTime<Utc>) -> Change {
        patch.clone().apply(self.rows.description_mut(), at);
        self.change_row()
    }

    /// Moves the thread to the front of its list.
    pub(super) fn touch(&mut self, at: DateTime<Utc>) -> Result<(), R::Error> {
        let front = self.rows.clock()?.front(at);
        self.rows.row_mut().record.thread.last_event_at = front;
        Ok(())
    }

    /// Assigns a `rev` to a change of the thread's own row.
    pub(super) fn change_row(&mut self) -> Change {
        let rev = self.next_rev();
        self.rows.row_mut().row_rev = rev;
        Change::of_thread(self.record(), rev)
    }

    pub(super) fn next_rev(&mut self) -> u64 {
        let record = &mut self.rows.row_mut().record;
        record.rev += 1;
        record.rev
    }

    /// Returns the form that an event answers, unless the form already has an accepted answer.
    pub(super) fn first_answer<'e>(
        &self,
        event: &'e ThreadEvent,
    ) -> Result<Option<&'e str>, R::Error> {
        match event.answered_form() {
            Some(form) if !self.rows.has_answer_to(form)? => Ok(Some(form)),
            _ => Ok(None),
        }
    }

    /// Appends an event. Returns the stored event, and the `rev` of the change.
    pub(super) fn append(
        &mut self,
        mut event: ThreadEvent,
        answers: Option<&str>,
        open_in: Option<&str>,
    ) -> Result<(ThreadEvent, u64), R::Error> {
        let row = self.rows.row_mut();
        row.last_seq += 1;
        event.seq = row.last_seq;
        let rev = self.next_rev();
        self.rows.insert_event(NewEvent {
            event: &event,
            rev,
            answers,
            open_in,
        })?;
        Ok((event, rev))
    }

    /// Replaces a stored event.
    pub(super) fn replace(&mut self, event: ThreadEvent) -> Result<Change, R::Error> {
        let rev = self.next_rev();
        self.rows.replace_event(&event, rev)?;
        Ok(Change::of_event(event, rev))
    }

    /// Stores a run. A known run keeps its start, its message and its usage, to which the usage of `run` is added.
    pub(super) fn put_run(&mut self, mut run: Run) -> Result<Change, R::Error> {
        if let Some(known) = self.rows.run(&run.id)? {
            run.started_at = known.started_at;
            run.event_id = known.event_id;
            let more = std::mem::replace(&mut run.usage, known.usage);
            more.iter().for_each(|usage| usage.add_to(&mut run.usage));
            return self.update_run(run);
        }
        let clock = self.rows.clock()?;
        run.started_at = clock.start(run.started_at);
        clock.note(run.started_at.timestamp_micros());
        run.end_after_start();
        let rev = self.next_rev();
        self.rows.insert_run(&run, rev)?;
        Ok(Change::of_run(run, rev))
    }

    /// Stores the new state of a run that was read from the rows.
    pub(super) fn update_run(&mut self, mut run: Run) -> Result<Change, R::Error> {
        run.end_after_start();
        let rev = self.next_rev();
        self.rows.update_run(&run, rev)?;
        Ok(Change::of_run(run, rev))
    }
}
