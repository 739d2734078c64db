//! Tests of commits with many operations, and the effects of operations on each other.

use super::*;
use crate::store::sql::Stop;
use crate::store::sql::{Begin, DeleteThread, WriteTurn};
use crate::store::sqlite::batch::{Job, QueuedOperation, SqliteOperation, commit};
use crate::store::sqlite::database::WriterDatabase;
use crate::store::sqlite::open::{Opened, open};
use crate::store::sqlite::statements::Statements;
use crate::store::{StoreError, TablePrefix};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::sync::oneshot::Receiver;

/// Opens a new database, without the writer's thread.
fn database() -> (Opened, TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let options = SqliteOptions::new(directory.path().join("worker.db"));
    let sql = Arc::new(Statements::new(&TablePrefix::default()));
    (open(&options, sql).unwrap(), directory)
}

struct Batch {
    jobs: Vec<Box<dyn Job>>,
}

impl Batch {
    fn push<O: SqliteOperation>(
        &mut self,
        operation: O,
    ) -> Receiver<Result<O::Answer, StoreError>> {
        let (job, answer) = QueuedOperation::new(operation);
        self.jobs.push(Box::new(job));
        answer
    }

    fn begin(
        &mut self,
        new: NewMessage,
    ) -> Receiver<Result<crate::store::BeginOutcome, StoreError>> {
        let start = start(&format!("run-{}", new.event_id));
        self.push(Begin {
            scope: scope(),
            new,
            start,
        })
    }
}

/// Runs an operation among twenty good operations of one batch. Returns its result, and the number of commits.
fn among_twenty<O: SqliteOperation>(
    db: &WriterDatabase,
    name: &str,
    operation: O,
) -> (Result<O::Answer, StoreError>, u64) {
    let mut batch = Batch { jobs: Vec::new() };
    let mut good = Vec::new();
    let mut bad = None;
    let mut operation = Some(operation);
    for n in 0..20 {
        if n == 10 {
            bad = operation.take().map(|operation| batch.push(operation));
        }
        let id = format!("{name}-{n}");
        good.push(batch.begin(first_message(&id, &format!("{id}-e"))));
    }
    let commits = commit(db, &mut batch.jobs);
    for mut good in good {
        let begun = good.try_recv().unwrap().unwrap();
        assert!(begun.claim.is_some());
    }
    let answer = bad.unwrap().try_recv().unwrap();
    (answer, commits)
}

/// Returns everything that is stored, as text.
fn dump(db: &WriterDatabase) -> String {
    let mut all = String::new();
    let tables: Vec<String> = db
        .every(
            "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name",
            [],
            |row| Ok(row.get(0)?),
        )
        .unwrap();
    for table in tables {
        let select = format!("SELECT * FROM {table}");
        let columns = db.connection().prepare(&select).unwrap().column_count();
        let order = &"1, 2, 3"[..3 * columns.min(3) - 2];
        let mut statement = db
            .connection()
            .prepare(&format!("{select} ORDER BY {order}"))
            .unwrap();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            all += &table;
            for at in 0..columns {
                all += &format!(" {:?}", row.get_ref(at).unwrap());
            }
            all += "\n";
        }
    }
    all
}

/// Creates a thread `t` with an answered form, an open form, and a message with a known client id.
fn with_a_thread(db: &WriterDatabase) -> TurnKey {
    let mut batch = Batch { jobs: Vec::new() };
    let mut begun = batch.begin(first_message("t", "first"));
    commit(db, &mut batch.jobs);
    let key = begun.try_recv().unwrap().unwrap().claim.unwrap().key;
    let form = |id: &str| {
        let TurnChange::Event(mut event) = said("t", id, "") else {
            unreachable!()
        };
        event.kind = EventType::Form;
        event.data = Some(json!({
            "message": "m", "submit_label": "s", "cancel_label": "c", "size": "small",
            "elements": [{"name": "name", "label": "l", "order": 0, "required": true, "disabled": false,
                "type": "text_input", "input_type": "text"}],
        }));
        TurnChange::Event(event)
    };
    let mut written = batch.push(WriteTurn {
        scope: scope(),
        turn: key.clone(),
        changes: vec![form("form"), form("answered")],
    });
    let mut answered = batch.begin(answer_to("answered", &json!({"name": "x"})));
    commit(db, &mut batch.jobs);
    written.try_recv().unwrap().unwrap();
    answered.try_recv().unwrap().unwrap();
    key
}

fn answer_to(form: &str, values: &serde_json::Value) -> NewMessage {
    NewMessage {
        kind: EventType::FormResponse,
        data: Some(json!({"form_event_id": form, "values": values})),
        ..next_message("t", &format!("answer-to-{form}"))
    }
}

