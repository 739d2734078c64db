//! Pairing of tool results with their calls.
//!
//! Every call has a marker in its arguments, and every result contains the marker of its call. A test can therefore
//! see in any format which call a result was written to, without using the code that pairs them.

use super::{FORMATS, events, rules, said};
use crate::history::{HistoryFormat, WorkerMemory};
use futures::TryStreamExt;
use futures::executor::block_on;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};
use std::collections::HashMap;

/// The marker of an event. No other event contains it.
fn marker(number: usize) -> String {
    format!("m{number}.")
}

/// A tool call.
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

    /// The result of this call, with the members that `given` repeats.
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

/// The members of the call that its result repeats.
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

/// The same, without arguments.
const NO_ARGS: Given = Given {
    args: false,
    ..WHOLE
};

fn calls<const N: usize>(
    specs: [(Option<&'static str>, &'static str, &'static str); N],
) -> [Call; N] {
    let mut number = 0;
    specs.map(|(run, id, name)| {
        number += 1;
        Call {
            run,
            id,
            name,
            number,
        }
    })
}

/// The calls and results of a rendered history: the id, and the text that contains the marker.
#[derive(Debug, Default)]
struct Written {
    calls: Vec<(String, String)>,
    results: Vec<(String, String)>,
}

impl Written {
    /// Reads a history as the API would read it.
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
                // Each tool use is one line: the name, the arguments and the result.
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

    /// Pairs the marker of each call with the marker of the result that was written to it. A call without a marker
    /// belongs to a result whose call is missing.
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

/// Checks every format: the results in `answered` are written to their calls, the results in `strays` have no call,
/// and there are no other results.
#[track_caller]
fn check(specs: &[Value], answered: &[usize], strays: &[usize]) {
    let memory = WorkerMemory::of(events(specs.to_vec()));
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
            let specs = [&[weather.event(), clock.event()], &results[..]].concat();
            check(&specs, &[1, 2], &[]);
        }
    }
}

#[test]
fn repeated_ids_are_paired_by_name() {
    let [weather, clock] = calls([(RUN, "call_0", "weather"), (RUN, "call_0", "clock")]);
    let specs = [
        weather.event(),
        clock.event(),
        weather.result(NO_ARGS),
        clock.result(NO_ARGS),
    ];
    check(&specs, &[1, 2], &[]);
}

#[test]
fn equal_calls_are_paired_in_their_order() {
    for id in ["", "call_0", "weather"] {
        let [rome, oslo] = calls([(RUN, id, "weather"), (RUN, id, "weather")]);
        let calls = [rome.event(), oslo.event()];
        let in_order = [rome.result(NO_ARGS), oslo.result(NO_ARGS)];
        check(&[&calls[..], &in_order].concat(), &[1, 2], &[]);
        // Arguments decide if the result repeats them.
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
            let specs = [
                first.event(),
                second.event(),
                one.result(NO_ARGS),
                two.result(NO_ARGS),
            ];
            check(&specs, &[1, 2], &[]);
        }
    }
}

#[test]
fn result_of_another_run_is_a_separate_use() {
    let [call, stray] = calls([(RUN, "call_0", "weather"), (OTHER, "call_0", "weather")]);
    let specs = [call.event(), stray.result(NO_ARGS)];
    check(&specs, &[], &[2]);
}

#[test]
fn result_of_another_tool_is_a_separate_use() {
    let [call, stray] = calls([(RUN, "call_0", "weather"), (RUN, "call_0", "clock")]);
    check(&[call.event(), stray.result(NO_ARGS)], &[], &[2]);
}

#[test]
fn result_without_run_or_id_finds_its_call() {
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
        let specs = [
            weather.event(),
            clock.event(),
            clock.result(given),
            weather.result(given),
        ];
        check(&specs, &[1, 2], &[]);
    }
}

#[test]
fn result_without_id_and_name_is_a_separate_use() {
    let [call] = calls([(RUN, "a", "weather")]);
    let nothing = Given {
        id: false,
        name: false,
        ..NO_ARGS
    };
    check(&[call.event(), call.result(nothing)], &[], &[1]);
}

