//! The conversion of events to messages.

use super::filter::VisibleEvents;
use super::forms::{answer_of, answered, asked, form_of};
use super::media::described;
use super::pairing::{OpenCalls, ToolKey};
use super::query::Shape;
use super::tools::{ToolData, is_call_id};
use super::{ChatMessage, ChatRole, ToolUse};
use crate::protocol::{
    Actor, ContentPart, EventType, Form, ThreadEvent, User, has_mail_address, hidden_fields,
};
use std::collections::{HashMap, HashSet, VecDeque};

/// Maximum number of messages that wait for the result of a call. Without a maximum, one call that never gets a result
/// would keep all later messages in memory.
const HELD: usize = 200;

/// The types of events that become messages.
const KINDS: &[EventType] = &[
    EventType::Message,
    EventType::ToolCall,
    EventType::ToolResult,
    EventType::ToolTransaction,
    EventType::Form,
    EventType::FormResponse,
    EventType::Chart,
];

/// The actors whose events become messages. Events of the system report failures.
const ACTORS: &[Actor] = &[Actor::User, Actor::Assistant, Actor::Tool];

/// Converts events to messages.
#[derive(Debug, Default)]
pub(super) struct Transcript {
    /// Messages in their order. Either the first one still waits for a result, or it is the last one, to which a call
    /// may be added.
    held: VecDeque<ChatMessage>,
    /// The number of messages that have been released.
    passed: usize,
    /// Calls without a result, including those of released messages. A late result of such a call must not be paired
    /// with a later call.
    open: OpenCalls<ToolPosition>,
    /// The call ids that are in use.
    ids: HashSet<String>,
    /// Forms by the id of their event.
    forms: HashMap<String, KnownForm>,
}

/// A form that an answer names.
#[derive(Debug)]
enum KnownForm {
    /// The form does not exist.
    Missing,
    /// The form asks for the approval of a tool call. Models read the decision in the result of the call.
    Approval,
    Form(Form),
}

impl KnownForm {
    fn of(event: &ThreadEvent) -> Self {
        match event.asked() {
            Some(asked) if asked.tool_call_id.is_some() => Self::Approval,
            _ => form_of(event).map_or(Self::Missing, Self::Form),
        }
    }

    fn form(&self) -> Option<&Form> {
        match self {
            Self::Form(form) => Some(form),
            Self::Missing | Self::Approval => None,
        }
    }
}

/// The position of a tool use.
#[derive(Debug, Clone, Copy)]
struct ToolPosition {
    /// The number of the message, from 0.
    message: usize,
    /// The index of the tool use in the message.
    tool_use: usize,
}

fn is_answered(message: &ChatMessage) -> bool {
    let mut uses = message.tool_uses.iter();
    uses.all(|tool_use| tool_use.result.is_some())
}

/// The author's name for a model. The author of an event may be an email address, which must not be sent to models.
fn author_for_models(event: &ThreadEvent) -> Option<&str> {
    if event.actor == Actor::User {
        return event.user.as_ref().and_then(User::name_for_models);
    }
    event
        .author
        .as_deref()
        .filter(|author| !has_mail_address(author))
}

/// Returns true if a call directly after a message belongs to it. The message is then text, or has calls that are
/// parallel to this call.
fn takes_call_of(message: &ChatMessage, event: &ThreadEvent) -> bool {
    let mut uses = message.tool_uses.iter();
    message.role == ChatRole::Assistant
        && message.run_id == event.run_id
        && message.author.as_deref() == author_for_models(event)
        && uses.all(|tool_use| tool_use.result.is_none())
}

impl Shape<ChatMessage> for Transcript {
    fn shown(&self) -> VisibleEvents {
        VisibleEvents {
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
                let form = KnownForm::of(&event);
                let text = asked(form.form());
                let is_approval = matches!(form, KnownForm::Approval);
                self.forms.insert(event.id.clone(), form);
                if !is_approval {
                    self.say(event, Some(text));
                }
            }
            EventType::FormResponse => {
                let answer = answer_of(&event);
                let form = answer
                    .as_ref()
                    .and_then(|answer| self.forms.get(&answer.form_event_id));
                if !matches!(form, Some(KnownForm::Approval)) {
                    let hidden = event.data.as_ref().map(hidden_fields).unwrap_or_default();
                    let text = answered(answer.as_ref(), &hidden, form.and_then(KnownForm::form));
                    self.say(event, Some(text));
                }
            }
            EventType::Chart => {
                let title = event.data.as_ref().and_then(|data| data["title"].as_str());
                let text = title.map_or("[chart]".to_owned(), |title| format!("[chart: {title}]"));
                self.say(event, Some(text));
            }
            EventType::Reasoning | EventType::RunStarted | EventType::RunFinished => {}
        }
        while let Some(first) = self.held.front()
            && (self.held.len() > HELD || self.held.len() > 1 && is_answered(first))
        {
            ready.extend(self.held.pop_front());
            self.passed += 1;
        }
        // The number of open calls without a message is bounded, too.
        let passed = self.passed;
        self.open.forget(HELD, |place| place.message < passed);
    }

    fn finish(&mut self, ready: &mut VecDeque<ChatMessage>) {
        self.passed += self.held.len();
        ready.extend(self.held.drain(..));
    }

    fn missing_form<'a>(&self, event: &'a ThreadEvent) -> Option<&'a str> {
        if event.kind != EventType::FormResponse {
            return None;
        }
        let id = event.data.as_ref()?.get("form_event_id")?.as_str()?;
        (!self.forms.contains_key(id)).then_some(id)
    }

    fn know_form(&mut self, event_id: &str, form: Option<&ThreadEvent>) {
        let form = form.map_or(KnownForm::Missing, KnownForm::of);
        self.forms.insert(event_id.to_owned(), form);
    }
}

