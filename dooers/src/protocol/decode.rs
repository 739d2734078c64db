//! Frames of the server, as a reader in the same process parses them.

use super::{Run, Thread, ThreadEvent, whole};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

/// A parsed frame of the server about threads.
#[derive(Debug)]
pub(crate) enum Heard {
    /// New events, or new versions of known ones.
    Events(Vec<ThreadEvent>),
    /// A piece of a streamed text.
    Delta(Delta),
    /// A thread is new, or its own row has changed.
    Thread(Box<Thread>),
    /// A thread was deleted.
    ThreadDeleted,
    /// A run has started or ended.
    Run(Run),
    /// Any other frame.
    Other,
}

/// A piece of a streamed text.
#[derive(Debug, Deserialize)]
pub(crate) struct Delta {
    pub(crate) event_id: String,
    #[serde(deserialize_with = "whole::required")]
    pub(crate) delta_seq: u64,
    pub(crate) text: String,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(borrow)]
    payload: &'a RawValue,
}

#[derive(Deserialize)]
struct Events {
    events: Vec<ThreadEvent>,
}

#[derive(Deserialize)]
struct Upserted {
    thread: Box<Thread>,
}

#[derive(Deserialize)]
struct Ran {
    run: Run,
}

impl Heard {
    /// Parses a frame.
    ///
    /// # Errors
    ///
    /// If the text is not a frame of this server.
    pub(crate) fn parse(text: &str) -> serde_json::Result<Self> {
        let Envelope { kind, payload } = serde_json::from_str(text)?;
        let payload = payload.get();
        Ok(match kind {
            "event.append" => Self::Events(from_own_json::<Events>(payload)?.events),
            "event.delta" => Self::Delta(from_own_json(payload)?),
            "thread.upsert" => Self::Thread(from_own_json::<Upserted>(payload)?.thread),
            "thread.deleted" => Self::ThreadDeleted,
            "run.upsert" => Self::Run(from_own_json::<Ran>(payload)?.run),
            _ => Self::Other,
        })
    }
}

/// Parses JSON that this server wrote, with any nesting depth. Earlier versions stored data that, within a frame, is
/// nested more deeply than parsers accept by default.
pub(crate) fn from_own_json<T: DeserializeOwned>(text: &str) -> serde_json::Result<T> {
    let mut input = serde_json::Deserializer::from_str(text);
    input.disable_recursion_limit();
    let value = T::deserialize(&mut input)?;
    input.end()?;
    Ok(value)
}
