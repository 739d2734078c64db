//! The WebSocket of a session: reading, writing and closing.

use super::pace::{Pace, time_for};
use super::read_ahead::MessageBytes;
use super::upgrade::Socket;
use crate::crash;
use crate::hub::{Connection, Frame};
use futures::stream::{SplitSink, SplitStream};
use futures::{SinkExt, StreamExt};
use std::io::ErrorKind;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};
use tokio_util::sync::CancellationToken;

/// Approximate number of bytes that are handed to the socket before it is flushed.
const BATCH_BYTES: usize = 64 * 1024;

/// Maximum duration of the end of a session: sending queued frames and the closing frame, and reading the client's
/// closing frame.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// Maximum number of bytes that are read from a client after the closing frame was sent. A client that sends more is cut off.
const LINGER_BYTES: usize = 1024 * 1024;

/// The reason for the end of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CloseReason {
    /// The client left, or its connection broke.
    Left,
    /// The server is stopping.
    GoingAway,
    /// The client broke the WebSocket protocol.
    Broken,
    /// The client sent a text that is not UTF-8.
    NotUtf8,
    /// A frame was too large.
    TooLarge,
    /// The client sent no `connect` in time.
    NeverConnected,
    /// The client sent no `connect` in time that the authenticator accepted.
    Unauthorized,
    /// The identity of the client expired and was not renewed in time.
    Expired,
    /// The program closed the connections of the user.
    Revoked,
    /// The client sent no pong in time.
    Silent,
    /// The client read nothing for too long.
    Stalled,
    /// The client sent more frames than it may for too long.
    Flooding,
}

impl CloseReason {
    /// The closing frame for this reason.
    fn close_frame(self) -> CloseFrame {
        let (code, reason) = match self {
            Self::Left => (CloseCode::Normal, ""),
            Self::GoingAway => (CloseCode::Away, "the server is stopping; reconnect"),
            Self::Broken => (CloseCode::Protocol, "not the WebSocket protocol"),
            Self::NotUtf8 => (CloseCode::Invalid, "a text frame is not UTF-8"),
            Self::TooLarge => (CloseCode::Size, "the frame is too large"),
            Self::NeverConnected => (CloseCode::Again, "no connect frame came in time"),
            Self::Unauthorized => (CloseCode::Policy, "the credentials were refused"),
            Self::Expired => (CloseCode::Policy, "the authentication has expired"),
            Self::Revoked => (CloseCode::Policy, "the access was revoked"),
            Self::Silent => (CloseCode::Again, "no pong came in time"),
            Self::Stalled => (CloseCode::Again, "nothing was read for too long"),
            Self::Flooding => (CloseCode::Again, "too many frames were sent for too long"),
        };
        CloseFrame {
            code,
            reason: reason.into(),
        }
    }
}

/// The end of a session. The first reason counts, and all parts of the session stop.
#[derive(Debug)]
pub(super) struct CloseSignal {
    reason: OnceLock<CloseReason>,
    token: CancellationToken,
}

impl CloseSignal {
    /// Creates the end of a session, which occurs at the latest when `stopping` fires.
    pub(super) fn new(stopping: &CancellationToken) -> Self {
        Self {
            reason: OnceLock::new(),
            token: stopping.child_token(),
        }
    }

    pub(super) fn end(&self, reason: CloseReason) {
        // A later reason is a consequence of the first.
        let _ = self.reason.set(reason);
        self.token.cancel();
    }

    pub(super) async fn ended(&self) {
        self.token.cancelled().await;
    }

    /// Waits until the session has ended and its closing time is over. Then the socket is dropped, even if the client
    /// reads nothing.
    pub(super) async fn overdue(&self) {
        self.ended().await;
        sleep(CLOSE_TIMEOUT).await;
    }

    /// Returns true if the session has ended for this reason.
    pub(super) fn is_by(&self, reason: CloseReason) -> bool {
        self.reason() == reason
    }

    fn reason(&self) -> CloseReason {
        self.reason.get().copied().unwrap_or(CloseReason::GoingAway)
    }
}

/// Evidence that the client answers pings, and the time for which the server has not read from the socket.
#[derive(Debug, Default)]
pub(super) struct Liveness {
    answered: AtomicBool,
    looking: Mutex<Looking>,
}

