//! Events that the program creates, updates and removes.

use crate::fixtures::{appended, kinds, scope, start_server, subscribed, text};
use dooers::prelude::*;
use dooers::protocol::{Actor, EventType, User};
use dooers::repository::RepositoryError;
use dooers_tests::with;
use serde_json::{Value, json};

#[tokio::test]
async fn event_reaches_subscribers_and_row_reaches_others() {
    let (server, repository) = start_server().await;
    let (mut ada, mut bob) = (server.client("ada").await, server.client("bob").await);
    subscribed(&repository, &mut ada, "t").await;
    bob.read_pending().await;
    let made = repository
        .create_event(&scope(), "t", Reply::text("news"))
        .await
        .unwrap();
    let published = ada.expect("event.append").await;
    assert_eq!(
        published["events"],
        json!([serde_json::to_value(&made).unwrap()])
    );
    assert_eq!(
        (made.seq, made.actor, made.author.as_deref()),
        (1, Actor::Assistant, Some("Assistant"))
    );
    let row = ada.expect("thread.upsert").await;
    assert_eq!(
        row["thread"]["last_event_at"],
        published["events"][0]["created_at"]
    );
    assert_eq!(kinds(&bob.read_pending().await), ["thread.upsert"]);
    assert_eq!(
        repository.event(&scope(), "t", &made.id).await.unwrap(),
        made
    );
    server.close([ada, bob]).await;
}

#[tokio::test]
async fn create_event_takes_any_reply_of_any_actor() {
    let (server, repository) = start_server().await;
    repository.create_thread(&scope()).id("t").await.unwrap();
    let call = || ToolCall::new("c", "weather", json!({"city": "Oslo"}));
    let create = |reply| repository.create_event(&scope(), "t", reply);
    let by_ben = create(Reply::text("hi")).user("ben");
    let events = [
        create(Reply::text("one").author("Ann")).id("own-id").await,
        create(Reply::tool_result(call(), 3)).await,
        create(Reply::text("maintenance"))
            .actor(Actor::System)
            .await,
        by_ben.await,
    ];
    let shape = |event: Result<dooers::protocol::ThreadEvent, RepositoryError>| {
        let event = event.unwrap();
        let user = event.user.map(|user| user.user_id);
        (event.seq, event.kind, event.actor, event.author, user)
    };
    assert_eq!(
        events.map(shape),
        [
            (
                1,
                EventType::Message,
                Actor::Assistant,
                Some("Ann".to_owned()),
                None
            ),
            (2, EventType::ToolResult, Actor::Tool, None, None),
            (3, EventType::Message, Actor::System, None, None),
            (
                4,
                EventType::Message,
                Actor::User,
                None,
                Some("ben".to_owned())
            ),
        ]
    );
    let first = repository.event(&scope(), "t", "own-id").await.unwrap();
    assert_eq!(first.seq, 1);
    let thread = repository.thread(&scope(), "t").await.unwrap();
    assert_eq!(thread.users, [User::new("ben")]);
    server.close([]).await;
}

#[tokio::test]
async fn update_replaces_and_removal_empties_an_event() {
    let (server, repository) = start_server().await;
    let mut ada = server.client("ada").await;
    subscribed(&repository, &mut ada, "t").await;
    let frames = ada.run_turn("t", "hello").await;
    let answer = appended(&frames)[1]["id"].as_str().unwrap().to_owned();
    let changed = repository
        .update_event(&scope(), "t", &answer, |event| {
            event.text("corrected").data(json!({"by": "ops"}))
        })
        .await
        .unwrap();
    let published = ada.expect("event.append").await["events"][0].take();
    assert_eq!(published, serde_json::to_value(&changed).unwrap());
    assert_eq!(
        (&published["id"], &published["seq"], text(&published)),
        (&json!(answer), &json!(2), "corrected")
    );
    assert_eq!(published["data"], json!({"by": "ops"}));
    ada.expect_nothing().await;

    repository
        .remove_event(&scope(), "t", &answer)
        .await
        .unwrap();
    let published = ada.expect("event.append").await["events"][0].take();
    assert_eq!(
        (&published["id"], &published["seq"]),
        (&json!(answer), &json!(2))
    );
    assert_eq!(
        (
            &published["deleted"],
            &published["content"],
            &published["data"]
        ),
        (&json!(true), &json!([]), &Value::Null)
    );
    ada.expect_nothing().await;

    // Later readers see the removed event's position in snapshots and pages.
    let mut bob = server.client("bob").await;
    let snapshot = bob.subscribe("t").await;
    assert_eq!(snapshot["events"][1], published);
    let here = json!({"thread_id": "t"});
    let page = bob.request("event.list", here, "event.list.result").await;
    assert_eq!(page["events"][1], published);
    // The program sees removed events only on request.
    let listed = repository.events(&scope(), "t").await.unwrap().items;
    assert_eq!(
        listed.iter().map(|event| event.seq).collect::<Vec<_>>(),
        [1]
    );
    let all = repository
        .events(&scope(), "t")
        .with_deleted()
        .await
        .unwrap();
    assert_eq!(all.items.len(), 2);
    for gone in [
        repository.event(&scope(), "t", &answer).await.map(drop),
        repository.remove_event(&scope(), "t", &answer).await,
        repository
            .update_event(&scope(), "t", &answer, |e| e.text("x"))
            .await
            .map(drop),
        repository
            .update_event(&scope(), "t", &answer, |e| e)
            .await
            .map(drop),
    ] {
        assert!(
            matches!(gone, Err(RepositoryError::NotFound(_))),
            "{gone:?}"
        );
    }
    ada.expect_nothing().await;
    server.close([ada, bob]).await;
}

