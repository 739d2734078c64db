//! Import cycles between the files of a module.

use crate::sources::{Module, Sources};
use std::collections::{BTreeMap, BTreeSet};

/// The cycles that are natural, and why.
const NATURAL: &[(&[&str], &str)] = &[
    (
        &["error::agent_error", "error::as_error", "error::send_error"],
        "an error of a handler may be one of sending, which may carry an error of a handler",
    ),
    (
        &[
            "handler::reply::answer",
            "handler::reply::event",
            "handler::reply::stream",
            "handler::reply::text",
        ],
        "replies convert to each other",
    ),
    (
        &["handler::stream_text", "handler::text_stream"],
        "a text creates the future that appends a stream to it",
    ),
    (
        &["protocol::content", "protocol::media_part"],
        "a part of a message is made from its builder, and makes it",
    ),
    (
        &["server::dispatch::message", "server::worker"],
        "a server creates the message that is dispatched by it",
    ),
    (
        &["settings::live", "settings::nodes", "settings::stored"],
        "the stored form of the live settings, and their exchange between nodes, are methods of the live settings",
    ),
    (
        &["settings::field", "settings::value"],
        "a field is described by the type of its value, and checks it",
    ),
    (
        &[
            "testing::builder",
            "testing::client",
            "testing::server",
            "testing::settings",
        ],
        "the parts of one test lead to each other",
    ),
];

#[test]
fn cycles_are_only_the_natural_ones() {
    let found = cycles(&Sources::of_runtime().imports());
    let natural: BTreeSet<_> = NATURAL.iter().map(|(files, _)| files.join(", ")).collect();
    for cycle in &found {
        assert!(
            natural.contains(cycle),
            "these files import each other: {cycle}; move what they share to a file of its own"
        );
    }
    for cycle in natural {
        assert!(
            found.contains(&cycle),
            "this is not a cycle any more: {cycle}; remove it from NATURAL"
        );
    }
}

/// The groups of files that import each other directly or indirectly, each as a sorted list.
fn cycles(imports: &BTreeMap<Module, BTreeSet<Module>>) -> BTreeSet<String> {
    let reached: BTreeMap<_, _> = imports
        .keys()
        .map(|from| (from, reachable(imports, from)))
        .collect();
    let mut cycles = BTreeSet::new();
    for (module, targets) in &reached {
        let is_back = |target: &&Module| {
            reached
                .get(*target)
                .is_some_and(|back| back.contains(*module))
        };
        let cycle: BTreeSet<_> = targets
            .iter()
            .filter(is_back)
            .map(|file| file.join("::"))
            .collect();
        if cycle.len() > 1 {
            cycles.insert(cycle.into_iter().collect::<Vec<_>>().join(", "));
        }
    }
    cycles
}

fn reachable(imports: &BTreeMap<Module, BTreeSet<Module>>, from: &Module) -> BTreeSet<Module> {
    let (mut found, mut open) = (BTreeSet::new(), vec![from]);
    while let Some(module) = open.pop() {
        for target in imports.get(module).into_iter().flatten() {
            if found.insert(target.clone()) {
                open.push(target);
            }
        }
    }
    found
}
