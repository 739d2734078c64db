//! The statements that both databases share: all statements that only read.
//!
//! Their text differs only in the parts in braces and in the sign of a parameter.

use super::rows::{
    EVENT_COLUMN_COUNT, EVENT_COLUMNS, FEEDBACK_COLUMNS, RUN_COLUMN_COUNT, RUN_COLUMNS,
    THREAD_COLUMNS, WHOLE_THREAD_COLUMNS,
};
use super::turns::TURN_COLUMNS;
use crate::store::TablePrefix;
use std::sync::Arc;

/// The syntax that differs between databases.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dialect {
    /// The first character of a parameter.
    pub(crate) parameter: char,
    /// `{join}`: a join that reads the table after the one before it.
    pub(crate) join: &'static str,
    /// `{json …}`: a JSON column as text.
    pub(crate) json: fn(&str) -> String,
    /// `{array …}`: the texts of several rows, as one JSON array.
    pub(crate) array: fn(&str) -> String,
    /// `{listed …}`: the values of a JSON array, as a list.
    pub(crate) listed: fn(&str) -> String,
    /// `{micros …}`: a time in microseconds since 1970.
    pub(crate) micros: fn(&str) -> String,
    /// `{flag …}`: a boolean as a number.
    pub(crate) flag: fn(&str) -> String,
}

impl Dialect {
    /// Inserts the prefix, the lists of columns and the syntax of the database into a statement.
    pub(crate) fn render(&self, sql: &str, prefix: &TablePrefix) -> String {
        let mut rendered = sql
            .replace("{event_size}", EVENT_SIZE)
            .replace("{thread_size}", THREAD_SIZE)
            .replace("{run_size}", &run_size("r"))
            .replace("{named_size}", &run_size("named"))
            .replace("{answer_size}", &run_size("answer"))
            .replace("{runs}", RUNS)
            .replace("{runs_of_events}", RUNS_OF_EVENTS)
            .replace("{newest_runs}", NEWEST_RUNS)
            .replace("{oldest_runs}", OLDEST_RUNS)
            .replace("{runs_found}", RUNS_FOUND)
            .replace("{all_feedback}", ALL_FEEDBACK)
            .replace("{newest_feedback}", NEWEST_FEEDBACK)
            .replace("{oldest_feedback}", OLDEST_FEEDBACK)
            .replace("{feedback_found}", FEEDBACK_FOUND)
            .replace("{both}", BOTH)
            .replace("{thread_by_id}", THREAD_BY_ID)
            .replace("{within}", WITHIN)
            .replace("{seen}", SEEN)
            .replace("{whole_thread}", WHOLE_THREAD_COLUMNS)
            .replace("{thread}", THREAD_COLUMNS)
            .replace("{event}", EVENT_COLUMNS)
            .replace("{run}", RUN_COLUMNS)
            .replace("{no_event}", &nulls(EVENT_COLUMN_COUNT))
            .replace("{no_run}", &nulls(RUN_COLUMN_COUNT))
            .replace("{turn}", TURN_COLUMNS)
            .replace("{feedback}", FEEDBACK_COLUMNS)
            .replace("{found}", FOUND)
            .replace("{join}", self.join)
            .replace("{prefix}", prefix.as_str())
            .replace('?', &self.parameter.to_string());
        for (word, write) in [
            ("{json ", self.json),
            ("{array ", self.array),
            ("{listed ", self.listed),
            ("{micros ", self.micros),
            ("{flag ", self.flag),
        ] {
            while let Some((before, (inside, after))) = rendered
                .split_once(word)
                .and_then(|(before, rest)| Some((before, rest.split_once('}')?)))
            {
                rendered = format!("{before}{}{after}", write(inside));
            }
        }
        rendered
    }
}

/// The bytes of an event's large columns. Both databases return the length without reading the value.
const EVENT_SIZE: &str = "CAST(coalesce(octet_length({json e.sender}), 0) AS BIGINT) \
     + coalesce(octet_length({json e.content}), 0) + coalesce(octet_length({json e.data}), 0)";

/// The bytes of a thread's large columns. PostgreSQL writes users with blanks, which are less than half of the text.
const THREAD_SIZE: &str = "CAST(octet_length({json t.owner}) AS BIGINT) / 2 + octet_length({json t.users}) / 2 \
     + coalesce(octet_length(t.title), 0) + coalesce(octet_length({json t.metadata}), 0)";

