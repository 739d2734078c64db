//! The security headers of answers over HTTP.

use crate::agents::quiet;
use crate::http::{self, Answer, UPGRADE};
use dooers_tests::{Server, within};
use std::net::SocketAddr;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

fn assert_headers(answer: &Answer, of: &str) {
    for (name, value) in [
        ("cache-control", "no-store"),
        (
            "content-security-policy",
            "default-src 'none'; connect-src 'self'; frame-ancestors 'none'",
        ),
        ("cross-origin-resource-policy", "same-origin"),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
    ] {
        assert_eq!(answer.header(name), Some(value), "{of}: {answer:?}");
    }
}

/// Sends these bytes and reads the answer.
async fn answer_to(address: SocketAddr, bytes: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    within("an answer", http::answer_of(&mut stream)).await
}

#[tokio::test]
async fn every_answer_has_security_headers() {
    let server = Server::of::<quiet>().await;
    let host = format!("Host: {}\r\n", server.address);
    let foreign = format!("{host}Origin: https://evil.example\r\n");
    let preflight =
        format!("{host}Origin: http://localhost\r\nAccess-Control-Request-Method: GET\r\n");
    for (line, headers, status) in [
        ("GET /agents", &host, 200),
        ("GET /healthz", &host, 200),
        ("GET /readyz", &host, 200),
        ("OPTIONS /agents", &preflight, 200),
        ("GET /ws", &host, 400),
        ("GET /ws", &format!("{host}{UPGRADE}"), 101),
        ("GET /ws", &foreign, 403),
        ("OPTIONS /ws", &foreign, 403),
        ("GET /missing", &host, 404),
        ("GET /agents/nobody/ws", &host, 404),
        ("POST /agents", &host, 405),
        ("POST /ws", &format!("{host}{UPGRADE}"), 405),
    ] {
        let answer = http::send(server.address, line, headers).await;
        assert_eq!(answer.status, status, "{line}");
        assert_headers(&answer, line);
        assert_eq!(answer.header("strict-transport-security"), None, "{line}");
    }
    let many = format!("{host}{}", "X: x\r\n".repeat(99));
    let answer = http::send(server.address, "GET /agents", &many).await;
    assert_eq!(answer.status, 200);
    server.close([]).await;
}

#[tokio::test]
async fn refusal_above_the_limit_has_security_headers() {
    let server =
        Server::with::<quiet>(|config| config.limits(|limits| limits.connections = Some(2))).await;
    let clients = [server.client("ada").await, server.client("ada").await];
    let answer = http::send(server.address, "GET /agents", "Host: localhost\r\n").await;
    assert_eq!(answer.status, 503);
    assert_headers(&answer, "the limit of connections");
    server.close(clients).await;
}

/// The limit of a request line and headers, in bytes.
const MAX_HEAD: usize = 32 * 1024;

/// A request whose line and headers have this many bytes, with the empty line at their end.
fn head_of(bytes: usize) -> String {
    let head =
        |filler: &str| format!("GET /agents HTTP/1.1\r\nHost: localhost\r\nX: {filler}\r\n\r\n");
    head(&"x".repeat(bytes - head("").len()))
}

#[tokio::test]
async fn longest_head_is_read_whole() {
    let server = Server::of::<quiet>().await;
    for bytes in [MAX_HEAD - 1, MAX_HEAD] {
        let answer = answer_to(server.address, head_of(bytes).as_bytes()).await;
        assert_eq!(answer.status, 200, "{bytes}");
    }
    // The parts of a head count together, however they arrive.
    for (bytes, status) in [(MAX_HEAD, 200), (MAX_HEAD + 1, 431), (MAX_HEAD + 4096, 431)] {
        let head = head_of(bytes);
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        for part in head.as_bytes().chunks(5000) {
            stream.write_all(part).await.unwrap();
            tokio::task::yield_now().await;
        }
        let answer = within("an answer", http::answer_of(&mut stream)).await;
        assert_eq!(answer.status, status, "{bytes}");
    }
    server.close([]).await;
}

#[tokio::test]
async fn malformed_request_gets_a_whole_answer() {
    let server = Server::of::<quiet>().await;
    let long = format!(
        "GET /agents HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n\r\n",
        "x".repeat(64 * 1024)
    );
    let many = format!("GET /agents HTTP/1.1\r\n{}\r\n", "X: x\r\n".repeat(101));
    let path = format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(64 * 1024));
    for (request, status) in [
        (&b"hello\r\n\r\n"[..], 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
        (b"GET / HTTP/1.1\r\nbroken\r\n\r\n", 400),
        (b"GET / HTTP/3.0\r\n\r\n", 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n", 400),
        (b"GET /\xff HTTP/1.1\r\n\r\n", 400),
        (long.as_bytes(), 431),
        (many.as_bytes(), 431),
        (path.as_bytes(), 431),
        (head_of(MAX_HEAD + 1).as_bytes(), 431),
    ] {
        let answer = answer_to(server.address, request).await;
        let text = String::from_utf8_lossy(&request[..request.len().min(40)]);
        assert_eq!(answer.status, status, "{text:?}");
        assert_headers(&answer, &text);
        assert_eq!(answer.header("connection"), Some("close"), "{text:?}");
        let has_limits = answer.body.contains("32768 bytes and 100 headers");
        assert_eq!(has_limits, status == 431, "{text:?}");
        assert!(answer.body.ends_with('\n'), "{text:?} {answer:?}");
    }
    server.close([]).await;
}
