//! All SQL statements of the store, rendered once with the table prefix.

use crate::store::TablePrefix;
use crate::store::sql::{Dialect, Reads, statements};
use std::sync::Arc;

/// SQLite's syntax. Most columns need no conversion.
pub(super) const DIALECT: Dialect = Dialect {
    parameter: '?',
    // With a cross join, the planner keeps the order of the tables.
    join: "CROSS JOIN",
    json: str::to_owned,
    array: |values| format!("json_group_array({values})"),
    listed: |list| format!("(SELECT value FROM json_each({list}))"),
    micros: str::to_owned,
    flag: str::to_owned,
};

/// Renders a statement with the prefix and the lists of columns.
pub(super) fn render(sql: &str, prefix: &TablePrefix) -> String {
    DIALECT.render(sql, prefix)
}

/// All statements: those that only read, and those of the writer.
#[derive(Debug)]
pub(super) struct Statements {
    pub(super) reads: Arc<Reads>,
    pub(super) writes: Writes,
    /// The number of executed statements.
    #[cfg(test)]
    pub(super) executed: std::sync::atomic::AtomicUsize,
}

impl Statements {
    pub(super) fn new(prefix: &TablePrefix) -> Self {
        let render = |sql: &str| render(sql, prefix);
        Self {
            reads: Arc::new(Reads::new(render)),
            writes: Writes::new(render),
            #[cfg(test)]
            executed: std::sync::atomic::AtomicUsize::default(),
        }
    }

    /// Counts a statement that is executed.
    #[cfg(test)]
    pub(super) fn count(&self) {
        self.executed
            .fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    }

    /// Returns all statements with their names.
    #[cfg(test)]
    pub(super) fn all(&self) -> Vec<(&'static str, &str)> {
        [self.reads.all(), self.writes.all()].concat()
    }
}

