//! Cases that `#[derive(WorkerSettings)]` and `#[derive(SettingChoice)]` accept. Each file under `ui/settings/pass` is
//! a module of this test.

#[path = "ui/settings/pass/attributes.rs"]
mod attributes;
#[path = "ui/settings/pass/choices.rs"]
mod choices;
#[path = "ui/settings/pass/constants.rs"]
mod constants;
#[path = "ui/settings/pass/formats.rs"]
mod formats;
#[path = "ui/settings/pass/groups.rs"]
mod groups;
#[path = "ui/settings/pass/macro_rules.rs"]
mod macro_rules;
#[path = "ui/settings/pass/no_implicit_prelude.rs"]
mod no_implicit_prelude;
#[path = "ui/settings/pass/places.rs"]
mod places;
#[path = "ui/settings/pass/serde_names.rs"]
mod serde_names;
#[path = "ui/settings/pass/types.rs"]
mod types;
#[path = "ui/settings/pass/validation.rs"]
mod validation;

use dooers::WorkerSettings;
use serde_json::{Value, json};

/// Returns the JSON Schema of a field.
fn property<T: WorkerSettings>(field_id: &str) -> Value {
    let schema = T::json_schema().to_value();
    schema["properties"][field_id].clone()
}

#[test]
fn every_pass_file_is_compiled() {
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
fn settings_compile_if_the_crate_is_renamed() {
    let tuning = ui_tests_renamed::Tuning::default();
    assert_eq!(tuning.more.size, 3);
    assert_eq!(
        property::<ui_tests_renamed::Tuning>("tone")["default"],
        json!("warm")
    );
}
