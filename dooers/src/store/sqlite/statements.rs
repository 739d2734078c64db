//! Every SQL statement of the store, rendered once with the tables' prefix.

use super::rows::{EVENT_COLUMNS, RUN_COLUMNS, THREAD_COLUMNS, TURN_COLUMNS, WHOLE_THREAD_COLUMNS};
use crate::store::TablePrefix;
use std::sync::Arc;

macro_rules! statements {
    ($($name:ident: $sql:literal)+) => {
        /// The statements. Parameters are numbered, because SQLite numbers named ones by their first appearance.
        #[derive(Debug)]
        pub(super) struct Statements {
            $(pub(super) $name: Arc<str>,)+
        }

        impl Statements {
            pub(super) fn new(prefix: &TablePrefix) -> Self {
                Self { $($name: render($sql, prefix).into(),)+ }
            }

            /// All of them, with their names.
            #[cfg(test)]
            pub(super) fn all(&self) -> Vec<(&'static str, &str)> {
                vec![$((stringify!($name), &*self.$name),)+]
            }
        }
    };
}

/// The filters of a query for events.
const FOUND: &str = "(?4 IS NULL OR e.actor IN (SELECT value FROM json_each(?4))) \
     AND (?5 IS NULL OR e.kind IN (SELECT value FROM json_each(?5))) \
     AND (?6 IS NULL OR e.sender ->> 'user_id' IN (SELECT value FROM json_each(?6))) \
     AND (?7 IS NULL OR e.run_id IN (SELECT value FROM json_each(?7))) AND (?9 OR e.deleted IS NULL)";

/// The other one who takes part in a thread.
const BOTH: &str = "(?7 = ?6 OR EXISTS (SELECT 1 FROM {prefix}participants o \
     WHERE o.thread_pk = p.thread_pk AND o.participant = ?7))";

/// Runs, and what says which threads they are of.
const RUNS: &str =
    "SELECT {run}, t.id FROM {prefix}runs r CROSS JOIN {prefix}threads t ON t.pk = r.thread_pk";

/// A part of a list of runs.
const NEWEST_RUNS: &str = "(r.started_at, r.id) < (?2, ?3) AND r.started_at >= ?5 AND {runs_found} \
     ORDER BY r.started_at DESC, r.id DESC LIMIT ?4";

/// The same from its other end.
const OLDEST_RUNS: &str = "(r.started_at, r.id) > (?2, ?3) AND r.started_at < ?5 AND {runs_found} \
     ORDER BY r.started_at, r.id LIMIT ?4";

/// The filters of a query for runs.
const RUNS_FOUND: &str = "(?6 IS NULL OR r.status IN (SELECT value FROM json_each(?6))) \
     AND (?7 IS NULL OR r.event_id = ?7) \
     AND (?8 IS NULL OR EXISTS (SELECT 1 FROM {prefix}participants p \
     WHERE p.thread_pk = r.thread_pk AND p.participant = ?8))";

/// Puts the prefix and the lists of columns into a statement.
pub(super) fn render(sql: &str, prefix: &TablePrefix) -> String {
    sql.replace("{runs}", RUNS)
        .replace("{newest_runs}", NEWEST_RUNS)
        .replace("{oldest_runs}", OLDEST_RUNS)
        .replace("{whole_thread}", WHOLE_THREAD_COLUMNS)
        .replace("{thread}", THREAD_COLUMNS)
        .replace("{event}", EVENT_COLUMNS)
        .replace("{run}", RUN_COLUMNS)
        .replace("{turn}", TURN_COLUMNS)
        .replace("{found}", FOUND)
        .replace("{both}", BOTH)
        .replace("{runs_found}", RUNS_FOUND)
        .replace("{prefix}", prefix.as_str())
}

