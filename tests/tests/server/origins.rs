//! Allowed origins and host names.

use crate::agents::quiet;
use crate::http::{self, UPGRADE};
use dooers::WorkerConfig;
use dooers_tests::Server;
use std::net::SocketAddr;

/// Requests a WebSocket with these headers. Returns the status and the body.
async fn ask(address: SocketAddr, path: &str, headers: &str) -> (u16, String) {
    let answer = http::send(
        address,
        &format!("GET {path}"),
        &format!("{headers}{UPGRADE}"),
    )
    .await;
    (answer.status, answer.body)
}

const PATHS: [&str; 3] = ["/ws", "/agents/quiet/ws", "/agents"];

fn opened(path: &str) -> u16 {
    if path == "/agents" { 200 } else { 101 }
}

async fn serve(change: impl FnOnce(WorkerConfig) -> WorkerConfig) -> Server {
    Server::with::<quiet>(change).await
}

#[tokio::test]
async fn foreign_origin_is_rejected_before_the_upgrade() {
    let server = serve(|config| config).await;
    let host = format!("Host: {}\r\n", server.address);
    for path in PATHS {
        for (origin, status) in [
            (String::new(), opened(path)),
            (
                format!("Origin: http://{}\r\n", server.address),
                opened(path),
            ),
            ("Origin: http://localhost:3000\r\n".to_owned(), opened(path)),
            ("Origin: https://evil.example\r\n".to_owned(), 403),
            ("Origin: null\r\n".to_owned(), 403),
            ("Origin: \u{e4}\r\n".to_owned(), 403),
            (
                "Origin: http://localhost\r\nOrigin: http://localhost\r\n".to_owned(),
                403,
            ),
        ] {
            let answer = ask(server.address, path, &format!("{host}{origin}")).await;
            assert_eq!(answer.0, status, "{path} {origin} {}", answer.1);
            assert!(status != 403 || answer.1.ends_with('\n'), "{}", answer.1);
        }
    }
    let foreign = format!("{host}Origin: https://evil.example\r\n");
    let (_, text) = ask(server.address, "/ws", &foreign).await;
    assert!(text.contains("WORKER_ALLOWED_ORIGINS"), "{text}");
    // Monitoring tools use any host name and origin.
    let anywhere = "Host: evil.example\r\nOrigin: https://evil.example\r\n";
    assert_eq!(ask(server.address, "/healthz", anywhere).await.0, 200);
    assert_eq!(ask(server.address, "/readyz", anywhere).await.0, 200);
    server.close([]).await;
}

#[tokio::test]
async fn allowed_origins_and_hosts_are_served() {
    let server = serve(|config| {
        config
            .allowed_origins("https://chat.example.com".parse().unwrap())
            .allowed_hosts("worker.example.com".parse().unwrap())
    })
    .await;
    for path in PATHS {
        for (headers, status) in [
            (
                "Host: worker.example.com\r\nOrigin: https://chat.example.com\r\n",
                opened(path),
            ),
            (
                "Host: localhost\r\nOrigin: https://chat.example.com\r\n",
                opened(path),
            ),
            (
                "Host: worker.example.com\r\nOrigin: https://worker.example.com\r\n",
                opened(path),
            ),
            (
                "Host: other.example.com\r\nOrigin: https://chat.example.com\r\n",
                403,
            ),
            (
                "Host: localhost\r\nOrigin: http://chat.example.com\r\n",
                403,
            ),
        ] {
            assert_eq!(
                ask(server.address, path, headers).await.0,
                status,
                "{path} {headers}"
            );
        }
    }
    server.close([]).await;
}

#[tokio::test]
async fn rebound_host_is_rejected_on_loopback() {
    let server = serve(|config| config).await;
    let port = server.address.port();
    // A page of an attacker whose host name resolves to this server, so that host and port match.
    let rebound = format!("Host: evil.example:{port}\r\nOrigin: http://evil.example:{port}\r\n");
    let (status, text) = ask(server.address, "/ws", &rebound).await;
    assert_eq!(status, 403);
    assert!(text.contains("WORKER_ALLOWED_HOSTS"), "{text}");
    server.close([]).await;
}

#[tokio::test]
async fn router_accepts_every_host_name() {
    let worker = dooers::WorkerServer::new(dooers_tests::in_memory()).agent::<quiet>();
    let router = worker.router().await.unwrap();
    let nested = axum::Router::new().nest("/chat", router);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(async move { axum::serve(listener, nested).await });
    let own = "Host: chat.example.com\r\nOrigin: https://chat.example.com\r\n";
    assert_eq!(ask(address, "/chat/ws", own).await.0, 101);
    let foreign = "Host: chat.example.com\r\nOrigin: https://evil.example\r\n";
    assert_eq!(ask(address, "/chat/ws", foreign).await.0, 403);
    worker.close().await;
    serving.abort();
}
