//! The body of an answer.

use super::exchange::Exchange;
use super::failure;
use crate::model::ModelError;
use axum::body::Bytes;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use reqwest::{Body, Response};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// Maximum size of the body of an answer, in bytes. `async-openai` keeps what has arrived and is not read yet.
const MAX_BYTES: usize = 64 * 1024 * 1024;

/// Maximum size of an event, in bytes. `async-openai` reads an event again from its beginning whenever more of it arrives.
const MAX_EVENT_BYTES: usize = 4 * 1024 * 1024;

/// The line that ends a stream of events, without white space.
const DONE: &[u8] = b"data:[DONE]";

/// Limits the size of a body and the time between its pieces. Notes in the exchange why the body ends.
pub(super) fn limited(
    response: Response,
    idle_timeout: Duration,
    exchange: Arc<Exchange>,
) -> Response {
    let status = response.status();
    let reading = Reading {
        pieces: response.bytes_stream().boxed(),
        idle_timeout,
        exchange,
        meter: Meter::default(),
        has_failed: false,
    };
    let pieces = stream::unfold(reading, Reading::next);
    let mut limited = hyper::Response::new(Body::wrap_stream(pieces));
    *limited.status_mut() = status;
    limited.into()
}

struct Reading {
    pieces: BoxStream<'static, Result<Bytes, reqwest::Error>>,
    idle_timeout: Duration,
    exchange: Arc<Exchange>,
    meter: Meter,
    has_failed: bool,
}

impl Reading {
    async fn next(mut self) -> Option<(Result<Bytes, ModelError>, Self)> {
        if self.has_failed {
            return None;
        }
        let piece = match timeout(self.idle_timeout, self.pieces.next()).await {
            Ok(piece) => piece?.map_err(failure::of_connection),
            Err(_) => Err(failure::too_slow(self.idle_timeout)),
        };
        let piece = piece.and_then(|piece| {
            self.meter.note(&piece)?;
            if self.meter.is_done {
                self.exchange.finish();
            }
            Ok(piece)
        });
        if let Err(error) = &piece {
            self.has_failed = true;
            self.exchange.fail(error.clone());
        }
        Some((piece, self))
    }
}

/// Measures a body, and finds the end of its events.
#[derive(Debug)]
struct Meter {
    max_bytes: usize,
    max_event_bytes: usize,
    /// The bytes so far.
    bytes: usize,
    /// The bytes of the current event so far.
    event_bytes: usize,
    /// The beginning of the current line, without white space.
    line: Vec<u8>,
    /// True if the line that ends the events was there.
    is_done: bool,
}

impl Default for Meter {
    fn default() -> Self {
        Self {
            max_bytes: MAX_BYTES,
            max_event_bytes: MAX_EVENT_BYTES,
            bytes: 0,
            event_bytes: 0,
            line: Vec::new(),
            is_done: false,
        }
    }
}

impl Meter {
    fn note(&mut self, piece: &[u8]) -> Result<(), ModelError> {
        for byte in piece {
            self.event_bytes += 1;
            match byte {
                // An empty line ends an event.
                b'\n' if self.line.is_empty() => self.event_bytes = 0,
                b'\n' => self.line.clear(),
                b' ' | b'\r' => {}
                byte if self.line.len() <= DONE.len() => self.line.push(*byte),
                _ => {}
            }
            self.is_done |= self.line == DONE;
            if self.event_bytes > self.max_event_bytes {
                return Err(too_long("an event", self.max_event_bytes));
            }
        }
        self.bytes += piece.len();
        if self.bytes > self.max_bytes {
            return Err(too_long("the answer", self.max_bytes));
        }
        Ok(())
    }
}

fn too_long(what: &str, most: usize) -> ModelError {
    ModelError::new(format!(
        "{what} of the model's server has more than {most} bytes"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meter() -> Meter {
        Meter {
            max_bytes: 100,
            max_event_bytes: 20,
            ..Meter::default()
        }
    }

    #[test]
    fn events_and_answers_have_limits() {
        let mut long_event = meter();
        long_event.note(b"data: 1\n\ndata: 12345").unwrap();
        long_event.note(b"12345678\n").unwrap();
        let error = long_event.note(b"x").unwrap_err().to_string();
        assert_eq!(
            error,
            "an event of the model's server has more than 20 bytes"
        );
        let mut long_answer = meter();
        for _ in 0..10 {
            long_answer.note(b": 3456\r\n\r\n").unwrap();
        }
        let error = long_answer.note(b"\n").unwrap_err().to_string();
        assert_eq!(
            error,
            "the answer of the model's server has more than 100 bytes"
        );
    }

    #[test]
    fn end_of_the_events_is_a_line_of_its_own() {
        for (pieces, is_done) in [
            (&["data: [DONE]\n\n"][..], true),
            (&["data:[DONE]"], true),
            (&["data: 1\r\n\r\nda", "ta: [DO", "NE]\r\n"], true),
            (&["data: \"data: [DONE]\"\n\n"], false),
            (&["data: [DON\n\n"], false),
        ] {
            let mut meter = Meter::default();
            for piece in pieces {
                meter.note(piece.as_bytes()).unwrap();
            }
            assert_eq!(meter.is_done, is_done, "{pieces:?}");
        }
    }
}
