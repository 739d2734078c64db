//! The setup from the README: an example that uses PostgreSQL by configuration alone.

use crate::history::{events, speakers_and_texts};
use dooers_tests::postgres::{ClusterOptions, dedicated};
use dooers_tests::{Client, Process};

#[tokio::test]
async fn echo_example_stores_threads_in_a_new_database() {
    let Some(cluster) = dedicated(ClusterOptions::default()) else {
        return;
    };
    let port = cluster.port().to_string();
    let variables = [
        ("WORKER_BIND", "127.0.0.1:0"),
        ("WORKER_DATABASE_TYPE", "postgres"),
        ("WORKER_DATABASE_HOST", "127.0.0.1"),
        ("WORKER_DATABASE_PORT", &port),
        ("WORKER_DATABASE_USER", "postgres"),
        ("WORKER_DATABASE_NAME", "postgres"),
    ];
    let mut thread_id = None;
    // Once on an empty database, and once on the tables of the first run.
    for said_before in [0, 1] {
        let mut echo = Process::start("example-echo", &variables);
        let mut client = Client::open(echo.address(), "/ws").await;
        client.connect("ada").await;
        let thread_id = match &thread_id {
            None => thread_id.insert(client.start_thread("hello").await),
            Some(thread_id) => {
                client.run_turn(thread_id, "hello").await;
                thread_id
            }
        };
        let stored = events(&mut client, thread_id).await;
        let turn = [("user", "hello"), ("assistant", "You said: hello")];
        assert_eq!(speakers_and_texts(&stored), turn.repeat(said_before + 1));
        client.disconnect().await;
        echo.terminate();
        let (status, _, errors) = echo.wait();
        assert_eq!(status, Some(0), "{errors}");
        assert_eq!(errors, "");
    }
}

#[tokio::test]
async fn rejecting_database_prints_a_line_and_exits_with_1() {
    let Some(cluster) = dedicated(ClusterOptions::default()) else {
        return;
    };
    let url = format!(
        "postgres://postgres:hunter2@127.0.0.1:{}/missing",
        cluster.port()
    );
    for (variable, value, expected) in [
        (
            "DATABASE_URL",
            url.as_str(),
            "database \"missing\" does not exist; create it, or name another one",
        ),
        (
            "DATABASE_URL",
            "mysql://ada:hunter2@db",
            "must begin with postgres://",
        ),
        (
            "WORKER_DATABASE_SSL",
            "full",
            "WORKER_DATABASE_SSL is `full`; it must be one of",
        ),
    ] {
        let variables = [("WORKER_DATABASE_TYPE", "postgres"), (variable, value)];
        let (status, output, errors) = Process::start("example-echo", &variables).wait();
        assert_eq!(status, Some(1), "{errors}");
        assert_eq!(output, "");
        assert!(errors.contains(expected), "{errors}");
        assert!(!errors.contains("hunter2"), "{errors}");
        assert_eq!(errors.lines().count(), 1, "{errors}");
    }
}
