//! Turns that alternate between the user and the model, as Anthropic and Google require.

use super::writer::FormatWriter;
use crate::history::media::described;
use crate::history::{ChatMessage, ChatRole, ToolUse};
use crate::protocol::ContentPart;
use serde_json::{Map, Value};
use std::collections::VecDeque;

/// The user's first turn if the history begins with the model.
const BEGIN: &str = "[the history begins here]";

/// The user's last turn if the history ends with the model.
const CONTINUE: &str = "[continue]";

/// The details in which the APIs differ.
#[derive(Debug)]
pub(super) struct Style {
    /// The name of the model's role.
    pub(super) model: &'static str,
    /// The member that contains the parts of a turn.
    pub(super) content: &'static str,
    /// True if consecutive turns of the user are merged.
    pub(super) joins_user: bool,
    /// Writes a text.
    pub(super) text: fn(&str) -> Value,
    /// Writes a part of a user's message. `None` if the part is empty.
    pub(super) user_part: fn(&ContentPart) -> Option<Value>,
    /// Writes a call.
    pub(super) call: fn(&ToolUse) -> Value,
    /// Writes the result of a call.
    pub(super) result: fn(&ToolUse) -> Value,
}

/// Writes alternating turns. Consecutive turns of the model are merged, and the first and the last turn are the
/// user's.
#[derive(Debug)]
pub(super) struct Turns {
    style: &'static Style,
    /// The last turn, to which the next message may be added.
    open: Option<(ChatRole, Vec<Value>)>,
}

impl Turns {
    pub(super) fn new(style: &'static Style) -> Self {
        Self { style, open: None }
    }

    /// Adds parts to the open turn or to a new one. Does nothing if there are no parts.
    fn add(&mut self, role: ChatRole, said: Vec<Value>, out: &mut VecDeque<Value>) {
        if said.is_empty() {
            return;
        }
        let Style {
            joins_user, text, ..
        } = self.style;
        match &mut self.open {
            Some((last, open)) if *last == role && (role == ChatRole::Assistant || *joins_user) => {
                open.extend(said);
                return;
            }
            Some(_) => self.close(out),
            None if role == ChatRole::Assistant => {
                self.open = Some((ChatRole::User, vec![text(BEGIN)]));
                self.close(out);
            }
            None => {}
        }
        self.open = Some((role, said));
    }

    fn close(&mut self, out: &mut VecDeque<Value>) {
        let Some((role, said)) = self.open.take() else {
            return;
        };
        let role = match role {
            ChatRole::User => "user",
            ChatRole::Assistant => self.style.model,
        };
        let turn = [
            ("role".to_owned(), role.into()),
            (self.style.content.to_owned(), said.into()),
        ];
        out.push_back(Map::from_iter(turn).into());
    }
}

impl FormatWriter for Turns {
    fn write(&mut self, message: &ChatMessage, out: &mut VecDeque<Value>) {
        let style = self.style;
        let part = |part| match message.role {
            ChatRole::User => (style.user_part)(part),
            ChatRole::Assistant => described(part).map(|text| (style.text)(&text)),
        };
        let said = message.parts.iter().filter_map(part);
        let calls = message.tool_uses.iter().map(style.call);
        self.add(message.role, said.chain(calls).collect(), out);
        let results = message.tool_uses.iter().map(style.result);
        self.add(ChatRole::User, results.collect(), out);
    }

    fn finish(&mut self, out: &mut VecDeque<Value>) {
        if matches!(self.open, Some((ChatRole::Assistant, _))) {
            let text = (self.style.text)(CONTINUE);
            self.add(ChatRole::User, vec![text], out);
        }
        self.close(out);
    }
}