/// The time for which the server has not read from the socket, because it was answering a request or waiting for room.
#[derive(Debug, Default)]
struct Looking {
    /// The sum of the periods that have ended.
    away: Duration,
    /// The beginning of the current period, if the socket is not being read now.
    since: Option<Instant>,
}

impl Liveness {
    /// Records a pong. Returns `false` if it answers no ping.
    pub(super) fn saw_pong(&self) -> bool {
        !self.answered.swap(true, Ordering::Relaxed)
    }

    /// Records that the socket is not read from now on.
    pub(super) fn look_away(&self) {
        self.looking().since = Some(Instant::now());
    }

    /// Records that the socket is read from now on.
    pub(super) fn look(&self) {
        let mut looking = self.looking();
        if let Some(since) = looking.since.take() {
            looking.away += since.elapsed();
        }
    }

    /// The time for which the socket has not been read so far.
    fn away(&self) -> Duration {
        let looking = self.looking();
        let now = looking.since.map(|since| since.elapsed());
        looking.away + now.unwrap_or_default()
    }

    fn looking(&self) -> MutexGuard<'_, Looking> {
        // Nothing panics while the lock is held.
        self.looking.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The interval of pings, and the time limit for a pong.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timing {
    pub(super) ping_interval: Duration,
    pub(super) pong_timeout: Duration,
}

/// A ping that was sent and not answered yet.
struct OpenPing {
    at: Instant,
    /// The time by which the pong must arrive. A slow reader first reads what was sent before the ping.
    until: Instant,
    /// The number of bytes that were written up to the ping. The client has read them when it answers.
    taken: u64,
    /// The time for which the server had not read when the ping was sent. A pong is not late because the server does
    /// not read it.
    away: Duration,
}

impl OpenPing {
    /// The time by which the server must have read the pong.
    fn due(&self, liveness: &Liveness) -> Instant {
        self.until + (liveness.away() - self.away)
    }
}

/// Writes queued frames in batches with one flush each, sends pings, and sends the closing frame at the end.
pub(super) async fn write(
    mut sink: SplitSink<Socket, Message>,
    connection: &Connection,
    ending: &CloseSignal,
    liveness: &Liveness,
    pace: &Pace,
    timing: Timing,
) {
    let mut batch = Vec::new();
    let mut open_ping: Option<OpenPing> = None;
    // The number of bytes that the client has certainly read.
    let mut read = 0;
    let alarm = sleep_until(Instant::now() + timing.ping_interval);
    tokio::pin!(alarm);
    loop {
        let outcome = tokio::select! {
            () = ending.ended() => break,
            () = connection.outbound().take(BATCH_BYTES, &mut batch) => {
                send(&mut sink, connection, &mut batch, pace).await
            }
            () = &mut alarm => {
                let now = Instant::now();
                match open_ping.take() {
                    Some(ping) if liveness.answered.load(Ordering::Relaxed) => {
                        read = ping.taken;
                        alarm.as_mut().reset(ping.at + timing.ping_interval);
                        Ok(())
                    }
                    Some(ping) if now < ping.due(liveness) => {
                        let due = ping.due(liveness);
                        alarm.as_mut().reset(due.min(now + timing.pong_timeout));
                        open_ping = Some(ping);
                        Ok(())
                    }
                    Some(_) => Err(CloseReason::Silent),
                    None => {
                        liveness.answered.store(false, Ordering::Relaxed);
                        let sent = Box::pin(send_ping(&mut sink, connection, pace)).await;
                        // The time starts here, when the ping has left the queue of frames.
                        let (at, taken) = (Instant::now(), pace.taken());
                        let until = at + timing.pong_timeout + time_for(taken - read);
                        alarm.as_mut().reset(at + timing.pong_timeout);
                        let away = liveness.away();
                        open_ping = Some(OpenPing { at, until, taken, away });
                        sent
                    }
                }
            }
        };
        if let Err(reason) = outcome {
            ending.end(reason);
            break;
        }
    }
    // Boxed like the ping, so that the task of an idle connection does not hold memory for rare work.
    Box::pin(close(
        &mut sink,
        connection,
        &mut batch,
        ending.reason(),
        pace,
    ))
    .await;
}

async fn send(
    sink: &mut SplitSink<Socket, Message>,
    connection: &Connection,
    batch: &mut Vec<Frame>,
    pace: &Pace,
) -> Result<(), CloseReason> {
    let work = async {
        for frame in batch.drain(..) {
            sink.feed(Message::Text(frame.into_json())).await?;
        }
        sink.flush().await
    };
    let outcome = keep(pace, connection, pin!(work)).await;
    connection.outbound().sent();
    crash::point("after-flush");
    // An idle connection holds no memory for frames.
    *batch = Vec::new();
    outcome
}

async fn send_ping(
    sink: &mut SplitSink<Socket, Message>,
    connection: &Connection,
    pace: &Pace,
) -> Result<(), CloseReason> {
    let ping = sink.send(Message::Ping(Default::default()));
    keep(pace, connection, ping).await
}

/// Waits for a write, as long as the client keeps pace.
async fn keep(
    pace: &Pace,
    connection: &Connection,
    writing: impl Future<Output = Result<(), Error>> + Unpin,
) -> Result<(), CloseReason> {
    let outbound = connection.outbound();
    let is_in_the_way = || outbound.is_in_the_way(pace.stall_timeout());
    let written = pace.keep(writing, is_in_the_way).await;
    written
        .ok_or(CloseReason::Stalled)?
        .map_err(|_| CloseReason::Left)
}

/// Sends the remaining frames and the closing frame, if the client takes them.
async fn close(
    sink: &mut SplitSink<Socket, Message>,
    connection: &Connection,
    batch: &mut Vec<Frame>,
    reason: CloseReason,
    pace: &Pace,
) {
    if reason == CloseReason::Stalled {
        return;
    }
    while !connection.outbound().is_empty() {
        connection.outbound().take(BATCH_BYTES, batch).await;
        if send(sink, connection, batch, pace).await.is_err() {
            return;
        }
    }
    // The client may be gone already.
    let _ = sink.send(Message::Close(Some(reason.close_frame()))).await;
}

/// A message of the client.
#[derive(Debug)]
pub(super) enum Incoming {
    Text(Utf8Bytes),
    /// A binary message of this size, which is refused but does not end the session.
    Binary(usize),
    /// A ping, which the library answers, or a pong that answers no ping.
    Control,
}

impl Incoming {
    /// The size of the message in bytes.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Binary(bytes) => *bytes,
            Self::Control => 0,
        }
    }

    /// The text of a message that is answered. `None` for a ping or pong.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Binary(_) => Some(""),
            Self::Control => None,
        }
    }
}