#[tokio::test]
async fn create_event_of_a_user_has_their_name_as_author() {
    let (server, repository) = start_server().await;
    repository.create_thread(&scope()).id("t").await.unwrap();
    let named = |name: Option<&str>, email: Option<&str>| {
        with!(User {
            user_name: name.map(str::to_owned),
            user_email: email.map(str::to_owned),
            ..User::new("ben")
        })
    };
    let full = named(Some(" Ben "), Some("ben@example.org"));
    let mailed = named(Some(" "), Some(" ben@example.org"));
    let create = |reply| repository.create_event(&scope(), "t", reply);
    let authors = [
        create(Reply::text("a")).user(full.clone()).await,
        create(Reply::text("b")).user(mailed.clone()).await,
        create(Reply::text("c")).user("ben").await,
        create(Reply::text("d").author("Ann")).user(full).await,
        create(Reply::text("e"))
            .user(mailed)
            .actor(Actor::Tool)
            .await,
    ]
    .map(|event| event.unwrap().author);
    let authors = authors.each_ref().map(Option::as_deref);
    assert_eq!(
        authors,
        [
            Some("Ben"),
            Some("ben@example.org"),
            None,
            Some("Ann"),
            None
        ]
    );
    server.close([]).await;
}

#[tokio::test]
async fn create_event_rejects_an_invalid_form() {
    let (server, repository) = start_server().await;
    repository.create_thread(&scope()).id("t").await.unwrap();
    let twice = Form::new("Who?")
        .element(FormElement::text("who", "You"))
        .element(FormElement::email("who", "Or you"));
    let refused = repository.create_event(&scope(), "t", Reply::form(&twice));
    let Err(RepositoryError::Invalid(text)) = refused.await else {
        panic!("a form with a duplicate name was accepted");
    };
    assert!(text.contains("two elements with the name `who`"), "{text}");
    server.close([]).await;
}

#[tokio::test]
async fn unreadable_content_is_rejected() {
    let (server, repository) = start_server().await;
    let mut ada = server.client("ada").await;
    subscribed(&repository, &mut ada, "t").await;
    let made = repository
        .create_event(&scope(), "t", Reply::text("news"))
        .await
        .unwrap();
    ada.read_pending().await;
    let upload = ContentPart::Image {
        url: None,
        mime_type: None,
        width: None,
        height: None,
        alt: None,
        filename: None,
        ref_id: Some("nowhere".to_owned()),
    };
    let here = &scope();
    let create = |content| repository.create_event(here, "t", Reply::message(content));
    let update = |content: Vec<ContentPart>| {
        repository.update_event(here, "t", &made.id, move |event| event.content(content))
    };
    let unknown_uploads = [
        create(vec![ContentPart::text("see"), upload.clone()]).await,
        update(vec![upload]).await,
    ];
    for result in unknown_uploads {
        assert!(
            matches!(result, Err(RepositoryError::UploadNotFound(_))),
            "{result:?}"
        );
    }
    let missing = [
        repository
            .create_event(&scope(), "none", Reply::text("x"))
            .await,
        create(vec![ContentPart::text("x")]).run("no-run").await,
    ];
    for result in missing {
        assert!(
            matches!(result, Err(RepositoryError::NotFound(_))),
            "{result:?}"
        );
    }
    let wrong = [
        create(Vec::new()).await,
        update(Vec::new()).await,
        create(vec![ContentPart::text("x")]).id("").await,
    ];
    for result in wrong {
        assert!(
            matches!(result, Err(RepositoryError::Invalid(_))),
            "{result:?}"
        );
    }
    let taken = create(vec![ContentPart::text("x")]).id(&made.id).await;
    assert!(
        matches!(taken, Err(RepositoryError::Conflict(_))),
        "{taken:?}"
    );
    ada.expect_nothing().await;
    assert_eq!(
        repository.event(&scope(), "t", &made.id).await.unwrap(),
        made
    );
    server.close([ada]).await;
}
