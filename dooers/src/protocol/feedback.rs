//! Feedback of users: likes and dislikes of events, runs and threads.

use super::size::check_length;
use super::{NotAdmitted, Run, Thread, ThreadEvent, clean_text};
use serde::{Deserialize, Serialize};

/// Maximum length of the reason of a feedback, in bytes.
pub const MAX_REASON_BYTES: usize = 4 * 1024;

/// Maximum length of the classification of a feedback, in bytes.
pub const MAX_CLASSIFICATION_BYTES: usize = 128;

/// The opinion of a user about an event, a run or a thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum FeedbackValue {
    /// Thumbs up.
    Like,
    /// Thumbs down.
    Dislike,
}

impl FeedbackValue {
    /// The name on the wire and in the store.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Like => "like",
            Self::Dislike => "dislike",
        }
    }
}

/// The type of the object that a feedback is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum FeedbackTargetType {
    /// An event, such as an answer of the agent.
    Event,
    /// A run: everything that the agent did for one message.
    Run,
    /// A whole thread.
    Thread,
}

impl FeedbackTargetType {
    /// The name on the wire and in the store.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Run => "run",
            Self::Thread => "thread",
        }
    }
}

/// The object that a feedback is about, by its id. References to events, runs and threads convert to it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FeedbackTarget {
    /// An event.
    Event(String),
    /// A run.
    Run(String),
    /// A thread.
    Thread(String),
}

impl FeedbackTarget {
    /// Creates a target from its type and its id.
    #[must_use]
    pub fn new(target_type: FeedbackTargetType, id: impl Into<String>) -> Self {
        let id = id.into();
        match target_type {
            FeedbackTargetType::Event => Self::Event(id),
            FeedbackTargetType::Run => Self::Run(id),
            FeedbackTargetType::Thread => Self::Thread(id),
        }
    }

    /// The type of the object.
    #[must_use]
    pub fn target_type(&self) -> FeedbackTargetType {
        match self {
            Self::Event(_) => FeedbackTargetType::Event,
            Self::Run(_) => FeedbackTargetType::Run,
            Self::Thread(_) => FeedbackTargetType::Thread,
        }
    }

    /// The id of the object.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Event(id) | Self::Run(id) | Self::Thread(id) => id,
        }
    }
}

impl From<&ThreadEvent> for FeedbackTarget {
    fn from(event: &ThreadEvent) -> Self {
        Self::Event(event.id.clone())
    }
}

impl From<&Run> for FeedbackTarget {
    fn from(run: &Run) -> Self {
        Self::Run(run.id.clone())
    }
}

impl From<&Thread> for FeedbackTarget {
    fn from(thread: &Thread) -> Self {
        Self::Thread(thread.id.clone())
    }
}

/// The payload of `feedback`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct FeedbackPayload {
    /// The type of the target.
    pub(crate) target_type: FeedbackTargetType,
    /// The id of the target.
    pub(crate) target_id: String,
    /// The opinion.
    #[serde(rename = "feedback")]
    pub(crate) value: FeedbackValue,
    /// The user's explanation.
    #[serde(default)]
    pub(crate) reason: Option<String>,
    /// The category that the user chose.
    #[serde(default)]
    pub(crate) classification: Option<String>,
}

/// A feedback of the connection's own user, as a snapshot shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct FeedbackView<'a> {
    pub(crate) target_type: FeedbackTargetType,
    pub(crate) target_id: &'a str,
    #[serde(rename = "feedback")]
    pub(crate) value: FeedbackValue,
}

/// Removes U+0000 from the explanation of a feedback, and refuses one that is too long. An empty text counts as none.
pub(crate) fn admit_explanation(
    reason: &mut Option<String>,
    classification: &mut Option<String>,
) -> Result<(), NotAdmitted> {
    for (member, text, most) in [
        ("reason", reason, MAX_REASON_BYTES),
        ("classification", classification, MAX_CLASSIFICATION_BYTES),
    ] {
        text.iter_mut().for_each(clean_text);
        check_length(member, text.as_deref().unwrap_or_default(), most)?;
        text.take_if(|text| text.is_empty());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn explanation_of_the_limit_is_admitted() {
        let admit = |reason: &str, classification: &str| {
            let (mut reason, mut classification) =
                (Some(reason.to_owned()), Some(classification.to_owned()));
            admit_explanation(&mut reason, &mut classification).map(|()| (reason, classification))
        };
        let (reason, classification) = ("ö".repeat(2048), "x".repeat(128));
        // U+0000 is not counted.
        let admitted = admit(&format!("\0{reason}"), &classification).unwrap();
        assert_eq!(
            admitted,
            (Some(reason.clone()), Some(classification.clone()))
        );
        assert_eq!(admit("", "\0"), Ok((None, None)));
        for (reason, classification, text) in [
            (
                reason + "y",
                String::new(),
                "`reason` is 4097 bytes long; at most 4096 are allowed; shorten it",
            ),
            (
                String::new(),
                classification + "y",
                "`classification` is 129 bytes long; at most 128 are allowed; shorten it",
            ),
        ] {
            let refused = admit(&reason, &classification).unwrap_err();
            assert_eq!(refused.to_string(), text);
        }
    }
}
