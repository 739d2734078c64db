//! All SQL statements of the store, rendered once with the table prefix.

use crate::store::TablePrefix;
use crate::store::sql::{Dialect, Reads, statements};
use std::sync::Arc;

/// PostgreSQL's syntax.
const DIALECT: Dialect = Dialect {
    parameter: '$',
    join: "JOIN",
    json: |column| format!("{column}::text"),
    array: |values| format!("coalesce(json_agg({values}), '[]')::text"),
    listed: |list| format!("(SELECT jsonb_array_elements_text({list}::text::jsonb))"),
    micros: |column| format!("(extract(epoch FROM {column}) * 1000000)::bigint"),
    flag: |column| format!("{column}::int::bigint"),
};

/// Renders a statement with the prefix and the lists of columns.
pub(super) fn render(sql: &str, prefix: &TablePrefix) -> String {
    DIALECT.render(sql, prefix)
}

/// All statements except the one that writes.
#[derive(Debug)]
pub(super) struct Statements {
    pub(super) reads: Arc<Reads>,
    pub(super) own: Own,
}

impl Statements {
    pub(super) fn new(prefix: &TablePrefix) -> Self {
        let render = |sql: &str| render(sql, prefix);
        Self {
            reads: Arc::new(Reads::new(render)),
            own: Own::new(render),
        }
    }

    /// Returns all statements with their names.
    #[cfg(test)]
    pub(super) fn all(&self) -> Vec<(&'static str, &str)> {
        [self.reads.all(), self.own.all()].concat()
    }
}