#[test]
fn refused_operation_in_a_batch_leaves_no_trace() {
    let refused_begin = |new: NewMessage| Begin {
        scope: scope(),
        new,
        start: start("refused"),
    };
    let nobody = NewMessage {
        user: User::new("new-user"),
        participant: Participant::user(&User::new("new-user")),
        ..next_message("t", "x")
    };
    let cases = [
        (
            "no thread",
            NewMessage {
                thread: ThreadTarget::Existing("gone".to_owned()),
                ..nobody.clone()
            },
        ),
        (
            "no form",
            NewMessage {
                user: User::new("u"),
                ..answer_to("first", &json!({}))
            },
        ),
        (
            "answered",
            NewMessage {
                user: User::new("u"),
                client_event_id: None,
                ..answer_to("answered", &json!({"name": "x"}))
            },
        ),
        (
            "open question",
            NewMessage {
                user: User::new("u"),
                ..answer_to("form", &json!({}))
            },
        ),
        (
            "no answer",
            NewMessage {
                kind: EventType::FormResponse,
                ..nobody.clone()
            },
        ),
        ("known id", first_message("t", "x")),
        (
            "used client id",
            NewMessage {
                client_event_id: Some("client-first".to_owned()),
                data: Some(json!(1)),
                ..next_message("t", "x")
            },
        ),
    ];
    for (name, new) in cases {
        let (opened, _directory) = database();
        let db = &opened.database;
        with_a_thread(db);
        let (answer, commits) = among_twenty(db, "good", refused_begin(new));
        let error = answer.expect_err(name);
        assert!(
            !matches!(error, StoreError::Failed { .. }),
            "{name}: {error:?}"
        );
        assert_eq!(commits, 1, "{name}: {error:?}");

        // The same batch without the operation.
        let (without, _directory) = database();
        with_a_thread(&without.database);
        let wanted = Begin {
            scope: scope(),
            new: first_message("w", "w"),
            start: start("w"),
        };
        among_twenty(&without.database, "good", wanted).0.unwrap();
        let wanted = Begin {
            scope: scope(),
            new: first_message("w", "w"),
            start: start("w"),
        };
        among_twenty_more(db, wanted);
        assert_eq!(
            without_numbers_and_times(&dump(db)),
            without_numbers_and_times(&dump(&without.database)),
            "{name}"
        );
    }
}

/// Executes one more operation.
fn among_twenty_more(db: &WriterDatabase, begin: Begin) {
    let mut batch = Batch { jobs: Vec::new() };
    let mut answer = batch.push(begin);
    commit(db, &mut batch.jobs);
    answer.try_recv().unwrap().unwrap();
}

/// Returns the lines without row numbers and without the times of migrations, sorted.
fn without_numbers_and_times(dump: &str) -> Vec<String> {
    let mut lines: Vec<String> = dump
        .lines()
        .filter(|line| !line.contains("schema_migrations"))
        .map(|line| {
            let words = line.split(' ').enumerate();
            let kept = words.filter(|(n, word)| *n == 0 || !word.starts_with("Integer("));
            kept.map(|(_, word)| word).collect::<Vec<_>>().join(" ")
        })
        .collect();
    lines.sort();
    lines
}

