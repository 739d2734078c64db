//! Results of tools and the calls that they belong to.
//!
//! Every call carries a marker in its arguments, and every result carries the marker of its call. So a test sees in any
//! format which call a result was written to, without the code that pairs them.

use super::{FORMATS, events, rules, said};
use crate::history::{HistoryFormat, WorkerMemory};
use futures::TryStreamExt;
use futures::executor::block_on;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};
use std::collections::HashMap;

/// The marker of an event, which no other event contains.
fn marker(number: usize) -> String {
    format!("m{number}.")
}

/// A call of a tool.
#[derive(Debug, Clone, PartialEq)]
struct Call {
    run: Option<&'static str>,
    id: &'static str,
    name: &'static str,
    number: usize,
}

impl Call {
    fn event(&self) -> Value {
        json!({"type": "tool.call", "actor": "assistant", "run_id": self.run, "data": {
            "id": self.id, "name": self.name, "args": {"marker": marker(self.number)},
        }})
    }

    /// Its result, with as much of the call as the handler repeats.
    fn result(&self, given: Given) -> Value {
        let args = given.args.then(|| json!({"marker": marker(self.number)}));
        json!({"type": "tool.result", "actor": "tool", "run_id": self.run.filter(|_| given.run), "data": {
            "id": if given.id { self.id } else { "" },
            "name": if given.name { self.name } else { "" },
            "args": args,
            "result": marker(self.number),
        }})
    }
}

/// The members of its call that a result repeats.
#[derive(Debug, Clone, Copy)]
struct Given {
    run: bool,
    id: bool,
    name: bool,
    args: bool,
}

/// A result as `WorkerResponse::tool_result` sends it.
const WHOLE: Given = Given {
    run: true,
    id: true,
    name: true,
    args: true,
};

/// The same without arguments.
const NO_ARGS: Given = Given {
    args: false,
    ..WHOLE
};

