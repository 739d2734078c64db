//! Broadcasts to a thread.

use crate::fixtures::{kinds, scope, teller, text};
use dooers::WorkerServer;
use dooers::prelude::*;
use dooers::repository::RepositoryError;
use dooers_tests::{Server, in_memory};

#[tokio::test]
async fn broadcast_reaches_subscribers_and_later_readers() {
    let worker = WorkerServer::new(in_memory().assistant_name("Desk")).agent::<teller>();
    let server = Server::start(worker.clone()).await;
    let broadcast = worker.broadcast().await.unwrap();
    let here = &scope();
    let (mut ana, mut ben) = (server.client("ana").await, server.client("ben").await);
    let thread = broadcast
        .create_thread(here)
        .title("Order 7")
        .owner("ana")
        .await
        .unwrap();
    for client in [&mut ana, &mut ben] {
        assert_eq!(
            client.expect("thread.upsert").await["thread"]["title"],
            "Order 7"
        );
        client.subscribe(&thread.id).await;
    }
    broadcast
        .send_event(here, &thread.id, Reply::text("On its way."))
        .await
        .unwrap();
    let renamed = broadcast.send_thread_update(here, &thread.id, |t| t.title("Order 7, sent"));
    renamed.await.unwrap();
    for client in [&mut ana, &mut ben] {
        let published = client.expect("event.append").await;
        assert_eq!(
            (
                text(&published["events"][0]),
                &published["events"][0]["author"]
            ),
            ("On its way.", &"Desk".into())
        );
        let frames = client.read_pending().await;
        assert_eq!(kinds(&frames), ["thread.upsert", "thread.upsert"]);
        assert_eq!(frames[1]["payload"]["thread"]["title"], "Order 7, sent");
    }
    let mut later = server.client("eve").await;
    let snapshot = later.subscribe(&thread.id).await;
    assert_eq!(text(&snapshot["events"][0]), "On its way.");
    let nowhere = broadcast
        .send_event(here, "none", Reply::text("x"))
        .await
        .unwrap_err();
    assert!(matches!(nowhere, RepositoryError::NotFound("thread")));
    server.close([ana, ben, later]).await;
}
