//! The one statement that writes.
//!
//! It takes all that a batch of operations changed in many threads, and writes it at once. Of a thread that is not as it
//! was read, nothing is written: the statement names it, and its operations are done again. So no row is locked from
//! reading to writing, and nothing is lost between the two.
//!
//! It is also the writer's next one, or nothing: see [`writer`](super::writer).

use super::columns::groups;
use super::statements::render;
use crate::store::TablePrefix;
use chrono::{DateTime, Utc};
use std::sync::Arc;

groups! {
    /// What a batch writes.
    Rows: 4

    /// A thread that must be as it was read.
    read: ReadThread / ReadThreads {
        pk: i64,
        version: i64,
    }

    /// A new thread.
    created: NewThreadRow / NewThreads {
        pk: i64,
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

    /// A thread of which anything is written. What is missing stays.
    changed: ChangedThread / ChangedThreads {
        pk: i64,
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
        pk: i64,
        last_event_at: DateTime<Utc>,
    }

    /// A thread that is deleted.
    deleted: DeletedThread / DeletedThreads {
        pk: i64,
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
    }

    /// What came of a client's message.
    sent: NewSent / NewSents {
        thread_pk: i64,
        workspace_pk: i64,
        participant: String,
        client_event_id: String,
        thread_id: String,
        event_id: String,
    }
}

/// The statement. `?1` is the writer's id, `?2` the number of the statement, `?3` the writer's epoch; the result is which threads were refused, or
/// no row if it is not this statement's turn.
///
/// `gate` holds the threads that may be written: those that are locked as they were read, in the order of their numbers,
/// and those that are new. All that follows asks it, and so follows it. What follows only for the sake of an order asks for
/// the number of what was done before: turns end before others begin, as no two of a thread may run at a time.
const COMMIT: &str = "
    WITH writer AS MATERIALIZED (
        SELECT FROM {prefix}writers WHERE id = ?1 AND statements = ?2 - 1 AND epoch = ?3 FOR UPDATE
    ), clash AS MATERIALIZED (
        SELECT x.pk FROM {created} JOIN {prefix}threads t ON t.id = x.id
        UNION ALL
        SELECT x.thread_pk FROM {sent}
        JOIN {prefix}sent s ON s.workspace_pk = x.workspace_pk AND s.participant = x.participant
            AND s.client_event_id = x.client_event_id
        UNION ALL
        SELECT x.thread_pk FROM {runs} JOIN {prefix}runs r ON r.id = x.id AND r.thread_pk = x.thread_pk
    ), locked AS MATERIALIZED (
        SELECT t.pk FROM {read} JOIN {prefix}threads t ON t.pk = x.pk
        WHERE t.version = x.version AND EXISTS (SELECT FROM writer)
            AND NOT x.pk = ANY (ARRAY(SELECT pk FROM clash))
        ORDER BY t.pk
        FOR UPDATE OF t
    ), gate AS MATERIALIZED (
        SELECT coalesce(array_agg(open.pk), ARRAY[]::bigint[]) AS pks FROM (
            SELECT pk FROM locked
            UNION ALL
            SELECT x.pk FROM {created}
            WHERE EXISTS (SELECT FROM writer) AND NOT x.pk = ANY (ARRAY(SELECT pk FROM clash))
        ) open
    ), thread_rows AS (
        INSERT INTO {prefix}threads
            (pk, id, scope_pk, version, owner, users, title, metadata, created_at, updated_at, last_event_at, rev, row_rev,
             last_seq)
        SELECT x.pk, x.id, x.scope_pk, 1, x.owner::jsonb, x.users::jsonb, x.title, x.metadata::jsonb, x.created_at,
            x.updated_at, x.last_event_at, x.rev, x.row_rev, x.last_seq
        FROM {created}
        WHERE x.pk = ANY ((SELECT pks FROM gate)::bigint[])
    ), changed_threads AS (
        UPDATE {prefix}threads t
        SET version = t.version + 1, users = coalesce(x.users::jsonb, t.users), title = coalesce(x.title, t.title),
            metadata = coalesce(x.metadata::jsonb, t.metadata), updated_at = x.updated_at,
            last_event_at = x.last_event_at, rev = x.rev, row_rev = x.row_rev, last_seq = x.last_seq
        FROM {changed}
        WHERE t.pk = x.pk AND x.pk = ANY ((SELECT pks FROM gate)::bigint[])
    ), touched_participants AS (
        UPDATE {prefix}participants p SET last_event_at = x.last_event_at
        FROM {touched}
        WHERE p.thread_pk = x.pk AND x.pk = ANY ((SELECT pks FROM gate)::bigint[])
    ), new_participants AS (
        INSERT INTO {prefix}participants (thread_pk, place, participant, scope_pk, last_event_at, thread_id)
        SELECT x.* FROM {participants}
        WHERE x.thread_pk = ANY ((SELECT pks FROM gate)::bigint[])
    ), scope_counts AS (
        UPDATE {prefix}scopes s SET threads = s.threads + x.threads
        FROM (
            SELECT x.scope_pk, sum(x.threads)::bigint AS threads FROM {counted}
            WHERE x.thread_pk = ANY ((SELECT pks FROM gate)::bigint[])
            GROUP BY x.scope_pk ORDER BY x.scope_pk
        ) x
        WHERE s.pk = x.scope_pk
    ), participant_counts AS (
        INSERT INTO {prefix}participant_counts AS c (scope_pk, participant, threads)
        SELECT x.scope_pk, x.participant, sum(x.threads)::bigint FROM {joined}
        WHERE x.thread_pk = ANY ((SELECT pks FROM gate)::bigint[])
        GROUP BY x.scope_pk, x.participant ORDER BY x.scope_pk, x.participant
        ON CONFLICT (scope_pk, participant) DO UPDATE SET threads = c.threads + excluded.threads
    ), new_events AS (
        INSERT INTO {prefix}events
            (thread_pk, seq, id, first_rev, rev, run_id, kind, actor, author, sender, content, data, created_at, streaming,
             finalized, client_event_id, answers, delta_seq, open_in, deleted)
        SELECT x.thread_pk, x.seq, x.id, x.first_rev, x.rev, x.run_id, x.kind, x.actor, x.author, x.sender::jsonb,
            x.content::jsonb, x.data::jsonb, x.created_at, x.streaming, x.finalized, x.client_event_id, x.answers,
            x.delta_seq, x.open_in, x.deleted
        FROM {events}
        WHERE x.thread_pk = ANY ((SELECT pks FROM gate)::bigint[])
    ), edited_events AS (
        UPDATE {prefix}events e
        SET rev = x.rev, kind = x.kind, content = x.content::jsonb, data = x.data::jsonb, deleted = x.deleted,
            streaming = x.streaming, finalized = x.finalized, delta_seq = x.delta_seq, open_in = x.open_in
        FROM {edited}
        WHERE e.thread_pk = x.thread_pk AND e.seq = x.seq AND x.thread_pk = ANY ((SELECT pks FROM gate)::bigint[])
    ), new_runs AS (
        INSERT INTO {prefix}runs
            (thread_pk, id, event_id, first_rev, rev, agent_id, status, started_at, ended_at, error, scope_pk)
        SELECT x.* FROM {runs}
        WHERE x.thread_pk = ANY ((SELECT pks FROM gate)::bigint[])
    ), changed_runs AS (
        UPDATE {prefix}runs r
        SET rev = x.rev, agent_id = x.agent_id, status = x.status, ended_at = x.ended_at, error = x.error
        FROM {ended}
        WHERE r.id = x.id AND r.thread_pk = x.thread_pk AND x.thread_pk = ANY ((SELECT pks FROM gate)::bigint[])
    ), removed_runs AS (
        DELETE FROM {prefix}runs r USING {removed}
        WHERE r.id = x.id AND r.thread_pk = x.thread_pk AND x.thread_pk = ANY ((SELECT pks FROM gate)::bigint[])
    ), ended_turns AS (
        DELETE FROM {prefix}turns u USING {over}
        WHERE u.thread_pk = x.thread_pk AND u.seq = x.seq AND x.thread_pk = ANY ((SELECT pks FROM gate)::bigint[])
        RETURNING u.seq
    ), changed_turns AS (
        UPDATE {prefix}turns u
        SET state = x.state, attempt = x.attempt, fence = x.fence, node = x.node,
            lease_until = CASE
                WHEN x.state = 'queued' THEN NULL
                WHEN x.lease IS NULL THEN u.lease_until
                ELSE clock_timestamp() + x.lease * INTERVAL '1 microsecond'
            END,
            cancel_requested = x.cancel_requested, retries = x.retries, not_before = x.not_before, slot = x.slot
        FROM {moved}
        WHERE u.thread_pk = x.thread_pk AND u.seq = x.seq AND x.thread_pk = ANY ((SELECT pks FROM gate)::bigint[])
            AND (SELECT count(*) FROM ended_turns) >= 0
        RETURNING u.seq
    ), new_turns AS (
        INSERT INTO {prefix}turns
            (thread_pk, seq, event_id, state, attempt, fence, node, lease_until, cancel_requested, retries, not_before, slot)
        SELECT x.thread_pk, x.seq, x.event_id, x.state, x.attempt, x.fence, x.node,
            clock_timestamp() + x.lease * INTERVAL '1 microsecond', x.cancel_requested, x.retries, x.not_before, x.slot
        FROM {turns}
        WHERE x.thread_pk = ANY ((SELECT pks FROM gate)::bigint[])
            AND (SELECT count(*) FROM ended_turns) >= 0 AND (SELECT count(*) FROM changed_turns) >= 0
    ), new_sent AS (
        INSERT INTO {prefix}sent (workspace_pk, participant, client_event_id, thread_id, event_id)
        SELECT x.workspace_pk, x.participant, x.client_event_id, x.thread_id, x.event_id FROM {sent}
        WHERE x.thread_pk = ANY ((SELECT pks FROM gate)::bigint[])
        ORDER BY 1, 2, 3
    ), deleted AS MATERIALIZED (
        SELECT coalesce(array_agg(x.pk), ARRAY[]::bigint[]) AS pks FROM {deleted}
        WHERE x.pk = ANY ((SELECT pks FROM gate)::bigint[])
    ), no_turns AS (
        DELETE FROM {prefix}turns WHERE thread_pk = ANY ((SELECT pks FROM deleted)::bigint[])
    ), no_runs AS (
        DELETE FROM {prefix}runs WHERE thread_pk = ANY ((SELECT pks FROM deleted)::bigint[])
    ), no_events AS (
        DELETE FROM {prefix}events WHERE thread_pk = ANY ((SELECT pks FROM deleted)::bigint[])
    ), no_participants AS (
        DELETE FROM {prefix}participants WHERE thread_pk = ANY ((SELECT pks FROM deleted)::bigint[])
    ), no_threads AS (
        DELETE FROM {prefix}threads WHERE pk = ANY ((SELECT pks FROM deleted)::bigint[])
    )
    UPDATE {prefix}writers w
    SET statements = ?2, used_at = clock_timestamp(), refused = ARRAY(
        SELECT asked.pk FROM (SELECT x.pk FROM {read} UNION ALL SELECT x.pk FROM {created}) asked
        WHERE NOT asked.pk = ANY ((SELECT pks FROM gate)::bigint[])
    )
    WHERE w.id = ?1 AND w.statements = ?2 - 1 AND w.epoch = ?3
    RETURNING w.refused";

/// The statement, with the tables' prefix.
pub(super) fn statement(prefix: &TablePrefix) -> Arc<str> {
    render(&Rows::unnested(COMMIT), prefix).into()
}