fn calls<const N: usize>(
    told: [(Option<&'static str>, &'static str, &'static str); N],
) -> [Call; N] {
    let mut number = 0;
    told.map(|(run, id, name)| {
        number += 1;
        Call {
            run,
            id,
            name,
            number,
        }
    })
}

/// The texts of a history that name a call and its result: the id, and the text that holds the marker.
#[derive(Debug, Default)]
struct Written {
    calls: Vec<(String, String)>,
    results: Vec<(String, String)>,
}

impl Written {
    /// Reads a history as the API would.
    fn of(format: HistoryFormat, history: &[Value]) -> Self {
        let mut written = Self::default();
        for value in history {
            written.read(format, value);
        }
        written
    }

    fn read(&mut self, format: HistoryFormat, value: &Value) {
        let list = |member: &str| value[member].as_array().cloned().unwrap_or_default();
        let text = |value: &Value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        match format {
            HistoryFormat::OpenAi | HistoryFormat::Cohere => {
                let calls = list("tool_calls");
                self.calls.extend(
                    calls
                        .iter()
                        .map(|it| (text(&it["id"]), text(&it["function"]["arguments"]))),
                );
                if value["role"] == "tool" {
                    self.results
                        .push((text(&value["tool_call_id"]), text(&value["content"])));
                }
            }
            HistoryFormat::OpenAiResponses => match value["type"].as_str() {
                Some("function_call") => self
                    .calls
                    .push((text(&value["call_id"]), text(&value["arguments"]))),
                Some("function_call_output") => self
                    .results
                    .push((text(&value["call_id"]), text(&value["output"]))),
                _ => {}
            },
            HistoryFormat::Anthropic => {
                for block in list("content") {
                    match block["type"].as_str() {
                        Some("tool_use") => {
                            self.calls.push((text(&block["id"]), text(&block["input"])));
                        }
                        Some("tool_result") => self
                            .results
                            .push((text(&block["tool_use_id"]), text(&block["content"]))),
                        _ => {}
                    }
                }
            }
            HistoryFormat::Google => {
                for part in list("parts") {
                    if let Some(call) = part.get("functionCall") {
                        self.calls.push((text(&call["id"]), text(&call["args"])));
                    }
                    if let Some(response) = part.get("functionResponse") {
                        self.results
                            .push((text(&response["id"]), text(&response["response"])));
                    }
                }
            }
            HistoryFormat::Voyage => {
                // One line a use: the name, the arguments, and the result behind them.
                for line in text(&value["content"]).lines() {
                    if let Some((call, result)) = line.split_once("}): ") {
                        let id = self.calls.len().to_string();
                        self.calls.push((id.clone(), call.to_owned()));
                        self.results.push((id, result.to_owned()));
                    }
                }
            }
        }
    }

    /// The marker of each result by the marker of the call that it was written to. A call without a marker is a result
    /// whose call is not there.
    fn pairs(&self) -> Vec<(Option<String>, Option<String>)> {
        let calls: HashMap<_, _> = self.calls.iter().cloned().collect();
        assert_eq!(calls.len(), self.calls.len(), "ids repeat: {self:?}");
        assert_eq!(self.results.len(), self.calls.len(), "{self:?}");
        let marker = |text: &str| {
            let start = text.find('m')?;
            let marker = &text[start..];
            let marker = marker.strip_prefix("marker\":\"").unwrap_or(marker);
            let end = marker.find('.')?;
            Some(marker[..=end].to_owned()).filter(|it| it[1..end].parse::<usize>().is_ok())
        };
        let pair = |(id, result): &(String, String)| {
            let call = calls.get(id).expect("a result names a call");
            // The name of a tool may contain the letter of the markers.
            let call = call.rsplit_once('{').map_or(&**call, |(_, args)| args);
            (marker(call), marker(result))
        };
        self.results.iter().map(pair).collect()
    }
}

/// Checks every format: each of these results stands with its call, each of these calls has no result, and no other
/// result is with a call.
#[track_caller]
fn check(told: &[Value], answered: &[usize], strays: &[usize]) {
    let memory = WorkerMemory::of(events(told.to_vec()));
    let whole = usize::MAX;
    for (format, _) in FORMATS {
        let history = block_on(memory.history(format).limit(whole).into_future()).unwrap();
        rules::check(format, &history);
        let streamed: Vec<_> =
            block_on(memory.history(format).stream().try_collect::<Vec<_>>()).unwrap();
        assert_eq!(streamed, history, "{format:?}");
        let mut results = Vec::new();
        for (call, result) in Written::of(format, &history).pairs() {
            let Some(result) = result else { continue };
            if let Some(call) = call {
                assert_eq!(call, result, "{format:?}: {history:#?}");
                results.push(result);
            } else {
                results.push(format!("stray {result}"));
            }
        }
        let answered = answered.iter().map(|number| marker(*number));
        let strays = strays
            .iter()
            .map(|number| format!("stray {}", marker(*number)));
        let mut expected: Vec<_> = answered.chain(strays).collect();
        expected.sort_unstable();
        results.sort_unstable();
        assert_eq!(results, expected, "{format:?}: {history:#?}");
    }
}

const RUN: Option<&str> = Some("r1");
const OTHER: Option<&str> = Some("r2");

#[test]
fn empty_ids_are_paired_by_name() {
    let [weather, clock] = calls([(RUN, "", "weather"), (RUN, "", "clock")]);
    for given in [WHOLE, NO_ARGS] {
        for [first, second] in [[&weather, &clock], [&clock, &weather]] {
            let results = [first.result(given), second.result(given)];
            let told = [&[weather.event(), clock.event()], &results[..]].concat();
            check(&told, &[1, 2], &[]);
        }
    }
}

#[test]
fn a_repeated_id_is_paired_by_name() {
    let [weather, clock] = calls([(RUN, "call_0", "weather"), (RUN, "call_0", "clock")]);
    let told = [
        weather.event(),
        clock.event(),
        weather.result(NO_ARGS),
        clock.result(NO_ARGS),
    ];
    check(&told, &[1, 2], &[]);
}

#[test]
fn equal_calls_are_paired_in_their_order() {
    for id in ["", "call_0", "weather"] {
        let [rome, oslo] = calls([(RUN, id, "weather"), (RUN, id, "weather")]);
        let calls = [rome.event(), oslo.event()];
        let in_order = [rome.result(NO_ARGS), oslo.result(NO_ARGS)];
        check(&[&calls[..], &in_order].concat(), &[1, 2], &[]);
        // Arguments decide where they are given.
        let reversed = [oslo.result(WHOLE), rome.result(WHOLE)];
        check(&[&calls[..], &reversed].concat(), &[1, 2], &[]);
        let partly = [oslo.result(WHOLE), rome.result(NO_ARGS)];
        check(&[&calls[..], &partly].concat(), &[1, 2], &[]);
    }
}

#[test]
fn concurrent_runs_keep_their_own_results() {
    for id in ["", "call_0", "weather"] {
        let [first, second] = calls([(RUN, id, "weather"), (OTHER, id, "weather")]);
        for [one, two] in [[&first, &second], [&second, &first]] {
            let told = [
                first.event(),
                second.event(),
                one.result(NO_ARGS),
                two.result(NO_ARGS),
            ];
            check(&told, &[1, 2], &[]);
        }
    }
}

#[test]
fn a_result_of_another_run_is_a_use_of_its_own() {
    let [call, stray] = calls([(RUN, "call_0", "weather"), (OTHER, "call_0", "weather")]);
    let told = [call.event(), stray.result(NO_ARGS)];
    check(&told, &[], &[2]);
}

#[test]
fn a_result_of_another_tool_is_a_use_of_its_own() {
    let [call, stray] = calls([(RUN, "call_0", "weather"), (RUN, "call_0", "clock")]);
    check(&[call.event(), stray.result(NO_ARGS)], &[], &[2]);
}

#[test]
fn a_result_without_a_run_or_id_finds_its_call() {
    let [weather, clock] = calls([(RUN, "a", "weather"), (RUN, "b", "clock")]);
    let no_run = Given {
        run: false,
        ..NO_ARGS
    };
    let no_id = Given {
        id: false,
        ..NO_ARGS
    };
    let neither = Given {
        run: false,
        ..no_id
    };
    let no_name = Given {
        name: false,
        ..NO_ARGS
    };
    for given in [no_run, no_id, neither, no_name] {
        let told = [
            weather.event(),
            clock.event(),
            clock.result(given),
            weather.result(given),
        ];
        check(&told, &[1, 2], &[]);
    }
}

#[test]
fn a_result_that_names_nothing_is_a_use_of_its_own() {
    let [call] = calls([(RUN, "a", "weather")]);
    let nothing = Given {
        id: false,
        name: false,
        ..NO_ARGS
    };
    check(&[call.event(), call.result(nothing)], &[], &[1]);
}

#[test]
fn a_second_result_is_a_use_of_its_own() {
    let [call] = calls([(RUN, "a", "weather")]);
    let told = [call.event(), call.result(NO_ARGS), call.result(NO_ARGS)];
    check(&told, &[1], &[1]);
}

#[test]
fn a_transaction_takes_no_result() {
    let [whole, call] = calls([(RUN, "call_0", "weather"), (RUN, "call_0", "weather")]);
    let mut transaction = whole.result(WHOLE);
    transaction["type"] = json!("tool.transaction");
    transaction["actor"] = json!("assistant");
    let told = [transaction, call.event(), call.result(NO_ARGS)];
    check(&told, &[1, 2], &[]);
}

#[test]
fn a_cut_off_call_leaves_its_result_alone() {
    // The limit cuts between the two calls, as it would in a long thread.
    for id in ["", "weather"] {
        let [cut, kept] = calls([(RUN, id, "weather"), (RUN, id, "weather")]);
        let told = [kept.event(), cut.result(WHOLE), kept.result(WHOLE)];
        check(&told, &[1, 2], &[]);
    }
}

#[test]
fn arguments_may_differ_where_the_id_is_the_calls_own() {
    let [call] = calls([(RUN, "call_7f3a", "weather")]);
    let mut result = call.result(NO_ARGS);
    result["data"]["args"] = json!({"city": "Rome"});
    check(&[call.event(), result], &[1], &[]);
}

#[test]
fn arguments_as_text_are_those_of_the_call() {
    let [rome, oslo] = calls([(RUN, "", "weather"), (RUN, "", "weather")]);
    let mut results = [oslo.result(WHOLE), rome.result(WHOLE)];
    for result in &mut results {
        result["data"]["args"] = json!(result["data"]["args"].to_string());
    }
    let calls = [rome.event(), oslo.event()];
    check(&[&calls[..], &results[..]].concat(), &[1, 2], &[]);
    results.reverse();
    check(&[&calls[..], &results[..]].concat(), &[1, 2], &[]);
}

#[test]
fn a_call_that_was_let_go_keeps_its_result_from_others() {
    let [early, late] = calls([(RUN, "", "weather"), (RUN, "", "weather")]);
    let mut told = vec![early.event()];
    told.extend((0..250).map(|number| said(number * 2 + 1)));
    told.extend([late.event(), early.result(NO_ARGS), late.result(NO_ARGS)]);
    check(&told, &[2], &[1]);
}

/// A step of a conversation. What it picks from is known when all steps are put together.
#[derive(Debug, Clone)]
enum Step {
    Call { run: usize, id: usize, name: usize },
    Result { of: Index, given: Given },
    Transaction { run: usize },
    Stray { run: usize },
    Said { run: Option<usize> },
}

const RUNS: [Option<&str>; 3] = [Some("r0"), Some("r1"), None];
const NAMES: [&str; 3] = ["weather", "clock", "a.b/c"];

/// Ids that repeat, are empty, are the name of a tool, or are refused by an API.
const IDS: [&str; 6] = ["", "call_0", "call_1", "weather", "a.b:c", "e2"];

fn step() -> impl Strategy<Value = Step> {
    let given = any::<[bool; 4]>().prop_map(|[run, id, name, args]| Given {
        run,
        id,
        name,
        args,
    });
    prop_oneof![
        6 => (0..RUNS.len(), 0..IDS.len(), 0..NAMES.len())
            .prop_map(|(run, id, name)| Step::Call { run, id, name }),
        6 => (any::<Index>(), given).prop_map(|(of, given)| Step::Result { of, given }),
        1 => (0..RUNS.len()).prop_map(|run| Step::Transaction { run }),
        1 => (0..RUNS.len()).prop_map(|run| Step::Stray { run }),
        2 => prop::option::of(0..RUNS.len()).prop_map(|run| Step::Said { run }),
    ]
}

/// The open call that a result belongs to, and what its event must repeat to say so.
///
/// A result that leaves something out belongs to the only call that fits the rest. If several do, it repeats all but the
/// arguments, and belongs to the first call of that run, id and name. With its arguments it belongs to any of them.
fn chosen(open: &[Call], of: Index, given: Given) -> Option<(Call, Given)> {
    if open.is_empty() {
        return None;
    }
    let picked = of.get(open);
    let is_alone = |given: Given| {
        let fits = |call: &&Call| {
            let runs = [call.run, picked.run];
            let is_run = !given.run || runs[0] == runs[1] || runs.contains(&None);
            let ids = [call.id, picked.id];
            let is_id = !given.id || ids[0] == ids[1] || ids.contains(&"");
            let is_name = !given.name || call.name == picked.name;
            is_run && is_id && is_name
        };
        let is_named = given.name || given.id && !picked.id.is_empty();
        is_named && open.iter().filter(fits).count() == 1
    };
    if is_alone(given) {
        return Some((picked.clone(), given));
    }
    if given.args {
        return Some((picked.clone(), WHOLE));
    }
    let is_equal =
        |call: &&Call| (call.run, call.id, call.name) == (picked.run, picked.id, picked.name);
    let first = open.iter().find(is_equal)?;
    Some((first.clone(), NO_ARGS))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_result_is_with_its_call_in_every_format(steps in prop::collection::vec(step(), 0..50)) {
        let (mut told, mut open) = (Vec::new(), Vec::<Call>::new());
        let (mut answered, mut strays) = (Vec::new(), Vec::new());
        for (number, step) in steps.into_iter().enumerate() {
            match step {
                Step::Call { run, id, name } => {
                    let call = Call { run: RUNS[run], id: IDS[id], name: NAMES[name], number };
                    told.push(call.event());
                    open.push(call);
                }
                Step::Result { of, given } => {
                    if let Some((call, given)) = chosen(&open, of, given) {
                        told.push(call.result(given));
                        answered.push(call.number);
                        open.retain(|other| *other != call);
                    }
                }
                Step::Transaction { run } => {
                    let call = Call { run: RUNS[run], id: "call_0", name: NAMES[0], number };
                    let mut event = call.result(WHOLE);
                    event["type"] = json!("tool.transaction");
                    event["actor"] = json!("assistant");
                    told.push(event);
                    answered.push(number);
                }
                Step::Stray { run } => {
                    let call = Call { run: RUNS[run], id: "call_0", name: "never called", number };
                    told.push(call.result(NO_ARGS));
                    strays.push(number);
                }
                Step::Said { run: Some(run) } => {
                    told.push(json!({"type": "message", "actor": "assistant", "run_id": RUNS[run], "text": "yes"}));
                }
                Step::Said { run: None } => {
                    told.push(json!({"type": "message", "actor": "user", "text": "well"}));
                }
            }
        }
        check(&told, &answered, &strays);
    }
}
