//! What the writer is asked to do, operation by operation.

use super::known::{Known, Need};
use crate::policy::OnBusy;
use crate::protocol::ThreadEvent;
use crate::store::rules::{self, Interrupted, Rows, SentKey, TurnRow};
use crate::store::sql::{
    Begin, ClaimTurn, CreateThread, DeleteThread, EditThread, FinishTurn, ResumeTurn, RetryTurn,
    ThreadOperation, WriteTurn,
};
use crate::store::state::ThreadState;
use crate::store::{
    Cancel, CancelTarget, Cancelled, Scope, Start, ThreadEdit, ThreadTarget, TurnChange, TurnKey,
    Waiting,
};
use chrono::{DateTime, Utc};

/// An operation on one thread, and the rows that it needs.
pub(super) trait Operation: ThreadOperation {
    /// Whether the thread must be read anew, as it needs what changes without a new version.
    const IS_FRESH: bool = false;

    /// The scope of who asks.
    fn scope(&self) -> &Scope;

    /// The thread.
    fn thread_id(&self) -> &str;

    /// Whether nothing else may be done to the thread in the same batch.
    fn is_alone(&self) -> bool {
        false
    }

    /// What it must know, as far as that can be told by what is known.
    fn needs(&self, known: &Known, needs: &mut Vec<Need>);
}

fn event(thread_id: &str, event_id: &str) -> Need {
    Need::Event {
        thread_id: thread_id.to_owned(),
        event_id: event_id.to_owned(),
    }
}

fn run(thread_id: &str, run_id: &str) -> Need {
    Need::Run {
        thread_id: thread_id.to_owned(),
        run_id: run_id.to_owned(),
    }
}

/// What a claim must know: the message that is next, and the run of its start, if that may be there already.
fn needs_of_claim(known: &Known, thread_id: &str, start: &Start, needs: &mut Vec<Need>) {
    let thread = known.threads.by_id.get(thread_id);
    if let Some(message) = thread.and_then(|thread| next_message(thread, start)) {
        needs.push(event(thread_id, message));
    }
    if let Some(run_id) = &start.run_id
        && !known.trusts(thread_id)
    {
        needs.push(run(thread_id, run_id));
    }
}

/// The message whose turn is the next to be claimed so, once none runs beside which it may not run.
fn next_message<'t>(thread: &'t ThreadState, start: &Start) -> Option<&'t str> {
    let mut turns = thread.turns.iter();
    let turn = if start.is_concurrent() {
        turns.find(|turn| turn.is_due(start))?
    } else {
        turns.find(|turn| !turn.is_running)?
    };
    Some(&turn.event_id)
}

/// The messages of turns that may end without success: a form that one of them answers is reopened.
fn needs_of_ends(
    known: &Known,
    thread_id: &str,
    may_end: impl Fn(&TurnRow) -> bool,
    needs: &mut Vec<Need>,
) {
    let thread = known.threads.by_id.get(thread_id);
    let turns = thread.map(|thread| &thread.turns[..]).unwrap_or_default();
    let ends = turns.iter().filter(|turn| may_end(turn));
    needs.extend(ends.map(|turn| event(thread_id, &turn.event_id)));
}

/// The rows that the changes of a turn need: answers to forms, the message if it reopens a form, and runs that may be there
/// already.
fn needs_of_changes(known: &Known, turn: &TurnKey, changes: &[TurnChange], needs: &mut Vec<Need>) {
    let thread_id = &turn.thread_id;
    needs.push(Need::Thread(thread_id.clone()));
    for change in changes {
        match change {
            TurnChange::Event(event) => needs.extend(need_of_answer(thread_id, event)),
            TurnChange::ReopenForm => needs.push(event(thread_id, &turn.event_id)),
            TurnChange::Run(changed) if !known.trusts(thread_id) => {
                needs.push(run(thread_id, &changed.id));
            }
            _ => {}
        }
    }
}

/// The answer to the form that an event answers: only the first one counts.
fn need_of_answer(thread_id: &str, event: &ThreadEvent) -> Option<Need> {
    event.answered_form().map(|form_id| Need::Answer {
        thread_id: thread_id.to_owned(),
        form_id: form_id.to_owned(),
    })
}

impl Operation for Begin {
    fn scope(&self) -> &Scope {
        &self.scope
    }

    fn thread_id(&self) -> &str {
        self.new.thread.id()
    }