/// Returns this many columns that are null.
fn nulls(columns: usize) -> String {
    vec!["NULL"; columns].join(", ")
}

/// Returns the bytes of the large columns of the run with this alias.
fn run_size(run: &str) -> String {
    format!(
        "CAST(coalesce(octet_length({run}.error), 0) AS BIGINT) + coalesce(octet_length({{json {run}.usage}}), 0)"
    )
}

/// The runs of the events of a thread after ?2 up to ?3: those that an event names, and those that answer it.
const RUNS_OF_EVENTS: &str = "SELECT e.run_id FROM {prefix}events e \
     WHERE e.thread_pk = ?1 AND e.seq > ?2 AND e.seq <= ?3 AND e.run_id IS NOT NULL \
     UNION \
     SELECT answer.id FROM {prefix}events e {join} {prefix}runs answer \
     ON answer.event_id = e.id AND answer.thread_pk = e.thread_pk \
     WHERE e.thread_pk = ?1 AND e.seq > ?2 AND e.seq <= ?3";

/// The filters of a query for events.
const FOUND: &str = "(CAST(?4 AS TEXT) IS NULL OR e.actor IN {listed ?4}) \
     AND (CAST(?5 AS TEXT) IS NULL OR e.kind IN {listed ?5}) \
     AND (CAST(?6 AS TEXT) IS NULL OR e.sender ->> 'user_id' IN {listed ?6}) \
     AND (CAST(?7 AS TEXT) IS NULL OR e.run_id IN {listed ?7}) AND (?9 = 1 OR e.deleted IS NULL)";

/// The condition for the second participant of a thread.
const BOTH: &str = "(?7 = ?6 OR EXISTS (SELECT 1 FROM {prefix}participants o \
     WHERE o.thread_pk = p.thread_pk AND o.participant = ?7))";

/// Runs with the ids of their threads.
const RUNS: &str =
    "SELECT {run}, t.id FROM {prefix}runs r {join} {prefix}threads t ON t.pk = r.thread_pk";

/// A part of a list of runs, newest first.
const NEWEST_RUNS: &str = "(r.started_at, r.id) < (?2, ?3) AND r.started_at >= ?5 AND {runs_found} \
     ORDER BY r.started_at DESC, r.id DESC LIMIT ?4";

/// A part of a list of runs, oldest first.
const OLDEST_RUNS: &str = "(r.started_at, r.id) > (?2, ?3) AND r.started_at < ?5 AND {runs_found} \
     ORDER BY r.started_at, r.id LIMIT ?4";

/// The filters of a query for runs.
const RUNS_FOUND: &str = "(CAST(?6 AS TEXT) IS NULL OR r.status IN {listed ?6}) \
     AND (CAST(?7 AS TEXT) IS NULL OR r.event_id = ?7) \
     AND (CAST(?8 AS TEXT) IS NULL OR EXISTS (SELECT 1 FROM {prefix}participants p \
     WHERE p.thread_pk = r.thread_pk AND p.participant = ?8))";

/// Feedback with the ids of its threads.
const ALL_FEEDBACK: &str = "SELECT {feedback}, t.id FROM {prefix}feedback f {join} {prefix}threads t ON t.pk = f.thread_pk";

/// A part of a list of feedback, newest first.
const NEWEST_FEEDBACK: &str = "(f.updated_at, f.id) < (?2, ?3) AND f.updated_at >= ?5 AND {feedback_found} \
     ORDER BY f.updated_at DESC, f.id DESC LIMIT ?4";

/// A part of a list of feedback, oldest first.
const OLDEST_FEEDBACK: &str = "(f.updated_at, f.id) > (?2, ?3) AND f.updated_at < ?5 AND {feedback_found} \
     ORDER BY f.updated_at, f.id LIMIT ?4";

/// The filters of a query for feedback.
const FEEDBACK_FOUND: &str = "(CAST(?6 AS TEXT) IS NULL OR f.target_type = ?6) \
     AND (CAST(?7 AS TEXT) IS NULL OR f.opinion = ?7) AND (CAST(?8 AS TEXT) IS NULL OR f.user_id = ?8) \
     AND (CAST(?9 AS TEXT) IS NULL OR EXISTS (SELECT 1 FROM {prefix}participants p \
     WHERE p.thread_pk = f.thread_pk AND p.participant = ?9))";