statements! {
    /// The statements of the writer.
    Writes:

    // Scopes and their counters.

    insert_workspace: "
        INSERT INTO {prefix}workspaces (worker_id, organization_id, workspace_id) VALUES (?1, ?2, ?3)
        ON CONFLICT DO NOTHING"

    insert_scope: "
        INSERT INTO {prefix}scopes (workspace_pk, agent)
        SELECT pk, ?4 FROM {prefix}workspaces
        WHERE worker_id = ?1 AND organization_id = ?2 AND workspace_id = ?3"

    count_threads: "UPDATE {prefix}scopes SET threads = threads + ?2 WHERE pk = ?1"

    count_participant: "
        INSERT INTO {prefix}participant_counts (scope_pk, participant, threads) VALUES (?1, ?2, 1)
        ON CONFLICT DO UPDATE SET threads = threads + 1"

    uncount_participant: "
        UPDATE {prefix}participant_counts SET threads = threads - 1 WHERE scope_pk = ?1 AND participant = ?2"

    forget_participant: "
        DELETE FROM {prefix}participant_counts WHERE scope_pk = ?1 AND participant = ?2 AND threads = 0"

    // The newest times in a scope's lists of threads and runs.
    newest: "
        SELECT (SELECT max(t.last_event_at) FROM {prefix}threads t WHERE t.scope_pk = ?1),
            (SELECT max(r.started_at) FROM {prefix}runs r WHERE r.scope_pk = ?1)"

    // Threads.

    has_thread: "SELECT pk FROM {prefix}threads WHERE id = ?1"

    insert_thread: "
        INSERT INTO {prefix}threads
            (id, scope_pk, owner, users, metadata, created_at, updated_at, last_event_at, rev, row_rev, last_seq,
             title)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?8, 1, 1, 0, ?7)"

    advance_thread: "UPDATE {prefix}threads SET rev = ?2, row_rev = ?3, last_seq = ?4 WHERE pk = ?1"

    // Separate from `advance_thread`, because it moves entries of an index.
    touch_thread: "
        UPDATE {prefix}threads SET rev = ?2, row_rev = ?3, last_seq = ?4, last_event_at = ?5 WHERE pk = ?1"

    touch_participants: "UPDATE {prefix}participants SET last_event_at = ?2 WHERE thread_pk = ?1"

    describe_thread: "
        UPDATE {prefix}threads SET users = coalesce(?2, users), title = ?3, metadata = ?4, updated_at = ?5 WHERE pk = ?1"

    insert_participant: "
        INSERT INTO {prefix}participants (thread_pk, place, participant, scope_pk, last_event_at, thread_id)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)"

    delete_thread: "DELETE FROM {prefix}threads WHERE pk = ?1"

    // Events.

    insert_event: "
        INSERT INTO {prefix}events
            (id, thread_pk, seq, first_rev, rev, run_id, kind, actor, author, sender, content, data, created_at,
             streaming, finalized, client_event_id, answers, delta_seq, open_in)
        VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)"

    // The streaming events of the turn of the message ?2. Without the hint, the planner scans the whole thread.

    open_events: "
        SELECT {event} FROM {prefix}events e INDEXED BY {prefix}events_open
        WHERE e.thread_pk = ?1 AND e.open_in = ?2
        ORDER BY e.seq"

    write_text: "
        UPDATE {prefix}events SET content = ?4, delta_seq = ?5
        WHERE thread_pk = ?1 AND open_in = ?2 AND id = ?3"

    finalize_event: "
        UPDATE {prefix}events
        SET content = ?4, rev = ?5, streaming = NULL, finalized = 1, delta_seq = NULL, open_in = NULL
        WHERE thread_pk = ?1 AND open_in = ?2 AND id = ?3"

    event_at: "SELECT {event} FROM {prefix}events e WHERE e.thread_pk = ?1 AND e.seq = ?2"

    answer: "SELECT e.seq FROM {prefix}events e WHERE e.thread_pk = ?1 AND e.answers = ?2"

    reopen_form: "UPDATE {prefix}events SET answers = NULL WHERE id = ?2 AND thread_pk = ?1"

    has_event: "SELECT pk FROM {prefix}events WHERE id = ?1"

    replace_event: "
        UPDATE {prefix}events SET rev = ?3, kind = ?4, content = ?5, data = ?6, deleted = ?7
        WHERE thread_pk = ?1 AND seq = ?2"

    // Runs.

    has_run: "SELECT pk FROM {prefix}runs WHERE id = ?1"

    delete_run: "DELETE FROM {prefix}runs WHERE id = ?2 AND thread_pk = ?1"

    insert_run: "
        INSERT INTO {prefix}runs
            (thread_pk, id, event_id, first_rev, rev, agent_id, status, started_at, ended_at, error, scope_pk,
             usage)
        VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"

    update_run: "
        UPDATE {prefix}runs SET rev = ?3, agent_id = ?4, status = ?5, ended_at = ?6, error = ?7, usage = ?8
        WHERE id = ?2 AND thread_pk = ?1"

    open_runs: "
        SELECT {run} FROM {prefix}runs r
        WHERE r.thread_pk = ?1 AND r.status = 'running' AND r.event_id = ?2
        ORDER BY r.first_rev"

    // Turns.

    insert_turn: "
        INSERT INTO {prefix}turns
            (thread_pk, seq, event_id, state, attempt, fence, node, lease_until, retries, slot, sealed, identity)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"

    oldest_turn: "SELECT {turn} FROM {prefix}turns u WHERE u.thread_pk = ?1 ORDER BY u.seq LIMIT 1"

    waiting_turns: "
        SELECT {turn} FROM {prefix}turns u
        WHERE u.thread_pk = ?1 AND u.state = 'queued'
        ORDER BY u.seq"

    running_turns: "
        SELECT {turn} FROM {prefix}turns u INDEXED BY {prefix}turns_running
        WHERE u.thread_pk = ?1 AND u.state = 'running'
        ORDER BY u.slot"

    count_waiting: "SELECT count(*) FROM {prefix}turns WHERE thread_pk = ?1 AND state = 'queued'"

    update_turn: "
        UPDATE {prefix}turns
        SET state = ?3, attempt = ?4, fence = ?5, node = ?6, lease_until = ?7, retries = ?8, slot = ?9,
            not_before = ?10, cancel_requested = ?11, questions = ?12
        WHERE thread_pk = ?1 AND seq = ?2"

    renew_leases: "
        UPDATE {prefix}turns INDEXED BY {prefix}turns_running SET lease_until = ?2
        WHERE state = 'running' AND node = ?1"

    held_turns: "
        SELECT t.id, s.agent, w.worker_id, w.organization_id, w.workspace_id, u.event_id, u.fence, u.cancel_requested,
            u.questions
        FROM {prefix}turns u INDEXED BY {prefix}turns_running
        CROSS JOIN {prefix}threads t ON t.pk = u.thread_pk
        CROSS JOIN {prefix}scopes s ON s.pk = t.scope_pk
        CROSS JOIN {prefix}workspaces w ON w.pk = s.workspace_pk
        WHERE u.state = 'running' AND u.node = ?1"

    delete_turn: "DELETE FROM {prefix}turns WHERE thread_pk = ?1 AND seq = ?2"

    turn_of: "SELECT {turn} FROM {prefix}turns u WHERE u.thread_pk = ?1 AND u.event_id = ?2"

    // Feedback.

    feedback_of: "
        SELECT {feedback} FROM {prefix}feedback f
        WHERE f.thread_pk = ?1 AND f.participant = ?2 AND f.target_type = ?3 AND f.target_id = ?4"

    put_feedback: "
        INSERT INTO {prefix}feedback
            (thread_pk, participant, target_type, target_id, id, scope_pk, user_id, opinion, reason, classification,
             created_at, updated_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
        ON CONFLICT (thread_pk, participant, target_type, target_id) DO UPDATE SET
            opinion = excluded.opinion, reason = excluded.reason, classification = excluded.classification,
            updated_at = excluded.updated_at"

    delete_feedback: "DELETE FROM {prefix}feedback WHERE thread_pk = ?1 AND target_type = ?2 AND target_id = ?3"

    // Usage.

    insert_usage: "
        INSERT INTO {prefix}usage
            (id, scope_pk, thread_id, run_id, user_id, model, input_tokens, output_tokens, cached_tokens, currency,
             cost_units, cost_picos, used_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)"

    add_total: "
        INSERT INTO {prefix}usage_totals AS t
            (owner_type, owner_id, user_id, day, currency, tokens, cost_units, cost_picos)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
        ON CONFLICT (owner_type, owner_id, user_id, day, currency) DO UPDATE SET
            tokens = t.tokens + excluded.tokens,
            cost_units = t.cost_units + excluded.cost_units + (t.cost_picos + excluded.cost_picos) / 1000000000000,
            cost_picos = (t.cost_picos + excluded.cost_picos) % 1000000000000"

    spent: "
        SELECT t.currency, t.tokens, t.cost_units, t.cost_picos FROM {prefix}usage_totals t
        WHERE t.owner_type = ?1 AND t.owner_id = ?2 AND t.user_id = ?3 AND t.day >= ?4 AND t.day <= ?5"

    // The scopes of threads.

    threads_with_turns: "
        SELECT t.id, s.agent, w.worker_id, w.organization_id, w.workspace_id
        FROM (SELECT DISTINCT thread_pk FROM {prefix}turns) u
        CROSS JOIN {prefix}threads t ON t.pk = u.thread_pk
        CROSS JOIN {prefix}scopes s ON s.pk = t.scope_pk
        CROSS JOIN {prefix}workspaces w ON w.pk = s.workspace_pk
        ORDER BY t.pk"

    threads_with_lost_turns: "
        SELECT t.id, s.agent, w.worker_id, w.organization_id, w.workspace_id
        FROM (
            SELECT DISTINCT thread_pk FROM {prefix}turns INDEXED BY {prefix}turns_running
            WHERE state = 'running' AND lease_until <= ?1
        ) u
        CROSS JOIN {prefix}threads t ON t.pk = u.thread_pk
        CROSS JOIN {prefix}scopes s ON s.pk = t.scope_pk
        CROSS JOIN {prefix}workspaces w ON w.pk = s.workspace_pk
        ORDER BY t.pk"

    // Messages that clients sent.

    sent: "
        SELECT x.thread_id, x.event_id
        FROM {prefix}workspaces w CROSS JOIN {prefix}sent x ON x.workspace_pk = w.pk
        WHERE w.worker_id = ?1 AND w.organization_id = ?2 AND w.workspace_id = ?3
            AND x.participant = ?4 AND x.client_event_id = ?5"

    insert_sent: "
        INSERT INTO {prefix}sent (workspace_pk, participant, client_event_id, thread_id, event_id)
        SELECT w.pk, ?4, ?5, ?6, ?7 FROM {prefix}workspaces w
        WHERE w.worker_id = ?1 AND w.organization_id = ?2 AND w.workspace_id = ?3"

    // The messages of a thread that may be sent again, with their senders.
    sent_in: "
        SELECT e.client_event_id, e.sender ->> 'user_id' FROM {prefix}events e
        WHERE e.thread_pk = ?1 AND e.client_event_id IS NOT NULL"

    mark_sent: "
        UPDATE {prefix}sent SET deleted_at = ?5
        WHERE workspace_pk = ?1 AND participant = ?2 AND client_event_id = ?3 AND thread_id = ?4"

    // Needed after the clock was set back.
    mark_sent_ahead: "UPDATE {prefix}sent SET deleted_at = ?1 WHERE deleted_at > ?1"

    forget_sent: "
        DELETE FROM {prefix}sent WHERE (workspace_pk, participant, client_event_id) IN (
            SELECT workspace_pk, participant, client_event_id FROM {prefix}sent
            WHERE deleted_at < ?1 ORDER BY deleted_at LIMIT ?2
        )"

    // The outbox. A batch is claimed unless another process holds it (?2 is the time, ?3 the end of a lease that begins
    // now, so that a later end comes from a clock that was set back) or it waits (until ?4 at the latest).

    insert_outbox: "INSERT INTO {prefix}outbox (worker_id, event, stored_at) VALUES (?1, ?2, ?3)"

    release_batches: "UPDATE {prefix}batches SET node = NULL, lease_until = NULL"

    claim_batch: "
        UPDATE {prefix}batches
        SET node = ?1, lease_until = ?3, attempt = attempt + 1, not_before = NULL
        WHERE pk = (
            SELECT b.pk FROM {prefix}batches b
            WHERE (b.node IS NULL OR b.node = ?1 OR b.lease_until <= ?2 OR b.lease_until > ?3)
                AND (b.not_before IS NULL OR b.not_before <= ?2 OR b.not_before > ?4)
            ORDER BY b.pk LIMIT 1
        )
        RETURNING pk, id, worker_id, attempt"

    waiting_batch: "SELECT 1 FROM {prefix}batches WHERE not_before > ?1 AND not_before <= ?2 LIMIT 1"

    oldest_outbox: "
        SELECT worker_id, stored_at FROM {prefix}outbox WHERE batch_pk IS NULL ORDER BY pk LIMIT 1"

    nth_outbox: "SELECT 1 FROM {prefix}outbox WHERE batch_pk IS NULL LIMIT 1 OFFSET ?1"

    outbox_sizes: "
        SELECT pk, octet_length(event) FROM {prefix}outbox
        WHERE batch_pk IS NULL AND worker_id = ?1
        ORDER BY pk LIMIT ?2"

    insert_batch: "
        INSERT INTO {prefix}batches (id, worker_id, attempt, node, lease_until) VALUES (?1, ?2, 1, ?3, ?4)"

    fill_batch: "
        UPDATE {prefix}outbox SET batch_pk = ?1 WHERE batch_pk IS NULL AND worker_id = ?2 AND pk <= ?3"

    batched_events: "SELECT event FROM {prefix}outbox WHERE batch_pk = ?1 ORDER BY pk"

    remove_batched: "
        DELETE FROM {prefix}outbox WHERE batch_pk = (SELECT b.pk FROM {prefix}batches b WHERE b.id = ?1)"

    remove_batch: "DELETE FROM {prefix}batches WHERE id = ?1"

    retry_batch: "
        UPDATE {prefix}batches SET node = NULL, lease_until = NULL, not_before = ?3 WHERE id = ?1 AND node = ?2"

    // The newest event above a limit, and the removal of the events up to it.

    newest_excess: "SELECT pk FROM {prefix}outbox ORDER BY pk DESC LIMIT 1 OFFSET ?1"

    drop_waiting: "DELETE FROM {prefix}outbox WHERE batch_pk IS NULL AND pk <= ?1"

    excess_batches: "
        SELECT b.pk FROM {prefix}batches b
        WHERE b.node IS NULL AND EXISTS (SELECT 1 FROM {prefix}outbox o WHERE o.batch_pk = b.pk AND o.pk <= ?1)"

    drop_batched: "DELETE FROM {prefix}outbox WHERE batch_pk = ?1"

    drop_batch: "DELETE FROM {prefix}batches WHERE pk = ?1"

    // Processes.

    report_node: "
        INSERT INTO {prefix}nodes (id, state, started_at, seen_at, alive_until, version, schema_version, broker,
            is_connected, malformed_messages, connections, running_turns, host, process_id)
        VALUES (?1, ?2, ?3, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
        ON CONFLICT (id) DO UPDATE SET state = excluded.state, seen_at = excluded.seen_at,
            alive_until = excluded.alive_until, version = excluded.version, schema_version = excluded.schema_version,
            broker = excluded.broker, is_connected = excluded.is_connected,
            malformed_messages = excluded.malformed_messages, connections = excluded.connections,
            running_turns = excluded.running_turns, host = excluded.host, process_id = excluded.process_id"

    nodes: "
        SELECT n.id, n.state, n.started_at, n.seen_at, n.alive_until > ?1, n.version, n.schema_version, n.broker,
            n.is_connected, n.malformed_messages, n.connections, n.running_turns, n.host, n.process_id
        FROM {prefix}nodes n"

    remove_node: "DELETE FROM {prefix}nodes WHERE id = ?1"

    remove_dead_nodes: "DELETE FROM {prefix}nodes WHERE alive_until < ?1"

    bury_nodes: "UPDATE {prefix}nodes SET alive_until = ?1 WHERE alive_until > ?1"

    // Tests that the first page can be read.

    ping: "PRAGMA schema_version"

    // Tests that there is room to write.

    clear_spare: "DELETE FROM {prefix}spare"

    fill_spare: "INSERT INTO {prefix}spare (bytes) VALUES (zeroblob(?1))"

    put_setting: "
        INSERT INTO {prefix}settings (agent, worker_id, field_id, value, key_id, updated_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)
        ON CONFLICT (agent, worker_id, field_id) DO UPDATE SET
            value = excluded.value, key_id = excluded.key_id, updated_at = max(updated_at, excluded.updated_at)
        RETURNING updated_at"

    // Tests that a stored value is not sealed.
    has_plain_setting: "
        SELECT key_id IS NULL FROM {prefix}settings WHERE agent = ?1 AND worker_id = ?2 AND field_id = ?3"

    remove_setting: "DELETE FROM {prefix}settings WHERE agent = ?1 AND worker_id = ?2 AND field_id = ?3"
}
