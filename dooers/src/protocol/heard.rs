//! What the server sends, as a reader in the same process takes it apart.

use super::{Run, Thread, ThreadEvent, whole};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

/// A frame of the server about threads, taken apart.
#[derive(Debug)]
pub(crate) enum Heard {
    /// New events, or new states of known ones.
    Events(Vec<ThreadEvent>),
    /// More of a text that grows.
    Delta(Delta),
    /// A thread is new, or its own row changed.
    Thread(Box<Thread>),
    /// A thread is gone.
    ThreadDeleted,
    /// A run began or ended.
    Run(Run),
    /// Anything else.
    Other,
}

/// More of a text that grows.
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
    /// Takes a frame apart.
    ///
    /// # Errors
    ///
    /// If the text is no frame of ours.
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

/// Reads JSON that this server wrote, however deep it is nested: earlier versions stored data that is nested deeper than
/// a parser takes by default, within a frame.
pub(crate) fn from_own_json<T: DeserializeOwned>(text: &str) -> serde_json::Result<T> {
    let mut input = serde_json::Deserializer::from_str(text);
    input.disable_recursion_limit();
    let value = T::deserialize(&mut input)?;
    input.end()?;
    Ok(value)
}
