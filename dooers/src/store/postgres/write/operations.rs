//! The operations of the writer, with the rows that each of them needs.

use super::working_set::{Dependency, WorkingSet};
use crate::protocol::{FeedbackTarget, ThreadEvent};
use crate::store::OnBusy;
use crate::store::rules::{self, Interrupted, Rows, SentKey, TurnRow};
use crate::store::sql::{
    Begin, ClaimTurn, CreateThread, DeleteThread, EditThread, FinishTurn, ResumeTurn, RetryTurn,
    ThreadOperation, WriteTurn,
};
use crate::store::state::ThreadState;
use crate::store::{
    Cancel, CancelTarget, Cancelled, ClaimOptions, GivenFeedback, NewFeedback, PendingThread,
    Scope, ThreadEdit, ThreadTarget, TurnChange, TurnKey,
};
use chrono::{DateTime, Utc};

/// An operation on one thread, with the rows that it needs.
pub(crate) trait PgOperation: ThreadOperation {
    /// `true` if the thread must be read again, because the operation depends on columns that change without a new
    /// version.
    const IS_FRESH: bool = false;

    /// Returns the scope of the caller.
    fn scope(&self) -> &Scope;

    /// Returns the id of the thread.
    fn thread_id(&self) -> &str;

    /// Returns `true` if no other operation may change the thread in the same batch.
    fn is_alone(&self) -> bool {
        false
    }

    /// Returns `true` if the operation may create the thread.
    fn may_create(&self) -> bool {
        false
    }

    /// Adds the rows that the operation needs, as far as the known rows show. Rows of threads that the scope does not
    /// show are removed by the caller.
    fn needs(&self, known: &WorkingSet, needs: &mut Vec<Dependency>);
}

fn thread(scope: &Scope, thread_id: &str) -> Dependency {
    Dependency::Thread {
        scope: scope.clone(),
        thread_id: thread_id.to_owned(),
    }
}

fn event(thread_id: &str, event_id: &str) -> Dependency {
    Dependency::Event {
        thread_id: thread_id.to_owned(),
        event_id: event_id.to_owned(),
    }
}

fn run(thread_id: &str, run_id: &str) -> Dependency {
    Dependency::Run {
        thread_id: thread_id.to_owned(),
        run_id: run_id.to_owned(),
    }
}

/// Adds the rows that a claim needs: the next message, and the start's run if it may already exist.
fn needs_of_claim(
    known: &WorkingSet,
    (scope, thread_id): (&Scope, &str),
    start: &ClaimOptions,
    needs: &mut Vec<Dependency>,
) {
    let thread = known.threads.by_id.get(thread_id);
    if let Some(message) = thread.and_then(|thread| next_message(thread, start)) {
        needs.push(event(thread_id, message));
    }
    if let Some(run_id) = &start.run_id
        && !known.trusts(scope, thread_id)
    {
        needs.push(run(thread_id, run_id));
    }
}

/// Returns the message of the next turn to claim, assuming that no running turn prevents the claim.
fn next_message<'t>(thread: &'t ThreadState, start: &ClaimOptions) -> Option<&'t str> {
    let mut turns = thread.turns.iter();
    let turn = if start.is_concurrent() {
        turns.find(|turn| turn.is_due(start))?
    } else {
        turns.find(|turn| !turn.is_running)?
    };
    Some(&turn.event_id)
}

/// Adds the messages of turns that may end without success, because a form that such a message answers is reopened.
fn needs_of_ends(
    known: &WorkingSet,
    thread_id: &str,
    may_end: impl Fn(&TurnRow) -> bool,
    needs: &mut Vec<Dependency>,
) {
    let thread = known.threads.by_id.get(thread_id);
    let turns = thread.map(|thread| &thread.turns[..]).unwrap_or_default();
    let ends = turns.iter().filter(|turn| may_end(turn));
    needs.extend(ends.map(|turn| event(thread_id, &turn.event_id)));
}

/// Adds the forms that turns wait for, because the forms of open questions are closed when their attempt ends.
fn needs_of_questions(
    known: &WorkingSet,
    thread_id: &str,
    may_end: impl Fn(&TurnRow) -> bool,
    needs: &mut Vec<Dependency>,
) {
    let thread = known.threads.by_id.get(thread_id);
    let turns = thread.map(|thread| &thread.turns[..]).unwrap_or_default();
    let questions = turns
        .iter()
        .filter(|turn| may_end(turn))
        .flat_map(|turn| &turn.questions);
    let open = questions.filter(|question| question.is_open());
    needs.extend(open.map(|question| event(thread_id, &question.form_event_id)));
}

