//! Which events a memory sees.

use super::events;
use crate::history::pages::Reading;
use crate::history::query::{Plain, Shape};
use crate::history::source::{Given, Source};
use crate::history::view::{OwnRuns, View};
use crate::protocol::Thread;
use crate::store::Order;
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

/// The places that are seen of these events, each a user's or that of a run.
fn seen(told: &[&str], view: &View) -> Vec<u64> {
    let told = told.iter().map(|it| match *it {
        "user" => json!({"type": "message", "actor": "user", "text": "?"}),
        run => json!({"type": "message", "actor": "assistant", "run_id": run, "text": "!"}),
    });
    let given = Given {
        thread: Thread::of_nobody(),
        events: events(told.collect()),
    };
    let reading = Reading {
        source: Source::Given(Arc::new(given)),
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