/// Reads the next message of the client.
pub(super) async fn read(
    stream: &mut SplitStream<Socket>,
    liveness: &Liveness,
) -> Result<Incoming, CloseReason> {
    loop {
        return match stream.next().await {
            None | Some(Ok(Message::Close(_))) => Err(CloseReason::Left),
            Some(Ok(Message::Text(text))) => Ok(Incoming::Text(text)),
            Some(Ok(Message::Binary(bytes))) => Ok(Incoming::Binary(bytes.len())),
            // A pong that the server has asked for does not count.
            Some(Ok(Message::Pong(_))) if liveness.saw_pong() => continue,
            // The library answers pings, and does not return raw frames when it reads.
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {
                Ok(Incoming::Control)
            }
            Some(Err(error)) => Err(end_of(&error)),
        };
    }
}

/// Reads until the client has closed the connection, after the closing frame was sent. A socket that is closed with
/// unread bytes in it may lose the last frames.
pub(super) async fn linger(stream: &mut SplitStream<Socket>, bytes: &MessageBytes) {
    let mut left = LINGER_BYTES;
    while let Some(Ok(message)) = stream.next().await {
        let read = bytes.of_message(message.len()).max(1);
        match left.checked_sub(read) {
            Some(rest) => left = rest,
            None => return,
        }
    }
}

fn end_of(error: &Error) -> CloseReason {
    match error {
        Error::Capacity(_) => CloseReason::TooLarge,
        Error::Io(error) if error.kind() == ErrorKind::FileTooLarge => CloseReason::TooLarge,
        Error::Utf8(_) => CloseReason::NotUtf8,
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => CloseReason::Left,
        Error::Protocol(_) => CloseReason::Broken,
        _ => CloseReason::Left,
    }
}
