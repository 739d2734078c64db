//! Events that the program makes, changes and removes.

use crate::given::{appended, kinds, scope, served, subscribed, text};
use dooers::prelude::*;
use dooers::protocol::{Actor, EventType, User};
use dooers::repository::RepositoryError;
use dooers_tests::with;
use serde_json::{Value, json};

#[tokio::test]
async fn subscribers_are_told_of_a_new_event_and_others_of_its_thread() {
    let (server, repository) = served().await;
    let (mut ada, mut bob) = (server.client("ada").await, server.client("bob").await);
    subscribed(&repository, &mut ada, "t").await;
    bob.pending().await;
    let made = repository
        .create_event(&scope(), "t", Reply::text("news"))
        .await
        .unwrap();
    let told = ada.expect("event.append").await;
    assert_eq!(
        told["events"],
        json!([serde_json::to_value(&made).unwrap()])
    );
    assert_eq!(
        (made.seq, made.actor, made.author.as_deref()),
        (1, Actor::Assistant, Some("Assistant"))
    );
    let row = ada.expect("thread.upsert").await;
    assert_eq!(
        row["thread"]["last_event_at"],
        told["events"][0]["created_at"]
    );
    assert_eq!(kinds(&bob.pending().await), ["thread.upsert"]);
    assert_eq!(
        repository.event(&scope(), "t", &made.id).await.unwrap(),
        made
    );
    server.close([ada, bob]).await;
}

#[tokio::test]
async fn an_event_is_whatever_a_reply_is_by_whomever() {
    let (server, repository) = served().await;
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
async fn an_edit_replaces_what_clients_have_and_a_removal_empties_it() {
    let (server, repository) = served().await;
    let mut ada = server.client("ada").await;
    subscribed(&repository, &mut ada, "t").await;
    let frames = ada.converse("t", "hello").await;
    let answer = appended(&frames)[1]["id"].as_str().unwrap().to_owned();
    let changed = repository
        .update_event(&scope(), "t", &answer, |event| {
            event.text("corrected").data(json!({"by": "ops"}))
        })
        .await
        .unwrap();
    let told = ada.expect("event.append").await["events"][0].take();
    assert_eq!(told, serde_json::to_value(&changed).unwrap());
    assert_eq!(
        (&told["id"], &told["seq"], text(&told)),
        (&json!(answer), &json!(2), "corrected")
    );
    assert_eq!(told["data"], json!({"by": "ops"}));
    ada.has_nothing().await;

    repository
        .remove_event(&scope(), "t", &answer)
        .await
        .unwrap();
    let told = ada.expect("event.append").await["events"][0].take();
    assert_eq!((&told["id"], &told["seq"]), (&json!(answer), &json!(2)));
    assert_eq!(
        (&told["deleted"], &told["content"], &told["data"]),
        (&json!(true), &json!([]), &Value::Null)
    );
    ada.has_nothing().await;

    // Whoever comes later sees the place of it, in snapshots and in pages.
    let mut bob = server.client("bob").await;
    let snapshot = bob.subscribe("t").await;
    assert_eq!(snapshot["events"][1], told);
    let here = json!({"thread_id": "t"});
    let page = bob.ask("event.list", here, "event.list.result").await;
    assert_eq!(page["events"][1], told);
    // And the program does not, unless it asks for it.
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
    ada.has_nothing().await;
    server.close([ada, bob]).await;
}

#[tokio::test]
async fn create_event_of_a_user_has_their_name_as_author() {
    let (server, repository) = served().await;
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
async fn create_event_refuses_a_form_that_makes_no_sense() {
    let (server, repository) = served().await;
    repository.create_thread(&scope()).id("t").await.unwrap();
    let twice = Form::new("Who?")
        .element(FormElement::text("who", "You"))
        .element(FormElement::email("who", "Or you"));
    let refused = repository.create_event(&scope(), "t", Reply::form(&twice));
    let Err(RepositoryError::Invalid(text)) = refused.await else {
        panic!("a form with a name twice is sent");
    };
    assert!(text.contains("two elements with the name `who`"), "{text}");
    server.close([]).await;
}

#[tokio::test]
async fn content_that_nobody_could_read_is_refused() {
    let (server, repository) = served().await;
    let mut ada = server.client("ada").await;
    subscribed(&repository, &mut ada, "t").await;
    let made = repository
        .create_event(&scope(), "t", Reply::text("news"))
        .await
        .unwrap();
    ada.pending().await;
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
    ada.has_nothing().await;
    assert_eq!(
        repository.event(&scope(), "t", &made.id).await.unwrap(),
        made
    );
    server.close([ada]).await;
}
