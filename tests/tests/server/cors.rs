//! Answers over HTTP that the pages of other origins may read.

use crate::agents::quiet;
use crate::http::{self, Answer, UPGRADE};
use dooers_tests::{Server, in_memory};

/// Sends a request of a page.
async fn ask(server: &Server, line: &str, origin: &str, more: &str) -> Answer {
    let headers = format!("Host: {}\r\nOrigin: {origin}\r\n{more}", server.address);
    http::send(server.address, line, &headers).await
}

const PREFLIGHT: &str =
    "Access-Control-Request-Method: GET\r\nAccess-Control-Request-Headers: authorization\r\n";

#[tokio::test]
async fn allowed_origin_reads_answers_and_others_do_not() {
    let server = Server::with::<quiet>(|config| {
        config.allowed_origins("https://chat.example.com".parse().unwrap())
    })
    .await;
    let own = format!("http://{}", server.address);
    let allowed = [
        "https://chat.example.com",
        "https://CHAT.example.com:443",
        "http://localhost:3000",
        &own,
    ];
    for (path, status) in [
        ("/agents", 200),
        ("/healthz", 200),
        ("/readyz", 200),
        ("/ws", 400),
        ("/agents/nobody/ws", 404),
        ("/missing", 404),
    ] {
        for origin in allowed {
            let answer = ask(&server, &format!("GET {path}"), origin, "").await;
            assert_eq!(answer.status, status, "{path} {origin}");
            assert_eq!(
                answer.header("access-control-allow-origin"),
                Some(origin),
                "{path}"
            );
            assert_eq!(answer.header("vary"), Some("origin"), "{path}");
            assert_eq!(
                answer.names("access-control-allow-credentials"),
                [""; 0],
                "{path}"
            );
            let answer = ask(&server, &format!("OPTIONS {path}"), origin, PREFLIGHT).await;
            assert_eq!(
                (answer.status, answer.body.as_str()),
                (200, ""),
                "{path} {origin}"
            );
            assert_eq!(
                answer.header("access-control-allow-origin"),
                Some(origin),
                "{path}"
            );
            assert_eq!(
                answer.header("access-control-allow-methods"),
                Some("GET,HEAD")
            );
            assert_eq!(
                answer.header("access-control-allow-headers"),
                Some("authorization,content-type")
            );
            assert_eq!(answer.header("access-control-max-age"), Some("600"));
            assert_eq!(answer.header("vary"), Some("origin"));
        }
        for origin in [
            "https://evil.example",
            "http://chat.example.com",
            "null",
            "x",
            "https://chat.example.com.evil.example",
        ] {
            for line in ["GET", "OPTIONS"] {
                let answer = ask(&server, &format!("{line} {path}"), origin, PREFLIGHT).await;
                assert_eq!(
                    answer.header("access-control-allow-origin"),
                    None,
                    "{path} {origin}"
                );
                // Monitoring tools use any origin, and a path without a route reveals nothing.
                if path == "/ws" || path.starts_with("/agents") {
                    assert_eq!(answer.status, 403, "{line} {path} {origin}");
                    assert_eq!(
                        answer.names("access-control-"),
                        [""; 0],
                        "{line} {path} {origin}"
                    );
                }
            }
        }
    }
    let answer = ask(&server, "GET /missing", &own, "").await;
    assert_eq!(
        answer.body,
        "there is nothing at this path; /agents lists the agents, and WebSockets open at /ws and /agents/{name}/ws\n"
    );
    // Another method than GET is refused readably, too.
    let answer = ask(&server, "POST /agents", allowed[0], "").await;
    assert_eq!(answer.status, 405);
    assert_eq!(
        answer.header("access-control-allow-origin"),
        Some(allowed[0])
    );
    // Two headers `Origin` are not one origin.
    let twice = "Origin: https://chat.example.com\r\n";
    let answer = ask(&server, "GET /healthz", "https://chat.example.com", twice).await;
    assert_eq!(answer.header("access-control-allow-origin"), None);
    server.close([]).await;
}

#[tokio::test]
async fn every_origin_is_allowed_by_its_own_name() {
    let server = Server::with::<quiet>(|config| {
        let config = config.allowed_origins("*".parse().unwrap());
        config.allow_open_on_any_address()
    })
    .await;
    let answer = ask(&server, "GET /agents", "https://any.example", "").await;
    assert_eq!(
        answer.header("access-control-allow-origin"),
        Some("https://any.example")
    );
    // A WebSocket opens as without CORS.
    assert_eq!(
        ask(&server, "GET /ws", "https://any.example", UPGRADE)
            .await
            .status,
        101
    );
    server.close([]).await;
}

#[tokio::test]
async fn every_origin_needs_an_authenticator() {
    let worker = |origins: &str| {
        let config = in_memory().allowed_origins(origins.parse().unwrap());
        dooers::WorkerServer::new(config).agent::<quiet>()
    };
    for origins in ["*", "https://chat.example.com, *"] {
        let error = worker(origins).router::<()>().await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "pages of every origin are allowed, and without an authenticator every page that a user visits can read the conversations of every user: list the origins of your pages instead of `*` in WORKER_ALLOWED_ORIGINS, set an authenticator with `WorkerServer::authenticator(..)`, WORKER_JWT_… or WORKER_TOKENS_FILE, or allow this with WORKER_ALLOW_OPEN=true or `WorkerConfig::allow_open_on_any_address()`"
        );
    }
    let guest = async |_| Ok(dooers::auth::Identity::new("guest"));
    for worker in [
        worker("https://chat.example.com"),
        worker("*").authenticator(guest),
    ] {
        assert!(worker.router::<()>().await.is_ok());
        worker.close().await;
    }
}

#[tokio::test]
async fn nested_router_leaves_the_other_routes_alone() {
    let worker = dooers::WorkerServer::new(in_memory()).agent::<quiet>();
    let own = axum::Router::new().route("/own", axum::routing::get(async || "own"));
    let nested = own.clone().nest("/chat", worker.router().await.unwrap());
    let merged = own.merge(worker.router().await.unwrap());
    for (app, prefix) in [(nested, "/chat"), (merged, "")] {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(async move { axum::serve(listener, app).await });
        let host = format!("Host: {address}\r\nOrigin: http://localhost\r\n");
        let answer = http::send(address, &format!("GET {prefix}/agents"), &host).await;
        assert!(answer.header("access-control-allow-origin").is_some());
        assert!(answer.header("content-security-policy").is_some());
        for path in ["/own", "/missing", "/chat/missing"] {
            let answer = http::send(address, &format!("GET {path}"), &host).await;
            let names = [
                answer.names("access-control-"),
                answer.names("content-security-policy"),
            ]
            .concat();
            assert_eq!(names, [""; 0], "{prefix} {path}");
            assert_eq!(answer.header("vary"), None);
            assert_eq!(answer.header("cache-control"), None);
        }
        serving.abort();
    }
    worker.close().await;
}
