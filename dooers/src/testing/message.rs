//! The messages that a test client sends.

use crate::protocol::{AudioPart, ContentPart, DocumentPart, ImagePart, new_id};
use serde_json::{Value, json};

/// A message or form answers that a [`TestClient`](super::TestClient) sends. A string converts to a message with this
/// text.
///
/// ```
/// use dooers::protocol::ContentPart;
/// use dooers::testing::TestMessage;
/// use serde_json::json;
///
/// let message = TestMessage::text("What is this?")
///     .part(ContentPart::image("https://example.org/cat.png"))
///     .data(json!({"page": 7}));
/// ```
#[derive(Debug, Clone)]
#[must_use = "nothing is sent until it is passed to a client"]
pub struct TestMessage {
    kind: &'static str,
    content: Vec<ContentPart>,
    data: Option<Value>,
    client_event_id: Option<String>,
    thread_metadata: Option<Value>,
}

impl TestMessage {
    /// Creates a message with this text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::parts([ContentPart::text(text)])
    }

    /// Creates a message with these parts.
    pub fn parts(parts: impl IntoIterator<Item = ContentPart>) -> Self {
        Self {
            kind: "message",
            content: parts.into_iter().collect(),
            data: None,
            client_event_id: None,
            thread_metadata: None,
        }
    }

    /// Creates answers to the form of this event, by the names of its elements.
    pub fn form_response(form_event_id: impl Into<String>, values: impl Into<Value>) -> Self {
        Self::form(&form_event_id.into(), false, &values.into())
    }

    /// Cancels the form of this event.
    pub fn form_cancelled(form_event_id: impl Into<String>) -> Self {
        Self::form(&form_event_id.into(), true, &json!({}))
    }

    /// Adds a part.
    pub fn part(mut self, part: impl Into<ContentPart>) -> Self {
        self.content.push(part.into());
        self
    }

    /// Sets the data of the message: the handler's [`request.data`](crate::WorkerRequest).
    pub fn data(mut self, data: impl Into<Value>) -> Self {
        self.data = Some(data.into());
        self
    }

    /// Sets the client event id. Sending a message twice with the same id creates only one message.
    pub fn client_event_id(mut self, id: impl Into<String>) -> Self {
        self.client_event_id = Some(id.into());
        self
    }

    /// Sets the metadata of the thread. It is only used if the message starts a new thread.
    pub fn thread_metadata(mut self, metadata: impl Into<Value>) -> Self {
        self.thread_metadata = Some(metadata.into());
        self
    }

    fn form(form_event_id: &str, cancelled: bool, values: &Value) -> Self {
        let data =
            json!({"form_event_id": form_event_id, "cancelled": cancelled, "values": values});
        Self {
            kind: "form.response",
            ..Self::parts([]).data(data)
        }
    }

    /// The content for the output of a failed test.
    pub(super) fn summary(&self) -> String {
        match crate::protocol::joined_text(&self.content) {
            text if text.is_empty() => format!("a {}", self.kind),
            text => format!("{text:?}"),
        }
    }

    /// The payload of an `event.create` and its client event id. Without a thread, the payload starts a new one.
    pub(super) fn payload(self, thread_id: Option<&str>) -> (Value, String) {
        let id = self.client_event_id.unwrap_or_else(new_id);
        let payload = json!({
            "thread_id": thread_id,
            "client_event_id": id,
            "event": {"type": self.kind, "actor": "user", "content": self.content, "data": self.data},
            "metadata": self.thread_metadata,
        });
        (payload, id)
    }
}

impl From<&str> for TestMessage {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<String> for TestMessage {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

impl From<&String> for TestMessage {
    fn from(text: &String) -> Self {
        Self::text(text)
    }
}

impl From<ContentPart> for TestMessage {
    fn from(part: ContentPart) -> Self {
        Self::parts([part])
    }
}

impl From<ImagePart> for TestMessage {
    fn from(part: ImagePart) -> Self {
        Self::parts([part.into()])
    }
}

impl From<AudioPart> for TestMessage {
    fn from(part: AudioPart) -> Self {
        Self::parts([part.into()])
    }
}

impl From<DocumentPart> for TestMessage {
    fn from(part: DocumentPart) -> Self {
        Self::parts([part.into()])
    }
}
