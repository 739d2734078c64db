//! The events of an answer.

use super::chat::ChatReader;
use super::event_reader::EventReader;
use super::exchange::Exchange;
use super::responses::ResponsesReader;
use super::{chat, responses};
use crate::Secret;
use crate::model::{Delta, ModelError, ModelRequest};
use async_openai::types::stream::StreamResponse;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use serde_json::{Map, Value};
use std::collections::VecDeque;
use std::sync::Arc;

/// The API of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Api {
    Chat,
    Responses,
}

impl Api {
    /// The members of a request that depend on the API.
    pub(super) fn body(self, request: ModelRequest) -> Map<String, Value> {
        match self {
            Self::Chat => chat::body(request),
            Self::Responses => responses::body(request),
        }
    }

    /// The reader of an answer of this model. `key` does not occur in errors.
    pub(super) fn reader(self, model: String, key: Option<Secret>) -> Box<dyn EventReader> {
        match self {
            Self::Chat => Box::new(ChatReader::new(model, key)),
            Self::Responses => Box::new(ResponsesReader::new(model, key)),
        }
    }
}

/// The pieces of an answer.
pub(super) fn read(
    events: StreamResponse<Value>,
    reader: Box<dyn EventReader>,
    exchange: Arc<Exchange>,
) -> BoxStream<'static, Result<Delta, ModelError>> {
    let reading = Reading {
        events: Some(events),
        reader,
        exchange,
        ready: VecDeque::new(),
    };
    stream::unfold(reading, |mut reading| async move {
        let next = reading.next().await.transpose()?;
        Some((next, reading))
    })
    .boxed()
}

struct Reading {
    /// `None` after the end.
    events: Option<StreamResponse<Value>>,
    reader: Box<dyn EventReader>,
    exchange: Arc<Exchange>,
    ready: VecDeque<Delta>,
}

impl Reading {
    async fn next(&mut self) -> Result<Option<Delta>, ModelError> {
        loop {
            if let Some(delta) = self.ready.pop_front() {
                return Ok(Some(delta));
            }
            let Some(events) = &mut self.events else {
                return Ok(None);
            };
            let read = match events.next().await {
                Some(Ok(event)) => self.reader.read(&event, &mut self.ready),
                Some(Err(error)) => Err(self.exchange.error(error)),
                None => {
                    self.events = None;
                    self.check_end()
                }
            };
            if let Err(error) = read {
                self.events = None;
                self.ready.clear();
                return Err(error);
            }
        }
    }

    /// A connection that closes in the middle of an answer looks like the end of the answer.
    fn check_end(&self) -> Result<(), ModelError> {
        if self.exchange.is_done() || self.reader.is_complete() {
            return Ok(());
        }
        Err(ModelError::retryable(
            "the model's server closed the connection in the middle of its answer",
        ))
    }
}
