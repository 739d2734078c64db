//! Golden files of twenty-one conversations.
//!
//! Each file under `fixtures/golden/` contains one conversation of `fixtures/corpus/` in every format, one value per
//! line.

use super::{FORMATS, events, rules};
use crate::history::WorkerMemory;
use expect_test::{ExpectFile, expect_file};
use serde_json::Value;
use std::fmt::Write;

async fn check(conversation: &str, golden: &ExpectFile) {
    let specs: Vec<Value> = serde_json::from_str(conversation).unwrap();
    let memory = WorkerMemory::of(events(specs));
    let mut written = String::from("{\n");
    for (place, (format, name)) in FORMATS.into_iter().enumerate() {
        let history = memory.history(format).await.unwrap();
        rules::check(format, &history);
        let lines: Vec<_> = history.iter().map(|it| format!("    {it}")).collect();
        let end = if place + 1 < FORMATS.len() { "," } else { "" };
        let _ = writeln!(written, "  \"{name}\": [\n{}\n  ]{end}", lines.join(",\n"));
    }
    written.push_str("}\n");
    golden.assert_eq(&written);
}

macro_rules! conversations {
    ($($name:ident),+ $(,)?) => {$(
        #[tokio::test]
        async fn $name() {
            let conversation = include_str!(concat!("../fixtures/corpus/", stringify!($name), ".json"));
            let golden = expect_file![concat!("../fixtures/golden/", stringify!($name), ".json")];
            check(conversation, &golden).await;
        }
    )+};
}

conversations![
    a_greeting,
    one_message,
    several_in_a_row,
    begins_with_the_assistant,
    ends_with_the_assistant,
    a_tool,
    tools_side_by_side,
    tools_one_after_the_other,
    tools_with_equal_ids,
    a_transaction,
    a_call_without_a_result,
    a_result_without_a_call,
    a_message_between_call_and_result,
    pictures,
    files,
    a_form,
    forms_that_are_cancelled_or_gone,
    hidden_events,
    names_and_ids,
    arguments_and_results_of_any_kind,
    empty_and_growing,
];