statements! {
    /// The statements that only this store needs.
    Own:

    // Reads of the writer before it changes threads.

    // The threads with these ids in these scopes that these participants may see (null: all threads), with their turns,
    // running runs and streaming events.
    load_threads: "
        SELECT {whole_thread}, t.version, s.agent, w.worker_id, w.organization_id, w.workspace_id,
            (SELECT json_agg(json_build_array({turn}) ORDER BY u.seq)
                FROM {prefix}turns u WHERE u.thread_pk = t.pk)::text,
            (SELECT json_agg(json_build_array({run}, r.first_rev) ORDER BY r.first_rev)
                FROM {prefix}runs r WHERE r.thread_pk = t.pk AND r.status = 'running')::text,
            (SELECT json_agg(json_build_array({event}, e.first_rev, e.open_in, e.answers) ORDER BY e.seq)
                FROM {prefix}events e WHERE e.thread_pk = t.pk AND e.open_in IS NOT NULL)::text
        FROM unnest(?1::text[], ?2::bigint[], ?3::text[]) AS x (id, scope_pk, participant)
        JOIN {prefix}threads t ON t.id = x.id AND t.scope_pk = x.scope_pk
        JOIN {prefix}scopes s ON s.pk = t.scope_pk
        JOIN {prefix}workspaces w ON w.pk = s.workspace_pk
        WHERE x.participant IS NULL OR EXISTS (
            SELECT FROM {prefix}participants v WHERE v.thread_pk = t.pk AND v.participant = x.participant
        )"

    // The events with these ids in these threads.
    load_events: "
        SELECT {event}, e.first_rev, e.open_in, e.answers, e.thread_pk
        FROM unnest(?1::bigint[], ?2::text[]) AS x (thread_pk, id)
        JOIN {prefix}events e ON e.id = x.id AND e.thread_pk = x.thread_pk"

    // The accepted answers to these forms.
    load_answers: "
        SELECT {event}, e.first_rev, e.open_in, e.answers, e.thread_pk
        FROM unnest(?1::bigint[], ?2::text[]) AS x (thread_pk, form)
        JOIN {prefix}events e ON e.thread_pk = x.thread_pk AND e.answers = x.form"

    // The runs with these ids in these threads.
    load_runs: "
        SELECT {run}, r.first_rev, r.thread_pk
        FROM unnest(?1::bigint[], ?2::text[]) AS x (thread_pk, id)
        JOIN {prefix}runs r ON r.id = x.id AND r.thread_pk = x.thread_pk"

    // The feedback of these participants on these targets.
    load_feedback: "
        SELECT {feedback}, f.participant, f.thread_pk
        FROM unnest(?1::bigint[], ?2::text[], ?3::text[], ?4::text[])
            AS x (thread_pk, participant, target_type, target_id)
        JOIN {prefix}feedback f ON f.thread_pk = x.thread_pk AND f.participant = x.participant
            AND f.target_type = x.target_type AND f.target_id = x.target_id"

    // Those of these ids that threads of any scope have, or events or runs of any thread.

    taken_threads: "SELECT t.id FROM unnest(?1::text[]) AS x (id) JOIN {prefix}threads t ON t.id = x.id"

    taken_events: "
        SELECT e.id, t.id FROM unnest(?1::text[]) AS x (id)
        JOIN {prefix}events e ON e.id = x.id
        JOIN {prefix}threads t ON t.pk = e.thread_pk"

    taken_runs: "SELECT r.id FROM unnest(?1::text[]) AS x (id) JOIN {prefix}runs r ON r.id = x.id"

    // The stored events of messages that clients sent. The place is the index of the message.
    load_sent: "
        SELECT x.place, e.thread_id, e.event_id
        FROM unnest(?1::text[], ?2::text[], ?3::text[], ?4::text[], ?5::text[])
            WITH ORDINALITY AS x (worker_id, organization_id, workspace_id, participant, client_event_id, place)
        JOIN {prefix}workspaces w ON w.worker_id = x.worker_id AND w.organization_id = x.organization_id
            AND w.workspace_id = x.workspace_id
        JOIN {prefix}sent e ON e.workspace_pk = w.pk AND e.participant = x.participant
            AND e.client_event_id = x.client_event_id"

    // The totals of these owners in these days. The place is the index of the owner.
    load_spent: "
        SELECT x.place, t.day, t.currency, t.tokens, t.cost_units, t.cost_picos
        FROM unnest(?1::text[], ?2::text[], ?3::text[], ?4::bigint[], ?5::bigint[])
            WITH ORDINALITY AS x (owner_type, owner_id, user_id, first_day, last_day, place)
        JOIN {prefix}usage_totals t ON t.owner_type = x.owner_type AND t.owner_id = x.owner_id
            AND t.user_id = x.user_id AND t.day >= x.first_day AND t.day <= x.last_day"

    // The `pk`s of scopes and their workspaces, and the newest times in their lists of threads and runs. The place is
    // the index of the scope.
    load_lists: "
        SELECT x.place, s.pk, s.workspace_pk,
            {micros (SELECT max(t.last_event_at) FROM {prefix}threads t WHERE t.scope_pk = s.pk)},
            {micros (SELECT max(r.started_at) FROM {prefix}runs r WHERE r.scope_pk = s.pk)}
        FROM unnest(?1::text[], ?2::text[], ?3::text[], ?4::text[])
            WITH ORDINALITY AS x (worker_id, organization_id, workspace_id, agent, place)
        JOIN {prefix}workspaces w ON w.worker_id = x.worker_id AND w.organization_id = x.organization_id
            AND w.workspace_id = x.workspace_id
        JOIN {prefix}scopes s ON s.workspace_pk = w.pk AND s.agent = x.agent"

    // The rows that a thread in a new scope requires.

    insert_workspace: "
        INSERT INTO {prefix}workspaces (worker_id, organization_id, workspace_id) VALUES (?1, ?2, ?3)
        ON CONFLICT DO NOTHING"

    insert_scope: "
        INSERT INTO {prefix}scopes (workspace_pk, agent)
        SELECT pk, ?4 FROM {prefix}workspaces
        WHERE worker_id = ?1 AND organization_id = ?2 AND workspace_id = ?3
        ON CONFLICT DO NOTHING"

    next_thread_pks: "SELECT nextval('{prefix}thread_pks')"

    // Writers.

    insert_writer: "
        INSERT INTO {prefix}writers (id, statements, epoch, refused, used_at)
        VALUES (?1, 0, 0, ARRAY[]::bigint[], clock_timestamp())"

    // Waits for a late statement of a lost connection, or blocks it.
    fence_writer: "
        UPDATE {prefix}writers SET epoch = epoch + 1, used_at = clock_timestamp() WHERE id = ?1
        RETURNING epoch, statements, refused"

    remove_writer: "DELETE FROM {prefix}writers WHERE id = ?1"

    // Removes the rows of processes that ended long ago.

    remove_writers: "DELETE FROM {prefix}writers WHERE used_at < clock_timestamp() - INTERVAL '7 days'"

    // Processes, by the database's clock.

    // Does nothing, and returns the version of a migration, if a migration after ?1 has made the tables unusable for a
    // program that does not know it. Otherwise it returns null.
    report_node: "
        WITH newer AS MATERIALIZED (
            SELECT m.version FROM {prefix}schema_migrations m
            WHERE m.version > ?1 AND m.is_breaking
            ORDER BY m.version DESC LIMIT 1
        ), reported AS (
            INSERT INTO {prefix}nodes (id, state, started_at, seen_at, alive_until, version, schema_version, broker,
                is_connected, malformed_messages, connections, running_turns, host, process_id)
            SELECT ?2, ?3, clock_timestamp(), clock_timestamp(), clock_timestamp() + ?4 * INTERVAL '1 microsecond',
                ?5, ?1, ?6, ?7, ?8, ?9, ?10, ?11, ?12
            WHERE NOT EXISTS (SELECT FROM newer)
            ON CONFLICT (id) DO UPDATE SET state = excluded.state, seen_at = excluded.seen_at,
                alive_until = excluded.alive_until, version = excluded.version,
                schema_version = excluded.schema_version, broker = excluded.broker,
                is_connected = excluded.is_connected, malformed_messages = excluded.malformed_messages,
                connections = excluded.connections, running_turns = excluded.running_turns, host = excluded.host,
                process_id = excluded.process_id
        )
        SELECT (SELECT newer.version FROM newer)"

    nodes: "
        SELECT n.id, n.state, {micros n.started_at}, {micros n.seen_at}, {flag (n.alive_until > clock_timestamp())},
            n.version, n.schema_version, n.broker, {flag n.is_connected}, n.malformed_messages, n.connections,
            n.running_turns, n.host, n.process_id
        FROM {prefix}nodes n
        ORDER BY n.id"

    remove_node: "DELETE FROM {prefix}nodes WHERE id = ?1"

    // Runs when a process starts. Rows of dead processes become more only when processes start.
    remove_dead_nodes: "
        DELETE FROM {prefix}nodes WHERE alive_until < clock_timestamp() - ?1 * INTERVAL '1 microsecond'"

    node_key: "SELECT secret FROM {prefix}node_keys WHERE id = 1"

    // Leases, by the database's clock. Rows are locked in the same order by all statements.

    renew_leases: "
        WITH held AS MATERIALIZED (
            SELECT u.thread_pk, u.seq FROM {prefix}turns u
            WHERE u.state = 'running' AND u.node = ?1
            ORDER BY u.thread_pk, u.seq
            FOR UPDATE
        ), renewed AS (
            UPDATE {prefix}turns u SET lease_until = clock_timestamp() + ?2 * INTERVAL '1 microsecond'
            FROM held
            WHERE u.thread_pk = held.thread_pk AND u.seq = held.seq AND u.state = 'running' AND u.node = ?1
            RETURNING u.thread_pk, u.event_id, u.fence, u.cancel_requested, u.questions
        )
        SELECT t.id, s.agent, w.worker_id, w.organization_id, w.workspace_id,
            u.event_id, u.fence, u.cancel_requested::int::bigint, u.questions
        FROM renewed u
        JOIN {prefix}threads t ON t.pk = u.thread_pk
        JOIN {prefix}scopes s ON s.pk = t.scope_pk
        JOIN {prefix}workspaces w ON w.pk = s.workspace_pk"

    // The threads with a turn whose lease has run out, and the threads in which turns wait and none runs, with the
    // current time. OFFSET prevents the planner from joining all waiting turns with all running ones, which looks cheap
    // while there are none.
    lost_turns: "
        SELECT t.id, s.agent, w.worker_id, w.organization_id, w.workspace_id, {micros clock_timestamp()}
        FROM (
            SELECT u.thread_pk FROM {prefix}turns u
            WHERE u.state = 'running' AND u.lease_until <= clock_timestamp()
            UNION
            SELECT u.thread_pk FROM {prefix}turns u
            WHERE u.state = 'queued' AND NOT EXISTS (
                SELECT FROM {prefix}turns r WHERE r.thread_pk = u.thread_pk AND r.state = 'running' OFFSET 0
            )
        ) lost
        JOIN {prefix}threads t ON t.pk = lost.thread_pk
        JOIN {prefix}scopes s ON s.pk = t.scope_pk
        JOIN {prefix}workspaces w ON w.pk = s.workspace_pk
        ORDER BY t.pk"

    // Messages of deleted threads. Another process may remove them at the same time.

    // Uses `now()`, because an index can be searched for it.
    mark_sent_ahead: "
        UPDATE {prefix}sent SET deleted_at = now() WHERE deleted_at > now() + INTERVAL '1 minute'"

    forget_sent: "
        WITH due AS MATERIALIZED (
            SELECT s.workspace_pk, s.participant, s.client_event_id FROM {prefix}sent s
            WHERE s.deleted_at < ?1
            ORDER BY s.deleted_at LIMIT ?2
            FOR UPDATE SKIP LOCKED
        )
        DELETE FROM {prefix}sent s USING due
        WHERE s.workspace_pk = due.workspace_pk AND s.participant = due.participant
            AND s.client_event_id = due.client_event_id
        RETURNING 1::bigint"

    // Participants that have no threads any more.
    forget_participants: "
        WITH none AS MATERIALIZED (
            SELECT c.scope_pk, c.participant FROM {prefix}participant_counts c
            WHERE c.threads = 0
            LIMIT ?1
            FOR UPDATE SKIP LOCKED
        )
        DELETE FROM {prefix}participant_counts c USING none
        WHERE c.scope_pk = none.scope_pk AND c.participant = none.participant AND c.threads = 0
        RETURNING 1::bigint"

    // Settings. If a field occurs twice, the last value wins, because one statement cannot write a row twice. After the
    // time in the last parameter, nothing is written and no row is returned. The subquery evaluates the clock once for
    // all rows.

    put_settings: "
        INSERT INTO {prefix}settings AS s (agent, worker_id, field_id, value, key_id, updated_at)
        SELECT DISTINCT ON (x.field_id) ?1, ?2, x.field_id, x.value, x.key_id,
            max(x.updated_at) OVER (PARTITION BY x.field_id)
        FROM unnest(?3::text[], ?4::text[], ?5::text[], ?6::timestamptz[])
            WITH ORDINALITY AS x (field_id, value, key_id, updated_at, place)
        WHERE (SELECT clock_timestamp()) < ?7
        ORDER BY x.field_id, x.place DESC
        ON CONFLICT (agent, worker_id, field_id) DO UPDATE SET
            value = excluded.value, key_id = excluded.key_id,
            updated_at = greatest(s.updated_at, excluded.updated_at)
        RETURNING s.field_id, {micros s.updated_at}"

    // Every write of a row changes its xmin. Times cannot serve as versions, because the clocks of the nodes differ.
    setting_versions: "
        SELECT s.agent, s.worker_id,
            hashtextextended(string_agg(s.field_id || ' ' || s.xmin::text, ',' ORDER BY s.field_id), 0)
        FROM {prefix}settings s
        WHERE (s.agent, s.worker_id) IN (SELECT x.agent, x.worker_id FROM unnest(?1::text[], ?2::text[]) AS x (agent, worker_id))
        GROUP BY s.agent, s.worker_id"

    remove_setting: "
        WITH time AS MATERIALIZED (SELECT 1::bigint AS is_left WHERE clock_timestamp() < ?4),
            removed AS (
                DELETE FROM {prefix}settings
                WHERE agent = ?1 AND worker_id = ?2 AND field_id = ?3 AND EXISTS (SELECT FROM time)
            )
        SELECT is_left FROM time"

    // The outbox of analytics events.

    // After the time in the last parameter, nothing is written and no row is returned.
    append_outbox: "
        INSERT INTO {prefix}outbox (worker_id, event, stored_at)
        SELECT x.worker_id, x.event, clock_timestamp()
        FROM unnest(?1::text[], ?2::text[]) WITH ORDINALITY AS x (worker_id, event, place)
        WHERE (SELECT clock_timestamp()) < ?3
        ORDER BY x.place
        RETURNING pk"

    // A batch that waits for longer than ?3 comes from a clock that was set back. It is due.
    claim_batch: "
        WITH due AS MATERIALIZED (
            SELECT b.pk FROM {prefix}batches b
            WHERE (b.node IS NULL OR b.node = ?1 OR b.lease_until <= clock_timestamp())
                AND (
                    b.not_before IS NULL OR b.not_before <= clock_timestamp()
                    OR b.not_before > clock_timestamp() + ?3 * INTERVAL '1 microsecond'
                )
            ORDER BY b.pk LIMIT 1
            FOR UPDATE SKIP LOCKED
        )
        UPDATE {prefix}batches b
        SET node = ?1, lease_until = clock_timestamp() + ?2 * INTERVAL '1 microsecond', attempt = b.attempt + 1,
            not_before = NULL
        FROM due
        WHERE b.pk = due.pk
        RETURNING b.pk, b.id, b.worker_id, b.attempt"

    // The events are locked before they are put into the batch, so that two processes do not take the same ones. A time
    // that is ahead of the clock (beyond ?7 for a batch) comes from a clock that was set back, and counts as past.
    create_batch: "
        WITH oldest AS MATERIALIZED (
            SELECT o.worker_id, o.stored_at FROM {prefix}outbox o
            WHERE o.batch_pk IS NULL
            ORDER BY o.pk LIMIT 1
        ), waiting AS MATERIALIZED (
            SELECT b.pk FROM {prefix}batches b
            WHERE b.not_before > clock_timestamp() AND b.not_before <= clock_timestamp() + ?7 * INTERVAL '1 microsecond'
            ORDER BY b.pk LIMIT 1
        ), worker AS MATERIALIZED (
            SELECT oldest.worker_id FROM oldest
            WHERE (
                    oldest.stored_at <= clock_timestamp() - ?6 * INTERVAL '1 microsecond'
                    OR oldest.stored_at > clock_timestamp()
                    OR EXISTS (SELECT 1 FROM {prefix}outbox o WHERE o.batch_pk IS NULL LIMIT 1 OFFSET ?4 - 1)
                )
                AND NOT EXISTS (SELECT FROM waiting)
        ), picked AS MATERIALIZED (
            SELECT o.pk, octet_length(o.event) AS size FROM {prefix}outbox o
            WHERE o.batch_pk IS NULL AND o.worker_id = (SELECT worker_id FROM worker)
            ORDER BY o.pk LIMIT ?4
            FOR UPDATE SKIP LOCKED
        ), fitting AS MATERIALIZED (
            SELECT sized.pk FROM (
                SELECT p.pk, sum(p.size) OVER (ORDER BY p.pk) AS total, row_number() OVER (ORDER BY p.pk) AS place
                FROM picked p
            ) sized
            WHERE sized.total <= ?5 OR sized.place = 1
        ), batch AS MATERIALIZED (
            INSERT INTO {prefix}batches (id, worker_id, attempt, node, lease_until)
            SELECT ?3, worker.worker_id, 1, ?1, clock_timestamp() + ?2 * INTERVAL '1 microsecond' FROM worker
            WHERE EXISTS (SELECT FROM fitting)
            RETURNING pk, id, worker_id, attempt
        ), filled AS (
            UPDATE {prefix}outbox o SET batch_pk = (SELECT batch.pk FROM batch)
            FROM fitting
            WHERE o.pk = fitting.pk
        )
        SELECT batch.pk, batch.id, batch.worker_id, batch.attempt FROM batch"

    batched_events: "SELECT o.event FROM {prefix}outbox o WHERE o.batch_pk = ?1 ORDER BY o.pk"

    remove_batch: "
        WITH gone AS MATERIALIZED (
            DELETE FROM {prefix}batches b WHERE b.id = ?1 RETURNING b.pk
        )
        DELETE FROM {prefix}outbox o WHERE o.batch_pk = (SELECT pk FROM gone)"

    retry_batch: "
        UPDATE {prefix}batches
        SET node = NULL, lease_until = NULL, not_before = clock_timestamp() + ?3 * INTERVAL '1 microsecond'
        WHERE id = ?1 AND node = ?2"

    // Removes the events up to the newest one above the limit. A batch is removed as a whole, if no process holds it.
    trim_outbox: "
        WITH last AS MATERIALIZED (
            SELECT o.pk FROM {prefix}outbox o ORDER BY o.pk DESC LIMIT 1 OFFSET ?1
        ), excess AS MATERIALIZED (
            SELECT b.pk FROM {prefix}batches b
            WHERE (b.node IS NULL OR b.lease_until <= clock_timestamp()) AND EXISTS (
                SELECT FROM {prefix}outbox o
                WHERE o.batch_pk = b.pk AND o.pk <= (SELECT pk FROM last) OFFSET 0
            )
            ORDER BY b.pk
            FOR UPDATE SKIP LOCKED
        ), gone AS MATERIALIZED (
            DELETE FROM {prefix}batches b
            WHERE b.pk = ANY ((SELECT array_agg(pk) FROM excess)::bigint[])
            RETURNING b.pk
        ), batched AS MATERIALIZED (
            DELETE FROM {prefix}outbox o
            WHERE o.batch_pk = ANY ((SELECT array_agg(pk) FROM gone)::bigint[])
            RETURNING 1
        ), waiting AS MATERIALIZED (
            DELETE FROM {prefix}outbox o WHERE o.batch_pk IS NULL AND o.pk <= (SELECT pk FROM last) RETURNING 1
        )
        SELECT (SELECT count(*) FROM batched) + (SELECT count(*) FROM waiting)"

    clock: "SELECT {micros clock_timestamp()}"

    ping: "SELECT 1::bigint"
}
