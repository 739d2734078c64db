//! Defaults that are constant expressions.

use crate::property;
use dooers::prelude::*;
use serde_json::json;

const LIMIT: u8 = 70;
const NAME: &str = "hello";

const fn even(number: u8) -> u8 {
    number * 2
}

#[derive(Clone, WorkerSettings)]
struct Constants {
    #[setting(default = LIMIT, max = 80)]
    path: u8,
    #[setting(default = 60 * 60)]
    product: u32,
    #[setting(default = u64::MAX)]
    some_max: Option<u64>,
    #[setting(default = -(LIMIT as i8), min = -70)]
    negative: i8,
    #[setting(default = even(3), step = 2)]
    call: u8,
    #[setting(default = 1.0 / 4.0, max = 0.25)]
    decimal32: f32,
    #[setting(default = std::f64::consts::PI)]
    decimal64: f64,
    #[setting(default = NAME, max_length = 5)]
    text: String,
    #[setting(default = concat!("a", "b"))]
    some_text: Option<String>,
    #[setting(default = NAME, options("hello", "bye" = "Good bye"))]
    listed: String,
    #[setting(default = LIMIT > 60)]
    check: bool,
}

#[test]
fn constants_are_defaults() {
    let constants = Constants::default();
    assert_eq!((constants.path, constants.product), (70, 3_600));
    assert_eq!(
        (constants.some_max, constants.negative),
        (Some(u64::MAX), -70)
    );
    assert_eq!((constants.call, constants.decimal32), (6, 0.25));
    assert_eq!(constants.decimal64, std::f64::consts::PI);
    assert_eq!(constants.some_text.as_deref(), Some("ab"));
    assert_eq!((&*constants.text, &*constants.listed), ("hello", "hello"));
    assert!(constants.check);
    let values = constants.to_values();
    assert_eq!(values.get("some_max"), Some(&json!(u64::MAX)));
}

#[test]
fn option_without_a_label_is_accepted() {
    let listed = property::<Constants>("listed");
    assert_eq!(listed["enum"], json!(["hello", "bye", null]));
}
