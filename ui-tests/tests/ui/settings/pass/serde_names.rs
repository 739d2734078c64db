//! Names that the attributes of serde give.

use dooers::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, SettingChoice)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE", deny_unknown_fields)]
enum Tone {
    VeryFormal,
    #[serde(alias = "hot", rename = "lukewarm")]
    Warm,
    #[serde(rename = "icy")]
    #[setting(rename = "cold")]
    Cold,
}

#[derive(Debug, Clone, Serialize, Deserialize, WorkerSettings)]
#[serde(rename_all = "kebab-case", default)]
struct Tuning {
    #[setting(default = 3)]
    max_words: u8,
    #[serde(default, rename = "title", skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[setting(default = Tone::Warm)]
    first_tone: Tone,
    #[serde(rename(serialize = "out", deserialize = "in"))]
    #[setting(rename = "both")]
    two_way: Option<String>,
}

#[test]
fn names_of_serde_are_honored() {
    let tuning = Tuning::default();
    let written = serde_json::to_value(&tuning).unwrap();
    let values = tuning.to_values();
    for id in ["max-words", "first-tone"] {
        assert_eq!(values.get(id), written.get(id), "{id}");
    }
    let ids: Vec<_> = Tuning::schema()
        .fields()
        .map(dooers::settings::Field::id)
        .collect();
    assert_eq!(ids, ["max-words", "title", "first-tone", "both"]);
    let choices = Tone::CHOICES.iter().map(|(value, _)| *value);
    assert_eq!(
        choices.collect::<Vec<_>>(),
        ["VERY_FORMAL", "lukewarm", "cold"]
    );
}
