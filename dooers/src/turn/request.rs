//! What the user sent.

use crate::protocol::{
    Actor, ContentPart, EventType, FormAnswer, Thread, ThreadEvent, User, joined_text, new_id,
};
use crate::text::split_at_cluster;
use serde_json::{Map, Value};

/// What the user sent, and where.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct WorkerRequest {
    /// The text of the message: its text parts, joined by line breaks.
    pub message: String,
    /// The message's parts.
    pub content: Vec<ContentPart>,
    /// The thread it was written in.
    pub thread: Thread,
    /// The id of the message's event.
    pub event_id: String,
    /// Who wrote it.
    pub user: User,
    /// The organization of who wrote it.
    pub organization_id: String,
    /// The workspace of who wrote it.
    pub workspace_id: String,
    /// What the client sent with the message.
    pub data: Option<Value>,
    /// What is kept with the thread.
    pub metadata: Option<Value>,
    /// Which attempt to answer it this is, from 1.
    pub(crate) attempt: u32,
}

impl WorkerRequest {
    /// A request as a unit test needs it: this text, written by nobody in a thread of its own.
    ///
    /// The fields can be set to whatever the test is about.
    pub fn new(message: impl Into<String>) -> Self {
        let thread = Thread::of_nobody();
        let content = vec![ContentPart::text(message)];
        Self::of(thread, new_id(), User::new(""), content, None, 1)
    }

    pub(crate) fn of(
        thread: Thread,
        event_id: String,
        user: User,
        content: Vec<ContentPart>,
        data: Option<Value>,
        attempt: u32,
    ) -> Self {
        Self {
            message: joined_text(&content),
            content,
            event_id,
            user,
            organization_id: thread.organization_id.clone(),
            workspace_id: thread.workspace_id.clone(),
            data,
            metadata: thread.metadata.clone(),
            attempt,
            thread,
        }
    }

    /// The beginning of the message: its first `characters` characters, as readers see them.
    ///
    /// Characters are grapheme clusters. A flag, a family emoji, a keycap or a letter with its accents is one of them and
    /// is never cut in half. For the title of a thread, [`title_from`](crate::title_from) is better.
    ///
    /// ```
    /// # use dooers::prelude::*;
    /// let request = WorkerRequest::new("👩‍🚀🇧🇷 to the moon");
    /// assert_eq!(request.message_prefix(2), "👩‍🚀🇧🇷");
    /// ```
    #[must_use]
    pub fn message_prefix(&self, characters: usize) -> &str {
        split_at_cluster(&self.message, characters).0
    }

    /// The answers to a form, where the message is such.
    #[must_use]
    pub fn form(&self) -> Option<FormResponse> {
        let answer: FormAnswer = serde_json::from_value(self.data.clone()?).ok()?;
        Some(FormResponse {
            form_event_id: answer.form_event_id,
            cancelled: answer.cancelled,
            values: answer.values,
        })
    }

    /// Which attempt to answer the message this is: 1, and more after a crash.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.attempt
    }
}

/// The event that the request came from, as a unit test needs it: to be remembered by
/// [`WorkerMemory::of`](crate::WorkerMemory::of).
impl From<WorkerRequest> for ThreadEvent {
    fn from(request: WorkerRequest) -> Self {
        let is_answer = request.form().is_some();
        let kind = if is_answer {
            EventType::FormResponse
        } else {
            EventType::Message
        };
        Self {
            thread_id: request.thread.id,
            author: request.user.author(),
            user: Some(request.user),
            content: Some(request.content),
            data: request.data,
            ..Self::of(request.event_id, kind, Actor::User)
        }
    }
}

/// The answers to a form.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct FormResponse {
    /// The event of the form.
    pub form_event_id: String,
    /// Whether the user cancelled it.
    pub cancelled: bool,
    /// The answers by the elements' names.
    pub values: Map<String, Value>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn message_prefix_never_cuts_a_character() {
        for (message, prefix) in [
            ("größer", "grö"),
            ("gro\u{308}ßer", "gro\u{308}"),
            ("🇧🇷🇵🇹🇦🇴🇲🇿", "🇧🇷🇵🇹🇦🇴"),
            ("👨‍👩‍👧‍👦👨‍👩‍👧‍👦!?", "👨‍👩‍👧‍👦👨‍👩‍👧‍👦!"),
            ("1️⃣2️⃣3️⃣4️⃣", "1️⃣2️⃣3️⃣"),
        ] {
            let request = WorkerRequest::new(message);
            assert_eq!(request.message_prefix(3), prefix);
            assert_eq!(request.message_prefix(60), message);
            assert_eq!(request.message_prefix(0), "");
        }
    }

    #[test]
    fn a_form_is_read_from_the_data() {
        let mut request = WorkerRequest::new("");
        assert_eq!(request.form(), None);
        request.data = Some(json!({"form_event_id": "f", "values": {"name": "Ada"}}));
        let form = request.form().unwrap();
        assert_eq!(form.form_event_id, "f");
        assert!(!form.cancelled);
        assert_eq!(form.values["name"], "Ada");
    }
}
