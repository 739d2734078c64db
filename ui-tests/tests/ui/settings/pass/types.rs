//! The types that a setting can have.
#![allow(unused_qualifications, reason = "types are also named by their paths")]

use crate::property;
use dooers::prelude::*;
use dooers::settings::NaiveDate;
use serde_json::json;

#[derive(Debug, Clone, PartialEq, SettingChoice)]
enum Tone {
    Warm,
}

#[derive(Debug, Clone, WorkerSettings)]
struct Every {
    #[setting(default = "a")]
    text: String,
    #[setting(default = -8)]
    signed8: i8,
    #[setting(default = -16)]
    signed16: i16,
    #[setting(default = -32)]
    signed32: i32,
    #[setting(default = -9_223_372_036_854_775_808)]
    signed64: i64,
    #[setting(default = 0)]
    signed: isize,
    #[setting(default = 255)]
    unsigned8: u8,
    #[setting(default = 65_535)]
    unsigned16: u16,
    #[setting(default = 4_294_967_295)]
    unsigned32: u32,
    #[setting(default = 18_446_744_073_709_551_615)]
    unsigned64: u64,
    #[setting(default = 0xff)]
    unsigned: usize,
    #[setting(default = 0.7)]
    decimal32: f32,
    #[setting(default = 2)]
    decimal64: f64,
    #[setting(default = true)]
    check: bool,
    #[setting(default = "warm")]
    tone: Tone,
    secret: Option<Secret>,
    #[setting(default_env = "UI_TESTS_SECRET")]
    env_secret: Secret,
    #[setting(default_env = "UI_TESTS_SECRET")]
    some_env_secret: Option<Secret>,
    #[setting(default = "ada@example.org")]
    email: Email,
    #[setting(default = "2024-02-29")]
    date: NaiveDate,
    #[setting(src = "logo.png")]
    image: ImageUrl,
    some_text: Option<String>,
    some_number: core::option::Option<u8>,
    some_decimal: Option<f32>,
    some_check: Option<bool>,
    some_tone: Option<Tone>,
    some_email: Option<Email>,
    some_date: Option<NaiveDate>,
    some_image: Option<ImageUrl>,
}

#[test]
fn every_type_has_a_default_and_round_trips() {
    let every = Every::default();
    assert_eq!((every.text.as_str(), every.check), ("a", true));
    assert_eq!(
        (every.signed8, every.signed16, every.signed32),
        (-8, -16, -32)
    );
    assert_eq!((every.signed64, every.signed), (i64::MIN, 0));
    assert_eq!((every.unsigned8, every.unsigned16), (255, 65_535));
    assert_eq!((every.unsigned32, every.unsigned64), (u32::MAX, u64::MAX));
    assert_eq!(every.unsigned, 255);
    assert_eq!((every.decimal32, every.decimal64), (0.7, 2.0));
    assert_eq!(
        (every.tone.clone(), every.secret.clone()),
        (Tone::Warm, None)
    );
    assert_eq!(every.email.as_str(), "ada@example.org");
    assert_eq!(every.date.to_string(), "2024-02-29");
    assert_eq!(every.image.as_str(), "logo.png");
    assert!(
        every.some_text.is_none() && every.some_number.is_none() && every.some_decimal.is_none()
    );
    assert!(every.some_check.is_none() && every.some_tone.is_none() && every.some_email.is_none());
    assert!(every.some_date.is_none() && every.some_image.is_none());
    assert_eq!(every.env_secret.expose(), "");
    assert!(every.some_env_secret.is_none());
    let values = every.to_values();
    assert_eq!(values.get("decimal32"), Some(&json!(0.7)));
    assert_eq!(Every::from_values(&values).to_values(), values);
}

#[test]
fn schema_has_the_bounds_of_the_type() {
    let small = property::<Every>("unsigned8");
    assert_eq!(
        (&small["minimum"], &small["maximum"]),
        (&json!(0), &json!(255))
    );
    assert_eq!(small["type"], json!(["integer", "null"]));
    assert_eq!(
        property::<Every>("some_number")["type"],
        json!(["integer", "null"])
    );
    assert_eq!(property::<Every>("decimal64")["minimum"], json!(null));
}
