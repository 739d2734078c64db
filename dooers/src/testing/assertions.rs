//! The assertions about a turn.

use super::turn::{CalledTool, TestTurn};
use crate::protocol::RunStatus;
use serde_json::Value;
use std::fmt::Debug;

/// Assertions. They panic if they do not hold, and print the expected value, the value that was found, and the
/// conversation.
impl TestTurn {
    /// Asserts that the agent's messages form this text. A blank line separates several messages.
    ///
    /// # Panics
    ///
    /// If the agent's text is different.
    #[track_caller]
    pub fn assert_text(&self, expected: impl AsRef<str>) -> &Self {
        let (expected, found) = (expected.as_ref(), self.text());
        self.demand(found == expected, "the agent should say", &expected, &found)
    }

    /// Asserts that the agent's text contains this text.
    ///
    /// # Panics
    ///
    /// If it does not.
    #[track_caller]
    pub fn assert_text_contains(&self, expected: impl AsRef<str>) -> &Self {
        let (expected, found) = (expected.as_ref(), self.text());
        let holds = found.contains(expected);
        self.demand(
            holds,
            "the agent should say something with",
            &expected,
            &found,
        )
    }

    /// Asserts that the agent's messages have exactly these texts.
    ///
    /// # Panics
    ///
    /// If the texts are different.
    #[track_caller]
    pub fn assert_texts<T: AsRef<str>>(&self, expected: impl IntoIterator<Item = T>) -> &Self {
        let expected = expected.into_iter();
        let expected: Vec<_> = expected.map(|text| text.as_ref().to_owned()).collect();
        let found = self.texts();
        self.demand(
            found == expected,
            "the agent's messages should be",
            &expected,
            &found,
        )
    }

    /// Asserts that the run of the turn succeeded.
    ///
    /// # Panics
    ///
    /// If the run did not succeed. The handler's error is printed.
    #[track_caller]
    pub fn assert_succeeded(&self) -> &Self {
        self.demand_status(RunStatus::Succeeded)
    }

    /// Asserts that the run of the turn failed, and that users see this text: in the error of the run, or in a message
    /// from the server in the thread.
    ///
    /// # Panics
    ///
    /// If the run did not fail, or users do not see the text.
    #[track_caller]
    pub fn assert_failed(&self, expected: impl AsRef<str>) -> &Self {
        self.demand_status(RunStatus::Failed);
        let expected = expected.as_ref();
        let error = self.run().and_then(|run| run.error.clone());
        let found: Vec<_> = error.into_iter().chain(self.notices()).collect();
        let holds = found.iter().any(|text| text.contains(expected));
        self.demand(holds, "users should see the failure", &expected, &found)
    }

    /// Asserts that the run of the turn was cancelled.
    ///
    /// # Panics
    ///
    /// If it was not.
    #[track_caller]
    pub fn assert_canceled(&self) -> &Self {
        self.demand_status(RunStatus::Canceled)
    }

    /// Asserts that the agent called this tool with these arguments.
    ///
    /// # Panics
    ///
    /// If it did not.
    #[track_caller]
    pub fn assert_tool_call(&self, name: &str, args: impl Into<Value>) -> &Self {
        let (args, found) = (args.into(), self.tool_calls());
        let is_it = |call: &CalledTool| call.name == name && call.args == args;
        let expected = format_args!("{name}({args})");
        self.demand(
            found.iter().any(is_it),
            "the agent should call",
            &expected,
            &found,
        )
    }

    /// Asserts that a call of this tool had this result.
    ///
    /// # Panics
    ///
    /// If no call did.
    #[track_caller]
    pub fn assert_tool_result(&self, name: &str, result: impl Into<Value>) -> &Self {
        let (result, found) = (result.into(), self.tool_calls());
        let is_it = |call: &CalledTool| call.name == name && call.result.as_ref() == Some(&result);
        let expected = format_args!("{name}(…) -> {result}");
        self.demand(
            found.iter().any(is_it),
            "a call should have the result",
            &expected,
            &found,
        )
    }

    /// Asserts that the handler tracked an analytics event with this name. [`tracked`](Self::tracked) returns the data of
    /// the events.
    ///
    /// ```
    /// # use dooers::prelude::*;
    /// # use dooers::testing::TestServer;
    /// #[dooers::agent]
    /// async fn shop(analytics: WorkerAnalytics) -> &'static str {
    ///     analytics.track("order.placed", serde_json::json!({"items": 2}));
    ///     "Ordered."
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// # let server = TestServer::of::<shop>().await;
    /// let mut ada = server.connect("ada").await;
    /// ada.say("two teas").await.assert_tracked("order.placed");
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// If it did not.
    #[track_caller]
    pub fn assert_tracked(&self, name: &str) -> &Self {
        let tracked = self.tracked().iter();
        let found: Vec<_> = tracked.map(|event| event.event.as_str()).collect();
        self.demand(
            found.contains(&name),
            "the handler should track",
            &name,
            &found,
        )
    }

    /// Asserts that the thread has this title.
    ///
    /// # Panics
    ///
    /// If it does not.
    #[track_caller]
    pub fn assert_title(&self, expected: impl AsRef<str>) -> &Self {
        let (expected, found) = (expected.as_ref(), self.conversation().title());
        self.demand(
            found == Some(expected),
            "the thread's title should be",
            &expected,
            &found,
        )
    }

    #[track_caller]
    fn demand_status(&self, expected: RunStatus) -> &Self {
        let found = self.run().map(|run| run.status);
        let holds = found == Some(expected);
        let found = found.map_or("there is none", RunStatus::as_str);
        let (expected, found) = (
            format_args!("{}", expected.as_str()),
            format_args!("{found}"),
        );
        self.demand(holds, "the turn's run should be", &expected, &found)
    }

    #[track_caller]
    fn demand(&self, holds: bool, what: &str, expected: &dyn Debug, found: &dyn Debug) -> &Self {
        if !holds {
            let why = self
                .error()
                .map(|error| format!("the handler failed: {error}\n"));
            let why = why.unwrap_or_default();
            let conversation = self.conversation();
            panic!("{what}: {expected:?}\n     found: {found:?}\n{why}\n{conversation}");
        }
        self
    }
}
