//! The output of a conversation when a test fails.

use super::conversation::{Conversation, is_open};
use crate::protocol::{Actor, ContentPart, Run, ThreadEvent};
use crate::text::split_at_cluster;
use serde_json::Value;
use std::fmt;

/// Maximum length of a text in the output, in characters as readers see them (grapheme clusters).
const SHOWN: usize = 500;

impl fmt::Display for Conversation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "thread {}", self.thread_id())?;
        if let Some(title) = self.title() {
            write!(f, " {title:?}")?;
        }
        if self.is_deleted() {
            f.write_str(" (deleted)")?;
        }
        f.write_str("\n")?;
        if self.has_older() {
            f.write_str("  … (older events were not loaded)\n")?;
        }
        for event in self.events() {
            writeln!(f, "  {}", Line(event))?;
        }
        if self.events().is_empty() {
            f.write_str("  (no events)\n")?;
        }
        for run in self.runs() {
            let message = run.event_id.as_deref().and_then(|id| self.event(id));
            writeln!(f, "  {}", RunLine { run, message })?;
        }
        Ok(())
    }
}

/// An event as one line: its position, its author, its type and its content.
struct Line<'a>(&'a ThreadEvent);

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let event = self.0;
        let user = event.user.as_ref().map(|user| user.user_id.as_str());
        let who = match (event.actor, user) {
            (Actor::User, Some(user)) if !user.is_empty() => user,
            (actor, _) => actor.as_str(),
        };
        let kind = event.kind.as_str();
        write!(f, "{:>2}  {who:<10} {kind:<16} ", event.seq)?;
        let mut separator = "";
        for part in event.content.as_deref().unwrap_or_default() {
            write!(f, "{separator}{}", RenderedPart(part))?;
            separator = " ";
        }
        if let Some(data) = &event.data {
            write!(f, "{separator}{}", Data(data))?;
        }
        if event.streaming == Some(true) {
            f.write_str(" … (still growing)")?;
        }
        Ok(())
    }
}

struct RenderedPart<'a>(&'a ContentPart);

impl fmt::Display for RenderedPart<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, url) = match self.0 {
            ContentPart::Text { text } => return write!(f, "{:?}", Cut(text)),
            ContentPart::Image { url, .. } => ("image", url),
            ContentPart::Audio { url, .. } => ("audio", url),
            ContentPart::Document { url, .. } => ("document", url),
        };
        write!(
            f,
            "[{kind} {}]",
            url.as_deref().unwrap_or("without an address")
        )
    }
}

/// Data as text: a tool call and its result in the style of code, anything else as JSON.
struct Data<'a>(&'a Value);

impl fmt::Display for Data<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let data = self.0;
        let Some(name) = data["name"].as_str().filter(|_| data.get("args").is_some()) else {
            return write!(f, "{}", Cut(&data.to_string()));
        };
        write!(f, "{name}({})", Cut(&data["args"].to_string()))?;
        match data.get("result") {
            Some(result) => write!(f, " -> {}", Cut(&result.to_string())),
            None => Ok(()),
        }
    }
}

/// A run as one line: the message that it answers, and its status.
struct RunLine<'a> {
    run: &'a Run,
    message: Option<&'a ThreadEvent>,
}

impl fmt::Display for RunLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.message {
            Some(message) => write!(f, "the run that answers {}", message.seq)?,
            None => write!(f, "the run {}", self.run.id)?,
        }
        match &self.run.error {
            Some(error) => write!(f, " {}: {error:?}", self.run.status.as_str())?,
            None if is_open(self.run) => f.write_str(" is running")?,
            None => write!(f, " {}", self.run.status.as_str())?,
        }
        for sum in &self.run.usage {
            let (input, output) = (sum.input_tokens, sum.output_tokens);
            write!(f, "; {} used {input} + {output} tokens", sum.model)?;
        }
        Ok(())
    }
}

/// A text that is shortened if it is too long.
struct Cut<'a>(&'a str);

impl Cut<'_> {
    fn parts(&self) -> (&str, &str) {
        let (shown, rest) = split_at_cluster(self.0, SHOWN);
        (shown, if rest.is_empty() { "" } else { " … (cut)" })
    }
}

impl fmt::Display for Cut<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (text, cut) = self.parts();
        write!(f, "{text}{cut}")
    }
}

impl fmt::Debug for Cut<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (text, cut) = self.parts();
        write!(f, "{text:?}{cut}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cut_text_ends_with_a_whole_character() {
        let long = "👨‍👩‍👧‍👦".repeat(SHOWN + 1);
        let shown = "👨‍👩‍👧‍👦".repeat(SHOWN);
        assert_eq!(Cut(&long).to_string(), format!("{shown} … (cut)"));
        assert_eq!(Cut(&shown).to_string(), shown);
    }
}
