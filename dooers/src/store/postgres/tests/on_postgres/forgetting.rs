//! Tests that users of deleted threads are not in any row.

use super::{open, place, session};
use crate::protocol::{User, timestamp};
use crate::store::postgres::connect::statement::{execute_script, query};
use crate::store::postgres::migrate::{MIGRATIONS, migrate};
use crate::store::postgres::statements::render;
use crate::store::sql::Columns;
use crate::store::tests::{first_message, scope, start};
use crate::store::{Participant, PostgresOptions, Store};
use chrono::TimeDelta;
use sqlx::PgConnection;
use std::sync::Arc;

/// Returns the tables that contain this text in any row.
async fn tables_with(
    connection: &mut PgConnection,
    options: &PostgresOptions,
    text: &str,
) -> Vec<String> {
    let sql = "SELECT table_name::text FROM information_schema.tables WHERE table_name LIKE '{prefix}%' ORDER BY 1";
    let sql: Arc<str> = render(sql, &options.table_prefix).into();
    let tables = query(&sql).fetch_all(&mut *connection).await.unwrap();
    let mut found = Vec::new();
    for table in tables {
        let table = table.text(0).unwrap().to_owned();
        let sql = format!("SELECT count(*) FROM {table} x WHERE x::text LIKE '%{text}%'");
        let rows = query(&sql.into()).fetch_one(&mut *connection).await;
        if rows.unwrap().number(0).unwrap() > 0 {
            found.push(table.replace(options.table_prefix.as_str(), ""));
        }
    }
    found
}

#[tokio::test]
async fn users_of_deleted_threads_are_in_no_row() {
    let Some(options) = place() else { return };
    let store = open(&options).await;
    let mut connection = session(&options).await;
    for n in 0..9 {
        let mut new = first_message(&format!("t{n}"), &format!("e{n}"));
        new.user = User::new(format!("the-user-{}", n % 3));
        new.participant = Participant::user(&new.user);
        // Some messages have no `client_event_id`.
        new.client_event_id = new.client_event_id.filter(|_| n % 2 == 0);
        let start = start(&format!("r{n}"));
        store.begin_turn(&scope(), new, &start).await.unwrap();
    }
    for n in [0, 1, 3, 4, 6, 7] {
        let deleted = store.delete_thread(&scope(), &format!("t{n}")).await;
        deleted.unwrap();
    }
    let of_zero = tables_with(&mut connection, &options, "the-user-0").await;
    assert_eq!(of_zero, ["participant_counts", "sent"]);
    let later = timestamp::now() + TimeDelta::days(1);
    while store.forget_sent(later, 2).await.unwrap() > 0 {}
    for gone in ["the-user-0", "the-user-1"] {
        assert!(
            tables_with(&mut connection, &options, gone)
                .await
                .is_empty()
        );
    }
    let kept = tables_with(&mut connection, &options, "the-user-2").await;
    assert!(kept.contains(&"sent".to_owned()), "{kept:?}");
    store.close().await;
}

/// The database is that of a program that never removed the ids of deleted threads.
#[tokio::test]
async fn ids_of_earlier_deletions_are_forgotten_later() {
    let Some(options) = place() else { return };
    let mut connection = session(&options).await;
    let prefix = &options.table_prefix;
    migrate(&mut connection, &options, &MIGRATIONS[..6], true)
        .await
        .unwrap();
    let rows = "
        INSERT INTO {prefix}workspaces OVERRIDING SYSTEM VALUE VALUES (1, 'w', 'o', 's');
        INSERT INTO {prefix}scopes OVERRIDING SYSTEM VALUE VALUES (7, 1, 'echo', 1);
        INSERT INTO {prefix}threads (pk, id, scope_pk, version, owner, users, created_at, updated_at, last_event_at, rev,
            row_rev, last_seq)
        VALUES (1, 't', 7, 1, '{\"user_id\": \"ann\"}', '[]', now(), now(), now(), 1, 1, 1);
        INSERT INTO {prefix}sent VALUES (1, 'user:ann', 'c1', 't', 'e1'), (1, 'user:ann', 'c2', 'deleted', 'e2');";
    let rows: Arc<str> = render(rows, prefix).into();
    execute_script(&mut connection, &rows).await.unwrap();
    let store = open(&options).await;
    let (now, hour) = (timestamp::now(), TimeDelta::hours(1));
    assert_eq!(store.forget_sent(now - hour, 9).await.unwrap(), 0);
    assert_eq!(store.forget_sent(now + hour, 9).await.unwrap(), 1);
    assert_eq!(store.forget_sent(now + hour, 9).await.unwrap(), 0);
    store.close().await;
}
