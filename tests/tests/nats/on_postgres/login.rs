//! Logging in to a NATS server, and encrypted connections.

use super::nodes::{close, heard, node_on, read_of, two_nodes_on};
use crate::authority::Authority;
use crate::engine::at;
use dooers::{BrokerKind, NatsOptions};
use dooers_tests::nats::{NatsServer, dedicated};
use dooers_tests::postgres::shared;

/// The seed of a user's NKey, and its public key. The account of the credentials has the same user.
const SEED: &str = "SUACH75SWCM5D2JMJM6EKLR2WDARVGZT4QC6LX3AGHSWOMVAKERABBBRWM";
const USER: &str = "UAFHG6FUD2UU4SDFVAFUL5LDFO2XM4WYM76UNXTPJYJK7EEMYRBHT2VE";

/// The configuration of a server that believes the operator of `user.creds`.
const OPERATOR: &str = include_str!("../fixtures/operator.conf");
const CREDENTIALS: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/nats/fixtures/user.creds"
);

/// Nodes with this broker hear each other.
async fn works(broker: BrokerKind) {
    let Some(options) = shared() else { return };
    let nodes = two_nodes_on(&options, |config| config.broker(broker.clone())).await;
    let (mut ada, mut bob) = (nodes[0].client("ada").await, nodes[1].client("bob").await);
    let thread_id = ada.start_thread("hello").await;
    read_of(&mut bob, "thread.upsert", &thread_id).await;
    close(nodes, [ada, bob]).await;
}

/// A node with this broker serves, but hears no other.
async fn is_refused(broker: BrokerKind) {
    let Some(options) = shared() else { return };
    // The start waits for the first attempt to connect.
    let node = node_on(&options, |config| config.broker(broker.clone())).await;
    let (status, text) = node.get("/readyz").await;
    assert_eq!(status, 200);
    assert!(text.starts_with("ready; the other nodes"), "{text}");
    let mut ada = node.client("ada").await;
    ada.start_thread("hello").await;
    node.close([ada]).await;
}

#[tokio::test]
async fn password_and_token_are_checked() {
    let user = "authorization { user: ada, password: \"s/cret\" }";
    let Some(nats) = dedicated(user) else { return };
    let address = nats.address();
    works(at(&format!("nats://ada:s%2Fcret@{address}"))).await;
    is_refused(at(&format!("nats://ada:other@{address}"))).await;
    is_refused(at(&nats.url())).await;
    let Some(nats) = dedicated("authorization { token: \"s3cret\" }") else {
        return;
    };
    works(at(&format!("nats://s3cret@{}", nats.address()))).await;
    let options = NatsOptions::from_urls(&nats.url()).unwrap();
    works(BrokerKind::Nats(options.clone().token("s3cret"))).await;
    is_refused(BrokerKind::Nats(options.token("other"))).await;
}

#[tokio::test]
async fn nkey_and_credentials_are_proved() {
    let users = format!("authorization {{ users: [ {{ nkey: {USER} }} ] }}");
    let Some(nats) = dedicated(&users) else {
        return;
    };
    let options = NatsOptions::from_urls(&nats.url()).unwrap();
    works(BrokerKind::Nats(options.clone().nkey(SEED))).await;
    is_refused(BrokerKind::Nats(options)).await;
    let Some(nats) = dedicated(OPERATOR) else {
        return;
    };
    let options = NatsOptions::from_urls(&nats.url()).unwrap();
    works(BrokerKind::Nats(
        options.clone().credentials_file(CREDENTIALS),
    ))
    .await;
    is_refused(BrokerKind::Nats(options)).await;
}

#[tokio::test]
async fn connections_are_encrypted_and_verified() {
    if NatsServer::program().is_none() {
        // Reports that the test is skipped.
        let _ = dedicated("");
        return;
    }
    let (authority, other) = (Authority::new(), Authority::new());
    let (certificate, key) = authority.sign("localhost");
    let (mine, my_key) = authority.sign("node");
    let directory = tempfile::tempdir_in("/tmp").unwrap();
    for (name, text) in [
        ("server.crt", &certificate),
        ("server.key", &key),
        ("ca.crt", &authority.pem),
    ] {
        std::fs::write(directory.path().join(name), text).unwrap();
    }
    let configuration = "tls {\n\
        cert_file: \"{directory}/server.crt\"\n\
        key_file: \"{directory}/server.key\"\n\
        ca_file: \"{directory}/ca.crt\"\n\
        verify: true\n}";
    let nats = NatsServer::start_in(directory, configuration);
    let urls = format!("tls://localhost:{}", nats.port());
    let anonymous = NatsOptions::from_urls(&urls)
        .unwrap()
        .ssl_root_cert(nats.path("ca.crt").to_str().unwrap());
    let proven = anonymous
        .clone()
        .ssl_client_cert(&mine)
        .ssl_client_key(&my_key);
    works(BrokerKind::Nats(proven.clone())).await;
    is_refused(BrokerKind::Nats(anonymous)).await;
    is_refused(BrokerKind::Nats(proven.ssl_root_cert(&other.pem))).await;
}

#[tokio::test]
async fn encryption_that_is_asked_for_is_required() {
    let Some(nats) = dedicated("") else { return };
    is_refused(at(&format!("tls://{}", nats.address()))).await;
}

#[tokio::test]
async fn second_server_is_used_without_the_first() {
    let Some(mut first) = dedicated("") else {
        return;
    };
    let Some(second) = dedicated("") else { return };
    let urls = format!("{},{}", first.url(), second.url());
    first.stop();
    let Some(options) = shared() else { return };
    let node = node_on(&options, |config| config.broker(at(&urls))).await;
    heard(&node).await;
    node.close([]).await;
}

#[tokio::test]
async fn missing_permission_is_noticed() {
    let user = "authorization { users: [ { user: ada, password: secret, \
        permissions: { subscribe: { deny: [\"dooers.*.p.>\"] } } } ] }";
    let Some(nats) = dedicated(user) else { return };
    let Some(options) = shared() else { return };
    let urls = format!("nats://ada:secret@{}", nats.address());
    let node = node_on(&options, |config| config.broker(at(&urls))).await;
    heard(&node).await;
    let ada = node.client("ada").await;
    let alone = async { while node.get("/readyz").await.1 == "ready\n" {} };
    dooers_tests::within("the node to be alone", alone).await;
    node.close([ada]).await;
}
