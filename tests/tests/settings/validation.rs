//! Valid and invalid values of each field kind, over the wire.

use crate::agents::every;
use crate::asserts::{field, patch, patch_error, subscribed};
use dooers_tests::{Server, SpyStore};
use serde_json::{Value, json};
use std::sync::Arc;

/// A field with valid and invalid values.
struct Case {
    field: &'static str,
    accepted: Vec<Value>,
    refused: Vec<Value>,
}

fn case<const A: usize, const R: usize>(
    field: &'static str,
    accepted: [Value; A],
    refused: [Value; R],
) -> Case {
    const { assert!(A >= 5 && R >= 8) };
    Case {
        field,
        accepted: Vec::from(accepted),
        refused: Vec::from(refused),
    }
}

fn cases() -> Vec<Case> {
    let (yes, no, none) = (json!(true), json!(false), Value::Null);
    vec![
        case(
            "name",
            [
                json!("ab"),
                json!("abcdefgh"),
                json!("äöü"),
                json!("hello"),
                json!("zz"),
            ],
            [
                json!("a"),
                json!("abcdefghi"),
                json!("Hello"),
                json!("a b"),
                json!(""),
                json!(5),
                none.clone(),
                json!(["ab"]),
                json!("ab\n"),
            ],
        ),
        case(
            "note",
            [
                json!(""),
                json!("x"),
                none.clone(),
                json!("größer\nals"),
                json!("null"),
            ],
            [
                json!(1),
                json!(0.5),
                yes.clone(),
                no.clone(),
                json!([]),
                json!({}),
                json!(["x"]),
                json!({"text": "x"}),
            ],
        ),
        case(
            "prompt",
            [
                json!(""),
                json!("a\nb"),
                json!("x".repeat(20)),
                json!("ü".repeat(20)),
                json!("😀".repeat(20)),
            ],
            [
                json!("x".repeat(21)),
                json!("😀".repeat(21)),
                json!(1),
                json!([null]),
                yes.clone(),
                json!([]),
                json!({}),
                json!(-1.5),
            ],
        ),
        case(
            "model",
            [
                json!("small"),
                json!("large"),
                json!("small"),
                json!("large"),
                json!("small"),
            ],
            [
                json!("Small"),
                json!(""),
                json!("medium"),
                json!(0),
                json!([null]),
                yes.clone(),
                json!(["small"]),
                json!({"value": "small"}),
            ],
        ),
        case(
            "tone",
            [
                json!("friendly"),
                json!("very_formal"),
                json!("friendly"),
                json!("very_formal"),
                json!("friendly"),
            ],
            [
                json!("Friendly"),
                json!("VeryFormal"),
                json!("rude"),
                json!(""),
                json!(0),
                json!([null]),
                no.clone(),
                json!([]),
            ],
        ),
        case(
            "whole",
            [json!(5), json!(15), json!(105), json!(25.0), json!(95)],
            [
                json!(0),
                json!(4),
                json!(6),
                json!(115),
                json!(15.5),
                json!("15"),
                json!([null]),
                yes.clone(),
                json!(-5),
                json!(1e300),
            ],
        ),
        case(
            "large",
            [
                json!(0),
                json!(u64::MAX),
                json!(1.0),
                none.clone(),
                json!(9_007_199_254_740_993_u64),
            ],
            [
                json!(-1),
                json!(0.5),
                json!(1e20),
                json!("1"),
                yes.clone(),
                json!([1]),
                json!({}),
                json!(-0.5),
            ],
        ),
        case(
            "signed",
            [
                json!(0),
                json!(i64::MIN),
                json!(i64::MAX),
                json!(-2.0),
                json!(7),
            ],
            [
                json!(u64::MAX),
                json!(0.1),
                json!(-1e30),
                json!("-1"),
                json!([null]),
                no.clone(),
                json!([]),
                json!({}),
            ],
        ),
        case(
            "decimal",
            [json!(0), json!(2), json!(0.3), json!(1.7), json!(2.0)],
            [
                json!(-0.1),
                json!(2.1),
                json!(0.25),
                json!(0.30001),
                json!("0.5"),
                json!([null]),
                yes.clone(),
                json!([0.5]),
                json!(1e-300),
            ],
        ),
        case(
            "narrow",
            [json!(0.7), json!(-1e30), none.clone(), json!(3), json!(0.0)],
            [
                json!(1e39),
                json!(-1e39),
                json!("0.7"),
                yes.clone(),
                no.clone(),
                json!([]),
                json!({}),
                json!(""),
            ],
        ),
        case(
            "check",
            [
                yes.clone(),
                no.clone(),
                yes.clone(),
                no.clone(),
                yes.clone(),
            ],
            [
                json!(1),
                json!(0),
                json!("true"),
                json!("on"),
                json!(""),
                json!([null]),
                json!([]),
                json!({}),
            ],
        ),
        case(
            "key",
            [
                json!("hush"),
                none.clone(),
                json!("a longer secret"),
                json!("ßßßß"),
                json!("1234"),
            ],
            [
                json!("abc"),
                json!(""),
                json!(1234),
                yes.clone(),
                no.clone(),
                json!([]),
                json!({}),
                json!(["hush"]),
            ],
        ),
        case(
            "address",
            [
                json!("a@b"),
                json!("ada.l+x@sub.example.org"),
                json!("x_y@example.co"),
                json!("1@2.3"),
                json!("ada@example.org"),
            ],
            [
                json!("ada"),
                json!("@b"),
                json!("a@"),
                json!("a b@c.de"),
                json!("a@-b.de"),
                json!("a@b..c"),
                json!([null]),
                json!(1),
                json!("ä@b.de"),
            ],
        ),
        case(
            "day",
            [
                json!("2026-02-11"),
                json!("2024-02-29"),
                json!("1999-12-31"),
                json!("2000-02-29"),
                json!("0001-01-01"),
            ],
            [
                json!("2026-02-30"),
                json!("2100-02-29"),
                json!("2026-2-1"),
                json!("11.02.2026"),
                json!(""),
                json!(20_260_211),
                json!([null]),
                json!("2026-02-11T00:00:00Z"),
                json!("2026-13-01"),
            ],
        ),
        case(
            "even",
            [
                json!(0),
                json!(2),
                json!(-4),
                json!(4.0),
                json!(2_147_483_646),
            ],
            [
                json!(1),
                json!(-3),
                json!(2_147_483_648_u64),
                json!(0.5),
                json!("2"),
                json!([null]),
                yes,
                json!([]),
            ],
        ),
    ]
}