    fn needs(&self, known: &Known, needs: &mut Vec<Need>) {
        let thread_id = self.thread_id();
        let is_trusted = known.trusts(thread_id);
        if !(is_trusted && matches!(self.new.thread, ThreadTarget::New(_))) {
            needs.push(Need::Thread(thread_id.to_owned()));
        }
        if let Some(key) = SentKey::of(&self.scope, &self.new) {
            if let Some(sent) = known.threads.sent.get(&key) {
                needs.push(Need::Thread(sent.thread_id.clone()));
                needs.push(event(&sent.thread_id, &sent.event_id));
            } else if !is_trusted {
                needs.push(Need::Sent(key));
            }
        }
        if let Ok(Some(answer)) = self.new.form_answer() {
            needs.push(event(thread_id, &answer.form_event_id));
            needs.push(Need::Answer {
                thread_id: thread_id.to_owned(),
                form_id: answer.form_event_id,
            });
        }
        if self.start.on_busy == OnBusy::Interrupt {
            needs_of_ends(known, thread_id, |turn| !turn.is_running, needs);
        }
        needs_of_claim(known, thread_id, &self.start, needs);
    }
}

impl Operation for ClaimTurn {
    fn scope(&self) -> &Scope {
        &self.scope
    }

    fn thread_id(&self) -> &str {
        &self.thread_id
    }

    fn needs(&self, known: &Known, needs: &mut Vec<Need>) {
        needs.push(Need::Thread(self.thread_id.clone()));
        needs_of_claim(known, &self.thread_id, &self.start, needs);
    }
}

impl Operation for ResumeTurn {
    // Nothing is written, so that nothing would show that what is known of the thread is out of date.
    const IS_FRESH: bool = true;

    fn scope(&self) -> &Scope {
        &self.scope
    }

    fn thread_id(&self) -> &str {
        &self.turn.thread_id
    }

    fn needs(&self, _: &Known, needs: &mut Vec<Need>) {
        let thread_id = &self.turn.thread_id;
        needs.push(Need::Thread(thread_id.clone()));
        needs.push(event(thread_id, &self.turn.event_id));
    }
}

impl Operation for WriteTurn {
    fn scope(&self) -> &Scope {
        &self.scope
    }

    fn thread_id(&self) -> &str {
        &self.turn.thread_id
    }

    fn needs(&self, known: &Known, needs: &mut Vec<Need>) {
        needs_of_changes(known, &self.turn, &self.changes, needs);
    }
}

impl Operation for FinishTurn {
    fn scope(&self) -> &Scope {
        &self.scope
    }

    fn thread_id(&self) -> &str {
        &self.turn.thread_id
    }

    fn needs(&self, known: &Known, needs: &mut Vec<Need>) {
        needs_of_changes(known, &self.turn, &self.changes, needs);
        if let Some(start) = &self.next {
            needs_of_claim(known, &self.turn.thread_id, start, needs);
        }
    }
}

impl Operation for RetryTurn {
    fn scope(&self) -> &Scope {
        &self.scope
    }

    fn thread_id(&self) -> &str {
        &self.turn.thread_id
    }

    fn needs(&self, known: &Known, needs: &mut Vec<Need>) {
        needs_of_changes(known, &self.turn, &self.changes, needs);
        let turn = &self.turn;
        let may_end = |row: &TurnRow| row.is_cancelled && row.event_id == turn.event_id;
        needs_of_ends(known, &turn.thread_id, may_end, needs);
    }
}

/// Withdraws a turn of this thread that waits, or marks one that runs.
#[derive(Debug)]
pub(super) struct CancelTurn {
    pub(super) scope: Scope,
    pub(super) thread_id: String,
    pub(super) cancel: Cancel,
}

impl ThreadOperation for CancelTurn {
    type Answer = Cancelled;
    const WHAT: &'static str = "cancel a turn";

    fn run<S: Rows>(&self, rows: &mut S) -> Result<Self::Answer, S::Error> {
        rules::cancel_in(rows, &self.scope, &self.thread_id, &self.cancel)
    }
}

impl Operation for CancelTurn {
    fn scope(&self) -> &Scope {
        &self.scope
    }

    fn thread_id(&self) -> &str {
        &self.thread_id
    }

