//! What a test can demand of a turn.

use super::turn::{CalledTool, TestTurn};
use crate::protocol::RunStatus;
use serde_json::Value;
use std::fmt::Debug;

/// Each panics if it does not hold, and shows what was expected, what there is, and the conversation.
impl TestTurn {
    /// What the agent said is this text. Several messages have a blank line between them.
    ///
    /// # Panics
    ///
    /// If it said something else.
    #[track_caller]
    pub fn assert_text(&self, expected: impl AsRef<str>) -> &Self {
        let (expected, found) = (expected.as_ref(), self.text());
        self.demand(found == expected, "the agent should say", &expected, &found)
    }

    /// This text is part of what the agent said.
    ///
    /// # Panics
    ///
    /// If it is not.
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

    /// The agent's messages have these texts.
    ///
    /// # Panics
    ///
    /// If they have others.
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

    /// The turn's run succeeded.
    ///
    /// # Panics
    ///
    /// If it did not. What the handler returned is shown then.
    #[track_caller]
    pub fn assert_succeeded(&self) -> &Self {
        self.demand_status(RunStatus::Succeeded)
    }

    /// The turn's run failed, and its users are told so with this text: as part of the run's error, or of what the server
    /// says in the thread.
    ///
    /// # Panics
    ///
    /// If it did not fail, or users read something else.
    #[track_caller]
    pub fn assert_failed(&self, expected: impl AsRef<str>) -> &Self {
        self.demand_status(RunStatus::Failed);
        let expected = expected.as_ref();
        let error = self.run().and_then(|run| run.error.clone());
        let found: Vec<_> = error.into_iter().chain(self.notices()).collect();
        let holds = found.iter().any(|text| text.contains(expected));
        self.demand(
            holds,
            "users should be told of the failure",
            &expected,
            &found,
        )
    }

    /// The turn's run was cancelled.
    ///
    /// # Panics
    ///
    /// If it was not.
    #[track_caller]
    pub fn assert_canceled(&self) -> &Self {
        self.demand_status(RunStatus::Canceled)
    }

    /// The agent called this tool with these arguments.
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

    /// A call of this tool had this result.
    ///
    /// # Panics
    ///
    /// If none had.
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

    /// The thread's title is this.
    ///
    /// # Panics
    ///
    /// If it is not.
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
