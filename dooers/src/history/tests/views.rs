//! The events that a memory sees.

use super::events;
use crate::history::MemoryQuery;
use crate::history::pages::PageQuery;
use crate::history::query::{Plain, Shape};
use crate::history::source::{Given, Source};
use crate::history::view::{OwnAnswers, OwnRuns, View};
use crate::protocol::{Actor, Thread, ThreadEvent};
use crate::store::Order;
use futures::TryStreamExt;
use futures::executor::block_on;
use serde_json::json;
use std::sync::Arc;

#[derive(Debug)]
struct Runs(&'static [&'static str]);

impl OwnRuns for Runs {
    fn run_ids(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }
}

#[derive(Debug)]
struct Answers(&'static [u64]);

impl OwnAnswers for Answers {
    fn positions(&self) -> Vec<u64> {
        self.0.to_vec()
    }
}

/// A source of these events. `user` is a message of a user, any other word is the run of an assistant's message.
fn source(specs: &[&str]) -> Source {
    let specs = specs.iter().map(|it| match *it {
        "user" => json!({"type": "message", "actor": "user", "text": "?"}),
        run => json!({"type": "message", "actor": "assistant", "run_id": run, "text": "!"}),
    });
    Source::Given(Arc::new(Given {
        thread: Thread::of_nobody(),
        events: events(specs.collect()),
    }))
}

/// The positions of these events that the view contains.
fn seen(specs: &[&str], view: &View) -> Vec<u64> {
    let reading = PageQuery {
        source: source(specs),
        ranges: view.ranges(),
        filter: crate::history::filter::Filter::default(),
        shown: Plain.shown(),
    };
    let read = |order| {
        let mut pages = reading.clone().pages(order, usize::MAX);
        let mut seen = Vec::new();
        while let Some(page) = block_on(pages.next()).unwrap() {
            seen.extend(page.events.iter().map(|event| event.seq));
        }
        seen
    };
    let forwards = read(Order::OldestFirst);
    let mut backwards = read(Order::NewestFirst);
    backwards.reverse();
    assert_eq!(forwards, backwards);
    forwards
}

fn turn(message: u64, claimed: u64) -> View {
    View::Turn {
        message,
        claimed,
        own_runs: None,
        answers: None,
    }
}

#[test]
fn turn_sees_its_message_and_its_own_events() {
    let specs = ["user", "a", "user", "b", "b"];
    assert_eq!(seen(&specs, &turn(3, 3)), [1, 2, 3, 4, 5]);
    assert_eq!(seen(&specs, &View::Thread), [1, 2, 3, 4, 5]);
    assert_eq!(seen(&["user"], &turn(1, 1)), [1]);
}

#[test]
fn turn_does_not_see_messages_that_wait_behind_it() {
    let specs = ["user", "user", "a", "user", "a"];
    assert_eq!(seen(&specs, &turn(1, 1)), [1, 3, 5]);
}

#[test]
fn message_is_placed_after_earlier_answers() {
    let specs = ["user", "user", "a", "user", "a", "b"];
    assert_eq!(seen(&specs, &turn(2, 5)), [1, 3, 5, 2, 6]);
}

#[test]
fn turn_sees_the_answers_to_its_forms() {
    let asking = |message, claimed, answers, runs: Option<&'static [&str]>| View::Turn {
        message,
        claimed,
        own_runs: runs.map(|runs| Arc::new(Runs(runs)) as Arc<dyn OwnRuns>),
        answers: Some(Arc::new(Answers(answers))),
    };
    let specs = ["user", "b", "user", "user", "c", "b", "user", "b", "user"];
    let view = asking(1, 1, &[4, 7], None);
    assert_eq!(seen(&specs, &view), [1, 2, 4, 5, 6, 7, 8]);
    assert_eq!(seen(&specs, &asking(1, 1, &[], None)), [1, 2, 5, 6, 8]);
    let concurrent = asking(1, 1, &[4, 7], Some(&["b"]));
    assert_eq!(seen(&specs, &concurrent), [1, 2, 4, 6, 7, 8]);
    // The handler opens its memory after the first answer.
    let late = asking(1, 5, &[4, 7], None);
    assert_eq!(seen(&specs, &late), [2, 4, 5, 1, 6, 7, 8]);
    for view in [view, late] {
        assert_eq!(limited(&specs, &view, 1, false).first(), Some(&1));
    }
}

