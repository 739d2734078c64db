//! The rules for the name and the options of an agent that are checked when a server starts.
//!
//! The macro checks the same rules at compile time. An agent that is made or changed at run time can break them.

use super::AgentDefinition;
use crate::store::OnBusy;
use std::time::Duration;

/// The longest name, in bytes.
const MAX_NAME: usize = 64;

/// The longest timeout.
const MAX_TIMEOUT: Duration = Duration::from_secs(24 * 3600);

/// The largest number of retries.
pub(crate) const MAX_RETRIES: u32 = 100;

/// The largest number of messages that may wait in a thread.
pub(crate) const MAX_QUEUE: u32 = 10_000;

impl AgentDefinition {
    /// The first rule that the agent breaks, as a sentence that begins with its subject.
    pub(crate) fn mistake(&self) -> Option<String> {
        let policy = self.policy();
        if !is_name(self.name()) {
            return Some(format!(
                "its name must have 1 to {MAX_NAME} ASCII letters, digits, `-`, `_`, `.` and `~`, and must not be `.` \
                 or `..`, because it is a part of the URL"
            ));
        }
        if policy
            .timeout()
            .is_some_and(|timeout| timeout.is_zero() || timeout > MAX_TIMEOUT)
        {
            return Some(
                "its timeout must be more than zero and at most 24 hours; use `without_timeout()` for no limit".to_owned(),
            );
        }
        if policy.retries() > MAX_RETRIES {
            return Some(format!("it can be retried at most {MAX_RETRIES} times"));
        }
        let part = self.part();
        if part.is_none()
            && let Some(mistake) = self.requirements().no_part()
        {
            return Some(mistake.to_owned());
        }
        if let Some(mistake) = part.and_then(|part| part.mistake()) {
            return Some(mistake);
        }
        match policy.on_busy() {
            OnBusy::Queue { limit } if limit == 0 || limit > MAX_QUEUE => Some(format!(
                "its queue must have room for 1 to {MAX_QUEUE} messages; use `OnBusy::Reject` to queue none"
            )),
            _ => None,
        }
    }
}

fn is_name(name: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    (1..=MAX_NAME).contains(&name.len())
        && name.bytes().all(is_allowed)
        && ![".", ".."].contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_hold_for_agents_made_at_run_time() {
        let made = |name: &str| AgentDefinition::from_fn(name, || async {});
        for name in ["a", "front-desk_2.0~", "...", &"x".repeat(64)] {
            assert_eq!(made(name).mistake(), None, "{name}");
        }
        for name in ["", "a b", "a/b", "ä", ".", "..", &"x".repeat(65)] {
            assert!(
                made(name)
                    .mistake()
                    .is_some_and(|text| text.contains("its name")),
                "{name}"
            );
        }
        let queue = |limit| made("a").when_busy(OnBusy::Queue { limit });
        for (agent, rule) in [
            (made("a").with_timeout(Duration::ZERO), "its timeout"),
            (
                made("a").with_timeout(MAX_TIMEOUT + Duration::from_millis(1)),
                "its timeout",
            ),
            (made("a").with_retries(101), "100 times"),
            (queue(0), "its queue"),
            (queue(10_001), "its queue"),
        ] {
            assert!(
                agent.mistake().is_some_and(|text| text.contains(rule)),
                "{agent:?}"
            );
        }
        let widest = queue(10_000).with_retries(100).with_timeout(MAX_TIMEOUT);
        assert_eq!(widest.mistake(), None);
    }
}
