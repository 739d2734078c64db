//! What a batch writes, in groups of rows.

use super::columns::groups;
use chrono::{DateTime, Utc};

groups! {
    /// What a batch writes.
    Rows

    /// A thread of which nothing is written, unless it is deleted, and which must be as it was read.
    read: ReadThread / ReadThreads {
        thread_pk: i64,
        version: i64,
    }

    /// A new thread.
    created: NewThreadRow / NewThreads {
        thread_pk: i64,
        id: String,
        scope_pk: i64,
        owner: String,
        users: String,
        title: Option<String>,
        metadata: Option<String>,
        created_at: DateTime<Utc>,
        updated_at: DateTime<Utc>,
        last_event_at: DateTime<Utc>,
        rev: i64,
        row_rev: i64,
        last_seq: i64,
    }

    /// A thread of which anything is written, and which must be as it was read. What is missing stays.
    changed: ChangedThread / ChangedThreads {
        thread_pk: i64,
        version: i64,
        users: Option<String>,
        title: Option<String>,
        metadata: Option<String>,
        updated_at: DateTime<Utc>,
        last_event_at: DateTime<Utc>,
        rev: i64,
        row_rev: i64,
        last_seq: i64,
    }

    /// A thread that has moved in the lists.
    touched: TouchedThread / TouchedThreads {
        thread_pk: i64,
        last_event_at: DateTime<Utc>,
    }

    /// A thread that is deleted.
    deleted: DeletedThread / DeletedThreads {
        thread_pk: i64,
    }

    /// Who takes part in a thread since now.
    participants: NewParticipant / NewParticipants {
        thread_pk: i64,
        place: i64,
        participant: String,
        scope_pk: i64,
        last_event_at: DateTime<Utc>,
        thread_id: String,
    }

    /// How many threads a scope has more.
    counted: CountedThread / CountedThreads {
        thread_pk: i64,
        scope_pk: i64,
        threads: i64,
    }

    /// In how many threads somebody takes part more.
    joined: CountedParticipant / CountedParticipants {
        thread_pk: i64,
        scope_pk: i64,
        participant: String,
        threads: i64,
    }

    /// A new event.
    events: NewEvent / NewEvents {
        thread_pk: i64,
        seq: i64,
        id: String,
        first_rev: i64,
        rev: i64,
        run_id: Option<String>,
        kind: String,
        actor: String,
        author: Option<String>,
        sender: Option<String>,
        content: Option<String>,
        data: Option<String>,
        created_at: DateTime<Utc>,
        streaming: Option<bool>,
        finalized: Option<bool>,
        client_event_id: Option<String>,
        answers: Option<String>,
        delta_seq: Option<i64>,
        open_in: Option<String>,
        deleted: Option<bool>,
    }

    /// An event that has changed.
    edited: ChangedEvent / ChangedEvents {
        thread_pk: i64,
        seq: i64,
        rev: i64,
        kind: String,
        content: Option<String>,
        data: Option<String>,
        deleted: Option<bool>,
        streaming: Option<bool>,
        finalized: Option<bool>,
        delta_seq: Option<i64>,
        open_in: Option<String>,
        answers: Option<String>,
    }

    /// A new run.
    runs: NewRun / NewRuns {
        thread_pk: i64,
        id: String,
        event_id: Option<String>,
        first_rev: i64,
        rev: i64,
        agent_id: Option<String>,
        status: String,
        started_at: DateTime<Utc>,
        ended_at: Option<DateTime<Utc>>,
        error: Option<String>,
        scope_pk: i64,
    }

    /// A run that has changed.
    ended: ChangedRun / ChangedRuns {
        thread_pk: i64,
        id: String,
        rev: i64,
        agent_id: Option<String>,
        status: String,
        ended_at: Option<DateTime<Utc>>,
        error: Option<String>,
    }

    /// A run that is removed.
    removed: RemovedRun / RemovedRuns {
        thread_pk: i64,
        id: String,
    }

    /// A turn that is over.
    over: EndedTurn / EndedTurns {
        thread_pk: i64,
        seq: i64,
    }

    /// A turn that has changed; with a `lease` it was claimed, for so many microseconds.
    moved: ChangedTurn / ChangedTurns {
        thread_pk: i64,
        seq: i64,
        state: String,
        attempt: i64,
        fence: i64,
        node: Option<String>,
        lease: Option<i64>,
        cancel_requested: bool,
        retries: i64,
        not_before: Option<DateTime<Utc>>,
        slot: i64,
    }

    /// A new turn.
    turns: NewTurn / NewTurns {
        thread_pk: i64,
        seq: i64,
        event_id: String,
        state: String,
        attempt: i64,
        fence: i64,
        node: Option<String>,
        lease: Option<i64>,
        cancel_requested: bool,
        retries: i64,
        not_before: Option<DateTime<Utc>>,
        slot: i64,
        sealed: Option<String>,
    }

    /// What came of a client's message.
    sent: NewSent / NewSents {
        thread_pk: i64,
        workspace_pk: i64,
        participant: String,
        client_event_id: String,
        thread_id: String,
        event_id: String,
        deleted_at: Option<DateTime<Utc>>,
    }
}
