//! Random turns with tools, which end at any place.

use super::{Bench, check_every_prefix, check_pairs};
use crate::protocol::ThreadEvent;
use crate::tool::{Approval, DynamicTool, ToolEffect, ToolRequest, Tools};
use crate::{AgentError, FormReply, WorkerRequest};
use proptest::prelude::*;
use serde_json::{Value, json};
use tokio::runtime::Builder;

/// The names of the tools, and names that models invent.
const NAMES: &[&str] = &[
    "read",
    "write",
    "fails",
    "panics",
    "hangs",
    "asks",
    "asks_reading",
    "unknown",
    "",
    "re.ad",
    "Größe",
];

const IDS: &[&str] = &["c", "call_1", "a.b:c", "", "c"];

const ARGUMENTS: &[&str] = &[
    "{}",
    "",
    "null",
    r#"{"n": 1}"#,
    r#"{"n": "1"}"#,
    r#"{"n": 1"#,
    r#"{"m": 1}"#,
    "[1]",
    "\"text\"",
    "\u{0}",
];

/// The indices of an id, a name and arguments.
type Call = (usize, usize, usize);

fn call() -> impl Strategy<Value = Call> {
    (0..IDS.len(), 0..NAMES.len(), 0..ARGUMENTS.len())
}

fn tools() -> Tools {
    let schema = || super::object(json!({"n": {"type": "integer"}}), &[]);
    let slow = |name: &str| {
        DynamicTool::new(name, schema(), async |_, arguments: Value| {
            tokio::task::yield_now().await;
            arguments
        })
    };
    let hang = DynamicTool::new("hangs", schema(), async |_, _| {
        std::future::pending::<()>().await
    });
    let fail = DynamicTool::new("fails", schema(), async |_, _| {
        Err::<(), _>(AgentError::public("no"))
    });
    let panic = DynamicTool::new("panics", schema(), |_, _| -> std::future::Ready<()> {
        panic!("of the test")
    });
    Tools::new()
        .with_tool(slow("read").with_effect(ToolEffect::Read))
        .with_tool(slow("write"))
        .with_tool(slow("asks").with_approval(Approval::always()))
        .with_tool(
            slow("asks_reading")
                .with_approval(Approval::always())
                .with_effect(ToolEffect::Read),
        )
        .with_tool(hang.with_effect(ToolEffect::Read))
        .with_tool(fail)
        .with_tool(panic)
}

async fn run(tools: Tools, steps: Vec<Vec<Call>>) {
    for step in steps {
        let calls = step.into_iter().map(|(id, name, arguments)| {
            ToolRequest::new(IDS[id], NAMES[name], ARGUMENTS[arguments])
        });
        tools.call_all(calls).await.unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn history_of_a_turn_is_valid_in_every_prefix(
        steps in prop::collection::vec(prop::collection::vec(call(), 1..5), 1..5),
        replies in prop::collection::vec(0_usize..3, 20),
        polls in 0_usize..20,
    ) {
        let bench = Bench::new(tools());
        for reply in replies {
            bench.sent.answer([FormReply::answered(json!({})), FormReply::Dismissed, FormReply::Expired][reply].clone());
        }
        let runtime = Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let mut turn = Box::pin(run(bench.tools.clone(), steps));
            for _ in 0..polls {
                if futures::poll!(&mut turn).is_ready() {
                    break;
                }
            }
            // The turn is cancelled here, unless it has ended.
            drop(turn);
        });
        let mut events = vec![ThreadEvent::from(WorkerRequest::new("go"))];
        events.extend(bench.sent.replies().into_iter().map(|reply| ThreadEvent {
            run_id: Some("r".to_owned()),
            ..reply.into()
        }));
        check_pairs(&events);
        check_every_prefix(&events);
    }
}