/// Adds the rows that the changes of a turn need: answers to forms, the message if it reopens a form, runs that may
/// already exist, and runs that have used something.
fn needs_of_changes(
    known: &WorkingSet,
    scope: &Scope,
    turn: &TurnKey,
    changes: &[TurnChange],
    needs: &mut Vec<Dependency>,
) {
    let thread_id = &turn.thread_id;
    needs.push(thread(scope, thread_id));
    if known.threads.outbox.filter.is_some() {
        // Analytics events name the sender of the message.
        needs.push(event(thread_id, &turn.event_id));
    }
    for change in changes {
        match change {
            TurnChange::Event(event) => needs.extend(need_of_answer(thread_id, event)),
            TurnChange::ReopenForm => needs.push(event(thread_id, &turn.event_id)),
            TurnChange::EndQuestion { form_event_id, .. } => {
                needs.push(event(thread_id, form_event_id));
            }
            TurnChange::Usage(used) => {
                needs.extend(used.run_id.as_deref().map(|id| run(thread_id, id)));
            }
            TurnChange::Run(changed) if !known.trusts(scope, thread_id) => {
                needs.push(run(thread_id, &changed.id));
            }
            _ => {}
        }
    }
}

/// Returns the need for the accepted answer to a form, if the event answers one. Only the first answer is accepted.
fn need_of_answer(thread_id: &str, event: &ThreadEvent) -> Option<Dependency> {
    event.answered_form().map(|form_id| Dependency::Answer {
        thread_id: thread_id.to_owned(),
        form_id: form_id.to_owned(),
    })
}

impl PgOperation for Begin {
    fn scope(&self) -> &Scope {
        &self.scope
    }

    fn thread_id(&self) -> &str {
        self.new.thread.id()
    }

    fn may_create(&self) -> bool {
        !matches!(self.new.thread, ThreadTarget::Existing(_))
    }

    fn needs(&self, known: &WorkingSet, needs: &mut Vec<Dependency>) {
        let (scope, thread_id) = (&self.scope, self.thread_id());
        let is_trusted = known.trusts(scope, thread_id);
        if !(is_trusted && matches!(self.new.thread, ThreadTarget::New(_))) {
            needs.push(thread(scope, thread_id));
        }
        // The statement that writes detects an id that is in use in another scope.
        if !is_trusted && self.may_create() {
            needs.push(Dependency::ThreadId(thread_id.to_owned()));
        }
        if let Some(key) = SentKey::of(scope, &self.new) {
            if let Some(sent) = known.threads.sent.get(&key) {
                needs.push(thread(scope, &sent.thread_id));
                needs.push(event(&sent.thread_id, &sent.event_id));
                if known.is_missing(scope, &sent.thread_id) {
                    // The message may have been sent to another agent.
                    needs.push(Dependency::EventId(sent.event_id.clone()));
                }
            } else if !is_trusted {
                needs.push(Dependency::Sent(key));
            }
        }
        for limit in &*self.start.limits {
            needs.push(Dependency::Spent {
                owner: limit.owner(scope, &self.new.user.user_id),
                days: limit.period.days(self.start.at),
            });
        }
        if let Ok(Some(answer)) = self.new.form_answer() {
            needs.push(event(thread_id, &answer.form_event_id));
            needs.push(Dependency::Answer {
                thread_id: thread_id.to_owned(),
                form_id: answer.form_event_id,
            });
        }
        if self.start.on_busy == OnBusy::Interrupt {
            needs_of_ends(known, thread_id, |turn| !turn.is_running, needs);
        }
        needs_of_claim(known, (scope, thread_id), &self.start, needs);
    }
}

impl PgOperation for ClaimTurn {
    fn scope(&self) -> &Scope {
        &self.scope
    }

    fn thread_id(&self) -> &str {
        &self.thread_id
    }

    fn needs(&self, known: &WorkingSet, needs: &mut Vec<Dependency>) {
        needs.push(thread(&self.scope, &self.thread_id));
        needs_of_claim(known, (&self.scope, &self.thread_id), &self.start, needs);
    }
}

impl PgOperation for ResumeTurn {
    // Nothing is written, so an outdated copy of the thread would not be noticed.
    const IS_FRESH: bool = true;

    fn scope(&self) -> &Scope {
        &self.scope
    }

    fn thread_id(&self) -> &str {
        &self.turn.thread_id
    }

