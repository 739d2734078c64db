//! The search on PostgreSQL.

use super::exceptions;
use super::start::refused;
use super::trial::Trial;
use dooers_tests::leaks::{Channel, Secrets};
use dooers_tests::postgres::{connect, fresh_prefix, url};
use sqlx::PgConnection;
use std::net::TcpListener;

/// The role that the server connects as. `with-postgres` requires the passwords of its members.
const ROLE: &str = "with_password";

/// Creates a user with this password.
async fn create_user(admin: &mut PgConnection, user: &str, password: &str) {
    let password = password.replace('\'', "''");
    for statement in [
        format!(
            "DO $$ BEGIN CREATE ROLE {ROLE}; EXCEPTION WHEN duplicate_object THEN NULL; END $$"
        ),
        format!("CREATE ROLE {user} LOGIN PASSWORD '{password}' IN ROLE {ROLE}"),
        format!("GRANT CREATE ON SCHEMA public TO {user}"),
    ] {
        execute(admin, &statement).await;
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "the text is made of literals and of names that are made here"
)]
async fn execute(admin: &mut PgConnection, statement: &str) {
    let statement = sqlx::AssertSqlSafe(statement.to_owned());
    sqlx::raw_sql(statement).execute(admin).await.unwrap();
}

/// The URL of the shared database for this user, at another port if one is given.
fn url_of(shared: &str, user: &str, password: &str, port: Option<u16>) -> String {
    let (_, place) = shared.rsplit_once('@').expect("a URL with a user");
    let password: String = password
        .bytes()
        .map(|byte| format!("%{byte:02X}"))
        .collect();
    let place = match port {
        Some(port) => format!("127.0.0.1:{port}/postgres"),
        None => place.to_owned(),
    };
    format!("postgres://{user}:{password}@{place}")
}

#[tokio::test]
async fn secrets_stay_inside_with_postgres() {
    let Some(shared) = url() else {
        return;
    };
    let mut admin = connect(&shared).await.unwrap();
    let prefix = fresh_prefix();
    let user = format!("{prefix}user");
    let mut secrets = Secrets::default();
    let password = secrets.text("database password");
    let wrong = secrets.text("wrong password");
    create_user(&mut admin, &user, &password).await;
    // A port that was free a moment ago.
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = closed.local_addr().unwrap().port();
    drop(closed);
    let limit = ("WORKER_DATABASE_CONNECT_TIMEOUT", "0.1");
    let wrong = url_of(&shared, &user, &wrong, None);
    let unreachable = url_of(&shared, &user, &password, Some(port));
    for database in [wrong, unreachable] {
        refused(&secrets, &[("DATABASE_URL", &database), limit]);
    }

    let database = url_of(&shared, &user, &password, None);
    let variables = [
        ("DATABASE_URL", &*database),
        ("WORKER_DATABASE_TABLE_PREFIX", &prefix),
    ];
    let mut trial = Trial::start(secrets, &[], &variables).await;
    trial.request_everything().await;
    trial.talk().await;
    let rename =
        |from: &str, to: &str| format!("ALTER TABLE {prefix}{from} RENAME TO {prefix}{to}");
    execute(&mut admin, &rename("feedback", "away")).await;
    trial.fail_feedback().await;
    execute(&mut admin, &rename("away", "feedback")).await;
    trial.hang().await;
    trial.stop();
    let mut permitted = exceptions::of_every_store();
    permitted.extend(exceptions::of_databases());
    let rows = rows(&mut admin, &prefix).await;
    trial.evidence.extend(Channel::Rows, rows);
    trial.check(&permitted);
    execute(&mut admin, &format!("DROP OWNED BY {user}")).await;
    execute(&mut admin, &format!("DROP ROLE {user}")).await;
}

/// The rows of all tables with this prefix, each as a text.
#[allow(
    clippy::disallowed_methods,
    reason = "the text is made of literals and of names of tables"
)]
async fn rows(admin: &mut PgConnection, prefix: &str) -> Vec<String> {
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT tablename::text FROM pg_tables WHERE starts_with(tablename, $1)",
    )
    .bind(prefix)
    .fetch_all(&mut *admin)
    .await
    .unwrap();
    assert!(tables.len() > 5, "{tables:?}");
    let mut rows = Vec::new();
    for table in tables {
        let select = format!("SELECT row.*::text FROM {table} AS row");
        let select = sqlx::query_scalar(sqlx::AssertSqlSafe(select));
        let of_table: Vec<String> = select.fetch_all(&mut *admin).await.unwrap();
        rows.extend(of_table.into_iter().map(|row| format!("{table}|{row}")));
    }
    rows
}
