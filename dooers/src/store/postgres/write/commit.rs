//! The statement that writes a batch.
//!
//! One statement writes everything that a batch of operations changed in many threads. If the version of a thread
//! differs from the one that was read, the statement writes nothing of this thread and returns its number, and the
//! operations on it are executed again. Rows are therefore not locked between reading and writing, and no update is
//! lost.
//!
//! The statement also has the writer's next number, or does nothing: see [`link`](super::writer_connection).
//!
//! It consists of steps, and contains only the steps that have rows: for a small batch, starting and ending a step
//! costs the database more than the rows of the step. Batches that write the same groups of rows share a statement.

use super::columns::BatchShape;
use super::cte::{Cte, Plan, cte};
use crate::store::TablePrefix;
use crate::store::postgres::statements::render;
use std::collections::HashMap;
use std::sync::Arc;

/// The steps of the statement. `?1` is the writer's id, `?2` the number of the statement, `?3` the writer's epoch. The
/// result is a row with the refused threads, or no row if the number or the epoch is not the expected one.
///
/// `gate` contains the threads that may be written: those whose version is unchanged, which are locked at this point,
/// and the new ones. All later steps refer to it by `{open}` and so run after it. `{behind …}` only enforces an order:
/// turns end before others begin, because a thread cannot have two running turns at a time.
///
/// Threads are locked in the order of their numbers, and changed threads before those that are only read. If two
/// processes still wait for each other, the database ends one of the two statements, and each of its operations is
/// repeated in its own statement.
const CTES: &[Cte] = &[
    cte("writer", &["
        SELECT FROM {prefix}writers WHERE id = ?1 AND statements = ?2 - 1 AND epoch = ?3 FOR UPDATE"]),
    Cte {
        name: "clash",
        around: "{all}",
        selects: &[
            "
        SELECT x.thread_pk FROM {created} JOIN {prefix}threads t ON t.id = x.id",
            "
        SELECT x.thread_pk FROM {sent}
        JOIN {prefix}sent s ON s.workspace_pk = x.workspace_pk AND s.participant = x.participant
            AND s.client_event_id = x.client_event_id",
            "
        SELECT x.thread_pk FROM {runs} JOIN {prefix}runs r ON r.id = x.id AND r.thread_pk = x.thread_pk",
        ],
    },
    cte("changed_threads", &["
        UPDATE {prefix}threads t
        SET version = t.version + 1, users = coalesce(x.users::jsonb, t.users),
            title = CASE WHEN NOT x.is_untitled THEN coalesce(x.title, t.title) END,
            metadata = coalesce(x.metadata, t.metadata), updated_at = x.updated_at,
            last_event_at = x.last_event_at, rev = x.rev, row_rev = x.row_rev, last_seq = x.last_seq
        FROM {changed}
        WHERE t.pk = x.thread_pk AND t.version = x.version AND {free}
        RETURNING t.pk"]),
    cte("locked", &["
        SELECT t.pk FROM {read} JOIN {prefix}threads t ON t.pk = x.thread_pk
        WHERE t.version = x.version AND {free} {behind changed_threads}
        ORDER BY t.pk
        FOR UPDATE OF t"]),
    Cte {
        name: "gate",
        around: "SELECT coalesce(array_agg(threads.pk), ARRAY[]::bigint[]) AS pks FROM ({all}) threads (pk)",
        selects: &[
            "
            SELECT pk FROM {changed_threads}",
            "
            SELECT pk FROM {locked}",
            "
            SELECT x.thread_pk FROM {created} WHERE {free}",
        ],
    },
    cte("thread_rows", &["
        INSERT INTO {prefix}threads
            (pk, id, scope_pk, version, owner, users, title, metadata, created_at, updated_at, last_event_at, rev, row_rev,
             last_seq)
        SELECT x.thread_pk, x.id, x.scope_pk, 1, x.owner::jsonb, x.users::jsonb, x.title, x.metadata, x.created_at,
            x.updated_at, x.last_event_at, x.rev, x.row_rev, x.last_seq
        FROM {created}
        WHERE {open}"]),
    cte("touched_participants", &["
        UPDATE {prefix}participants p SET last_event_at = x.last_event_at
        FROM {touched}
        WHERE p.thread_pk = x.thread_pk AND {open}"]),
    cte("new_participants", &["
        INSERT INTO {prefix}participants (thread_pk, place, participant, scope_pk, last_event_at, thread_id)
        SELECT x.* FROM {participants}
        WHERE {open}"]),
    cte("scope_counts", &["
        UPDATE {prefix}scopes s SET threads = s.threads + x.threads
        FROM (
            SELECT x.scope_pk, sum(x.threads)::bigint AS threads FROM {counted}
            WHERE {open}
            GROUP BY x.scope_pk ORDER BY x.scope_pk
        ) x
        WHERE s.pk = x.scope_pk"]),
    cte("participant_counts", &["
        INSERT INTO {prefix}participant_counts AS c (scope_pk, participant, threads)
        SELECT x.scope_pk, x.participant, sum(x.threads)::bigint FROM {joined}
        WHERE {open}
        GROUP BY x.scope_pk, x.participant ORDER BY x.scope_pk, x.participant
        ON CONFLICT (scope_pk, participant) DO UPDATE SET threads = c.threads + excluded.threads"]),
    cte("edited_events", &["
        UPDATE {prefix}events e
        SET rev = x.rev, kind = x.kind, content = x.content, data = x.data, deleted = x.deleted,
            streaming = x.streaming, finalized = x.finalized, delta_seq = x.delta_seq, open_in = x.open_in,
            answers = x.answers
        FROM {edited}
        WHERE e.thread_pk = x.thread_pk AND e.seq = x.seq AND {open}
        RETURNING e.seq"]),
    cte("new_events", &["
        INSERT INTO {prefix}events
            (thread_pk, seq, id, first_rev, rev, run_id, kind, actor, author, sender, content, data, created_at, streaming,
             finalized, client_event_id, answers, delta_seq, open_in, deleted)
        SELECT x.thread_pk, x.seq, x.id, x.first_rev, x.rev, x.run_id, x.kind, x.actor, x.author, x.sender::jsonb,
            x.content, x.data, x.created_at, x.streaming, x.finalized, x.client_event_id, x.answers,
            x.delta_seq, x.open_in, x.deleted
        FROM {events}
        WHERE {open}
            {behind edited_events}"]),
    cte("new_runs", &["
        INSERT INTO {prefix}runs
            (thread_pk, id, event_id, first_rev, rev, agent_id, status, started_at, ended_at, error, scope_pk, usage)
        SELECT x.* FROM {runs}
        WHERE {open}"]),
    cte("changed_runs", &["
        UPDATE {prefix}runs r
        SET rev = x.rev, agent_id = x.agent_id, status = x.status, ended_at = x.ended_at, error = x.error,
            usage = x.usage
        FROM {ended}
        WHERE r.id = x.id AND r.thread_pk = x.thread_pk AND {open}"]),
    cte("removed_runs", &["
        DELETE FROM {prefix}runs r USING {removed}
        WHERE r.id = x.id AND r.thread_pk = x.thread_pk AND {open}"]),
    cte("given_feedback", &["
        INSERT INTO {prefix}feedback
            (thread_pk, participant, target_type, target_id, id, scope_pk, user_id, opinion, reason, classification,
             created_at, updated_at)
        SELECT x.* FROM {given}
        WHERE {open}
        ON CONFLICT (thread_pk, participant, target_type, target_id) DO UPDATE SET
            opinion = excluded.opinion, reason = excluded.reason, classification = excluded.classification,
            updated_at = excluded.updated_at"]),
    cte("removed_feedback", &["
        DELETE FROM {prefix}feedback f USING {ungiven}
        WHERE f.thread_pk = x.thread_pk AND f.target_type = x.target_type AND f.target_id = x.target_id AND {open}"]),
    cte("new_usage", &["
        INSERT INTO {prefix}usage
            (id, scope_pk, thread_id, run_id, user_id, model, input_tokens, output_tokens, cached_tokens, currency,
             cost_units, cost_picos, used_at)
        SELECT x.id, x.scope_pk, x.thread_id, x.run_id, x.user_id, x.model, x.input_tokens, x.output_tokens,
            x.cached_tokens, x.currency, x.cost_units, x.cost_picos, x.used_at
        FROM {used}
        WHERE {open}"]),
    // All writers lock totals in the same order.
    cte("new_totals", &["
        INSERT INTO {prefix}usage_totals AS t
            (owner_type, owner_id, user_id, day, currency, tokens, cost_units, cost_picos)
        SELECT o.owner_type, o.owner_id, o.user_id, x.day, x.currency,
            sum(x.input_tokens + x.output_tokens)::bigint,
            (sum(x.cost_units) + div(sum(x.cost_picos), 1000000000000))::bigint,
            mod(sum(x.cost_picos), 1000000000000)::bigint
        FROM {used} CROSS JOIN LATERAL (
            VALUES ('organization', x.organization_id, ''), ('user', x.organization_id, x.user_id),
                ('worker', x.worker_id, '')
        ) AS o (owner_type, owner_id, user_id)
        WHERE {open}
        GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
        ON CONFLICT (owner_type, owner_id, user_id, day, currency) DO UPDATE SET
            tokens = t.tokens + excluded.tokens,
            cost_units = t.cost_units + excluded.cost_units + (t.cost_picos + excluded.cost_picos) / 1000000000000,
            cost_picos = (t.cost_picos + excluded.cost_picos) % 1000000000000"]),
    cte("ended_turns", &["
        DELETE FROM {prefix}turns u USING {over}
        WHERE u.thread_pk = x.thread_pk AND u.seq = x.seq AND {open}
        RETURNING u.seq"]),
    cte("changed_turns", &["
        UPDATE {prefix}turns u
        SET state = x.state, attempt = x.attempt, fence = x.fence, node = x.node,
            lease_until = CASE
                WHEN x.state = 'queued' THEN NULL
                WHEN x.lease IS NULL THEN u.lease_until
                ELSE clock_timestamp() + x.lease * INTERVAL '1 microsecond'
            END,
            cancel_requested = x.cancel_requested, retries = x.retries, not_before = x.not_before, slot = x.slot,
            questions = x.questions
        FROM {moved}
        WHERE u.thread_pk = x.thread_pk AND u.seq = x.seq AND {open}
            {behind ended_turns}
        RETURNING u.seq"]),
    cte("new_turns", &["
        INSERT INTO {prefix}turns
            (thread_pk, seq, event_id, state, attempt, fence, node, lease_until, cancel_requested, retries, not_before, slot,
             sealed, identity, questions)
        SELECT x.thread_pk, x.seq, x.event_id, x.state, x.attempt, x.fence, x.node,
            clock_timestamp() + x.lease * INTERVAL '1 microsecond', x.cancel_requested, x.retries, x.not_before, x.slot,
            x.sealed, x.identity, x.questions
        FROM {turns}
        WHERE {open}
            {behind ended_turns} {behind changed_turns}"]),
    cte("new_sent", &["
        INSERT INTO {prefix}sent (workspace_pk, participant, client_event_id, thread_id, event_id, deleted_at)
        SELECT x.workspace_pk, x.participant, x.client_event_id, x.thread_id, x.event_id, x.deleted_at FROM {sent}
        WHERE {open}
        ORDER BY 1, 2, 3"]),
    cte("new_outbox", &["
        INSERT INTO {prefix}outbox (worker_id, event, stored_at)
        SELECT x.worker_id, x.event, clock_timestamp() FROM {outbox}
        WHERE {open}
        ORDER BY x.place"]),
    cte("deleted_threads", &["
        SELECT coalesce(array_agg(x.thread_pk), ARRAY[]::bigint[]) AS pks FROM {deleted}
        WHERE {open}"]),
    // The id of a message belongs to a user, to the program that sent for a user, or to an anonymous connection.
    cte("marked_sent", &["
        UPDATE {prefix}sent s SET deleted_at = clock_timestamp()
        FROM {prefix}events e
        JOIN {prefix}threads t ON t.pk = e.thread_pk
        JOIN {prefix}scopes c ON c.pk = t.scope_pk
        CROSS JOIN LATERAL (
            SELECT owner || coalesce(e.sender ->> 'user_id', '') FROM unnest(ARRAY['user:', 'program:user:']) owner
            UNION ALL
            SELECT p.participant FROM {prefix}participants p
            WHERE p.thread_pk = e.thread_pk AND coalesce(e.sender ->> 'user_id', '') = ''
                AND p.participant LIKE 'connection:%'
        ) who (participant)
        WHERE e.thread_pk = ANY ((SELECT pks FROM {deleted_threads})::bigint[]) AND e.client_event_id IS NOT NULL
            AND s.workspace_pk = c.workspace_pk AND s.participant = who.participant
            AND s.client_event_id = e.client_event_id AND s.thread_id = t.id"]),
    cte("no_turns", &["
        DELETE FROM {prefix}turns WHERE thread_pk = ANY ((SELECT pks FROM {deleted_threads})::bigint[])"]),
    cte("no_feedback", &["
        DELETE FROM {prefix}feedback WHERE thread_pk = ANY ((SELECT pks FROM {deleted_threads})::bigint[])"]),
    cte("no_runs", &["
        DELETE FROM {prefix}runs WHERE thread_pk = ANY ((SELECT pks FROM {deleted_threads})::bigint[])"]),
    cte("no_events", &["
        DELETE FROM {prefix}events WHERE thread_pk = ANY ((SELECT pks FROM {deleted_threads})::bigint[])"]),
    cte("no_participants", &["
        DELETE FROM {prefix}participants WHERE thread_pk = ANY ((SELECT pks FROM {deleted_threads})::bigint[])"]),
    cte("no_threads", &["
        DELETE FROM {prefix}threads WHERE pk = ANY ((SELECT pks FROM {deleted_threads})::bigint[])"]),
];

/// The last step, which updates the writer's row.
const LAST: Cte = Cte {
    name: "last",
    around: "
    UPDATE {prefix}writers w
    SET statements = ?2, used_at = clock_timestamp(), refused = ARRAY(
        SELECT x.thread_pk FROM ({all}) x
        WHERE NOT {open}
    )
    WHERE w.id = ?1 AND w.statements = ?2 - 1 AND w.epoch = ?3
    RETURNING w.refused",
    selects: &[
        "SELECT x.thread_pk FROM {read}",
        "SELECT x.thread_pk FROM {changed}",
        "SELECT x.thread_pk FROM {created}",
    ],
};

/// The statements that were used so far, by shape.
#[derive(Debug)]
pub(crate) struct Commits {
    prefix: TablePrefix,
    rendered: HashMap<BatchShape, Arc<str>>,
}

impl Commits {
    pub(crate) fn new(prefix: TablePrefix) -> Self {
        Self {
            prefix,
            rendered: HashMap::new(),
        }
    }

    /// Returns the statement for batches of this shape.
    pub(crate) fn statement(&mut self, shape: BatchShape) -> Arc<str> {
        let statement = self.rendered.entry(shape);
        let statement = statement.or_insert_with(|| statement_of(shape, &self.prefix).into());
        Arc::clone(statement)
    }
}

#[expect(
    clippy::expect_used,
    reason = "every row belongs to a thread that is read, changed or new"
)]
fn statement_of(shape: BatchShape, prefix: &TablePrefix) -> String {
    let statement = Plan::of(CTES, shape).statement(&LAST);
    let statement = statement.expect("every row belongs to a thread that is read, changed or new");
    render(&statement, prefix)
}