    fn needs(&self, _: &WorkingSet, needs: &mut Vec<Dependency>) {
        let thread_id = &self.turn.thread_id;
        needs.push(thread(&self.scope, thread_id));
        needs.push(event(thread_id, &self.turn.event_id));
    }
}

impl PgOperation for WriteTurn {
    fn scope(&self) -> &Scope {
        &self.scope
    }

    fn thread_id(&self) -> &str {
        &self.turn.thread_id
    }

    fn needs(&self, known: &WorkingSet, needs: &mut Vec<Dependency>) {
        needs_of_changes(known, &self.scope, &self.turn, &self.changes, needs);
    }
}

impl PgOperation for FinishTurn {
    fn scope(&self) -> &Scope {
        &self.scope
    }

    fn thread_id(&self) -> &str {
        &self.turn.thread_id
    }

    fn needs(&self, known: &WorkingSet, needs: &mut Vec<Dependency>) {
        needs_of_changes(known, &self.scope, &self.turn, &self.changes, needs);
        let is_it = |turn: &TurnRow| turn.event_id == self.turn.event_id;
        needs_of_questions(known, &self.turn.thread_id, is_it, needs);
        if let Some(start) = &self.next {
            needs_of_claim(known, (&self.scope, &self.turn.thread_id), start, needs);
        }
    }
}

impl PgOperation for RetryTurn {
    fn scope(&self) -> &Scope {
        &self.scope
    }

    fn thread_id(&self) -> &str {
        &self.turn.thread_id
    }

    fn needs(&self, known: &WorkingSet, needs: &mut Vec<Dependency>) {
        needs_of_changes(known, &self.scope, &self.turn, &self.changes, needs);
        let turn = &self.turn;
        let is_it = |row: &TurnRow| row.event_id == turn.event_id;
        needs_of_questions(known, &turn.thread_id, is_it, needs);
        let may_end = |row: &TurnRow| row.is_cancelled && row.event_id == turn.event_id;
        needs_of_ends(known, &turn.thread_id, may_end, needs);
    }
}

/// Withdraws a waiting turn of this thread, or marks a running one as cancelled.
#[derive(Debug)]
pub(crate) struct CancelTurn {
    pub(crate) scope: Scope,
    pub(crate) thread_id: String,
    pub(crate) cancel: Cancel,
}

impl ThreadOperation for CancelTurn {
    type Answer = Cancelled;
    const WHAT: &'static str = "cancel a turn";

    fn run<S: Rows>(&self, rows: &mut S) -> Result<Self::Answer, S::Error> {
        rules::cancel_in(rows, &self.scope, &self.thread_id, &self.cancel)
    }
}

impl PgOperation for CancelTurn {
    fn scope(&self) -> &Scope {
        &self.scope
    }

    fn thread_id(&self) -> &str {
        &self.thread_id
    }

    fn needs(&self, known: &WorkingSet, needs: &mut Vec<Dependency>) {
        needs.push(thread(&self.scope, &self.thread_id));
        let state = known.threads.by_id.get(&self.thread_id);
        let message = match &self.cancel.target {
            CancelTarget::Event(id) => Some(id),
            CancelTarget::Run(id) => state
                .and_then(|thread| thread.run(id))
                .and_then(|run| run.event_id.as_ref()),
        };
        let may_end = |turn: &TurnRow| !turn.is_running && Some(&turn.event_id) == message;
        needs_of_ends(known, &self.thread_id, may_end, needs);
        if !known.trusts(&self.scope, &self.thread_id) {
            needs.push(run(&self.thread_id, &self.cancel.run_id));
        }
    }
}

/// Stores a feedback in this thread.
#[derive(Debug)]
pub(crate) struct GiveFeedback {
    pub(crate) scope: Scope,
    pub(crate) thread_id: String,
    pub(crate) given: NewFeedback,
}

impl ThreadOperation for GiveFeedback {
    type Answer = GivenFeedback;
    const WHAT: &'static str = "store a feedback";

    fn run<S: Rows>(&self, rows: &mut S) -> Result<Self::Answer, S::Error> {
        rules::give_feedback_in(rows, &self.scope, &self.thread_id, &self.given)
    }
}

impl PgOperation for GiveFeedback {
    fn scope(&self) -> &Scope {
        &self.scope
    }

    fn thread_id(&self) -> &str {
        &self.thread_id
    }

