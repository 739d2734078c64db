//! Random conversations in every format.

use super::{FORMATS, events, rules};
use crate::history::WorkerMemory;
use futures::TryStreamExt;
use futures::executor::block_on;
use proptest::prelude::*;
use serde_json::{Value, json};

/// One step of a conversation. Its number is known when all steps are put together.
#[derive(Debug, Clone)]
enum Happening {
    Said { by_user: bool, run: u8 },
    Nothing,
    Picture { by_user: bool },
    Hidden(u8),
    Call { id: u8, run: u8 },
    Result { id: u8 },
    Transaction { id: u8 },
    FormAndAnswer,
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        4 => (any::<bool>(), 0_u8..3).prop_map(|(by_user, run)| Happening::Said { by_user, run }),
        1 => Just(Happening::Nothing),
        1 => any::<bool>().prop_map(|by_user| Happening::Picture { by_user }),
        1 => (0_u8..3).prop_map(Happening::Hidden),
        4 => (0_u8..4, 0_u8..2).prop_map(|(id, run)| Happening::Call { id, run }),
        4 => (0_u8..4).prop_map(|id| Happening::Result { id }),
        1 => (0_u8..4).prop_map(|id| Happening::Transaction { id }),
        1 => Just(Happening::FormAndAnswer),
    ]
}

/// The event with this number. Its content contains `said-N.`, its arguments contain `called-N.`, and its result
/// contains `got-N.`.
fn event_json(number: usize, happening: &Happening) -> Value {
    let actor = |by_user: bool| if by_user { "user" } else { "assistant" };
    // Some ids are accepted by every API, others are not.
    let id = |id: u8| ["c", "call_1", "a.b:c", ""][usize::from(id)];
    let tool = |call: u8, result: bool| {
        let mut data = json!({"id": id(call), "name": "tool.of/any kind", "args": {"n": format!("called-{number}.")}});
        if result {
            data["result"] = json!({"n": format!("got-{number}.")});
        }
        data
    };
    match happening {
        Happening::Said { by_user, run } => json!({
            "type": "message", "actor": actor(*by_user), "run_id": (!by_user).then(|| format!("r{run}")),
            "text": format!("said-{number}."),
        }),
        Happening::Nothing => json!({"type": "message", "actor": "assistant", "text": " "}),
        Happening::Picture { by_user } => json!({
            "type": "message", "actor": actor(*by_user),
            "content": [{"type": "image", "url": format!("https://example.org/said-{number}.")}],
        }),
        Happening::Hidden(0) => {
            json!({"type": "reasoning", "actor": "assistant", "text": "hidden"})
        }
        Happening::Hidden(1) => json!({"type": "message", "actor": "system", "text": "hidden"}),
        Happening::Hidden(_) => json!({"type": "run.started", "actor": "system", "text": "hidden"}),
        Happening::Call { id, run } => json!({
            "type": "tool.call", "actor": "assistant", "run_id": format!("r{run}"), "data": tool(*id, false),
        }),
        Happening::Result { id } => {
            json!({"type": "tool.result", "actor": "tool", "data": tool(*id, true)})
        }
        Happening::Transaction { id } => {
            json!({"type": "tool.transaction", "actor": "assistant", "data": tool(*id, true)})
        }
        Happening::FormAndAnswer => json!({
            "type": "form.response", "actor": "user",
            "data": {"form_event_id": "gone", "values": {"answer": format!("said-{number}.")}},
        }),
    }
}

/// The numbers after this word, in the order in which they occur.
fn numbers(written: &str, word: &str) -> Vec<usize> {
    let behind = written.split(word).skip(1);
    let number = |text: &str| text.split('.').next().unwrap().parse().unwrap();
    behind.map(number).collect()
}

/// The numbers of the matching events.
fn expected(happenings: &[Happening], is_it: fn(&Happening) -> bool) -> Vec<usize> {
    let numbered = happenings.iter().enumerate();
    let found = numbered.filter(|(_, happening)| is_it(happening));
    found.map(|(number, _)| number).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_conversations_are_accepted_by_every_api(
        happenings in prop::collection::vec(happening(), 0..40),
        limit in 0_usize..45,
        is_oldest_first in any::<bool>(),
    ) {
        let specs = happenings.iter().enumerate().map(|(number, it)| event_json(number, it));
        let specs = events(specs.collect());
        let memory = WorkerMemory::of(specs.clone());
        // The id that the handler gave to the call.
        let call_id = |event_id: &str| {
            let event = specs.iter().find(|event| event.id == event_id);
            event.and_then(|event| event.data.as_ref()?["id"].as_str())
        };
        for message in block_on(memory.messages().into_future()).unwrap() {
            for tool_use in message.tool_uses {
                if let Some(result) = &tool_use.result_event_id {
                    prop_assert_eq!(call_id(&tool_use.event_id), call_id(result));
                }
            }
        }
        let says = |it: &Happening| {
            matches!(it, Happening::Said { .. } | Happening::Picture { .. } | Happening::FormAndAnswer)
        };
        let answers = |it: &Happening| {
            matches!(it, Happening::Result { .. } | Happening::Transaction { .. })
        };
        let calls = |it: &Happening| {
            matches!(it, Happening::Call { .. } | Happening::Transaction { .. })
        };
        for (format, _) in FORMATS {
            let whole = block_on(memory.history(format).into_future()).unwrap();
            rules::check(format, &whole);
            let written = serde_json::to_string(&whole).unwrap();
            // Every content occurs exactly once, in order.
            prop_assert_eq!(numbers(&written, "said-"), expected(&happenings, says));
            prop_assert!(!written.contains("hidden"));
            // Every result occurs once, and so does every call, with or without a result.
            let mut got = numbers(&written, "got-");
            got.sort_unstable();
            prop_assert_eq!(got, expected(&happenings, answers));
            let called = numbers(&written, "called-");
            let mut once = called.clone();
            once.sort_unstable();
            once.dedup();
            prop_assert_eq!(once.len(), called.len());
            for call in expected(&happenings, calls) {
                prop_assert!(called.contains(&call), "call {} in {}", call, written);
            }

            let stream = memory.history(format).stream();
            let streamed: Vec<Value> = block_on(stream.try_collect()).unwrap();
            prop_assert_eq!(&streamed, &whole);

            // A history that is cut anywhere is still accepted by the API.
            let mut part = memory.history(format).limit(limit);
            if is_oldest_first {
                part = part.oldest_first();
            }
            rules::check(format, &block_on(part.into_future()).unwrap());
        }
    }
}
