//! Messages made of events.

use super::filter::Shown;
use super::forms::{answer_of, answered, asked, form_of};
use super::media::described;
use super::query::Shape;
use super::tools::{ToolData, is_call_id};
use super::{ChatMessage, ChatRole, ToolUse};
use crate::protocol::{Actor, ContentPart, EventType, Form, ThreadEvent, hidden_fields};
use std::collections::{HashMap, HashSet, VecDeque};

/// So many messages wait for the result of a call at the most. Without an end, one call that is never answered would
/// keep all that follows it in memory.
const HELD: usize = 200;

/// The kinds of events of which messages are made.
const KINDS: &[EventType] = &[
    EventType::Message,
    EventType::ToolCall,
    EventType::ToolResult,
    EventType::ToolTransaction,
    EventType::Form,
    EventType::FormResponse,
    EventType::Chart,
];

/// Those who say something. The system's events tell of failures.
const ACTORS: &[Actor] = &[Actor::User, Actor::Assistant, Actor::Tool];

/// Makes messages of events.
#[derive(Debug, Default)]
pub(super) struct Transcript {
    /// In their order. The first one still lacks a result, or is the last one, which a call may join.
    held: VecDeque<Held>,
    /// The ids of calls that are taken.
    ids: HashSet<String>,
    /// By their events; none for one that is not there.
    forms: HashMap<String, Option<Form>>,
}

#[derive(Debug)]
struct Held {
    message: ChatMessage,
    /// What the handler called the calls.
    call_ids: Vec<String>,
}

impl Held {
    fn is_answered(&self) -> bool {
        let mut uses = self.message.tool_uses.iter();
        uses.all(|tool_use| tool_use.result.is_some())
    }

    /// Whether a call that comes right behind it belongs to it: it is text, or calls side by side with that one.
    fn takes_call_of(&self, event: &ThreadEvent) -> bool {
        let mut uses = self.message.tool_uses.iter();
        self.message.role == ChatRole::Assistant
            && self.message.run_id == event.run_id
            && self.message.author == event.author
            && uses.all(|tool_use| tool_use.result.is_none())
    }
}

impl Shape<ChatMessage> for Transcript {
    fn shown(&self) -> Shown {
        Shown {
            actors: Some(ACTORS),
            kinds: Some(KINDS),
        }
    }

    fn push(&mut self, event: ThreadEvent, ready: &mut VecDeque<ChatMessage>) {
        match event.kind {
            EventType::Message => self.say(event, None),
            EventType::ToolCall => self.call(event),
            EventType::ToolResult => self.answer(event),
            EventType::ToolTransaction => self.transact(event),
            EventType::Form => {
                let form = form_of(&event);
                let text = asked(form.as_ref());
                self.forms.insert(event.id.clone(), form);
                self.say(event, Some(text));
            }
            EventType::FormResponse => {
                let answer = answer_of(&event);
                let form = answer.as_ref().and_then(|answer| {
                    let form = self.forms.get(&answer.form_event_id)?;
                    form.as_ref()
                });
                let hidden = event.data.as_ref().map(hidden_fields).unwrap_or_default();
                let text = answered(answer.as_ref(), &hidden, form);
                self.say(event, Some(text));
            }
            EventType::Chart => {
                let title = event.data.as_ref().and_then(|data| data["title"].as_str());
                let text = title.map_or("[chart]".to_owned(), |title| format!("[chart: {title}]"));
                self.say(event, Some(text));
            }
            EventType::Reasoning | EventType::RunStarted | EventType::RunFinished => {}
        }
        while let Some(first) = self.held.front()
            && (self.held.len() > HELD || self.held.len() > 1 && first.is_answered())
        {
            ready.extend(self.held.pop_front().map(|held| held.message));
        }
    }

    fn finish(&mut self, ready: &mut VecDeque<ChatMessage>) {
        ready.extend(self.held.drain(..).map(|held| held.message));
    }

    fn missing_form<'a>(&self, event: &'a ThreadEvent) -> Option<&'a str> {
        if event.kind != EventType::FormResponse {
            return None;
        }
        let id = event.data.as_ref()?.get("form_event_id")?.as_str()?;
        (!self.forms.contains_key(id)).then_some(id)
    }

    fn know_form(&mut self, event_id: &str, form: Option<&ThreadEvent>) {
        let form = form.and_then(form_of);
        self.forms.insert(event_id.to_owned(), form);
    }
}