impl Transcript {
    /// Adds a message with the content of the event, followed by `more`.
    fn say(&mut self, mut event: ThreadEvent, more: Option<String>) {
        let mut parts = event.content.take().unwrap_or_default();
        parts.extend(more.map(ContentPart::text));
        parts.retain(|part| described(part).is_some());
        if !parts.is_empty() {
            self.hold(event, parts);
        }
    }

    fn hold(&mut self, event: ThreadEvent, parts: Vec<ContentPart>) {
        let author = author_for_models(&event).map(str::to_owned);
        let user_id = event.user.map(|user| user.user_id).unwrap_or_default();
        let is_user = event.actor == Actor::User;
        self.held.push_back(ChatMessage {
            event_id: event.id,
            run_id: event.run_id,
            created_at: event.created_at,
            role: if is_user {
                ChatRole::User
            } else {
                ChatRole::Assistant
            },
            author,
            user_id: (is_user && !user_id.is_empty()).then_some(user_id),
            parts,
            tool_uses: Vec::new(),
        });
    }

    fn call(&mut self, mut event: ThreadEvent) {
        let data = ToolData::of(event.data.take());
        let key = ToolKey::new(event.run_id.as_deref(), &data);
        let tool_use = self.tool_use(&event, &data);
        let place = self.add(event, tool_use);
        self.open.add(key, place);
    }

    /// Adds a result to its call. If the call is missing, the result becomes a tool use of its own, since it names the
    /// tool.
    fn answer(&mut self, mut event: ThreadEvent) {
        let data = ToolData::of(event.data.take());
        let key = ToolKey::new(event.run_id.as_deref(), &data);
        let place = self.open.take(&key);
        match place.and_then(|place| self.held_use(place)) {
            Some(tool_use) => {
                tool_use.result = Some(data.result);
                tool_use.result_event_id = Some(event.id);
            }
            None => self.use_alone(event, data),
        }
    }

    /// The tool use at a position, if its message has not been released.
    fn held_use(&mut self, place: ToolPosition) -> Option<&mut ToolUse> {
        let message = place.message.checked_sub(self.passed)?;
        self.held
            .get_mut(message)?
            .tool_uses
            .get_mut(place.tool_use)
    }

    fn transact(&mut self, mut event: ThreadEvent) {
        let data = ToolData::of(event.data.take());
        self.use_alone(event, data);
    }

    /// Adds a tool use that already has its result.
    fn use_alone(&mut self, event: ThreadEvent, data: ToolData) {
        let tool_use = ToolUse {
            result_event_id: Some(event.id.clone()),
            ..self.tool_use(&event, &data)
        };
        let tool_use = ToolUse {
            result: Some(data.result),
            ..tool_use
        };
        self.add(event, tool_use);
    }

    fn add(&mut self, event: ThreadEvent, tool_use: ToolUse) -> ToolPosition {
        // A tool use with a result is not parallel to calls that still wait for their results.
        let joins = |message: &ChatMessage| {
            takes_call_of(message, &event)
                && (tool_use.result.is_none() || message.tool_uses.is_empty())
        };
        if !self.held.back().is_some_and(joins) {
            self.hold(event, Vec::new());
        }
        let mut place = ToolPosition {
            message: self.passed + self.held.len().saturating_sub(1),
            tool_use: 0,
        };
        if let Some(message) = self.held.back_mut() {
            place.tool_use = message.tool_uses.len();
            message.tool_uses.push(tool_use);
        }
        place
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

    /// Returns the first candidate that every API accepts and no other call uses. If there is none, returns a numbered
    /// id.
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
