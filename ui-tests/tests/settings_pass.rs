//! What `#[derive(WorkerSettings)]` and `#[derive(SettingChoice)]` accept. Each file under `ui/settings/pass` is a module
//! of this test or of the library.

#[path = "ui/settings/pass/attributes.rs"]
mod attributes;
#[path = "ui/settings/pass/choices.rs"]
mod choices;
#[path = "ui/settings/pass/groups.rs"]
mod groups;
#[path = "ui/settings/pass/macro_rules.rs"]
mod macro_rules;
#[path = "ui/settings/pass/no_implicit_prelude.rs"]
mod no_implicit_prelude;
#[path = "ui/settings/pass/places.rs"]
mod places;
#[path = "ui/settings/pass/types.rs"]
mod types;

use dooers::WorkerSettings;
use serde_json::{Value, json};

/// What the JSON Schema says of a field.
fn property<T: WorkerSettings>(field_id: &str) -> Value {
    let schema = T::json_schema().to_value();
    schema["properties"][field_id].clone()
}

#[test]
fn every_file_under_pass_is_compiled() {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/ui/settings/pass");
    let modules = include_str!("settings_pass.rs");
    let files = std::fs::read_dir(directory).unwrap();
    for file in files.map(|file| file.unwrap().file_name().into_string().unwrap()) {
        assert!(
            modules.contains(&format!("ui/settings/pass/{file}\"]")),
            "no test compiles {file}"
        );
    }
}

#[test]
fn the_runtime_crate_can_have_another_name() {
    let tuning = ui_tests_renamed::Tuning::default();
    assert_eq!(tuning.more.size, 3);
    assert_eq!(
        property::<ui_tests_renamed::Tuning>("tone")["default"],
        json!("warm")
    );
}
