//! The listener of a server: accepts connections, serves one request on each, and hands WebSockets to their sessions.

use super::authority::is_loopback;
use super::client_address::ClientAddress;
use super::connection_limit::{Admission, ConnectionSlot};
use super::error::ServerError;
use super::malformed_request::{HasRequest, Muted, answer_to};
use super::routes;
use super::server_state::ServerState;
use super::sparse::Sparse;
use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The pause after the system could not accept a connection, for example because no file descriptor was free.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The time that a request may still take when the server stops.
const GRACE: Duration = Duration::from_secs(1);

/// The unsent bytes that the system keeps for a client. The system may exceed this number by one segment of up to 64
/// KiB, and accepts more bytes when half of them are left. Progress is therefore seen in steps of at most 68 KiB.
#[cfg(any(target_os = "android", target_os = "linux"))]
const UNSENT_BYTES: u32 = 8 * 1024;

/// The largest request line and headers, in bytes.
const HEADER_BYTES: usize = 32 * 1024;

/// Accepts connections until the server stops. Returns when the last request has been answered.
pub(super) async fn serve(
    listener: TcpListener,
    server: Arc<ServerState>,
) -> Result<(), ServerError> {
    let address = listener.local_addr().map_err(ServerError::Listen)?;
    let hosts = is_loopback(address.ip()).then(|| server.config.allowed_hosts.clone());
    let exchange = Exchange {
        router: routes::whole(Arc::clone(&server), hosts),
        limit: server.config.limits.request_timeout,
        stopping: server.stopping.clone(),
    };
    let mut admission = Admission::new(&server.config.limits);
    let mut failures = Sparse::default();
    let connections = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            biased;
            () = server.stopping.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let proxies = &server.config.trusted_proxies;
                let client = ClientAddress::of_connection(peer.ip(), proxies);
                match admission.admit(client).await {
                    Some(place) => {
                        connections.spawn(exchange.clone().serve(stream, peer, place));
                    }
                    None => {
                        if let Some(refusal) = admission.refuse(stream) {
                            connections.spawn(refusal);
                        }
                    }
                }
            }
            Err(error) if is_of_the_client(&error) => {}
            Err(error) => {
                if let Some(failures) = failures.count() {
                    tracing::error!(target: "dooers::server", failures, %error, "connections cannot be accepted; trying again");
                }
                tokio::select! {
                    () = server.stopping.cancelled() => break,
                    () = sleep(ACCEPT_PAUSE) => {}
                }
            }
        }
    }
    // Clients do not have to wait for the server that stops: another process may serve them.
    drop(listener);
    connections.close();
    connections.wait().await;
    Ok(())
}

/// True if the client broke the connection before it was accepted.
fn is_of_the_client(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
    )
}

/// Limits the bytes that the system keeps unsent, so that the progress of a slow client is seen early. Bytes that are
/// on their way to the client are not limited.
#[cfg(any(target_os = "android", target_os = "linux"))]
fn keep_little_unsent(stream: &TcpStream) {
    if let Err(error) = socket2::SockRef::from(stream).set_tcp_notsent_lowat(UNSENT_BYTES) {
        tracing::debug!(target: "dooers::server", %error, "TCP_NOTSENT_LOWAT could not be set");
    }
}

/// Does nothing, because the system has no such limit. The progress of a slow client is seen in larger steps.
#[cfg(not(any(target_os = "android", target_os = "linux")))]
fn keep_little_unsent(_: &TcpStream) {}

/// Everything that serves an accepted connection.
#[derive(Clone)]
struct Exchange {
    router: Router,
    limit: Duration,
    stopping: CancellationToken,
}

impl Exchange {
    /// Serves one request, until the connection has to make room for another one.
    async fn serve(self, stream: TcpStream, peer: SocketAddr, place: ConnectionSlot) {
        let pending = place.clone();
        tokio::select! {
            () = pending.pending().evicted() => {}
            () = self.serve_request(stream, peer, place) => {}
        }
    }

    /// Serves one request, all of which is under one time limit. A client that sends nothing, that sends half a header,
    /// or that does not read the answer is treated the same. A session is not under the limit, and keeps the place of
    /// the connection.
    async fn serve_request(self, stream: TcpStream, peer: SocketAddr, place: ConnectionSlot) {
        // Frames are flushed when all queued frames are written. Nagle's algorithm would hold them back until the
        // earlier ones are acknowledged, which would delay each turn by 40 ms.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(target: "dooers::server", %error, "TCP_NODELAY could not be set");
        }
        keep_little_unsent(&stream);
        let has_request = HasRequest::default();
        let stream = Muted::new(stream, has_request.clone());
        let router = TowerToHyperService::new(self.router);
        let service = service_fn(move |mut request: hyper::Request<Incoming>| {
            has_request.set();
            request.extensions_mut().insert(place.clone());
            request.extensions_mut().insert(ConnectInfo(peer));
            let answering = router.call(request);
            async { answering.await.map(as_the_last) }
        });
        let mut connection = http1::Builder::new()
            .max_buf_size(HEADER_BYTES)
            // The buffer alone is not an exact limit: it may be read beyond its size.
            .max_header_size(HEADER_BYTES)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades();
        tokio::select! {
            served = &mut connection => {
                let error = served.err();
                // Other errors mean a client that left.
                let answer = error.and_then(|error| answer_to(&error, HEADER_BYTES));
                let stream = connection.into_parts().map(|parts| parts.io.into_inner());
                if let (Some(answer), Some(stream)) = (answer, stream.and_then(Muted::into_unanswered)) {
                    answer.send(stream).await;
                }
                return;
            }
            () = sleep(self.limit) => return,
            () = self.stopping.cancelled() => {}
        }
        Pin::new(&mut connection).graceful_shutdown();
        // A connection that takes longer is dropped.
        let _ = timeout(GRACE, connection).await;
    }
}

/// Makes the connection end after this answer, unless it becomes a WebSocket.
fn as_the_last(mut answer: Response) -> Response {
    if answer.status() != StatusCode::SWITCHING_PROTOCOLS {
        let close = HeaderValue::from_static("close");
        answer.headers_mut().insert(header::CONNECTION, close);
    }
    answer
}