#[test]
fn late_and_foreign_writers_leave_no_trace() {
    let (opened, _directory) = database();
    let db = &opened.database;
    let key = with_a_thread(db);
    let stale = TurnKey {
        fence: key.fence + 1,
        ..key.clone()
    };
    let events = |db: &WriterDatabase| {
        let count = "SELECT count(*), max(rev) FROM worker_events WHERE thread_pk = 1";
        db.first(count, [], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap()
            .unwrap()
    };
    let before: (i64, i64) = events(db);
    let write = |scope: Scope, turn: &TurnKey, text: TurnChange| WriteTurn {
        scope,
        turn: turn.clone(),
        changes: vec![said("t", "late-1", "x"), text],
    };
    let (answer, commits) = among_twenty(db, "a", write(scope(), &stale, said("t", "late-2", "x")));
    assert!(matches!(answer, Err(StoreError::StaleFence)));
    assert_eq!(commits, 1);

    let stranger = Scope {
        worker_id: "other".to_owned(),
        ..scope()
    };
    let (answer, commits) = among_twenty(
        db,
        "b",
        write(stranger.clone(), &key, said("t", "late-2", "x")),
    );
    assert!(matches!(answer, Err(StoreError::NotFound("thread"))));
    assert_eq!(commits, 1);

    let delete = DeleteThread {
        scope: stranger,
        thread_id: "t".to_owned(),
    };
    let (answer, commits) = among_twenty(db, "d", delete);
    assert!(matches!(answer, Err(StoreError::NotFound("thread"))));
    assert_eq!(commits, 1);
    assert_eq!(events(db), before);
}

#[test]
fn batch_after_an_error_runs_operations_one_by_one() {
    let (opened, _directory) = database();
    let db = &opened.database;
    with_a_thread(db);
    // The id of an existing event. Only the database checks it.
    let taken = Begin {
        scope: scope(),
        new: NewMessage {
            client_event_id: Some("new".to_owned()),
            ..first_message("half", "first")
        },
        start: start("r"),
    };
    let (answer, commits) = among_twenty(db, "good", taken);
    let error = answer.unwrap_err();
    assert_eq!(error.to_string(), "the database failed to store a message");
    assert_eq!(commits, 20);
    let half = db
        .first(&db.sql.writes.has_thread, ["half"], |_| Ok(()))
        .unwrap();
    assert!(
        half.is_none(),
        "the first half of a failed operation was kept"
    );
    let threads = db
        .first("SELECT threads FROM worker_scopes", [], |row| {
            Ok(row.get(0)?)
        })
        .unwrap();
    assert_eq!(threads, Some(21), "the threads are counted once");
}

/// An operation that breaks the rule: it writes before it checks.
#[derive(Debug)]
struct WritesThenRefuses;

impl SqliteOperation for WritesThenRefuses {
    type Answer = ();
    const WHAT: &'static str = "test";

    fn run(&self, db: &WriterDatabase) -> Result<(), Stop> {
        db.execute(&db.sql.writes.insert_workspace, ["x", "y", "z"])?;
        Err(StoreError::NotFound("check before the write").into())
    }
}

#[test]
fn refusal_after_a_write_leaves_no_trace() {
    let (opened, _directory) = database();
    let db = &opened.database;
    let (answer, commits) = among_twenty(db, "good", WritesThenRefuses);
    assert!(matches!(answer, Err(StoreError::NotFound(_))));
    assert_eq!(commits, 20);
    let traces = "SELECT count(*) FROM worker_workspaces WHERE worker_id = 'x'";
    let traces: Option<i64> = db.first(traces, [], |row| Ok(row.get(0)?)).unwrap();
    assert_eq!(traces, Some(0));
}

/// An operation that fails the first time, as if the disk were full for a moment.
#[derive(Debug)]
struct FailsOnce(AtomicU32);

impl SqliteOperation for FailsOnce {
    type Answer = u32;
    const WHAT: &'static str = "test";

    fn run(&self, db: &WriterDatabase) -> Result<u32, Stop> {
        let before = self.0.fetch_add(1, Ordering::Relaxed);
        db.execute(
            &db.sql.writes.insert_workspace,
            [before.to_string().as_str(), "y", "z"],
        )?;
        if before == 0 {
            return Err(Stop::Fault("for once".into()));
        }
        Ok(before)
    }
}

#[test]
fn operation_that_fails_once_is_done_once() {
    let (opened, _directory) = database();
    let db = &opened.database;
    let (answer, commits) = among_twenty(db, "good", FailsOnce(AtomicU32::new(0)));
    assert_eq!(answer.unwrap(), 1);
    assert_eq!(commits, 21);
    let done: Vec<String> = db
        .every(
            "SELECT worker_id FROM worker_workspaces WHERE workspace_id = 'z'",
            [],
            |row| Ok(row.get(0)?),
        )
        .unwrap();
    assert_eq!(done, ["1"]);
}

#[test]
fn full_database_is_tried_once_for_a_batch() {
    let (opened, _directory) = database();
    let db = &opened.database;
    db.connection()
        .busy_timeout(Duration::from_millis(50))
        .unwrap();
    let other = rusqlite::Connection::open(opened.watch.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let began = std::time::Instant::now();
    let mut batch = Batch { jobs: Vec::new() };
    let answers: Vec<_> = (0..100)
        .map(|n| batch.begin(first_message(&format!("t{n}"), &format!("e{n}"))))
        .collect();
    assert_eq!(commit(db, &mut batch.jobs), 0);
    assert!(began.elapsed().as_secs() < 3);
    for mut answer in answers {
        let error = answer.try_recv().unwrap().unwrap_err();
        assert!(matches!(error, StoreError::Unavailable { .. }));
    }
    other.execute_batch("ROLLBACK").unwrap();
    let mut answer = batch.begin(first_message("t", "e"));
    assert_eq!(commit(db, &mut batch.jobs), 1);
    answer.try_recv().unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operations_queued_together_share_commits() {
    let test = TestStore::open().await;
    let before = test.store.writer.commits();
    let ids: Vec<String> = (0..200).map(|n| format!("t{n}")).collect();
    let keys = futures::future::join_all(ids.iter().map(|id| begun(&test.store, id))).await;
    for (key, id) in keys.iter().zip(&ids) {
        assert_eq!(key.thread_id, *id);
    }
    let commits = test.store.writer.commits() - before;
    assert!(commits < 50, "{commits} commits for 200 operations");
}
