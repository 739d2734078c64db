//! Requests that are not HTTP.
//!
//! hyper answers them itself, without a text and without our headers. The stream drops that answer, and the listener sends
//! another one.

use super::raw_answer::RawAnswer;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// hyper's limit of the number of headers.
const MAX_HEADERS: usize = 100;

/// A stream that drops what is written to it before the request has been read.
#[derive(Debug)]
pub(super) struct Muted<T> {
    inner: T,
    has_request: HasRequest,
}

/// True when the request of a connection has been read. Clones share the value.
#[derive(Debug, Clone, Default)]
pub(super) struct HasRequest(Arc<AtomicBool>);

impl HasRequest {
    pub(super) fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn get(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl<T> Muted<T> {
    pub(super) fn new(inner: T, has_request: HasRequest) -> Self {
        Self { inner, has_request }
    }

    /// Returns the stream if nothing was written to it.
    pub(super) fn into_unanswered(self) -> Option<T> {
        (!self.has_request.get()).then_some(self.inner)
    }
}

/// The answer to a request that could not be read. `None` if the client has sent no request, or left.
pub(super) fn answer_to(error: &hyper::Error, header_bytes: usize) -> Option<RawAnswer> {
    if error.is_parse_too_large() {
        let text = format!(
            "the request line and headers are too long; at most {header_bytes} bytes and {MAX_HEADERS} headers are read\n"
        );
        let status = "431 Request Header Fields Too Large";
        return Some(RawAnswer::new(status, "", &text));
    }
    let text = "this is not a request of HTTP/1.1\n";
    error
        .is_parse()
        .then(|| RawAnswer::new("400 Bad Request", "", text))
}

impl<T: AsyncRead + Unpin> AsyncRead for Muted<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}

// Vectored writes are not passed on: hyper then collects the parts of an answer itself.
impl<T: AsyncWrite + Unpin> AsyncWrite for Muted<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.has_request.get() {
            Pin::new(&mut self.inner).poll_write(context, bytes)
        } else {
            Poll::Ready(Ok(bytes.len()))
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.has_request.get() {
            Pin::new(&mut self.inner).poll_shutdown(context)
        } else {
            Poll::Ready(Ok(()))
        }
    }
}
