//! Requests over HTTP that contain secrets.

use super::trial::Trial;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use dooers_tests::exchange;
use dooers_tests::leaks::Channel;

/// The headers of a request that opens a WebSocket.
const UPGRADE: &str = "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

impl Trial {
    /// Sends requests to all routes, good and bad ones, with secrets wherever a client can put them.
    pub(super) async fn request_everything(&mut self) {
        let query = self.secrets.token("query token");
        let bearer = self.secrets.token("header token");
        let protocol = self.secrets.token("subprotocol token");
        let password = self.secrets.token("basic password");
        let cookie = self.secrets.token("cookie");
        let user = self.secrets.token("user information");
        let basic = STANDARD.encode(format!("ada:{password}"));
        let host = self.address.to_string();
        let headers = format!(
            "Authorization: Bearer {bearer}\r\nProxy-Authorization: Basic {basic}\r\nCookie: session={cookie}\r\n\
             Sec-WebSocket-Protocol: dooers.v1, dooers.bearer.{protocol}\r\nConnection: close, Upgrade\r\n"
        );
        let long = format!("X-Long: {query}{}\r\n", "x".repeat(500_000));
        let (agent, missing) = (format!("/agents/{query}/ws"), format!("/{query}"));
        let requests = [
            ("GET", &*agent, &*host, UPGRADE, 404),
            ("GET", &missing, &host, "", 404),
            ("GET", "/healthz", &host, "", 200),
            ("GET", "/readyz", &host, "", self.readiness),
            ("GET", "/agents", &host, "", 200),
            (
                "OPTIONS",
                "/agents",
                &host,
                "Access-Control-Request-Headers: authorization\r\n",
                200,
            ),
            ("GET", "/ws", &host, "", 400),
            ("POST", "/ws", &host, UPGRADE, 405),
            (
                "GET",
                "/ws",
                &host,
                "Upgrade: websocket\r\nSec-WebSocket-Version: 12\r\n",
                400,
            ),
            ("GET", "/agents/none/ws", &host, UPGRADE, 404),
            ("GET", "/agents/%ff/ws", &host, UPGRADE, 400),
            ("GET", "/nothing", &host, "", 404),
            (
                "GET",
                "/agents",
                &host,
                "Origin: https://evil.example\r\n",
                403,
            ),
            ("GET", "/ws", &host, "Origin: not an origin\r\n", 403),
            ("GET", "/ws", "evil.example", UPGRADE, 403),
            ("GET", "/ws", &host, &long, 431),
            ("BAD VERB", "/ws", &host, "", 400),
        ];
        for (method, path, host, more, status) in requests {
            let request = format!(
                "{method} {path}?token={query} HTTP/1.1\r\nHost: {host}\r\n{headers}{more}\r\n"
            );
            self.ask(&request, status).await;
        }
        let origin = format!("Origin: https://ada:{user}@evil.example\r\n");
        for target in [
            format!("http://ada:{user}@evil.example/ws?token={query}"),
            format!("http://ada:{user}@{host}/agents"),
            format!("/ws?token={query}"),
        ] {
            let request = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n{headers}{origin}\r\n");
            self.ask(&request, 403).await;
        }
    }

    async fn ask(&mut self, request: &str, status: u16) {
        let answer = exchange(self.address, request).await;
        let first: String = request.chars().take(100).collect();
        let expected = format!("HTTP/1.1 {status} ");
        assert!(answer.starts_with(&expected), "{first}: {answer}");
        if status == 503 {
            self.internal.push((answer.clone(), None));
        }
        self.evidence.add(Channel::Http, answer);
    }
}
