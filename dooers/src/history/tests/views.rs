//! Which events a memory sees.

use super::events;
use crate::history::MemoryQuery;
use crate::history::pages::Reading;
use crate::history::query::{Plain, Shape};
use crate::history::source::{Given, Source};
use crate::history::view::{OwnRuns, View};
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

/// These events, each a user's or that of a run.
fn source(told: &[&str]) -> Source {
    let told = told.iter().map(|it| match *it {
        "user" => json!({"type": "message", "actor": "user", "text": "?"}),
        run => json!({"type": "message", "actor": "assistant", "run_id": run, "text": "!"}),
    });
    Source::Given(Arc::new(Given {
        thread: Thread::of_nobody(),
        events: events(told.collect()),
    }))
}

/// The places that are seen of these events.
fn seen(told: &[&str], view: &View) -> Vec<u64> {
    let reading = Reading {
        source: source(told),
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
    }
}

#[test]
fn a_turn_sees_the_thread_up_to_its_message_and_what_it_writes_itself() {
    let told = ["user", "a", "user", "b", "b"];
    assert_eq!(seen(&told, &turn(3, 3)), [1, 2, 3, 4, 5]);
    assert_eq!(seen(&told, &View::Thread), [1, 2, 3, 4, 5]);
    assert_eq!(seen(&["user"], &turn(1, 1)), [1]);
}

#[test]
fn messages_that_wait_behind_a_turn_are_not_seen() {
    let told = ["user", "user", "a", "user", "a"];
    assert_eq!(seen(&told, &turn(1, 1)), [1, 3, 5]);
}

#[test]
fn the_message_stands_behind_the_answers_to_those_before_it() {
    let told = ["user", "user", "a", "user", "a", "b"];
    assert_eq!(seen(&told, &turn(2, 5)), [1, 3, 5, 2, 6]);
}

#[test]
fn a_turn_beside_others_sees_none_of_their_later_answers() {
    let told = ["user", "a", "user", "user", "c", "a", "b"];
    let beside = |claimed, runs| View::Turn {
        message: 3,
        claimed,
        own_runs: Some(Arc::new(Runs(runs))),
    };
    assert_eq!(seen(&told, &beside(3, &["b"])), [1, 2, 3, 7]);
    // Another attempt: what the first one stored stands before the message.
    assert_eq!(seen(&told, &beside(7, &["b"])), [1, 2, 7, 3]);
    // Its handler starts its runs itself, and has not yet.
    assert_eq!(seen(&told, &beside(3, &[])), [1, 2, 3]);
}

/// The places that are remembered with a limit, awaited and as a stream.
fn limited(told: &[&str], view: &View, limit: usize, is_oldest_first: bool) -> Vec<u64> {
    let query = || {
        let query = MemoryQuery::new(source(told), view.clone(), Plain).limit(limit);
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
fn a_limit_never_cuts_the_question_of_a_turn() {
    for own in [0, 1, 15, 199, 200, 450] {
        let mut told = vec!["user", "a", "user", "a", "user"];
        told.extend(std::iter::repeat_n("b", own));
        let last = told.len() as u64;
        for limit in [1, 2, 4, 5, 20, usize::MAX] {
            let first = 6 - limit.min(5) as u64;
            let expected: Vec<u64> = (first..=last).collect();
            assert_eq!(limited(&told, &turn(5, 5), limit, false), expected);
        }
        assert!(limited(&told, &turn(5, 5), 0, false).is_empty());
    }
}

#[test]
fn a_limit_counts_answers_that_came_before_the_turn() {
    // The message 2 waited for the answers 3 and 4; its turn wrote 6 and 7.
    let told = ["user", "user", "a", "a", "user", "b", "b"];
    let view = turn(2, 5);
    assert_eq!(limited(&told, &view, 1, false), [2, 6, 7]);
    assert_eq!(limited(&told, &view, 2, false), [4, 2, 6, 7]);
    assert_eq!(limited(&told, &view, 9, false), [1, 3, 4, 2, 6, 7]);
}

#[test]
fn a_limit_of_the_oldest_events_counts_all() {
    let told = ["user", "a", "user", "b", "b"];
    for limit in 0..7 {
        let expected: Vec<u64> = (1..=5).take(limit).collect();
        assert_eq!(limited(&told, &turn(3, 3), limit, true), expected);
    }
}

#[test]
fn a_limit_beside_other_turns_keeps_the_question() {
    let told = ["user", "a", "user", "user", "c", "b", "c", "b"];
    let view = View::Turn {
        message: 3,
        claimed: 4,
        own_runs: Some(Arc::new(Runs(&["b"]))),
    };
    assert_eq!(limited(&told, &view, 1, false), [3, 6, 8]);
    assert_eq!(limited(&told, &view, 2, false), [2, 3, 6, 8]);
}

#[test]
fn a_limit_counts_only_what_passes_the_filters() {
    let told = ["user", "a", "user", "b", "b"];
    let query = || MemoryQuery::new(source(&told), turn(3, 3), Plain).limit(1);
    let places = |query: MemoryQuery<ThreadEvent>| -> Vec<u64> {
        let events = block_on(query.into_future()).unwrap();
        events.iter().map(|event| event.seq).collect()
    };
    assert_eq!(places(query().actor(Actor::User)), [3]);
    assert_eq!(places(query().actor(Actor::Assistant)), [2, 4, 5]);
    assert_eq!(places(query().run("b")), [4, 5]);
    assert_eq!(places(query().run("a")), [2]);
}