statements! {
    // Scopes and what is counted in them.

    scope: "
        SELECT s.pk, s.threads, s.workspace_pk
        FROM {prefix}workspaces w JOIN {prefix}scopes s ON s.workspace_pk = w.pk
        WHERE w.worker_id = ?1 AND w.organization_id = ?2 AND w.workspace_id = ?3 AND s.agent = ?4"

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

    participant_count: "
        SELECT threads FROM {prefix}participant_counts WHERE scope_pk = ?1 AND participant = ?2"

    // Threads.

    thread: "
        SELECT {whole_thread}
        FROM {prefix}threads t
        JOIN {prefix}scopes s ON s.pk = t.scope_pk
        JOIN {prefix}workspaces w ON w.pk = s.workspace_pk
        WHERE t.id = ?5
            AND w.worker_id = ?1 AND w.organization_id = ?2 AND w.workspace_id = ?3 AND s.agent = ?4"

    has_thread: "SELECT pk FROM {prefix}threads WHERE id = ?1"

    insert_thread: "
        INSERT INTO {prefix}threads
            (id, scope_pk, owner, users, metadata, created_at, updated_at, last_event_at, rev, row_rev, last_seq,
             title)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?6, 1, 1, 0, ?7)"

    advance_thread: "UPDATE {prefix}threads SET rev = ?2, row_rev = ?3, last_seq = ?4 WHERE pk = ?1"

    // A statement of its own, because it moves entries of an index.
    touch_thread: "
        UPDATE {prefix}threads SET rev = ?2, row_rev = ?3, last_seq = ?4, last_event_at = ?5 WHERE pk = ?1"

    touch_participants: "UPDATE {prefix}participants SET last_event_at = ?2 WHERE thread_pk = ?1"

    describe_thread: "
        UPDATE {prefix}threads SET users = ?2, title = ?3, metadata = ?4, updated_at = ?5 WHERE pk = ?1"

    insert_participant: "
        INSERT INTO {prefix}participants (thread_pk, place, participant, scope_pk, last_event_at, thread_id)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)"

    delete_thread: "DELETE FROM {prefix}threads WHERE pk = ?1"

    threads: "
        SELECT {thread} FROM {prefix}threads t
        WHERE t.scope_pk = ?1 AND (t.last_event_at, t.id) < (?2, ?3) AND t.last_event_at >= ?5
        ORDER BY t.last_event_at DESC, t.id DESC
        LIMIT ?4"

    oldest_threads: "
        SELECT {thread} FROM {prefix}threads t
        WHERE t.scope_pk = ?1 AND (t.last_event_at, t.id) > (?2, ?3) AND t.last_event_at < ?5
        ORDER BY t.last_event_at, t.id
        LIMIT ?4"

    // Those in which both take part, who may be the same.

    threads_of_participant: "
        SELECT {thread} FROM {prefix}participants p CROSS JOIN {prefix}threads t ON t.pk = p.thread_pk
        WHERE p.scope_pk = ?1 AND p.participant = ?6
            AND (p.last_event_at, p.thread_id) < (?2, ?3) AND p.last_event_at >= ?5 AND {both}
        ORDER BY p.last_event_at DESC, p.thread_id DESC
        LIMIT ?4"

    oldest_threads_of_participant: "
        SELECT {thread} FROM {prefix}participants p CROSS JOIN {prefix}threads t ON t.pk = p.thread_pk
        WHERE p.scope_pk = ?1 AND p.participant = ?6
            AND (p.last_event_at, p.thread_id) > (?2, ?3) AND p.last_event_at < ?5 AND {both}
        ORDER BY p.last_event_at, p.thread_id
        LIMIT ?4"

    // Events.

    insert_event: "
        INSERT INTO {prefix}events
            (id, thread_pk, seq, first_rev, rev, run_id, kind, actor, author, sender, content, data, created_at,
             streaming, finalized, client_event_id, answers, delta_seq, open_in)
        VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)"

    // Texts that grow, in the turn of the message ?2.

    open_events: "SELECT {event} FROM {prefix}events e WHERE e.thread_pk = ?1 AND e.open_in = ?2 ORDER BY e.seq"

    write_text: "
        UPDATE {prefix}events SET content = ?4, delta_seq = ?5
        WHERE thread_pk = ?1 AND open_in = ?2 AND id = ?3"

    finalize_event: "
        UPDATE {prefix}events
        SET content = ?4, rev = ?5, streaming = NULL, finalized = 1, delta_seq = NULL, open_in = NULL
        WHERE thread_pk = ?1 AND open_in = ?2 AND id = ?3"

    event: "SELECT {event} FROM {prefix}events e WHERE e.id = ?2 AND e.thread_pk = ?1"

    event_at: "SELECT {event} FROM {prefix}events e WHERE e.thread_pk = ?1 AND e.seq = ?2"

    event_place: "SELECT e.seq, e.first_rev FROM {prefix}events e WHERE e.id = ?2 AND e.thread_pk = ?1"

    answer: "SELECT e.seq FROM {prefix}events e WHERE e.thread_pk = ?1 AND e.answers = ?2"

    events_between: "
        SELECT {event} FROM {prefix}events e
        WHERE e.thread_pk = ?1 AND e.seq > ?2 AND e.seq <= ?3
        ORDER BY e.seq"

    // Those behind ?2 and before ?3 that pass the filters: JSON arrays, or null for everything.

    newest_found: "
        SELECT {event} FROM {prefix}events e
        WHERE e.thread_pk = ?1 AND e.seq > ?2 AND e.seq < ?3 AND {found}
        ORDER BY e.seq DESC LIMIT ?8"

    oldest_found: "
        SELECT {event} FROM {prefix}events e
        WHERE e.thread_pk = ?1 AND e.seq > ?2 AND e.seq < ?3 AND {found}
        ORDER BY e.seq LIMIT ?8"

    // The last of the events behind ?2, up to ?3, that was made before ?4.
    last_made_before: "
        SELECT e.seq, e.first_rev FROM {prefix}events e
        WHERE e.thread_pk = ?1 AND e.seq > ?2 AND e.seq <= ?3 AND e.first_rev < ?4
        ORDER BY e.seq DESC LIMIT 1"

    // `+` keeps the planner from walking through all of them by `seq`: few were edited.
    events_edited: "
        SELECT {event} FROM {prefix}events e
        WHERE e.thread_pk = ?1 AND e.rev <> e.first_rev AND +e.seq >= ?2 AND +e.seq <= ?3
            AND e.rev >= ?4 AND e.rev <= ?5
        ORDER BY e.rev"

    // The first edit since ?4, and the first event that was edited.
    first_edited: "
        SELECT min(e.rev), min(e.seq) FROM {prefix}events e
        WHERE e.thread_pk = ?1 AND e.rev <> e.first_rev AND +e.seq >= ?2 AND +e.seq <= ?3 AND e.rev > ?4"

    has_event: "SELECT pk FROM {prefix}events WHERE id = ?1"

    replace_event: "
        UPDATE {prefix}events SET rev = ?3, kind = ?4, content = ?5, data = ?6, deleted = ?7
        WHERE thread_pk = ?1 AND seq = ?2"

    // Runs.

    upsert_run: "
        INSERT INTO {prefix}runs
            (thread_pk, id, event_id, first_rev, rev, agent_id, status, started_at, ended_at, error, scope_pk)
        VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
        ON CONFLICT (id, thread_pk) DO UPDATE SET
            rev = excluded.rev, agent_id = excluded.agent_id, status = excluded.status,
            ended_at = excluded.ended_at, error = excluded.error
        RETURNING started_at, event_id"

    run: "SELECT {run} FROM {prefix}runs r WHERE r.id = ?2 AND r.thread_pk = ?1"

    has_run: "SELECT pk FROM {prefix}runs WHERE id = ?1"

    delete_run: "DELETE FROM {prefix}runs WHERE id = ?2 AND thread_pk = ?1"

    newest_runs: "{runs} WHERE r.scope_pk = ?1 AND {newest_runs}"

    oldest_runs: "{runs} WHERE r.scope_pk = ?1 AND {oldest_runs}"

    // Those of one thread are few enough to be sorted.

    newest_runs_of_thread: "{runs} WHERE r.thread_pk = ?1 AND {newest_runs}"

    oldest_runs_of_thread: "{runs} WHERE r.thread_pk = ?1 AND {oldest_runs}"

    open_runs: "
        SELECT {run} FROM {prefix}runs r
        WHERE r.thread_pk = ?1 AND r.status = 'running' AND r.event_id = ?2
        ORDER BY r.first_rev"

    // Those of the events behind ?2 up to ?3, any that goes on, and those begun up to ?5 that changed since ?4.
    runs_shown: "
        SELECT {run} FROM {prefix}runs r
        WHERE r.thread_pk = ?1 AND r.id IN (
            SELECT open.id FROM {prefix}runs open WHERE open.thread_pk = ?1 AND open.status = 'running'
            UNION
            SELECT changed.id FROM {prefix}runs changed
            WHERE changed.thread_pk = ?1 AND changed.status IN ('succeeded', 'failed', 'canceled')
                AND changed.rev > ?4 AND changed.first_rev <= ?5
            UNION
            SELECT e.run_id FROM {prefix}events e
            WHERE e.thread_pk = ?1 AND e.seq > ?2 AND e.seq <= ?3 AND e.run_id IS NOT NULL
        )
        ORDER BY r.first_rev"

    runs_changed: "
        SELECT {run} FROM {prefix}runs r
        WHERE r.thread_pk = ?1 AND r.status IN ('running', 'succeeded', 'failed', 'canceled')
            AND r.rev >= ?2 AND r.rev <= ?3"

    // Turns.

    insert_turn: "
        INSERT INTO {prefix}turns
            (thread_pk, seq, event_id, state, attempt, fence, node, lease_until, retries, slot)
        VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6, ?7, ?8, ?9)"

    oldest_turn: "SELECT {turn} FROM {prefix}turns u WHERE u.thread_pk = ?1 ORDER BY u.seq LIMIT 1"

    waiting_turns: "
        SELECT {turn} FROM {prefix}turns u
        WHERE u.thread_pk = ?1 AND u.state = 'queued'
        ORDER BY u.seq LIMIT ?2"

    running_turns: "
        SELECT {turn} FROM {prefix}turns u INDEXED BY {prefix}turns_running
        WHERE u.thread_pk = ?1 AND u.state = 'running'
        ORDER BY u.slot"

    count_waiting: "SELECT count(*) FROM {prefix}turns WHERE thread_pk = ?1 AND state = 'queued'"

    start_turn: "
        UPDATE {prefix}turns
        SET state = 'running', fence = ?3, attempt = ?4, node = ?5, lease_until = ?6, retries = ?7, slot = ?8
        WHERE thread_pk = ?1 AND seq = ?2"

    requeue_turn: "
        UPDATE {prefix}turns SET state = 'queued', node = NULL, lease_until = NULL, slot = 0, not_before = ?3
        WHERE thread_pk = ?1 AND seq = ?2"

    held_turn: "
        SELECT seq FROM {prefix}turns
        WHERE thread_pk = ?1 AND state = 'running' AND event_id = ?2 AND fence = ?3"

    renew_leases: "
        UPDATE {prefix}turns INDEXED BY {prefix}turns_running SET lease_until = ?2
        WHERE state = 'running' AND node = ?1
        RETURNING event_id, cancel_requested"

    end_turn: "DELETE FROM {prefix}turns WHERE thread_pk = ?1 AND seq = ?2"

    turn_of: "SELECT {turn} FROM {prefix}turns u WHERE u.thread_pk = ?1 AND u.event_id = ?2"

    mark_turn_cancelled: "UPDATE {prefix}turns SET cancel_requested = 1 WHERE thread_pk = ?1 AND seq = ?2"

    // Where a run or an event lies, and the message that the run answers, if it goes on.

    run_place: "
        SELECT t.id, s.agent, w.worker_id, w.organization_id, w.workspace_id,
            CASE r.status WHEN 'running' THEN r.event_id END
        FROM {prefix}runs r
        CROSS JOIN {prefix}threads t ON t.pk = r.thread_pk
        CROSS JOIN {prefix}scopes s ON s.pk = t.scope_pk
        CROSS JOIN {prefix}workspaces w ON w.pk = s.workspace_pk
        WHERE r.id = ?1"

    event_thread: "
        SELECT t.id, s.agent, w.worker_id, w.organization_id, w.workspace_id, e.id
        FROM {prefix}events e
        CROSS JOIN {prefix}threads t ON t.pk = e.thread_pk
        CROSS JOIN {prefix}scopes s ON s.pk = t.scope_pk
        CROSS JOIN {prefix}workspaces w ON w.pk = s.workspace_pk
        WHERE e.id = ?1"

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
            WHERE state = 'running' AND lease_until < ?1
        ) u
        CROSS JOIN {prefix}threads t ON t.pk = u.thread_pk
        CROSS JOIN {prefix}scopes s ON s.pk = t.scope_pk
        CROSS JOIN {prefix}workspaces w ON w.pk = s.workspace_pk
        ORDER BY t.pk"

    // What clients sent.

    sent: "
        SELECT x.thread_id, x.event_id
        FROM {prefix}workspaces w CROSS JOIN {prefix}sent x ON x.workspace_pk = w.pk
        WHERE w.worker_id = ?1 AND w.organization_id = ?2 AND w.workspace_id = ?3
            AND x.participant = ?4 AND x.client_event_id = ?5"

    insert_sent: "
        INSERT INTO {prefix}sent (workspace_pk, participant, client_event_id, thread_id, event_id)
        VALUES (?1, ?2, ?3, ?4, ?5)"

    // Whether it can be read: the first page says how many there are.

    ping: "PRAGMA schema_version"

    // Settings.

    settings: "
        SELECT x.field_id, x.value, x.key_id, x.updated_at FROM {prefix}settings x
        WHERE x.agent = ?1 AND x.worker_id = ?2
        ORDER BY x.field_id"

    put_setting: "
        INSERT INTO {prefix}settings (agent, worker_id, field_id, value, key_id, updated_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)
        ON CONFLICT (agent, worker_id, field_id) DO UPDATE SET
            value = excluded.value, key_id = excluded.key_id, updated_at = max(updated_at, excluded.updated_at)
        RETURNING updated_at"

    remove_setting: "DELETE FROM {prefix}settings WHERE agent = ?1 AND worker_id = ?2 AND field_id = ?3"

    setting_keys: "SELECT DISTINCT x.key_id FROM {prefix}settings x WHERE x.key_id IS NOT NULL ORDER BY x.key_id"
}