impl Transcript {
    /// Something is said: what the event holds, and this.
    fn say(&mut self, mut event: ThreadEvent, more: Option<String>) {
        let mut parts = event.content.take().unwrap_or_default();
        parts.extend(more.map(ContentPart::text));
        parts.retain(|part| described(part).is_some());
        if !parts.is_empty() {
            self.hold(event, parts);
        }
    }

    fn hold(&mut self, event: ThreadEvent, parts: Vec<ContentPart>) {
        let user = event.user.unwrap_or_else(|| crate::protocol::User::new(""));
        let is_user = event.actor == Actor::User;
        let message = ChatMessage {
            event_id: event.id,
            run_id: event.run_id,
            created_at: event.created_at,
            role: if is_user {
                ChatRole::User
            } else {
                ChatRole::Assistant
            },
            author: event.author.or(user.user_name),
            user_id: (is_user && !user.user_id.is_empty()).then_some(user.user_id),
            parts,
            tool_uses: Vec::new(),
        };
        self.held.push_back(Held {
            message,
            call_ids: Vec::new(),
        });
    }

    fn call(&mut self, mut event: ThreadEvent) {
        let data = ToolData::of(event.data.take());
        let tool_use = self.tool_use(&event, &data);
        self.add(event, data.id, tool_use);
    }

    /// The result of the last call of its id that has none. Without one it is a use by itself: it says what was called.
    fn answer(&mut self, mut event: ThreadEvent) {
        let data = ToolData::of(event.data.take());
        let is_its = |(call_id, tool_use): &(&String, &mut ToolUse)| {
            **call_id == data.id && tool_use.result.is_none()
        };
        let call = self.held.iter_mut().rev().find_map(|held| {
            let uses = held.message.tool_uses.iter_mut();
            held.call_ids.iter().zip(uses).rfind(is_its)
        });
        match call {
            Some((_, tool_use)) => {
                tool_use.result = Some(data.result);
                tool_use.result_event_id = Some(event.id);
            }
            None => self.use_alone(event, data),
        }
    }

    fn transact(&mut self, mut event: ThreadEvent) {
        let data = ToolData::of(event.data.take());
        self.use_alone(event, data);
    }

    /// A call and its result in one.
    fn use_alone(&mut self, event: ThreadEvent, data: ToolData) {
        let tool_use = ToolUse {
            result_event_id: Some(event.id.clone()),
            ..self.tool_use(&event, &data)
        };
        let tool_use = ToolUse {
            result: Some(data.result),
            ..tool_use
        };
        self.add(event, data.id, tool_use);
    }

    fn add(&mut self, event: ThreadEvent, call_id: String, tool_use: ToolUse) {
        // A whole use is not side by side with calls that wait for their results.
        let joins = |held: &Held| {
            held.takes_call_of(&event)
                && (tool_use.result.is_none() || held.message.tool_uses.is_empty())
        };
        if !self.held.back().is_some_and(joins) {
            self.hold(event, Vec::new());
        }
        if let Some(held) = self.held.back_mut() {
            held.message.tool_uses.push(tool_use);
            held.call_ids.push(call_id);
        }
    }

    fn tool_use(&mut self, event: &ThreadEvent, data: &ToolData) -> ToolUse {
        ToolUse {
            event_id: event.id.clone(),
            id: self.unique_id([&data.id, &event.id]),
            name: data.name.clone(),
            args: data.args.clone(),
            result: None,
            result_event_id: None,
        }
    }

    /// The first of these that every API takes and no call has; if there is none, a number.
    fn unique_id(&mut self, candidates: [&str; 2]) -> String {
        let is_free = |id: &&str| is_call_id(id) && !self.ids.contains(*id);
        let mut id = candidates.into_iter().find(is_free).map(str::to_owned);
        let mut number = self.ids.len();
        loop {
            let id = id.take().unwrap_or_else(|| format!("call-{number}"));
            if self.ids.insert(id.clone()) {
                return id;
            }
            number += 1;
        }
    }
}
