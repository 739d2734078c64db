//! Subscriptions to settings when the identity of a connection is renewed with other rights.

use crate::agents::every;
use crate::asserts::{patch, patch_error, subscribe};
use dooers::WorkerServer;
use dooers::auth::{ConnectRequest, Identity, Refusal};
use dooers_tests::{Client, Server, in_memory};
use serde_json::{Value, json};

/// Believes a token that is an identity in JSON.
async fn by_token(request: ConnectRequest) -> Result<Identity, Refusal> {
    let token = request.token().unwrap_or_default();
    serde_json::from_str(token).map_err(|error| Refusal::unauthorized(error.to_string()))
}

/// Sends `connect` as a user of one organization with these rights. The client may be connected already.
async fn connect(client: &mut Client, user: &str, rights: Value) {
    let identity =
        json!({"user": {"user_id": user}, "organization_id": "acme", "rights": rights}).to_string();
    let payload = json!({"worker_id": "w1", "auth_token": identity});
    client.send_expecting_ack("connect", payload).await;
}

/// The fields of the changes that a client receives while another one changes a field of each visibility.
async fn received(client: &mut Client, writer: &mut Client, round: usize) -> Vec<Value> {
    patch(writer, "budget", json!(round)).await;
    patch(writer, "note", json!(round.to_string())).await;
    let mut frames = client.read_pending().await;
    for frame in &frames {
        assert_eq!(frame["type"], "settings.patch", "{frame}");
    }
    let field = |frame: &mut Value| frame["payload"]["field_id"].take();
    frames.iter_mut().map(field).collect()
}

#[tokio::test]
async fn renewal_without_the_right_ends_creator_settings() {
    let worker = WorkerServer::new(in_memory()).agent::<every>();
    let server = Server::start(worker.authenticator(by_token)).await;
    let all = json!({"settings": true, "creator_settings": true});
    let (mut ana, mut bob, mut eve) = (
        server.open().await,
        server.open().await,
        server.open().await,
    );
    for (client, user) in [(&mut ana, "ana"), (&mut bob, "bob"), (&mut eve, "eve")] {
        connect(client, user, all.clone()).await;
    }
    subscribe(&mut ana, "creator").await;
    subscribe(&mut bob, "user").await;
    subscribe(&mut eve, "creator").await;
    assert_eq!(received(&mut ana, &mut eve, 1).await, ["budget", "note"]);
    assert_eq!(received(&mut bob, &mut eve, 2).await, ["note", "note"]);
    ana.read_pending().await;

    // An identity with the same right keeps the subscription.
    connect(&mut ana, "ana", all.clone()).await;
    assert_eq!(received(&mut ana, &mut eve, 3).await, ["budget", "note"]);

    // Without the right, nothing of either visibility arrives, and the connection acts as a user.
    let fewer = json!({"settings": true});
    connect(&mut ana, "ana", fewer.clone()).await;
    assert!(received(&mut ana, &mut eve, 4).await.is_empty());
    assert_eq!(
        patch_error(&mut ana, "budget", json!(5)).await.0,
        "NOT_FOUND"
    );
    let asked = json!({"audience": "creator"});
    let code = ana.send_expecting_error("settings.subscribe", asked).await;
    assert_eq!(code, "FORBIDDEN");

    // The right does not bring the subscription back.
    connect(&mut ana, "ana", all).await;
    assert!(received(&mut ana, &mut eve, 5).await.is_empty());
    subscribe(&mut ana, "creator").await;
    assert_eq!(received(&mut ana, &mut eve, 6).await, ["budget", "note"]);

    // A subscription for users needs no right.
    bob.read_pending().await;
    connect(&mut bob, "bob", fewer).await;
    assert_eq!(received(&mut bob, &mut eve, 7).await, ["note"]);
    server.close([ana, bob, eve]).await;
}
