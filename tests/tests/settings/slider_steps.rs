//! Numbers computed in binary floating point, through every API that sets a value.

use crate::asserts::{field, patch, patch_error, subscribed};
use dooers::WorkerServer;
use dooers::prelude::*;
use dooers::repository::Scope;
use dooers::settings::{Field, SettingsSchema, SettingsValues};
use dooers_tests::{Server, in_memory};
use serde_json::{Value, json};

/// Numbers with steps.
#[derive(Debug, Clone, WorkerSettings)]
struct Tuning {
    #[setting(default = 0.5, min = 0.0, max = 2.0, step = 0.1)]
    temperature: f64,
    #[setting(default = 0.5, min = -1.0, max = 1.0, step = 0.05)]
    pan: f32,
    #[setting(default = 5, min = 5, max = 105, step = 10)]
    whole: u8,
    /// The default and the bounds were computed, too.
    #[setting(
        default = 0.30000000000000004,
        min = 0.1,
        max = 0.7000000000000001,
        step = 0.1
    )]
    computed: f64,
}

/// Replies with its settings.
#[dooers::agent]
async fn tuned(tuning: Tuning) -> String {
    format!("{tuning:?}")
}

async fn started() -> (Server, WorkerServer) {
    let worker = WorkerServer::new(in_memory()).agent::<tuned>();
    (Server::start(worker.clone()).await, worker)
}

#[tokio::test]
async fn patch_of_a_slider_stores_the_exact_step() {
    let (server, worker) = started().await;
    let (mut client, shown) = subscribed(&server, "member", "user").await;
    let computed = field(&shown, "computed");
    assert_eq!(
        [&computed["value"], &computed["min"], &computed["max"]],
        [&json!(0.3), &json!(0.1), &json!(0.7)]
    );
    let repository = worker.repository().await.unwrap();
    let scope = Scope::everyone::<tuned>("w1");
    let stored = async |field: &str| repository.setting(&scope, field).await.unwrap();
    for tenths in 0..=20_u8 {
        let exact = f64::from(tenths) / 10.0;
        #[expect(clippy::cast_possible_truncation, reason = "the client computes so")]
        let single = f64::from(exact as f32);
        for given in [f64::from(tenths) * 0.1, single] {
            let published = patch(&mut client, "temperature", json!(given)).await;
            assert_eq!(published["value"], json!(exact), "{given}");
            assert_eq!(stored("temperature").await, json!(exact), "{given}");
        }
    }
    for twentieths in 0..=40_u8 {
        let given = -1.0 + f64::from(twentieths) * 0.05;
        let published = patch(&mut client, "pan", json!(given)).await;
        let exact = (f64::from(twentieths) - 20.0) / 20.0;
        assert_eq!(published["value"], json!(exact), "{given}");
    }
    let published = patch(&mut client, "whole", json!(15.000_000_000_000_002)).await;
    assert_eq!(published["value"], json!(15));
    for (field, wrong) in [
        ("temperature", json!(0.25)),
        ("temperature", json!(0.300_000_000_1)),
        ("temperature", json!(2.1)),
        ("temperature", json!(-0.1)),
        ("pan", json!(0.025)),
        ("whole", json!(14.9)),
    ] {
        assert_eq!(
            patch_error(&mut client, field, wrong).await.0,
            "INVALID_VALUE"
        );
    }
    server.close([client]).await;
}

#[tokio::test]
async fn computed_value_is_set_to_the_exact_step() {
    let (server, worker) = started().await;
    let (mut client, _) = subscribed(&server, "member", "user").await;
    let repository = worker.repository().await.unwrap();
    let scope = Scope::everyone::<tuned>("w1");
    let set = async |field: &str, value: Value| {
        let set = repository.set_setting(&scope, field, value).await;
        set.map_err(|error| error.to_string())
    };
    set("temperature", json!(0.1 + 0.2)).await.unwrap();
    assert_eq!(client.expect("settings.patch").await["value"], json!(0.3));
    set("temperature", json!(0.7_f32)).await.unwrap();
    assert_eq!(client.expect("settings.patch").await["value"], json!(0.7));
    assert!(set("temperature", json!(0.25)).await.is_err());

    let settings = worker.settings::<Tuning>("w1").await.unwrap();
    settings
        .set(|tuning| tuning.temperature = 3.0 * 0.1)
        .await
        .unwrap();
    assert_eq!(client.expect("settings.patch").await["value"], json!(0.3));
    assert_eq!(settings.get().await.unwrap().temperature, 0.3);
    // The same step is not a change.
    settings
        .set(|tuning| tuning.temperature = 0.1 + 0.2)
        .await
        .unwrap();
    set("temperature", json!(0.3_f32)).await.unwrap();
    client.expect_nothing().await;
    settings.set(|tuning| tuning.pan = 0.15).await.unwrap();
    assert_eq!(client.expect("settings.patch").await["value"], json!(0.15));
    assert!(settings.set(|tuning| tuning.pan = 0.16).await.is_err());
    server.close([client]).await;
}

#[tokio::test]
async fn setting_one_field_keeps_the_others() {
    let (server, worker) = started().await;
    let (mut client, _) = subscribed(&server, "member", "user").await;
    // As `f64` and `f32` these are 1.0 and -0.5.
    patch(&mut client, "temperature", json!(1)).await;
    patch(&mut client, "pan", json!(-0.5)).await;
    let settings = worker.settings::<Tuning>("w1").await.unwrap();
    settings.set(|tuning| tuning.whole = 25).await.unwrap();
    let published = client.expect("settings.patch").await;
    assert_eq!(
        (&published["field_id"], &published["value"]),
        (&json!("whole"), &json!(25))
    );
    client.expect_nothing().await;
    server.close([client]).await;
}

#[tokio::test]
async fn defaults_read_as_the_exact_step() {
    assert_eq!(Tuning::default().computed, 0.3);
    let mut tuning = Tuning::default();
    tuning.apply_patch("computed", json!(0.6 + 1e-16)).unwrap();
    assert_eq!(tuning.computed, 0.6);
    let mut values = SettingsValues::default();
    values.insert("computed", json!(0.1 + 0.1 + 0.2));
    assert_eq!(Tuning::from_values(&values).computed, 0.4);
    let schema = SettingsSchema::builder()
        .field(
            Field::number("a")
                .default(0.1 + 0.2)
                .min(0.1_f32)
                .max(0.7)
                .step(0.1),
        )
        .field(Field::integer("b").default(1.0).max(1e1))
        .build()
        .unwrap();
    let default = |id: &str| schema.defaults().get(id).cloned();
    assert_eq!(default("a"), Some(json!(0.3)));
    assert_eq!(default("b"), Some(json!(1)));
    let property = &schema.json_schema().to_value()["properties"]["a"];
    assert_eq!(
        [
            &property["default"],
            &property["minimum"],
            &property["multipleOf"]
        ],
        [&json!(0.3), &json!(0.1), &json!(0.1)]
    );
}