/// The condition that a thread lies in a scope. If the parameters are null, every thread does.
const WITHIN: &str = "(CAST(?2 AS TEXT) IS NULL \
     OR w.worker_id = ?2 AND w.organization_id = ?3 AND w.workspace_id = ?4 AND s.agent = ?5)";

/// The condition that a viewer may see a thread. If the parameter is null, every thread is visible.
const SEEN: &str = "(CAST(?6 AS TEXT) IS NULL OR EXISTS (SELECT 1 FROM {prefix}participants v \
     WHERE v.thread_pk = t.pk AND v.participant = ?6))";

/// The thread with an id, if it is visible in a scope.
const THREAD_BY_ID: &str = "FROM {prefix}threads t JOIN {prefix}scopes s ON s.pk = t.scope_pk \
     JOIN {prefix}workspaces w ON w.pk = s.workspace_pk \
     WHERE t.id = ?5 AND w.worker_id = ?1 AND w.organization_id = ?2 AND w.workspace_id = ?3 AND s.agent = ?4 \
     AND {seen}";

/// Defines a struct of statements. Each statement is a text that is rendered once.
macro_rules! statements {
    ($(#[$doc:meta])* $set:ident: $($name:ident: $sql:literal)+) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub(crate) struct $set {
            $(pub(crate) $name: Arc<str>,)+
        }

        impl $set {
            pub(crate) fn new(render: impl Fn(&str) -> String) -> Self {
                Self { $($name: render($sql).into(),)+ }
            }

            /// Returns all statements with their names.
            #[cfg(test)]
            pub(crate) fn all(&self) -> Vec<(&'static str, &str)> {
                vec![$((stringify!($name), &*self.$name),)+]
            }
        }
    };
}

pub(crate) use statements;