#[test]
fn concurrent_turn_does_not_see_later_answers() {
    let specs = ["user", "a", "user", "user", "c", "a", "b"];
    let beside = |claimed, runs| View::Turn {
        message: 3,
        claimed,
        own_runs: Some(Arc::new(Runs(runs))),
        answers: None,
    };
    assert_eq!(seen(&specs, &beside(3, &["b"])), [1, 2, 3, 7]);
    // A retry: the events of the first attempt are placed before the message.
    assert_eq!(seen(&specs, &beside(7, &["b"])), [1, 2, 7, 3]);
    // A handler that starts its runs itself and has not started one yet.
    assert_eq!(seen(&specs, &beside(3, &[])), [1, 2, 3]);
}

/// The positions that a query with a limit returns, awaited and as a stream.
fn limited(specs: &[&str], view: &View, limit: usize, is_oldest_first: bool) -> Vec<u64> {
    let query = || {
        let query = MemoryQuery::new(source(specs), view.clone(), Plain).limit(limit);
        if is_oldest_first {
            query.oldest_first()
        } else {
            query
        }
    };
    let awaited = block_on(query().into_future()).unwrap();
    let streamed: Vec<_> = block_on(query().stream().try_collect()).unwrap();
    assert_eq!(awaited, streamed);
    awaited.iter().map(|event| event.seq).collect()
}

#[test]
fn limit_keeps_the_message_of_the_turn() {
    for own in [0, 1, 15, 199, 200, 450] {
        let mut specs = vec!["user", "a", "user", "a", "user"];
        specs.extend(std::iter::repeat_n("b", own));
        let last = specs.len() as u64;
        for limit in [1, 2, 4, 5, 20, usize::MAX] {
            let first = 6 - limit.min(5) as u64;
            let expected: Vec<u64> = (first..=last).collect();
            assert_eq!(limited(&specs, &turn(5, 5), limit, false), expected);
        }
        assert!(limited(&specs, &turn(5, 5), 0, false).is_empty());
    }
}

#[test]
fn limit_counts_answers_before_the_turn() {
    // Message 2 waited for the answers 3 and 4. Its turn wrote 6 and 7.
    let specs = ["user", "user", "a", "a", "user", "b", "b"];
    let view = turn(2, 5);
    assert_eq!(limited(&specs, &view, 1, false), [2, 6, 7]);
    assert_eq!(limited(&specs, &view, 2, false), [4, 2, 6, 7]);
    assert_eq!(limited(&specs, &view, 9, false), [1, 3, 4, 2, 6, 7]);
}

#[test]
fn limit_of_oldest_events_counts_all_events() {
    let specs = ["user", "a", "user", "b", "b"];
    for limit in 0..7 {
        let expected: Vec<u64> = (1..=5).take(limit).collect();
        assert_eq!(limited(&specs, &turn(3, 3), limit, true), expected);
    }
}

#[test]
fn limit_keeps_the_message_of_a_concurrent_turn() {
    let specs = ["user", "a", "user", "user", "c", "b", "c", "b"];
    let view = View::Turn {
        message: 3,
        claimed: 4,
        own_runs: Some(Arc::new(Runs(&["b"]))),
        answers: None,
    };
    assert_eq!(limited(&specs, &view, 1, false), [3, 6, 8]);
    assert_eq!(limited(&specs, &view, 2, false), [2, 3, 6, 8]);
}

#[test]
fn limit_counts_only_events_that_pass_the_filters() {
    let specs = ["user", "a", "user", "b", "b"];
    let query = || MemoryQuery::new(source(&specs), turn(3, 3), Plain).limit(1);
    let places = |query: MemoryQuery<ThreadEvent>| -> Vec<u64> {
        let events = block_on(query.into_future()).unwrap();
        events.iter().map(|event| event.seq).collect()
    };
    assert_eq!(places(query().actor(Actor::User)), [3]);
    assert_eq!(places(query().actor(Actor::Assistant)), [2, 4, 5]);
    assert_eq!(places(query().run("b")), [4, 5]);
    assert_eq!(places(query().run("a")), [2]);
}
