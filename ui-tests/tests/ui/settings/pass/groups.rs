//! Groups of settings.

use dooers::prelude::*;
use dooers::settings::{SettingsItem, SettingsValues};
use serde_json::json;

#[derive(Debug, Clone, WorkerSettings)]
struct Tuning {
    #[setting(default = 1)]
    size: u8,
    /// More of it.
    #[setting(group, label = "Advanced", collapsible = "closed", rename = "advanced")]
    more: More,
    #[setting(group, creator, collapsible = "open")]
    hidden: Hidden,
    #[setting(group)]
    nothing: Nothing,
}

#[derive(Debug, Clone, WorkerSettings)]
#[setting(group)]
struct More {
    #[setting(default = 3)]
    depth: u8,
}

/// A group that can also be the settings of an agent.
#[derive(Debug, Clone, WorkerSettings)]
struct Hidden {
    #[setting(default = "x")]
    code: String,
}

#[derive(Debug, Clone, WorkerSettings)]
struct Nothing {}

#[test]
fn field_in_a_group_is_patched_by_its_id() {
    let mut tuning = Tuning::default();
    assert_eq!(
        (tuning.size, tuning.more.depth, tuning.hidden.code.as_str()),
        (1, 3, "x")
    );
    tuning.apply_patch("depth", json!(9)).unwrap();
    tuning.apply_patch("code", json!("y")).unwrap();
    assert_eq!((tuning.more.depth, tuning.hidden.code.as_str()), (9, "y"));
    assert!(tuning.apply_patch("advanced", json!(1)).is_err());
    let ids: Vec<_> = Tuning::schema().items().iter().map(id).collect();
    assert_eq!(ids, ["size", "advanced", "hidden", "nothing"]);
}

fn id(item: &SettingsItem) -> &str {
    match item {
        SettingsItem::Field(field) => field.id(),
        SettingsItem::Group(group) => group.id(),
        _ => "unknown",
    }
}

#[test]
fn unmarked_struct_is_settings_and_a_group() {
    let values: SettingsValues = [("code".to_owned(), json!("z"))].into_iter().collect();
    assert_eq!(Hidden::from_values(&values).code, "z");
    assert_eq!(More::default().depth, 3);
    assert!(format!("{:?}", Tuning::default().nothing).contains("Nothing"));
}