statements! {
    /// The statements that only read. Parameters are numbered, because SQLite numbers named ones by their first
    /// appearance.
    Reads:

    // Scopes and their counters.

    scope: "
        SELECT s.pk, s.threads, s.workspace_pk
        FROM {prefix}workspaces w JOIN {prefix}scopes s ON s.workspace_pk = w.pk
        WHERE w.worker_id = ?1 AND w.organization_id = ?2 AND w.workspace_id = ?3 AND s.agent = ?4"

    participant_count: "
        SELECT threads FROM {prefix}participant_counts WHERE scope_pk = ?1 AND participant = ?2"

    // Threads.

    thread: "SELECT {whole_thread} {thread_by_id}"

    // The thread, and whether a reader has given feedback on any of its events.
    thread_for: "
        SELECT {whole_thread}, {flag EXISTS (
            SELECT 1 FROM {prefix}feedback f
            WHERE f.thread_pk = t.pk AND f.participant = ?7 AND f.target_type = 'event'
        )} {thread_by_id}"

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

    // The threads of two participants, which may be the same one.

    threads_of_participant: "
        SELECT {thread} FROM {prefix}participants p {join} {prefix}threads t ON t.pk = p.thread_pk
        WHERE p.scope_pk = ?1 AND p.participant = ?6
            AND (p.last_event_at, p.thread_id) < (?2, ?3) AND p.last_event_at >= ?5 AND {both}
        ORDER BY p.last_event_at DESC, p.thread_id DESC
        LIMIT ?4"

    oldest_threads_of_participant: "
        SELECT {thread} FROM {prefix}participants p {join} {prefix}threads t ON t.pk = p.thread_pk
        WHERE p.scope_pk = ?1 AND p.participant = ?6
            AND (p.last_event_at, p.thread_id) > (?2, ?3) AND p.last_event_at < ?5 AND {both}
        ORDER BY p.last_event_at, p.thread_id
        LIMIT ?4"

    // The sizes of the first threads of these lists.

    thread_sizes: "
        SELECT {thread_size} FROM {prefix}threads t
        WHERE t.scope_pk = ?1 AND (t.last_event_at, t.id) < (?2, ?3) AND t.last_event_at >= ?5
        ORDER BY t.last_event_at DESC, t.id DESC
        LIMIT ?4"

    thread_sizes_of_participant: "
        SELECT {thread_size} FROM {prefix}participants p {join} {prefix}threads t ON t.pk = p.thread_pk
        WHERE p.scope_pk = ?1 AND p.participant = ?6
            AND (p.last_event_at, p.thread_id) < (?2, ?3) AND p.last_event_at >= ?5 AND {both}
        ORDER BY p.last_event_at DESC, p.thread_id DESC
        LIMIT ?4"

    // The titles of the first threads of these lists. The beginning of a title is searched.

    titles: "
        SELECT {micros t.last_event_at}, t.id, substr(t.title, 1, 1024) FROM {prefix}threads t
        WHERE t.scope_pk = ?1 AND (t.last_event_at, t.id) < (?2, ?3) AND t.last_event_at >= ?5
        ORDER BY t.last_event_at DESC, t.id DESC
        LIMIT ?4"

    titles_of_participant: "
        SELECT {micros p.last_event_at}, p.thread_id, substr(t.title, 1, 1024)
        FROM {prefix}participants p {join} {prefix}threads t ON t.pk = p.thread_pk
        WHERE p.scope_pk = ?1 AND p.participant = ?6
            AND (p.last_event_at, p.thread_id) < (?2, ?3) AND p.last_event_at >= ?5 AND {both}
        ORDER BY p.last_event_at DESC, p.thread_id DESC
        LIMIT ?4"

    // The threads with these ids, and their sizes, in the order of a list. A condition for the scope would let PostgreSQL
    // walk through all threads of the scope.

    threads_with_ids: "
        SELECT {thread} FROM {prefix}threads t WHERE t.id IN {listed ?1}
        ORDER BY t.last_event_at DESC, t.id DESC"

    sizes_of_threads: "
        SELECT {thread_size} FROM {prefix}threads t WHERE t.id IN {listed ?1}
        ORDER BY t.last_event_at DESC, t.id DESC"

    // The threads with these ids in any scope, in any order.

    thread_rows: "
        SELECT {whole_thread}, s.agent, w.worker_id, w.organization_id, w.workspace_id
        FROM {prefix}threads t {join} {prefix}scopes s ON s.pk = t.scope_pk
        {join} {prefix}workspaces w ON w.pk = s.workspace_pk
        WHERE t.id IN {listed ?1}"

    thread_revs: "SELECT t.id, t.rev FROM {prefix}threads t WHERE t.id IN {listed ?1}"

    // Events.

    event: "SELECT {event} FROM {prefix}events e WHERE e.id = ?2 AND e.thread_pk = ?1"

    event_place: "SELECT e.seq, e.first_rev FROM {prefix}events e WHERE e.id = ?2 AND e.thread_pk = ?1"

    events_between: "
        SELECT {event} FROM {prefix}events e
        WHERE e.thread_pk = ?1 AND e.seq > ?2 AND e.seq <= ?3
        ORDER BY e.seq"

    // The events between ?2 and ?3, both exclusive, that pass the filters. A filter is a JSON array, or null for
    // everything.

    newest_found: "
        SELECT {event} FROM {prefix}events e
        WHERE e.thread_pk = ?1 AND e.seq > ?2 AND e.seq < ?3 AND {found}
        ORDER BY e.seq DESC LIMIT ?8"

    oldest_found: "
        SELECT {event} FROM {prefix}events e
        WHERE e.thread_pk = ?1 AND e.seq > ?2 AND e.seq < ?3 AND {found}
        ORDER BY e.seq LIMIT ?8"

    // The sizes of the events after ?2 up to ?3, from either end, with the changes that created them.

    newest_sizes: "
        SELECT e.seq, e.first_rev, {event_size} FROM {prefix}events e
        WHERE e.thread_pk = ?1 AND e.seq > ?2 AND e.seq <= ?3
        ORDER BY e.seq DESC LIMIT ?4"

    oldest_sizes: "
        SELECT e.seq, e.first_rev, {event_size} FROM {prefix}events e
        WHERE e.thread_pk = ?1 AND e.seq > ?2 AND e.seq <= ?3
        ORDER BY e.seq LIMIT ?4"

    // The sizes of the newest events after ?2 up to ?3, each with the runs that it names or that answer it. An event that
    // several runs answer has a row for each of them.
    page_sizes: "
        SELECT e.seq, {event_size}, named.id, {named_size}, answer.id, {answer_size}
        FROM {prefix}events e
        LEFT JOIN {prefix}runs named ON named.id = e.run_id AND named.thread_pk = e.thread_pk
        LEFT JOIN {prefix}runs answer ON answer.event_id = e.id AND answer.thread_pk = e.thread_pk
        WHERE e.thread_pk = ?1 AND e.seq > ?2 AND e.seq <= ?3
        ORDER BY e.seq DESC LIMIT ?4"

    // The events after ?2 up to ?3, and their runs, in any order. The first column is null for an event, and otherwise
    // the place of the run. A row has the columns of an event and then those of a run.
    page: "
        SELECT NULL, {event}, {no_run} FROM {prefix}events e WHERE e.thread_pk = ?1 AND e.seq > ?2 AND e.seq <= ?3
        UNION ALL
        SELECT r.first_rev, {no_event}, {run} FROM {prefix}runs r WHERE r.thread_pk = ?1 AND r.id IN ({runs_of_events})"

    // `+` prevents the planner from scanning all events by `seq`. Few events were edited.
    events_edited: "
        SELECT {event} FROM {prefix}events e
        WHERE e.thread_pk = ?1 AND e.rev <> e.first_rev AND +e.seq >= ?2 AND +e.seq <= ?3
            AND e.rev >= ?4 AND e.rev <= ?5
        ORDER BY e.rev"

    edited_sizes: "
        SELECT e.rev, {event_size} FROM {prefix}events e
        WHERE e.thread_pk = ?1 AND e.rev <> e.first_rev AND +e.seq >= ?2 AND +e.seq <= ?3
            AND e.rev >= ?4 AND e.rev <= ?5
        ORDER BY e.rev LIMIT ?6"

    // The first edit after ?4, and the first event that was edited after it.
    first_edited: "
        SELECT min(e.rev), min(e.seq) FROM {prefix}events e
        WHERE e.thread_pk = ?1 AND e.rev <> e.first_rev AND +e.seq >= ?2 AND +e.seq <= ?3 AND e.rev > ?4"

    // Runs.

    run: "SELECT {run} FROM {prefix}runs r WHERE r.id = ?2 AND r.thread_pk = ?1"

    newest_runs: "{runs} WHERE r.scope_pk = ?1 AND {newest_runs}"

    oldest_runs: "{runs} WHERE r.scope_pk = ?1 AND {oldest_runs}"

    // The runs of one thread are few enough to be sorted.

    newest_runs_of_thread: "{runs} WHERE r.thread_pk = ?1 AND {newest_runs}"

    oldest_runs_of_thread: "{runs} WHERE r.thread_pk = ?1 AND {oldest_runs}"

    // The runs of the events after ?2 up to ?3, all running runs, and the runs that started up to ?5 and changed after
    // ?4.
    runs_shown: "
        SELECT {run} FROM {prefix}runs r
        WHERE r.thread_pk = ?1 AND r.id IN (
            SELECT open.id FROM {prefix}runs open WHERE open.thread_pk = ?1 AND open.status = 'running'
            UNION
            SELECT changed.id FROM {prefix}runs changed
            WHERE changed.thread_pk = ?1 AND changed.status IN ('succeeded', 'failed', 'canceled')
                AND changed.rev > ?4 AND changed.first_rev <= ?5
            UNION
            {runs_of_events}
        )
        ORDER BY r.first_rev"

    runs_changed: "
        SELECT {run} FROM {prefix}runs r
        WHERE r.thread_pk = ?1 AND r.status IN ('running', 'succeeded', 'failed', 'canceled')
            AND r.rev >= ?2 AND r.rev <= ?3"

    changed_run_sizes: "
        SELECT r.rev, {run_size} FROM {prefix}runs r
        WHERE r.thread_pk = ?1 AND r.status IN ('running', 'succeeded', 'failed', 'canceled')
            AND r.rev >= ?2 AND r.rev <= ?3
        ORDER BY r.rev LIMIT ?4"

    // Turns.

    // One row for an event of the thread, without a state if it has no turn.
    turn_state: "
        SELECT u.state FROM {prefix}events e
        LEFT JOIN {prefix}turns u ON u.thread_pk = e.thread_pk AND u.seq = e.seq
        WHERE e.id = ?2 AND e.thread_pk = ?1"

    // Those of these events in any thread that have a turn.
    open_turns: "
        SELECT e.id FROM {prefix}events e
        {join} {prefix}turns u ON u.thread_pk = e.thread_pk AND u.seq = e.seq
        WHERE e.id IN {listed ?1}"

    // Feedback.

    // The feedback of ?4 on the events after ?2 up to ?3.
    feedback_shown: "
        SELECT e.id, f.opinion FROM {prefix}events e
        {join} {prefix}feedback f ON f.thread_pk = e.thread_pk AND f.participant = ?4
            AND f.target_type = 'event' AND f.target_id = e.id
        WHERE e.thread_pk = ?1 AND e.seq > ?2 AND e.seq <= ?3
        ORDER BY e.seq"

    newest_feedback: "{all_feedback} WHERE f.scope_pk = ?1 AND {newest_feedback}"

    oldest_feedback: "{all_feedback} WHERE f.scope_pk = ?1 AND {oldest_feedback}"

    // The feedback in one thread is little enough to be sorted.

    newest_feedback_of_thread: "{all_feedback} WHERE f.thread_pk = ?1 AND {newest_feedback}"

    oldest_feedback_of_thread: "{all_feedback} WHERE f.thread_pk = ?1 AND {oldest_feedback}"

    // The days since 1970 from ?2 to ?3, with the numbers of likes and dislikes.
    feedback_days: "
        SELECT {micros f.updated_at} / 86400000000,
            sum(CASE f.opinion WHEN 'like' THEN 1 ELSE 0 END), sum(CASE f.opinion WHEN 'like' THEN 0 ELSE 1 END)
        FROM {prefix}feedback f
        WHERE f.scope_pk = ?1 AND f.updated_at >= ?2 AND f.updated_at < ?3
            AND (CAST(?4 AS TEXT) IS NULL OR EXISTS (
                SELECT 1 FROM {prefix}participants p WHERE p.thread_pk = f.thread_pk AND p.participant = ?4
            ))
        GROUP BY 1 ORDER BY 1"

    // Usage.

    // The usage of a scope from ?2 to ?3, in one row for each currency and each thread, user, model and day that ?4 to ?7
    // distinguish. The picos are summed up in two parts, because their sum may exceed 64 bits.
    usage_sums: "
        SELECT CASE WHEN ?4 = 1 THEN u.thread_id END, CASE WHEN ?5 = 1 THEN u.user_id END,
            CASE WHEN ?6 = 1 THEN u.model END, CASE WHEN ?7 = 1 THEN {micros u.used_at} / 86400000000 END,
            u.currency, count(*), CAST(sum(u.input_tokens) AS BIGINT), CAST(sum(u.output_tokens) AS BIGINT),
            CAST(sum(u.cached_tokens) AS BIGINT), CAST(sum(u.cost_units) AS BIGINT),
            CAST(sum(u.cost_picos / 1000000) AS BIGINT), CAST(sum(u.cost_picos % 1000000) AS BIGINT)
        FROM {prefix}usage u
        WHERE u.scope_pk = ?1 AND u.used_at >= ?2 AND u.used_at < ?3
            AND (CAST(?8 AS TEXT) IS NULL OR u.thread_id = ?8) AND (CAST(?9 AS TEXT) IS NULL OR u.user_id = ?9)
            AND (CAST(?10 AS TEXT) IS NULL OR u.model = ?10)
        GROUP BY 1, 2, 3, 4, 5"

    has_usage: "SELECT u.id FROM {prefix}usage u WHERE u.id = ?1"

    // Settings.

    settings: "
        SELECT x.field_id, {json x.value}, x.key_id, {micros x.updated_at} FROM {prefix}settings x
        WHERE x.agent = ?1 AND x.worker_id = ?2
        ORDER BY x.field_id"

    setting_keys: "SELECT DISTINCT x.key_id FROM {prefix}settings x WHERE x.key_id IS NOT NULL ORDER BY x.key_id"

    // Sealed answers.

    turn_keys: "SELECT x.sealed FROM {prefix}turns x WHERE x.sealed IS NOT NULL"

    // The place of a run or an event that is visible in a scope, and the message that the run answers if it has not ended.

    run_place: "
        SELECT t.id, s.agent, w.worker_id, w.organization_id, w.workspace_id,
            CASE r.status WHEN 'running' THEN r.event_id END
        FROM {prefix}runs r
        {join} {prefix}threads t ON t.pk = r.thread_pk
        {join} {prefix}scopes s ON s.pk = t.scope_pk
        {join} {prefix}workspaces w ON w.pk = s.workspace_pk
        WHERE r.id = ?1 AND {within} AND {seen}"

    event_thread: "
        SELECT t.id, s.agent, w.worker_id, w.organization_id, w.workspace_id, e.id
        FROM {prefix}events e
        {join} {prefix}threads t ON t.pk = e.thread_pk
        {join} {prefix}scopes s ON s.pk = t.scope_pk
        {join} {prefix}workspaces w ON w.pk = s.workspace_pk
        WHERE e.id = ?1 AND {within} AND {seen}"
}
