//! The listener of a server: accepts connections, serves one request on each, and hands WebSockets to their sessions.

use super::admission::{Admission, Place, Sparse};
use super::error::ServerError;
use super::origin::is_loopback;
use super::routes;
use super::running::Running;
use axum::Router;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The pause after the system has refused a connection, such as for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The time that a request may still take when the server stops.
const GRACE: Duration = Duration::from_secs(1);

/// The bytes that the system holds for a client and has not sent, and to which it adds a segment of up to 64 KiB. It takes
/// more once half of them are left, so progress is seen in steps of at most 68 KiB.
#[cfg(any(target_os = "android", target_os = "linux"))]
const UNSENT_BYTES: u32 = 8 * 1024;

/// The largest request line and headers, in bytes.
const HEADER_BYTES: usize = 32 * 1024;

/// Accepts connections until the server stops. Returns once no request is being answered any more.
pub(super) async fn serve(listener: TcpListener, running: Arc<Running>) -> Result<(), ServerError> {
    let address = listener.local_addr().map_err(ServerError::Listen)?;
    let hosts = is_loopback(address.ip()).then(|| running.config.allowed_hosts.clone());
    let exchange = Exchange {
        router: routes::router(Arc::clone(&running), hosts),
        limit: running.config.limits.request_timeout,
        stopping: running.stopping.clone(),
    };
    let mut admission = Admission::new(running.config.limits.connections);
    let mut failures = Sparse::default();
    let connections = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            biased;
            () = running.stopping.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => match admission.admit() {
                Some(place) => drop(connections.spawn(exchange.clone().serve(stream, place))),
                None => {
                    if let Some(refusal) = admission.refuse(stream) {
                        connections.spawn(refusal);
                    }
                }
            },
            Err(error) if is_of_the_client(&error) => {}
            Err(error) => {
                if let Some(failures) = failures.count() {
                    tracing::error!(target: "dooers::server", failures, %error, "connections cannot be accepted; trying again");
                }
                tokio::select! {
                    () = running.stopping.cancelled() => break,
                    () = sleep(ACCEPT_PAUSE) => {}
                }
            }
        }
    }
    // Nobody waits for a server that stops: another process may serve them.
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

/// Lets the system hold little that it has not sent, so that a slow client's progress is seen soon. What is on its way to
/// the client is not limited by that.
#[cfg(any(target_os = "android", target_os = "linux"))]
fn keep_little_unsent(stream: &TcpStream) {
    if let Err(error) = socket2::SockRef::from(stream).set_tcp_notsent_lowat(UNSENT_BYTES) {
        tracing::debug!(target: "dooers::server", %error, "TCP_NOTSENT_LOWAT could not be set");
    }
}

/// The same where the system does not offer it: the progress of a slow client is seen in larger steps.
#[cfg(not(any(target_os = "android", target_os = "linux")))]
fn keep_little_unsent(_: &TcpStream) {}

/// The way from an accepted connection to its answer or its session.
#[derive(Clone)]
struct Exchange {
    router: Router,
    limit: Duration,
    stopping: CancellationToken,
}

impl Exchange {
    /// Serves one request, all of which is under one time limit: nothing sent, half a header, and an answer that the
    /// client does not read are the same. A session is not under it, and keeps the connection's place.
    async fn serve(self, stream: TcpStream, place: Place) {
        // Frames are flushed when all that waits is written. To hold them back for an acknowledgement of the ones
        // before (Nagle's algorithm) would cost each turn 40 ms.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(target: "dooers::server", %error, "TCP_NODELAY could not be set");
        }
        keep_little_unsent(&stream);
        let router = TowerToHyperService::new(self.router);
        let service = service_fn(move |mut request: hyper::Request<Incoming>| {
            request.extensions_mut().insert(place.clone());
            let answering = router.call(request);
            async { answering.await.map(as_the_last) }
        });
        let connection = http1::Builder::new()
            .max_buf_size(HEADER_BYTES)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades();
        let mut connection = pin!(connection);
        tokio::select! {
            // An error is a request that is not HTTP, which hyper has answered, or a client that left.
            _ = connection.as_mut() => return,
            () = sleep(self.limit) => return,
            () = self.stopping.cancelled() => {}
        }
        connection.as_mut().graceful_shutdown();
        // Dropped if it takes longer.
        let _ = timeout(GRACE, connection).await;
    }
}

/// An answer after which the connection ends, unless it becomes a WebSocket.
fn as_the_last(mut answer: Response) -> Response {
    if answer.status() != StatusCode::SWITCHING_PROTOCOLS {
        let close = HeaderValue::from_static("close");
        answer.headers_mut().insert(header::CONNECTION, close);
    }
    answer
}