    fn needs(&self, known: &Known, needs: &mut Vec<Need>) {
        needs.push(Need::Thread(self.thread_id.clone()));
        let thread = known.threads.by_id.get(&self.thread_id);
        let message = match &self.cancel.target {
            CancelTarget::Event(id) => Some(id),
            CancelTarget::Run(id) => thread
                .and_then(|thread| thread.run(id))
                .and_then(|run| run.event_id.as_ref()),
        };
        let may_end = |turn: &TurnRow| !turn.is_running && Some(&turn.event_id) == message;
        needs_of_ends(known, &self.thread_id, may_end, needs);
        if !known.trusts(&self.thread_id) {
            needs.push(run(&self.thread_id, &self.cancel.run_id));
        }
    }
}

/// Ends the turns of this thread whose lease ran out by a time, or lets them wait for another attempt.
#[derive(Debug)]
pub(super) struct Expire {
    pub(super) scope: Scope,
    pub(super) thread_id: String,
    /// The time that is shown.
    pub(super) at: DateTime<Utc>,
    /// By the database's clock.
    pub(super) by: DateTime<Utc>,
}

impl ThreadOperation for Expire {
    type Answer = (Option<Interrupted>, Option<Waiting>);
    const WHAT: &'static str = "recover the turns of a stopped process";

    fn run<S: Rows>(&self, rows: &mut S) -> Result<Self::Answer, S::Error> {
        let lost_by = Some(self.by);
        rules::expire(rows, &self.scope, &self.thread_id, self.at, lost_by)
    }
}

impl Operation for Expire {
    // A lease is renewed without a new version of its thread.
    const IS_FRESH: bool = true;

    fn scope(&self) -> &Scope {
        &self.scope
    }

    fn thread_id(&self) -> &str {
        &self.thread_id
    }

    // A lease that begins in the same batch ends by the clock of this process until it is read from the database.
    fn is_alone(&self) -> bool {
        true
    }

    fn needs(&self, known: &Known, needs: &mut Vec<Need>) {
        needs.push(Need::Thread(self.thread_id.clone()));
        needs_of_ends(known, &self.thread_id, |turn| turn.is_running, needs);
    }
}

impl Operation for DeleteThread {
    fn scope(&self) -> &Scope {
        &self.scope
    }

    fn thread_id(&self) -> &str {
        &self.thread_id
    }

    // What is new in a thread cannot be written and deleted by one statement.
    fn is_alone(&self) -> bool {
        true
    }

    fn needs(&self, _: &Known, needs: &mut Vec<Need>) {
        needs.push(Need::Thread(self.thread_id.clone()));
    }
}

impl Operation for CreateThread {
    fn scope(&self) -> &Scope {
        &self.scope
    }

    fn thread_id(&self) -> &str {
        &self.draft.thread.id
    }

    fn needs(&self, _: &Known, needs: &mut Vec<Need>) {
        needs.push(Need::Thread(self.draft.thread.id.clone()));
    }
}

impl Operation for EditThread {
    fn scope(&self) -> &Scope {
        &self.scope
    }

    fn thread_id(&self) -> &str {
        &self.thread_id
    }

    // A run that is begun again under the same id would look like the old one that has changed.
    fn is_alone(&self) -> bool {
        matches!(self.edit, ThreadEdit::RemoveRun(_))
    }

    fn needs(&self, known: &Known, needs: &mut Vec<Need>) {
        let thread_id = &self.thread_id;
        needs.push(Need::Thread(thread_id.clone()));
        match &self.edit {
            ThreadEdit::Patch { .. } => {}
            ThreadEdit::CreateEvent(event) => {
                needs.push(Need::EventId(event.id.clone()));
                needs.extend(event.run_id.as_deref().map(|id| run(thread_id, id)));
                needs.extend(need_of_answer(thread_id, event));
            }
            ThreadEdit::UpdateEvent { event_id, .. } => needs.push(event(thread_id, event_id)),
            ThreadEdit::RemoveEvent {
                event_id, run_id, ..
            } => {
                needs.push(event(thread_id, event_id));
                if !known.trusts(thread_id) {
                    needs.push(run(thread_id, run_id));
                }
            }
            ThreadEdit::CreateRun(new) => needs.push(Need::RunId(new.id.clone())),
            ThreadEdit::UpdateRun { run_id, .. } | ThreadEdit::RemoveRun(run_id) => {
                needs.push(run(thread_id, run_id));
            }
        }
    }
}