    fn needs(&self, _: &WorkingSet, needs: &mut Vec<Dependency>) {
        let thread_id = &self.thread_id;
        needs.push(thread(&self.scope, thread_id));
        match &self.given.target {
            FeedbackTarget::Event(id) => needs.push(event(thread_id, id)),
            FeedbackTarget::Run(id) => needs.push(run(thread_id, id)),
            FeedbackTarget::Thread(_) => {}
        }
        needs.push(Dependency::Feedback {
            thread_id: thread_id.clone(),
            participant: self.given.participant.clone(),
            target: self.given.target.clone(),
        });
    }
}

/// Ends or requeues the turns of this thread whose lease ended by a time.
#[derive(Debug)]
pub(crate) struct Expire {
    pub(crate) scope: Scope,
    pub(crate) thread_id: String,
    /// The time that the changes show.
    pub(crate) at: DateTime<Utc>,
    /// The time by which leases must have ended, by the database's clock.
    pub(crate) by: DateTime<Utc>,
}

impl ThreadOperation for Expire {
    type Answer = (Option<Interrupted>, Option<PendingThread>);
    const WHAT: &'static str = "recover the turns of a stopped process";

    fn run<S: Rows>(&self, rows: &mut S) -> Result<Self::Answer, S::Error> {
        let lost_by = Some(self.by);
        rules::expire(rows, &self.scope, &self.thread_id, self.at, lost_by)
    }
}

impl PgOperation for Expire {
    // The renewal of a lease does not change the version of its thread.
    const IS_FRESH: bool = true;

    fn scope(&self) -> &Scope {
        &self.scope
    }

    fn thread_id(&self) -> &str {
        &self.thread_id
    }

    // In memory, a lease that begins in the same batch ends by the clock of this process.
    fn is_alone(&self) -> bool {
        true
    }

    fn needs(&self, known: &WorkingSet, needs: &mut Vec<Dependency>) {
        needs.push(thread(&self.scope, &self.thread_id));
        needs_of_ends(known, &self.thread_id, |turn| turn.is_running, needs);
        needs_of_questions(known, &self.thread_id, |turn| turn.is_running, needs);
    }
}

impl PgOperation for DeleteThread {
    fn scope(&self) -> &Scope {
        &self.scope
    }

    fn thread_id(&self) -> &str {
        &self.thread_id
    }

    // One statement cannot insert and delete the same rows.
    fn is_alone(&self) -> bool {
        true
    }

    fn needs(&self, _: &WorkingSet, needs: &mut Vec<Dependency>) {
        needs.push(thread(&self.scope, &self.thread_id));
    }
}

impl PgOperation for CreateThread {
    fn scope(&self) -> &Scope {
        &self.scope
    }

    fn thread_id(&self) -> &str {
        &self.draft.thread.id
    }

    fn may_create(&self) -> bool {
        true
    }

    fn needs(&self, _: &WorkingSet, needs: &mut Vec<Dependency>) {
        needs.push(Dependency::ThreadId(self.draft.thread.id.clone()));
    }
}

impl PgOperation for EditThread {
    fn scope(&self) -> &Scope {
        &self.scope
    }

    fn thread_id(&self) -> &str {
        &self.thread_id
    }

    // A removed run that is created again under the same id would look like a changed run.
    fn is_alone(&self) -> bool {
        matches!(self.edit, ThreadEdit::RemoveRun(_))
    }

    fn needs(&self, known: &WorkingSet, needs: &mut Vec<Dependency>) {
        let thread_id = &self.thread_id;
        needs.push(thread(&self.scope, thread_id));
        match &self.edit {
            ThreadEdit::Patch { .. } => {}
            ThreadEdit::CreateEvent(event) => {
                needs.push(Dependency::EventId(event.id.clone()));
                needs.extend(event.run_id.as_deref().map(|id| run(thread_id, id)));
                needs.extend(need_of_answer(thread_id, event));
            }
            ThreadEdit::UpdateEvent { event_id, .. } => needs.push(event(thread_id, event_id)),
            ThreadEdit::RemoveEvent {
                event_id, run_id, ..
            } => {
                needs.push(event(thread_id, event_id));
                if !known.trusts(&self.scope, thread_id) {
                    needs.push(run(thread_id, run_id));
                }
            }
            ThreadEdit::CreateRun(new) => needs.push(Dependency::RunId(new.id.clone())),
            ThreadEdit::UpdateRun { run_id, .. } | ThreadEdit::RemoveRun(run_id) => {
                needs.push(run(thread_id, run_id));
            }
        }
    }
}