#[test]
fn second_result_is_a_separate_use() {
    let [call] = calls([(RUN, "a", "weather")]);
    let specs = [call.event(), call.result(NO_ARGS), call.result(NO_ARGS)];
    check(&specs, &[1], &[1]);
}

#[test]
fn transaction_is_not_paired_with_a_result() {
    let [whole, call] = calls([(RUN, "call_0", "weather"), (RUN, "call_0", "weather")]);
    let mut transaction = whole.result(WHOLE);
    transaction["type"] = json!("tool.transaction");
    transaction["actor"] = json!("assistant");
    let specs = [transaction, call.event(), call.result(NO_ARGS)];
    check(&specs, &[1, 2], &[]);
}

#[test]
fn result_of_a_cut_off_call_is_a_separate_use() {
    // As in a long thread, the limit cuts between the two calls.
    for id in ["", "weather"] {
        let [cut, kept] = calls([(RUN, id, "weather"), (RUN, id, "weather")]);
        let specs = [kept.event(), cut.result(WHOLE), kept.result(WHOLE)];
        check(&specs, &[1, 2], &[]);
    }
}

#[test]
fn arguments_may_differ_if_the_id_is_unique() {
    let [call] = calls([(RUN, "call_7f3a", "weather")]);
    let mut result = call.result(NO_ARGS);
    result["data"]["args"] = json!({"city": "Rome"});
    check(&[call.event(), result], &[1], &[]);
}

#[test]
fn arguments_as_text_match_the_call() {
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
fn late_result_is_not_paired_with_a_later_call() {
    let [early, late] = calls([(RUN, "", "weather"), (RUN, "", "weather")]);
    let mut specs = vec![early.event()];
    specs.extend((0..250).map(|number| said(number * 2 + 1)));
    specs.extend([late.event(), early.result(NO_ARGS), late.result(NO_ARGS)]);
    check(&specs, &[2], &[1]);
}

/// A step of a conversation. The call that a result refers to is chosen when all steps are put together.
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

/// Ids that repeat, are empty, are the name of a tool, or are not accepted by an API.
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

/// Chooses an open call for a result, and the members that its event must repeat to identify that call.
///
/// A result that omits members belongs to the only call that matches the rest. If several calls match, the result
/// repeats everything except the arguments and belongs to the first call of that run, id and name. With arguments, it
/// can belong to any of these calls.
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
    fn results_are_paired_with_calls_in_all_formats(steps in prop::collection::vec(step(), 0..50)) {
        let (mut specs, mut open) = (Vec::new(), Vec::<Call>::new());
        let (mut answered, mut strays) = (Vec::new(), Vec::new());
        for (number, step) in steps.into_iter().enumerate() {
            match step {
                Step::Call { run, id, name } => {
                    let call = Call { run: RUNS[run], id: IDS[id], name: NAMES[name], number };
                    specs.push(call.event());
                    open.push(call);
                }
                Step::Result { of, given } => {
                    if let Some((call, given)) = chosen(&open, of, given) {
                        specs.push(call.result(given));
                        answered.push(call.number);
                        open.retain(|other| *other != call);
                    }
                }
                Step::Transaction { run } => {
                    let call = Call { run: RUNS[run], id: "call_0", name: NAMES[0], number };
                    let mut event = call.result(WHOLE);
                    event["type"] = json!("tool.transaction");
                    event["actor"] = json!("assistant");
                    specs.push(event);
                    answered.push(number);
                }
                Step::Stray { run } => {
                    let call = Call { run: RUNS[run], id: "call_0", name: "never called", number };
                    specs.push(call.result(NO_ARGS));
                    strays.push(number);
                }
                Step::Said { run: Some(run) } => {
                    specs.push(json!({"type": "message", "actor": "assistant", "run_id": RUNS[run], "text": "yes"}));
                }
                Step::Said { run: None } => {
                    specs.push(json!({"type": "message", "actor": "user", "text": "well"}));
                }
            }
        }
        check(&specs, &answered, &strays);
    }
}
