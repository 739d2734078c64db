//! Functions and closures that check values.

use dooers::prelude::*;
use serde_json::json;

#[derive(Clone, WorkerSettings)]
struct Validated {
    #[setting(default = "x", validate = short)]
    text: String,
    #[setting(default = "x", validate = Rules::long)]
    string: String,
    #[setting(validate = short)]
    some_text: Option<String>,
    #[setting(validate = small::<5>)]
    some_number: Option<u8>,
    #[setting(default = 3, validate = |number| if *number > 2 { Ok(()) } else { Err("too small") })]
    inferred: u8,
    #[setting(default = "x", validate = |text: &str| (!text.is_empty()).then_some(()).ok_or("empty"))]
    typed: String,
    #[setting(validate = |number| if number.is_power_of_two() { Ok(()) } else { Err(format!("{number} is odd")) })]
    some_inferred: Option<u32>,
}

struct Rules;

impl Rules {
    #[expect(clippy::ptr_arg, reason = "a function of the field's own type")]
    fn long(text: &String) -> std::result::Result<(), String> {
        if text.len() > 3 {
            Ok(())
        } else {
            Err(text.clone())
        }
    }
}

fn short(text: &str) -> Result<()> {
    if text.len() < 4 {
        Ok(())
    } else {
        Err("too long".into())
    }
}

fn small<const MAX: u8>(number: &u8) -> std::result::Result<(), String> {
    if *number <= MAX {
        Ok(())
    } else {
        Err(format!("above {MAX}"))
    }
}

#[test]
fn checks_are_called_for_present_values() {
    let mut validated = Validated::default();
    for (id, valid, invalid) in [
        ("text", json!("abc"), json!("abcd")),
        ("string", json!("abcd"), json!("abc")),
        ("some_text", json!("abc"), json!("abcd")),
        ("some_number", json!(5), json!(6)),
        ("inferred", json!(3), json!(2)),
        ("typed", json!("a"), json!("")),
        ("some_inferred", json!(8), json!(9)),
    ] {
        validated.apply_patch(id, valid).unwrap();
        assert!(validated.apply_patch(id, invalid).is_err(), "{id}");
        assert!(validated.apply_patch(id, json!(null)).is_ok(), "{id}");
    }
}
