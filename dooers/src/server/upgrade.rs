//! The opening of a WebSocket.

use super::client_address::ClientAddress;
use super::read_ahead::ReadAhead;
use super::write_counter::Metered;
use crate::auth::{SUBPROTOCOL, offers_subprotocol};
use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Version, header};
use axum::response::{IntoResponse, Response};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use std::net::IpAddr;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::server::create_response_with_body;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

/// The size of the read buffer that each connection keeps for its whole life. The library's default would cost each
/// idle connection 128 KiB. [`ReadAhead`] keeps the number of system calls independent of this size.
const READ_BUFFER: usize = 512;

/// The number of bytes up to which frames are collected for one system call. The buffer holds at most one frame more,
/// because each frame waits until the one before it fits.
const WRITE_BUFFER: usize = 16 * 1024;

/// Maximum number of bytes that are read for one message of this size: its parts, and the pings between them.
fn message_bytes(size: usize) -> usize {
    size.saturating_mul(2).saturating_add(64 * 1024)
}

/// The WebSocket of a session.
pub(super) type Socket = WebSocketStream<Metered<ReadAhead<TokioIo<Upgraded>>>>;

/// A request that opens a WebSocket. axum's own type is not used because it hides the number of bytes that the client
/// takes.
#[derive(Debug)]
pub(super) struct Upgrade {
    pub(super) headers: HeaderMap,
    pub(super) peer: Option<IpAddr>,
    answer: Response,
    upgraded: OnUpgrade,
}

/// A request that does not open a WebSocket.
#[derive(Debug)]
pub(super) struct NotAWebSocket {
    status: StatusCode,
    reason: String,
}

impl<S: Sync> FromRequest<S> for Upgrade {
    type Rejection = NotAWebSocket;

    async fn from_request(mut request: Request, _: &S) -> Result<Self, NotAWebSocket> {
        let mut answer = answer_to(&request)?;
        if offers_subprotocol(request.headers()) {
            let selected = HeaderValue::from_static(SUBPROTOCOL);
            let headers = answer.headers_mut();
            headers.insert(header::SEC_WEBSOCKET_PROTOCOL, selected);
        }
        let client = request.extensions().get::<ClientAddress>();
        let peer = client.and_then(|client| client.ip());
        let upgraded = request.extensions_mut().remove::<OnUpgrade>();
        let upgraded = upgraded.ok_or_else(|| NotAWebSocket {
            status: StatusCode::UPGRADE_REQUIRED,
            reason: "the connection cannot be upgraded".to_owned(),
        })?;
        Ok(Self {
            headers: std::mem::take(request.headers_mut()),
            peer,
            answer,
            upgraded,
        })
    }
}

/// The answer that accepts a request.
fn answer_to(request: &Request) -> Result<Response, NotAWebSocket> {
    let bad = |reason: String| NotAWebSocket {
        status: StatusCode::BAD_REQUEST,
        reason,
    };
    if request.version() < Version::HTTP_2 {
        return create_response_with_body(request, Body::empty).map_err(|error| {
            let mut refused = bad(error.to_string());
            if request.method() != Method::GET {
                refused.status = StatusCode::METHOD_NOT_ALLOWED;
            }
            refused
        });
    }
    // A program may serve the router over HTTP/2, where the stream itself is the WebSocket (RFC 8441).
    let version = request.headers().get(header::SEC_WEBSOCKET_VERSION);
    if request.method() == Method::CONNECT && version.is_some_and(|version| version == "13") {
        Ok(Response::new(Body::empty()))
    } else {
        Err(bad(
            "over HTTP/2 the request must be CONNECT with WebSocket version 13".to_owned(),
        ))
    }
}

impl Upgrade {
    /// Returns the answer, and a future for the WebSocket, which is ready when the answer was sent.
    pub(super) fn accept(
        self,
        frame_bytes: usize,
    ) -> (
        Response,
        impl Future<Output = Option<Socket>> + Send + use<>,
    ) {
        let config = WebSocketConfig::default()
            .max_message_size(Some(frame_bytes))
            .max_frame_size(Some(frame_bytes))
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(WRITE_BUFFER);
        let opening = async move {
            // The client may leave before that.
            let stream = ReadAhead::new(
                TokioIo::new(self.upgraded.await.ok()?),
                message_bytes(frame_bytes),
            );
            let stream = Metered::new(stream);
            Some(WebSocketStream::from_raw_socket(stream, Role::Server, Some(config)).await)
        };
        (self.answer, opening)
    }
}

impl IntoResponse for NotAWebSocket {
    fn into_response(self) -> Response {
        let text = format!("this path serves WebSockets only: {}\n", self.reason);
        (self.status, text).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: Method, version: Version) -> Request {
        let mut request = Request::new(Body::empty());
        *request.method_mut() = method;
        *request.version_mut() = version;
        for (name, value) in [
            (header::CONNECTION, "keep-alive, Upgrade"),
            (header::UPGRADE, "websocket"),
            (header::SEC_WEBSOCKET_VERSION, "13"),
            (header::SEC_WEBSOCKET_KEY, "dGhlIHNhbXBsZSBub25jZQ=="),
        ] {
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        request
    }

    #[test]
    fn handshake_of_rfc_6455_is_answered() {
        let answer = answer_to(&request(Method::GET, Version::HTTP_11)).unwrap();
        assert_eq!(answer.status(), StatusCode::SWITCHING_PROTOCOLS);
        let accept = &answer.headers()[header::SEC_WEBSOCKET_ACCEPT];
        assert_eq!(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn handshake_over_http_2_is_answered() {
        let answer = answer_to(&request(Method::CONNECT, Version::HTTP_2)).unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        assert!(answer_to(&request(Method::GET, Version::HTTP_2)).is_err());
    }

    #[test]
    fn other_requests_are_refused() {
        for name in [
            header::CONNECTION,
            header::UPGRADE,
            header::SEC_WEBSOCKET_VERSION,
            header::SEC_WEBSOCKET_KEY,
        ] {
            let mut without = request(Method::GET, Version::HTTP_11);
            without.headers_mut().remove(&name);
            let refused = answer_to(&without).unwrap_err();
            assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{name}");
        }
        let refused = answer_to(&request(Method::POST, Version::HTTP_11)).unwrap_err();
        assert_eq!(refused.status, StatusCode::METHOD_NOT_ALLOWED);
    }
}
