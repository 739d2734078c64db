//! Settings whose fields are defined at run time.

use crate::asserts::{field, patch, patch_error, subscribed};
use dooers::WorkerServer;
use dooers::settings::{Collapsible, Field, Group, SettingsSchema, SettingsValues};
use dooers_tests::{Server, in_memory};
use serde_json::json;

#[dooers::agent]
async fn dynamic(values: SettingsValues) -> String {
    let lines = values.iter().map(|(id, value)| format!("{id}={value}"));
    lines.collect::<Vec<_>>().join(" ")
}

fn schema() -> SettingsSchema {
    SettingsSchema::builder()
        .version("7")
        .field(
            Field::text("name")
                .label("Its name")
                .default("Ada")
                .max_length(5),
        )
        .field(Field::password("key").optional())
        .group(
            Group::new("more", [Field::integer("size").default(3).min(1).max(9)])
                .collapsible(Collapsible::Open),
        )
        .build()
        .unwrap()
}

#[tokio::test]
async fn manual_schema_behaves_like_a_struct() {
    let worker = WorkerServer::new(in_memory())
        .agent::<dynamic>()
        .settings_schema::<dynamic>(schema());
    let server = Server::start(worker).await;
    let (mut client, shown) = subscribed(&server, "member", "user").await;
    assert_eq!(field(&shown, "name")["label"], "Its name");
    assert_eq!(shown["fields"][2]["collapsible"], "open");
    patch(&mut client, "size", json!(4)).await;
    assert_eq!(
        patch_error(&mut client, "size", json!(10)).await.0,
        "INVALID_VALUE"
    );
    assert_eq!(
        patch_error(&mut client, "name", json!("too long")).await.0,
        "INVALID_VALUE"
    );
    client.send_message(None, "what?").await;
    let frames = client.read_turn().await;
    let answer = frames
        .iter()
        .find(|frame| frame["payload"]["events"][0]["actor"] == "assistant");
    let text = &answer.unwrap()["payload"]["events"][0]["content"][0]["text"];
    assert_eq!(text, "key=null name=\"Ada\" size=4");
    server.close([client]).await;
}

#[test]
fn schema_errors_are_reported_together() {
    let wrong = SettingsSchema::builder()
        .field(Field::text("a"))
        .field(Field::text("a").default("x"))
        .field(Field::integer("b").min(3).max(1).default(2))
        .field(Field::number("c").default(0.25).step(0.1))
        .field(Field::select("d", [("x", "X"), ("x", "Y")]).default("z"))
        .field(Field::password("e"))
        .field(Field::text("o").required())
        .field(Field::password("f").optional().default("hush"))
        .field(Field::text("g").optional().readonly())
        .field(Field::text("h").optional().pattern(r"\d"))
        .field(Field::checkbox("i").default(true).min(1).max_length(3))
        .field(Field::select("j", Vec::<(&str, &str)>::new()).optional())
        .field(Field::integer("k").min(0).max(10).step(3).optional())
        .field(Field::text("l").min_length(3).max_length(1).optional())
        .field(Field::text("").optional())
        .field(Field::date("m").default("soon"))
        .field(Field::number("n").optional().step(0))
        .group(Group::new("a", []))
        .build()
        .unwrap_err();
    let about = |id: &str| {
        wrong
            .mistakes()
            .iter()
            .filter(|text| text.contains(&format!("`{id}`")))
            .count()
    };
    for (id, expected) in [
        ("a", 3),
        ("b", 2),
        ("c", 1),
        ("d", 2),
        ("e", 1),
        ("f", 1),
        ("g", 1),
        ("h", 1),
        ("i", 2),
        ("j", 1),
        ("k", 1),
        ("l", 1),
        ("m", 1),
        ("n", 1),
        ("o", 1),
    ] {
        assert_eq!(about(id), expected, "{id}: {wrong}");
    }
    assert!(wrong.to_string().contains("an id has 1 to 128 bytes"));
    assert_eq!(
        wrong.to_string().lines().count(),
        wrong.mistakes().len() + 1
    );
}
