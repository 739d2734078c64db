//! Headers of proxies in front of the server.

use crate::agents::quiet;
use crate::http::{self, Answer, UPGRADE};
use crate::log::Log;
use dooers::{WorkerConfig, WorkerServer};
use dooers_tests::{Server, in_memory};
use std::net::SocketAddr;
use tracing::Level;

/// The configuration of a server behind a proxy on this machine.
fn behind_proxy(config: WorkerConfig) -> WorkerConfig {
    config.trusted_proxies("127.0.0.1".parse().unwrap())
}

/// Requests a WebSocket as a proxy that does not forward `Host`.
async fn open(address: SocketAddr, path: &str, origin: &str, forwarded: &str) -> Answer {
    let headers = format!("Host: {address}\r\nOrigin: {origin}\r\n{forwarded}{UPGRADE}");
    http::send(address, &format!("GET {path}"), &headers).await
}

const CHAT: &str = "X-Forwarded-Host: chat.example.com\r\nX-Forwarded-Proto: https\r\n";

#[tokio::test]
async fn forwarded_host_and_scheme_are_the_own_origin() {
    let server = Server::with::<quiet>(|config| {
        behind_proxy(config).allowed_hosts("chat.example.com".parse().unwrap())
    })
    .await;
    for (origin, forwarded, status) in [
        ("https://chat.example.com", CHAT, 101),
        ("http://chat.example.com", CHAT, 403),
        ("https://chat.example.com:8443", CHAT, 403),
        ("https://evil.example", CHAT, 403),
        (
            "https://chat.example.com",
            "X-Forwarded-Host: chat.example.com\r\nX-Forwarded-Proto: wss\r\n",
            101,
        ),
        (
            "http://chat.example.com",
            "X-Forwarded-Host: chat.example.com\r\n",
            101,
        ),
        (
            "https://evil.example",
            "X-Forwarded-Host: evil.example\r\n",
            403,
        ),
        (
            "https://chat.example.com",
            "X-Forwarded-Host: chat.example.com/\r\n",
            403,
        ),
    ] {
        let answer = open(server.address, "/ws", origin, forwarded).await;
        assert_eq!(answer.status, status, "{origin} {forwarded} {answer:?}");
    }
    let rebound = open(
        server.address,
        "/ws",
        "http://evil.example",
        "X-Forwarded-Host: evil.example\r\n",
    )
    .await;
    assert!(rebound.body.contains("WORKER_ALLOWED_HOSTS"), "{rebound:?}");
    server.close([]).await;
}

#[tokio::test]
async fn headers_of_other_senders_are_ignored() {
    for proxies in ["", "127.0.0.2, ::1, 10.0.0.0/8"] {
        let server =
            Server::with::<quiet>(|config| config.trusted_proxies(proxies.parse().unwrap())).await;
        let answer = open(server.address, "/ws", "https://chat.example.com", CHAT).await;
        assert_eq!(answer.status, 403, "{proxies}");
        assert_eq!(answer.header("strict-transport-security"), None);
        // Not even a host that is not one is looked at.
        let own = format!("http://{}", server.address);
        let answer = open(
            server.address,
            "/ws",
            &own,
            "X-Forwarded-Host: /\r\nX-Forwarded-Proto: https\r\n",
        )
        .await;
        assert_eq!(answer.status, 101, "{proxies}");
        server.close([]).await;
    }
}

#[tokio::test]
async fn tls_is_required_once_it_was_used() {
    let server = Server::with::<quiet>(behind_proxy).await;
    let host = format!("Host: {}\r\n", server.address);
    for (scheme, policy) in [
        ("X-Forwarded-Proto: https\r\n", Some("max-age=31536000")),
        ("X-Forwarded-Proto: http\r\n", None),
        ("X-Forwarded-Proto: https, http\r\n", None),
        ("", None),
    ] {
        for path in ["/agents", "/healthz", "/missing"] {
            let answer = http::send(
                server.address,
                &format!("GET {path}"),
                &format!("{host}{scheme}"),
            )
            .await;
            assert_eq!(
                answer.header("strict-transport-security"),
                policy,
                "{path} {scheme}"
            );
        }
    }
    server.close([]).await;
}

#[tokio::test]
async fn router_knows_proxies_by_its_connect_info() {
    let (log, _guard) = Log::capture(Level::WARN);
    let worker = WorkerServer::new(behind_proxy(in_memory())).agent::<quiet>();
    // The warning of the first router is the only one.
    for knows_peers in [false, true] {
        let app = axum::Router::new().nest("/chat", worker.router().await.unwrap());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = if knows_peers {
            let app = app.into_make_service_with_connect_info::<SocketAddr>();
            tokio::spawn(async move { axum::serve(listener, app).await })
        } else {
            tokio::spawn(async move { axum::serve(listener, app).await })
        };
        for _ in 0..2 {
            let answer = open(address, "/chat/ws", "https://chat.example.com", CHAT).await;
            assert_eq!(answer.status, if knows_peers { 101 } else { 403 });
        }
        serving.abort();
        let warnings = log
            .text()
            .matches("WORKER_TRUSTED_PROXIES has no effect")
            .count();
        assert_eq!(warnings, 1);
    }
    worker.close().await;
}
