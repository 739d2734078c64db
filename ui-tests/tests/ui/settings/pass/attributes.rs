//! Every option of a setting.

use crate::property;
use dooers::prelude::*;
use dooers::settings::{FieldKind, PatchError, Visibility};
use serde_json::json;

#[derive(Clone, WorkerSettings)]
#[setting(version = "3.2")]
struct Every {
    /// What it is
    /// about.
    #[setting(
        required,
        label = "Its name",
        rename = "title",
        default = "Ada",
        placeholder = "A name"
    )]
    #[setting(min_length = 1, max_length = 5, pattern = "^[A-Z]")]
    name: String,
    #[setting(default = "", rows = 6)]
    prompt: String,
    #[setting(default = "b", options("a" = "A", "b" = "B",))]
    model: String,
    #[setting(default = 0.5, min = -1, max = 2.0, step = 0.5)]
    decimal: f64,
    #[setting(default = 20, min = 10, max = 40, step = 5)]
    whole: u8,
    #[setting(default = 3, readonly)]
    fixed: u8,
    #[setting(internal)]
    trace: Option<bool>,
    #[setting(creator)]
    budget: Option<u32>,
    #[setting(default = true, user_editable = false)]
    guarded: bool,
    #[setting(src = "logo.png", width = 64, height = 32)]
    logo: ImageUrl,
    #[setting(default = 4, validate = checks::even)]
    even: i32,
    #[setting(default_env = "UI_TESTS_KEY", min_length = 4, creator)]
    key: Secret,
    r#type: Option<String>,
    long_name_of_words: Option<String>,
}

mod checks {
    pub(super) fn even(number: &i32) -> Result<(), &'static str> {
        if number % 2 == 0 {
            Ok(())
        } else {
            Err("it is odd")
        }
    }
}

#[test]
fn options_are_in_the_schema() {
    let schema = Every::schema();
    assert_eq!(schema.version(), "3.2");
    let title = property::<Every>("title");
    let expected = json!({
        "title": "Its name", "description": "What it is\nabout.", "type": "string", "default": "Ada",
        "minLength": 1, "maxLength": 5, "pattern": "^[A-Z]",
    });
    assert_eq!(title, expected);
    assert_eq!(property::<Every>("model")["enum"], json!(["a", "b", null]));
    let decimal = property::<Every>("decimal");
    assert_eq!(
        (&decimal["minimum"], &decimal["maximum"]),
        (&json!(-1), &json!(2.0))
    );
    assert_eq!(
        (&decimal["multipleOf"], &decimal["default"]),
        (&json!(0.5), &json!(0.5))
    );
    assert_eq!(property::<Every>("whole")["multipleOf"], 5);
    assert_eq!(property::<Every>("fixed")["readOnly"], true);
    assert_eq!(property::<Every>("trace"), json!(null), "it is internal");
    let of = |id: &str| schema.field(id).unwrap();
    assert!(of("title").is_required() && !of("model").is_required());
    assert_eq!(of("key").default_env_variable(), Some("UI_TESTS_KEY"));
    assert!(property::<Every>("key").get("default").is_none());
    assert_eq!(of("prompt").kind(), FieldKind::Textarea);
    assert_eq!(of("trace").visibility(), Visibility::Internal);
    assert_eq!(of("budget").visibility(), Visibility::Creator);
    assert!(of("fixed").is_readonly() && of("logo").is_readonly());
    assert_eq!(property::<Every>("type")["title"], "Type");
    assert_eq!(
        property::<Every>("long_name_of_words")["title"],
        "Long name of words"
    );
}

#[test]
fn validate_runs_after_the_other_checks() {
    let mut every = Every::default();
    every.apply_patch("even", json!(6)).unwrap();
    assert_eq!(every.even, 6);
    let refused = every.apply_patch("even", json!(7)).unwrap_err();
    assert_eq!(refused.to_string(), "`even` cannot be 7; it is odd");
    assert!(matches!(
        every.apply_patch("trace", json!(true)),
        Err(PatchError::Internal(_))
    ));
    assert!(matches!(
        every.apply_patch("fixed", json!(4)),
        Err(PatchError::Readonly(_))
    ));
}

#[test]
fn default_has_a_value_for_every_field() {
    let every = Every::default();
    assert_eq!((every.name.as_str(), every.prompt.as_str()), ("Ada", ""));
    assert_eq!(
        (every.model.as_str(), every.decimal, every.whole),
        ("b", 0.5, 20)
    );
    assert_eq!((every.fixed, every.trace, every.budget), (3, None, None));
    assert_eq!((every.guarded, every.logo.as_str()), (true, "logo.png"));
    assert!(every.r#type.is_none() && every.long_name_of_words.is_none());
}
