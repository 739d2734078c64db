//! Invalid events of a handler.

use crate::asserts::{appended, text};
use dooers::prelude::*;
use dooers::protocol::{FormInput, TextInputType};
use dooers_tests::Server;
use serde_json::{Value, json};

fn upload() -> ContentPart {
    let part = json!({"type": "image", "ref_id": "lost"});
    serde_json::from_value(part).unwrap()
}

fn without_options() -> Form {
    let none: [&str; 0] = [];
    Form::new("Which?").element(FormElement::radio("which", "Which", none))
}

/// Sends the event that the message names, and replies with the error.
#[dooers::agent]
async fn unshowable(request: WorkerRequest, response: WorkerResponse) -> Result<Reply> {
    match request.message.as_str() {
        "form" => {
            let refused = response.form(&without_options()).await.unwrap_err();
            response.text(refused.to_string()).await?;
        }
        "upload" => {
            let sent = response.message(vec![ContentPart::text("see"), upload()]);
            let refused = sent.await.unwrap_err();
            response.text(refused.to_string()).await?;
        }
        "unawaited form" => drop(response.form(&without_options())),
        "returned form" => return Ok(Reply::form(&without_options())),
        "returned upload" => return Ok(Reply::message(vec![upload()])),
        other => return Ok(Reply::text(other)),
    }
    Ok(Reply::text("and on"))
}

/// The published texts, and the final run.
async fn seen(message: &str) -> (Vec<String>, Value) {
    let server = Server::of::<unshowable>().await;
    let mut client = server.client("ada").await;
    let id = client.send_message(None, message).await;
    client.expect_ack(&id).await;
    let frames = client.read_turn().await;
    let events = appended(&frames);
    assert!(events.iter().all(|event| event["type"] == "message"));
    let texts = events[1..].iter().map(|event| text(event).to_owned());
    let texts = texts.collect();
    let last = frames.iter().rfind(|frame| frame["type"] == "run.upsert");
    let status = last.unwrap()["payload"]["run"]["status"].clone();
    server.close([client]).await;
    (texts, status)
}

#[tokio::test]
async fn handler_receives_the_error_of_an_invalid_reply() {
    let (texts, status) = seen("form").await;
    assert_eq!(
        texts[0],
        "the form's element `which` has no options, so nothing can be chosen: give it some"
    );
    assert_eq!(status, "failed");
    let (texts, status) = seen("upload").await;
    assert!(
        texts[0].contains("no upload with the `ref_id` `lost`"),
        "{texts:?}"
    );
    assert_eq!(status, "failed");
}

#[tokio::test]
async fn unawaited_invalid_reply_fails_the_turn() {
    for message in ["unawaited form", "returned form", "returned upload"] {
        let (texts, status) = seen(message).await;
        let public = texts.last().unwrap();
        assert!(
            !public.contains("which") && !public.contains("lost"),
            "{public}"
        );
        assert_eq!(status, "failed", "{message}");
    }
    assert_eq!(
        seen("fine").await,
        (vec!["fine".to_owned()], json!("succeeded"))
    );
}

#[test]
fn form_error_names_the_invalid_field() {
    let of = |element: FormElement| Form::new("m").element(element).check();
    let line = |default: &str, input_type| {
        let input = FormInput::TextInput {
            placeholder: None,
            default: Some(default.to_owned()),
            input_type,
        };
        FormElement::new("n", "N", input)
    };
    let sizes = [("s", "Small"), ("l", "Large")];
    let wrong = [
        (FormElement::text(" ", "Blank").into(), "an empty `name`"),
        (
            FormElement::select("n", "N", Vec::<FormChoice>::new()).into(),
            "has no options",
        ),
        (
            FormElement::checkbox("n", "N", ["a", "b", "a"]).into(),
            "two options with the value `a`",
        ),
        (
            FormElement::select("n", "N", sizes).default("Small").into(),
            "is not one of its options `s`, `l`",
        ),
        (
            FormElement::radio("n", "N", sizes).default("").into(),
            "the default `` of",
        ),
        (
            FormElement::checkbox("n", "N", sizes)
                .default(["s", "m"])
                .into(),
            "the default `m`",
        ),
        (
            FormElement::number("n", "N").default("many").into(),
            "not a number",
        ),
        (
            FormElement::number("n", "N").default("inf").into(),
            "not a number",
        ),
        (
            FormElement::date("n", "N").default("2026-2-30").into(),
            "not a date",
        ),
        (
            FormElement::email("n", "N").default("ada").into(),
            "not an email address",
        ),
        (
            FormElement::checkbox("n", "N", sizes)
                .default(["s", "s"])
                .into(),
            "the value `s` twice",
        ),
        (
            line("hush", TextInputType::Password),
            "every reader of the thread",
        ),
        (FormElement::textarea("n", "N").rows(0).into(), "0 `rows`"),
        (
            FormElement::file("n", "N", " ").into(),
            "an empty `upload_url`",
        ),
    ];
    for (element, expected) in wrong {
        let text = of(element).unwrap_err().to_string();
        assert!(text.contains(expected), "{text} should say {expected}");
        assert!(!text.contains("hush"), "{text}");
    }
    let right = [
        FormElement::select("n", "N", sizes).default("l").into(),
        FormElement::checkbox("n", "N", sizes)
            .default(["l", "s"])
            .into(),
        FormElement::number("n", "N").default("-1e3").into(),
        FormElement::date("n", "N").default("2024-02-29").into(),
        FormElement::textarea("n", "N")
            .rows(1)
            .default("a\nb")
            .into(),
        FormElement::password("n", "N").placeholder("secret").into(),
    ];
    for element in right {
        assert_eq!(of(element), Ok(()));
    }
    assert_eq!(Form::new("Sure?").check(), Ok(()));
}
