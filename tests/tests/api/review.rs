//! The reviewed lists in `docs/public-api.md`.

use crate::rules::Uses;
use crate::workspace;
use std::collections::BTreeMap;

const FILE: &str = "docs/public-api.md";

/// The differences between these types and the table under this heading, in which each type has a reason.
pub(crate) fn differences_in(heading: &str, found: &Uses) -> Vec<String> {
    let text = std::fs::read_to_string(workspace().join(FILE)).expect("the page is there");
    let differences = differences(&table(&text, heading), found).into_iter();
    differences
        .map(|difference| format!("{FILE}, {heading}: {difference}"))
        .collect()
}

/// The types and their reasons from the table under this heading.
fn table(text: &str, heading: &str) -> BTreeMap<String, String> {
    let heading = format!("## {heading}");
    text.lines()
        .skip_while(|line| *line != heading)
        .skip(1)
        .take_while(|line| !line.starts_with('#'))
        .filter_map(|line| {
            let (name, reason) = line.strip_prefix("| `")?.split_once("` |")?;
            let reason = reason.trim().trim_end_matches('|').trim();
            Some((name.to_owned(), reason.to_owned()))
        })
        .collect()
}

fn differences(reviewed: &BTreeMap<String, String>, found: &Uses) -> Vec<String> {
    let new = found
        .iter()
        .filter(|(name, _)| !reviewed.contains_key(*name));
    let new = new.map(|(name, places)| {
        let places: Vec<_> = places.iter().take(5).cloned().collect();
        format!(
            "`{name}` is not reviewed; it is used by {}",
            places.join(", ")
        )
    });
    let unused = reviewed.keys().filter(|name| !found.contains_key(*name));
    let unused = unused.map(|name| format!("`{name}` is not used any more: remove its row"));
    let silent = reviewed.iter().filter(|(_, reason)| reason.is_empty());
    let silent = silent.map(|(name, _)| format!("`{name}` has no reason"));
    new.chain(unused).chain(silent).collect()
}

#[test]
fn table_ends_at_the_next_heading() {
    let text = "## A\n\n| type | reason |\n|---|---|\n| `x::Y` | it is good |\n\n## B\n\n| `z::Z` | other |\n";
    let expected = [("x::Y".to_owned(), "it is good".to_owned())].into();
    assert_eq!(table(text, "A"), expected);
}

#[test]
fn review_reports_new_unused_and_silent_rows() {
    let row = |name: &str, reason: &str| (name.to_owned(), reason.to_owned());
    let reviewed = [row("a::Known", ""), row("a::Gone", "was good")].into();
    let places = || ["f".to_owned()].into();
    let found = [
        ("a::Known".to_owned(), places()),
        ("a::New".to_owned(), places()),
    ]
    .into();
    assert_eq!(
        differences(&reviewed, &found),
        [
            "`a::New` is not reviewed; it is used by f",
            "`a::Gone` is not used any more: remove its row",
            "`a::Known` has no reason",
        ]
    );
}