#[tokio::test]
async fn each_field_kind_accepts_only_valid_values() {
    let store = SpyStore::memory();
    let server = Server::with::<every>(|config| config.store(Arc::clone(&store) as _)).await;
    let (mut operator, _) = subscribed(&server, "member", "user").await;
    let (mut watching, _) = subscribed(&server, "member", "user").await;
    let mut written = 0;
    for case in cases() {
        let is_secret = case.field == "key";
        written += case.accepted.len();
        let mut stored = Value::Null;
        for value in case.accepted {
            let published = patch(&mut operator, case.field, value.clone()).await;
            assert_eq!(published["field_id"], case.field);
            assert_eq!(
                (&published["worker_id"], &published["agent_id"]),
                (&json!("w1"), &json!("w1"))
            );
            stored = published["value"].clone();
            if is_secret {
                assert_eq!(stored, Value::Null, "{value}");
            } else {
                let same = stored == value
                    || stored
                        .as_f64()
                        .is_some_and(|number| Some(number) == value.as_f64());
                assert!(same, "{}: {value} became {stored}", case.field);
            }
            assert_eq!(watching.expect("settings.patch").await, published);
        }
        for value in case.refused {
            let (code, text) = patch_error(&mut operator, case.field, value.clone()).await;
            assert_eq!(code, "INVALID_VALUE", "{} took {value}", case.field);
            assert!(
                text.starts_with(&format!("`{}` cannot be ", case.field)),
                "{text}"
            );
            assert!(!is_secret || !text.contains(&value.to_string()), "{text}");
        }
        operator.expect_nothing().await;
        watching.expect_nothing().await;
        assert_eq!(store.calls("put_settings"), written);
        let (fresh, snapshot) = subscribed(&server, "member", "user").await;
        assert_eq!(
            field(&snapshot, case.field)["value"],
            stored,
            "{}",
            case.field
        );
        fresh.disconnect().await;
    }
    server.close([operator, watching]).await;
}

#[tokio::test]
async fn image_field_is_read_only() {
    let server = Server::of::<every>().await;
    let (mut operator, snapshot) = subscribed(&server, "member", "user").await;
    let logo = field(&snapshot, "logo");
    let url = "https://example.org/logo.png";
    assert_eq!((&logo["src"], &logo["value"]), (&json!(url), &json!(url)));
    for value in [
        json!(url),
        json!("x"),
        json!(""),
        Value::Null,
        json!(1),
        json!(true),
        json!([]),
        json!({}),
    ] {
        assert_eq!(
            patch_error(&mut operator, "logo", value).await.0,
            "READONLY"
        );
    }
    operator.expect_nothing().await;
    server.close([operator]).await;
}

#[tokio::test]
async fn rejection_states_given_and_allowed_values() {
    let server = Server::of::<every>().await;
    let (mut operator, _) = subscribed(&server, "member", "user").await;
    let long = "y".repeat(100);
    let shortened = format!("\"{}…", "y".repeat(59));
    for (field, value, text) in [
        (
            "decimal",
            json!(3),
            "`decimal` cannot be 3; it takes a number from 0.0 to 2.0 in steps of 0.1, or null for its default",
        ),
        (
            "whole",
            json!(0.5),
            "`whole` cannot be 0.5; it takes a whole number from 5 to 105 in steps of 10, or null for its default",
        ),
        (
            "model",
            json!("x"),
            "`model` cannot be \"x\"; it takes one of `small`, `large`, or null for its default",
        ),
        (
            "check",
            json!(1),
            "`check` cannot be 1; it takes `true` or `false`, or null for its default",
        ),
        (
            "note",
            json!(1),
            "`note` cannot be 1; it takes a text, or null for none",
        ),
        (
            "name",
            json!("X"),
            "`name` cannot be \"X\"; it takes a text of 2 to 8 characters that matches `^[a-zäöü]+$`",
        ),
        (
            "prompt",
            json!(long),
            &*format!(
                "`prompt` cannot be {shortened}; it takes a text of at most 20 characters, or null for its default"
            ),
        ),
        (
            "day",
            json!("x"),
            "`day` cannot be \"x\"; it takes a date such as `2026-02-11`, or null for its default",
        ),
        (
            "address",
            json!("x"),
            "`address` cannot be \"x\"; it takes an email address such as `ada@example.org`, or null for its default",
        ),
        (
            "key",
            json!("abc"),
            "`key` cannot be this; it takes a text of at least 4 characters, or null for none",
        ),
        (
            "even",
            json!(3),
            "`even` cannot be 3; 3 is odd, and only even numbers are nice",
        ),
    ] {
        let published = patch_error(&mut operator, field, value).await;
        assert_eq!(published, ("INVALID_VALUE".to_owned(), text.to_owned()));
    }
    server.close([operator]).await;
}
