//! The WebSocket of a session: reading, writing, and why it ends.

use crate::crash;
use crate::hub::{Connection, Frame};
use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use futures::stream::{SplitSink, SplitStream};
use futures::{SinkExt, StreamExt};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

/// About how many bytes are handed to the socket before it is flushed.
const BATCH_BYTES: usize = 64 * 1024;

/// How long a session may take to end: sending what waits, the closing frame, and the client's own one.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// Why a session ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The client left, or its connection broke.
    Left,
    /// The server stops.
    GoingAway,
    /// The client broke the WebSocket protocol.
    Broken,
    /// The client sent a text that is not UTF-8.
    NotUtf8,
    /// A frame was too large.
    TooLarge,
    /// No `connect` in time.
    NeverConnected,
    /// No pong in time.
    Silent,
    /// Nothing was read for too long.
    Stalled,
}

impl End {
    /// What the closing frame says.
    fn close_frame(self) -> CloseFrame {
        // 1013 has no name in axum: try again later.
        const TRY_AGAIN: u16 = close_code::AGAIN;
        let (code, reason) = match self {
            Self::Left => (close_code::NORMAL, ""),
            Self::GoingAway => (close_code::AWAY, "the server stops; reconnect"),
            Self::Broken => (close_code::PROTOCOL, "not the WebSocket protocol"),
            Self::NotUtf8 => (close_code::INVALID, "a text frame is not UTF-8"),
            Self::TooLarge => (close_code::SIZE, "the frame is too large"),
            Self::NeverConnected => (TRY_AGAIN, "no connect frame came in time"),
            Self::Silent => (TRY_AGAIN, "no pong came in time"),
            Self::Stalled => (TRY_AGAIN, "nothing was read for too long"),
        };
        CloseFrame {
            code,
            reason: reason.into(),
        }
    }
}

/// How a session ends: the first reason counts, and everybody stops.
#[derive(Debug)]
pub(super) struct Ending {
    reason: OnceLock<End>,
    token: CancellationToken,
}

impl Ending {
    /// A session that ends when the server stops, if not before.
    pub(super) fn new(stopping: &CancellationToken) -> Self {
        Self {
            reason: OnceLock::new(),
            token: stopping.child_token(),
        }
    }

    pub(super) fn end(&self, reason: End) {
        // A later reason is a consequence of the first.
        let _ = self.reason.set(reason);
        self.token.cancel();
    }

    pub(super) async fn ended(&self) {
        self.token.cancelled().await;
    }

    /// Waits until the session has ended and has had its time to say so, also to a client that reads nothing.
    pub(super) async fn overdue(&self) {
        self.ended().await;
        sleep(CLOSE_TIMEOUT).await;
    }

    fn reason(&self) -> End {
        self.reason.get().copied().unwrap_or(End::GoingAway)
    }
}

/// Whether the client answers pings.
#[derive(Debug, Default)]
pub(super) struct Liveness {
    answered: AtomicBool,
}

impl Liveness {
    pub(super) fn saw_pong(&self) {
        self.answered.store(true, Ordering::Relaxed);
    }
}

/// When the client is asked whether it is there, and how long anything may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timing {
    pub(super) ping_interval: Duration,
    pub(super) pong_timeout: Duration,
    pub(super) stall_timeout: Duration,
}

