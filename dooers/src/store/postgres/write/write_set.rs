//! The rows that a batch writes, in groups.

use super::columns::groups;
use chrono::{DateTime, Utc};

groups! {
    /// The rows that a batch writes.
    Rows

    /// A thread of which no row is written, unless the thread is deleted. Its version must be the one that was read.
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

    /// A thread with changed rows. Its version must be the one that was read. Columns that are `None` stay unchanged,
    /// except that `is_untitled` removes the title.
    changed: ChangedThread / ChangedThreads {
        thread_pk: i64,
        version: i64,
        users: Option<String>,
        title: Option<String>,
        is_untitled: bool,
        metadata: Option<String>,
        updated_at: DateTime<Utc>,
        last_event_at: DateTime<Utc>,
        rev: i64,
        row_rev: i64,
        last_seq: i64,
    }

    /// A thread with a new place in the lists.
    touched: TouchedThread / TouchedThreads {
        thread_pk: i64,
        last_event_at: DateTime<Utc>,
    }

    /// A deleted thread.
    deleted: DeletedThread / DeletedThreads {
        thread_pk: i64,
    }

    /// A new participant of a thread.
    participants: NewParticipant / NewParticipants {
        thread_pk: i64,
        place: i64,
        participant: String,
        scope_pk: i64,
        last_event_at: DateTime<Utc>,
        thread_id: String,
    }

    /// A change of a scope's number of threads.
    counted: CountedThread / CountedThreads {
        thread_pk: i64,
        scope_pk: i64,
        threads: i64,
    }

    /// A change of a participant's number of threads.
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

    /// A changed event.
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
        usage: Option<String>,
    }

    /// A changed run.
    ended: ChangedRun / ChangedRuns {
        thread_pk: i64,
        id: String,
        rev: i64,
        agent_id: Option<String>,
        status: String,
        ended_at: Option<DateTime<Utc>>,
        error: Option<String>,
        usage: Option<String>,
    }

    /// A removed run.
    removed: RemovedRun / RemovedRuns {
        thread_pk: i64,
        id: String,
    }

    /// An ended turn.
    over: EndedTurn / EndedTurns {
        thread_pk: i64,
        seq: i64,
    }

    /// A changed turn. With a `lease`, in microseconds, the turn was claimed.
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
        questions: Option<String>,
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
        identity: Option<String>,
        questions: Option<String>,
    }

    /// A new or changed feedback.
    given: GivenFeedbackRow / GivenFeedbackRows {
        thread_pk: i64,
        participant: String,
        target_type: String,
        target_id: String,
        id: String,
        scope_pk: i64,
        user_id: String,
        opinion: String,
        reason: Option<String>,
        classification: Option<String>,
        created_at: DateTime<Utc>,
        updated_at: DateTime<Utc>,
    }

    /// A removed event or run, whose feedback is deleted.
    ungiven: RemovedTarget / RemovedTargets {
        thread_pk: i64,
        target_type: String,
        target_id: String,
    }

    /// A row of the ledger of usage.
    used: NewUsage / NewUsages {
        thread_pk: i64,
        id: String,
        scope_pk: i64,
        thread_id: String,
        run_id: Option<String>,
        user_id: String,
        model: String,
        input_tokens: i64,
        output_tokens: i64,
        cached_tokens: i64,
        currency: String,
        cost_units: i64,
        cost_picos: i64,
        used_at: DateTime<Utc>,
        day: i64,
        worker_id: String,
        organization_id: String,
    }

    /// The event that was stored for a client's message.
    sent: NewSent / NewSents {
        thread_pk: i64,
        workspace_pk: i64,
        participant: String,
        client_event_id: String,
        thread_id: String,
        event_id: String,
        deleted_at: Option<DateTime<Utc>>,
    }

    /// An analytics event for the webhook.
    outbox: NewOutbox / NewOutboxes {
        thread_pk: i64,
        place: i64,
        worker_id: String,
        event: String,
    }
}
