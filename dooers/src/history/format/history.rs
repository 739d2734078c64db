//! A history that is read from a thread and written in one format.

use super::HistoryFormat;
use super::writer::FormatWriter;
use crate::history::ChatMessage;
use crate::history::filter::VisibleEvents;
use crate::history::query::Shape;
use crate::history::transcript::Transcript;
use crate::protocol::ThreadEvent;
use serde_json::Value;
use std::collections::VecDeque;

/// The shape that turns events into the messages of an API.
#[derive(Debug)]
pub(in crate::history) struct History {
    transcript: Transcript,
    messages: VecDeque<ChatMessage>,
    writer: Box<dyn FormatWriter>,
}

impl History {
    pub(in crate::history) fn new(format: HistoryFormat) -> Self {
        Self {
            transcript: Transcript::default(),
            messages: VecDeque::new(),
            writer: format.writer(),
        }
    }

    fn write(&mut self, ready: &mut VecDeque<Value>) {
        for message in self.messages.drain(..) {
            self.writer.write(&message, ready);
        }
    }
}

impl Shape<Value> for History {
    fn shown(&self) -> VisibleEvents {
        self.transcript.shown()
    }

    fn push(&mut self, event: ThreadEvent, ready: &mut VecDeque<Value>) {
        self.transcript.push(event, &mut self.messages);
        self.write(ready);
    }

    fn finish(&mut self, ready: &mut VecDeque<Value>) {
        self.transcript.finish(&mut self.messages);
        self.write(ready);
        self.writer.finish(ready);
    }

    fn missing_form<'a>(&self, event: &'a ThreadEvent) -> Option<&'a str> {
        self.transcript.missing_form(event)
    }

    fn know_form(&mut self, event_id: &str, form: Option<&ThreadEvent>) {
        self.transcript.know_form(event_id, form);
    }
}