/// Feeds all that waits to the socket and flushes once, asks whether the client is there, and says at the end why.
pub(super) async fn write(
    mut sink: SplitSink<WebSocket, Message>,
    connection: &Connection,
    ending: &Ending,
    liveness: &Liveness,
    timing: Timing,
) {
    let mut batch = Vec::new();
    let mut is_asked = false;
    let alarm = sleep_until(Instant::now() + timing.ping_interval);
    tokio::pin!(alarm);
    loop {
        let outcome = tokio::select! {
            () = ending.ended() => break,
            () = connection.outbound().take(BATCH_BYTES, &mut batch) => {
                send(&mut sink, &mut batch, timing.stall_timeout).await
            }
            () = &mut alarm => {
                if is_asked && !liveness.answered.load(Ordering::Relaxed) {
                    Err(End::Silent)
                } else {
                    // Either the answer came and the next question is due, or this is the question.
                    is_asked = !is_asked;
                    let wait = if is_asked {
                        timing.pong_timeout
                    } else {
                        timing.ping_interval.saturating_sub(timing.pong_timeout)
                    };
                    alarm.as_mut().reset(Instant::now() + wait);
                    if is_asked {
                        liveness.answered.store(false, Ordering::Relaxed);
                        ask(&mut sink, timing.stall_timeout).await
                    } else {
                        Ok(())
                    }
                }
            }
        };
        if let Err(reason) = outcome {
            ending.end(reason);
            break;
        }
    }
    close(&mut sink, connection, &mut batch, ending.reason()).await;
}

async fn send(
    sink: &mut SplitSink<WebSocket, Message>,
    batch: &mut Vec<Frame>,
    at_most: Duration,
) -> Result<(), End> {
    let work = async {
        for frame in batch.drain(..) {
            sink.feed(Message::Text(frame)).await?;
        }
        sink.flush().await
    };
    let outcome = match timeout(at_most, work).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(End::Left),
        Err(_) => Err(End::Stalled),
    };
    crash::point("after-flush");
    // An idle connection holds no memory for frames.
    *batch = Vec::new();
    outcome
}

async fn ask(sink: &mut SplitSink<WebSocket, Message>, at_most: Duration) -> Result<(), End> {
    match timeout(at_most, sink.send(Message::Ping(Default::default()))).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(End::Left),
        Err(_) => Err(End::Stalled),
    }
}

/// Sends what still waits and the closing frame, if the client takes them.
async fn close(
    sink: &mut SplitSink<WebSocket, Message>,
    connection: &Connection,
    batch: &mut Vec<Frame>,
    reason: End,
) {
    if reason == End::Stalled {
        return;
    }
    while !connection.outbound().is_empty() {
        connection.outbound().take(BATCH_BYTES, batch).await;
        if send(sink, batch, CLOSE_TIMEOUT).await.is_err() {
            return;
        }
    }
    // The client may be gone already.
    let _ = sink.send(Message::Close(Some(reason.close_frame()))).await;
}

/// The next text of the client.
///
/// Binary messages come as `None`: they are refused, not fatal.
pub(super) async fn read(
    stream: &mut SplitStream<WebSocket>,
    liveness: &Liveness,
) -> Result<Option<Frame>, End> {
    loop {
        return match stream.next().await {
            None | Some(Ok(Message::Close(_))) => Err(End::Left),
            Some(Ok(Message::Text(text))) => Ok(Some(text)),
            Some(Ok(Message::Binary(_))) => Ok(None),
            Some(Ok(Message::Pong(_))) => {
                liveness.saw_pong();
                continue;
            }
            // The library answers it.
            Some(Ok(Message::Ping(_))) => continue,
            Some(Err(error)) => Err(end_of(error)),
        };
    }
}

/// After the closing frame is sent, reads until the client has closed too: a socket that is closed with unread
/// bytes in it may lose what was sent last.
pub(super) async fn linger(stream: &mut SplitStream<WebSocket>) {
    while stream.next().await.is_some_and(|message| message.is_ok()) {}
}

/// axum boxes tungstenite's error and does not name its type.
fn end_of(error: axum::Error) -> End {
    let text = error.into_inner().to_string();
    if text.starts_with("Space limit exceeded") {
        End::TooLarge
    } else if text.starts_with("UTF-8") || text.contains("utf-8") {
        End::NotUtf8
    } else if text.starts_with("WebSocket protocol error")
        && !text.contains("without closing handshake")
    {
        End::Broken
    } else {
        End::Left
    }
}
