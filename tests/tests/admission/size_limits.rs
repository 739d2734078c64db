//! Size limits of users, titles and metadata, which are part of every thread list.

use crate::fixtures::{ServerFixture, cases, create, scope};
use dooers::DispatchError;
use dooers::prelude::*;
use dooers::protocol::User;
use dooers::repository::{RepositoryError, Scope};
use dooers::store::{NewThread, ThreadDraft};
use dooers_tests::with;
use dooers_tests::{Client, Identity, within};
use serde_json::{Value, json};

cases![
    client_identity_size_is_limited,
    rejected_connect_changes_nothing,
    client_metadata_size_is_limited,
    dispatch_size_is_limited,
    handler_title_and_metadata_sizes_are_limited,
    repository_thread_sizes_are_limited,
    repository_user_and_scope_sizes_are_limited,
    stored_rows_over_the_limits_are_readable,
];

/// Texts of this size in bytes: one of single-byte characters, and one that ends in a multi-byte character.
fn texts(bytes: usize) -> Vec<String> {
    ["", "ö", "好", "😀", "e\u{301}", "👨‍👩‍👧‍👦"]
        .into_iter()
        .map(|last| "x".repeat(bytes - last.len()) + last)
        .collect()
}

/// Metadata whose JSON has this size in bytes, with and without escapes.
fn metadata(bytes: usize) -> Vec<Value> {
    let filled = |least: Value| {
        let mut value = least.clone();
        value["k"] = json!("x".repeat(bytes - least.to_string().len()));
        assert_eq!(value.to_string().len(), bytes);
        value
    };
    vec![
        filled(json!({"k": ""})),
        filled(json!({"k": "", "more": ["\n\"ö😀", 1.5, null]})),
        json!("x".repeat(bytes - 2)),
    ]
}

fn refusal(place: &str, is: usize, most: usize) -> (String, String) {
    let text = format!(
        "`{place}` is {is} bytes long; at most {most} are allowed, because every list of threads contains it; shorten it"
    );
    ("INVALID_PAYLOAD".to_owned(), text)
}

async fn connect(client: &mut Client, identity: &Identity) -> Result<(), (String, String)> {
    let id = client.send("connect", identity.payload()).await;
    let ack = client.expect("ack").await;
    assert_eq!(ack["ack_id"], json!(id));
    if ack["ok"] == true {
        return Ok(());
    }
    let error = &ack["error"];
    let text = |member: &str| error[member].as_str().unwrap().to_owned();
    Err((text("code"), text("message")))
}

async fn client_identity_size_is_limited(fixture: &ServerFixture) {
    let mut client = Client::open(fixture.server.address, "/ws").await;
    let user = |member: &str, value: Value| {
        let mut user = json!({"user_id": "ada"});
        user[member] = value;
        Identity::of("ada").with("user", user)
    };
    for (member, most) in [
        ("user_name", 256),
        ("user_email", 256),
        ("system_role", 64),
        ("organization_role", 64),
        ("workspace_role", 64),
    ] {
        for over in [most + 1, most + 3, 100_000].into_iter().flat_map(texts) {
            let given = user(member, json!(over));
            let expected = refusal(&format!("payload.user.{member}"), over.len(), most);
            assert_eq!(connect(&mut client, &given).await, Err(expected));
        }
        // The rejected connection has no identity.
        assert_eq!(
            client.send_expecting_error("thread.list", json!({})).await,
            "NOT_CONNECTED"
        );
    }
    for member in ["user_name", "user_email"] {
        let over = "ö".repeat(129);
        let nested = json!({"user_id": "ada", member: over});
        let shapes = [
            (
                "payload",
                Identity::of("ada").flat().with(member, over.clone()),
            ),
            (
                "payload.metadata",
                Identity::of("ada").flat().with("metadata", nested),
            ),
        ];
        for (place, given) in shapes {
            let expected = refusal(&format!("{place}.{member}"), 258, 256);
            assert_eq!(connect(&mut client, &given).await, Err(expected));
        }
    }
    let role = json!({"user_id": "ada", "user_role": "r".repeat(65)});
    let role = Identity::of("ada").flat().with("metadata", role);
    let expected = refusal("payload.metadata.user_role", 65, 64);
    assert_eq!(connect(&mut client, &role).await, Err(expected));

    let long_ids =
        |ids: usize, bytes: usize| user("identity_ids", json!(vec!["i".repeat(bytes); ids]));
    for ids in [33, 1000] {
        let (code, text) = connect(&mut client, &long_ids(ids, 1)).await.unwrap_err();
        assert_eq!(code, "INVALID_PAYLOAD");
        let start = format!("`payload.user.identity_ids` has {ids} ids; at most 32 are allowed");
        assert!(text.starts_with(&start), "{text}");
    }
    for (place, given) in [
        ("payload.user.identity_ids", long_ids(32, 129)),
        ("payload.user.user_id", Identity::of("u".repeat(129))),
        ("payload.user_id", Identity::of("u".repeat(129)).flat()),
        (
            "payload.metadata.user_id",
            Identity::of("u".repeat(129)).nested_in_metadata(),
        ),
        (
            "payload.agent_id",
            Identity::of("ada").with("agent_id", "w".repeat(129)),
        ),
        (
            "payload.organization_id",
            Identity::of("ada").with("organization_id", "o".repeat(129)),
        ),
        (
            "payload.workspace_id",
            Identity::of("ada").with("workspace_id", "s".repeat(129)),
        ),
    ] {
        let expected = format!("`{place}` is 129 bytes long; at most 128 are allowed");
        assert_eq!(
            connect(&mut client, &given).await,
            Err(("INVALID_PAYLOAD".to_owned(), expected))
        );
    }

    // Everything at the limits, measured after U+0000 is removed.
    for (name, role) in texts(256).into_iter().zip(texts(64)) {
        let most = json!({
            "user_id": "u".repeat(128), "user_name": format!("\0{name}\0"), "user_email": name,
            "identity_ids": vec!["ö".repeat(64); 32],
            "system_role": role, "organization_role": role, "workspace_role": role,
        });
        let most = Identity::of("ada")
            .with("user", most)
            .with("agent_id", "w".repeat(128))
            .with("organization_id", "o".repeat(128))
            .with("workspace_id", "s".repeat(128));
        connect(&mut client, &most).await.unwrap();
        let thread_id = client.start_thread("hello").await;
        let snapshot = client.subscribe(&thread_id).await;
        assert_eq!(snapshot["thread"]["owner"]["user_name"], json!(name));
        assert_eq!(
            snapshot["thread"]["users"][0]["workspace_role"],
            json!(role)
        );
    }
    client.disconnect().await;
}

async fn rejected_connect_changes_nothing(fixture: &ServerFixture) {
    let mut client = fixture.client().await;
    let thread_id = client.start_thread("hello").await;
    let long = "x".repeat(257);
    let user = json!({"user_id": "ben", "user_name": long});
    let refused = connect(&mut client, &Identity::of("ben").with("user", user)).await;
    assert!(refused.is_err());
    // The connection still belongs to Ada and is still subscribed.
    let turn = fixture
        .dispatch()
        .thread(&thread_id)
        .message("hello")
        .send()
        .await;
    within("the end", turn.unwrap().collect()).await.unwrap();
    assert_eq!(
        client.read_turn().await[0]["payload"]["events"][0]["user"]["user_id"],
        "ada"
    );
    client.run_turn(&thread_id, "hello").await;
    // Ignored members are not measured.
    let ignored = Identity::of("ben")
        .with("user_name", long.clone())
        .with("metadata", json!({"user_role": long}));
    connect(&mut client, &ignored).await.unwrap();
    client.disconnect().await;
}

async fn client_metadata_size_is_limited(fixture: &ServerFixture) {
    let mut client = fixture.client().await;
    for over in [16_385, 16_386, 200_000].into_iter().flat_map(metadata) {
        let is = over.to_string().len();
        let within = create("", &format!(r#","metadata":{over}"#));
        let beside = create("", "").replacen('{', &format!(r#"{{"metadata":{over},"#), 1);
        for frame in [within, beside] {
            client.send_text(frame).await;
            let (code, text) = client.expect_error("x").await;
            assert_eq!(code, "INVALID_PAYLOAD");
            let start = format!(
                "`payload.metadata` is {is} bytes long as JSON; at most 16384 are allowed, because every list of threads contains it"
            );
            assert!(text.starts_with(&start), "{text}");
        }
    }
    client.expect_nothing().await;
    for most in metadata(16_384) {
        // White space between members does not count.
        let spaced = serde_json::to_string_pretty(&most).unwrap();
        client
            .send_text(create("", &format!(r#","metadata":{spaced}"#)))
            .await;
        client.expect_ack("x").await;
        let row = client.expect("thread.upsert").await;
        assert_eq!(row["thread"]["metadata"], most);
        client.read_turn().await;
    }
    client.disconnect().await;
}

async fn dispatch_size_is_limited(fixture: &ServerFixture) {
    let named = |name: String| {
        let mut user = User::new("ada");
        user.user_name = Some(name);
        user
    };
    let over = [
        (
            "title",
            1025,
            1024,
            fixture.dispatch().title("x".repeat(1025)),
        ),
        (
            "title",
            1026,
            1024,
            fixture.dispatch().title("ö".repeat(513)),
        ),
        (
            "title",
            500_000,
            1024,
            fixture.dispatch().title("x".repeat(500_000)),
        ),
        (
            "user.user_name",
            257,
            256,
            fixture.dispatch().user(named("x".repeat(257))),
        ),
    ];
    for (member, is, most, dispatch) in over {
        let error = dispatch.message("hello").send().await.unwrap_err();
        assert!(matches!(error, DispatchError::Invalid(_)), "{error:?}");
        assert_eq!(error.to_string(), refusal(member, is, most).1);
    }
    for over in metadata(16_385) {
        // The limit applies even if the thread exists and would ignore the metadata.
        let error = fixture.dispatch().metadata(over).thread("there");
        let error = error.message("hello").send().await.unwrap_err();
        assert!(error.to_string().contains("at most 16384"), "{error}");
    }
    let page = fixture
        .repository
        .threads(&scope())
        .limit(10)
        .await
        .unwrap();
    assert!(page.items.is_empty());
    for (title, most) in texts(1024).into_iter().zip(metadata(16_384)) {
        let dispatch = fixture.dispatch().title(&title).metadata(most.clone());
        let turn = dispatch
            .user(named("ö".repeat(128)))
            .message("hello")
            .send();
        let thread_id = turn.await.unwrap().thread_id().to_owned();
        let thread = fixture
            .repository
            .thread(&scope(), &thread_id)
            .await
            .unwrap();
        assert_eq!((thread.title, thread.metadata), (Some(title), Some(most)));
    }
}

async fn handler_title_and_metadata_sizes_are_limited(fixture: &ServerFixture) {
    for (command, most) in [
        ("title", 1024),
        ("unawaited-title", 1024),
        ("metadata", 16_384),
    ] {
        for over in [most + 1, most + 2, 300_000] {
            let turn = fixture.dispatch().message(format!("{command} {over}"));
            let turn = turn.send().await.unwrap();
            let thread_id = turn.thread_id().to_owned();
            let error = within("the end", turn.collect()).await.unwrap_err();
            let error = error.agent_error().expect("the handler failed").to_string();
            let start = format!("{over} bytes long");
            let most = format!("at most {most} are allowed");
            assert!(error.contains(&start) && error.contains(&most), "{error}");
            let thread = fixture
                .repository
                .thread(&scope(), &thread_id)
                .await
                .unwrap();
            assert_eq!((thread.title, thread.metadata), (None, None));
        }
        let turn = fixture.dispatch().message(format!("{command} {most}"));
        let turn = turn.send().await.unwrap();
        let thread_id = turn.thread_id().to_owned();
        within("the end", turn.collect()).await.unwrap();
        let thread = fixture
            .repository
            .thread(&scope(), &thread_id)
            .await
            .unwrap();
        let metadata = thread.metadata.map(|metadata| metadata.to_string());
        let given = thread.title.or(metadata).unwrap();
        assert_eq!(given.len(), most, "{command}");
    }
}

fn invalid(error: &RepositoryError) -> String {
    assert!(matches!(error, RepositoryError::Invalid(_)), "{error:?}");
    error.to_string()
}

async fn repository_thread_sizes_are_limited(fixture: &ServerFixture) {
    let repository = &fixture.repository;
    let whole = scope();
    let broadcast = fixture.server.worker().broadcast().await.unwrap();
    let thread = repository.create_thread(&whole).await.unwrap();
    let update = |title: String| {
        let (id, scope) = (&thread.id, scope());
        async move {
            repository
                .update_thread(&scope, id, |thread| thread.title(title))
                .await
        }
    };
    for over in [1025, 1027, 500_000].into_iter().flat_map(texts) {
        let expected = refusal("title", over.len(), 1024).1;
        let created = repository.create_thread(&whole).title(&over).await;
        assert_eq!(invalid(&created.unwrap_err()), expected);
        let created = broadcast.create_thread(&whole).title(&over).await;
        assert_eq!(invalid(&created.unwrap_err()), expected);
        assert_eq!(invalid(&update(over.clone()).await.unwrap_err()), expected);
        let sent = broadcast.send_thread_update(&whole, &thread.id, |thread| thread.title(over));
        assert_eq!(invalid(&sent.await.unwrap_err()), expected);
    }
    for over in [16_385, 300_000].into_iter().flat_map(metadata) {
        let created = repository
            .create_thread(&whole)
            .metadata(over.clone())
            .await;
        assert!(invalid(&created.unwrap_err()).contains("at most 16384"));
        let patch = |thread: dooers::repository::ThreadPatch| thread.title("short").metadata(over);
        let updated = repository.update_thread(&whole, &thread.id, patch).await;
        assert!(invalid(&updated.unwrap_err()).contains("at most 16384"));
    }
    let now = repository.thread(&whole, &thread.id).await.unwrap();
    assert_eq!(now, thread);
    for (title, most) in texts(1024).into_iter().zip(metadata(16_384)) {
        let made = repository
            .create_thread(&whole)
            .title(&title)
            .metadata(most);
        assert_eq!(made.await.unwrap().title.as_ref(), Some(&title));
        assert_eq!(update(title.clone()).await.unwrap().title, Some(title));
    }
}

async fn repository_user_and_scope_sizes_are_limited(fixture: &ServerFixture) {
    let repository = &fixture.repository;
    let whole = scope();
    let thread = repository.create_thread(&whole).await.unwrap().id;
    let changed = |change: fn(&mut User)| {
        let mut user = User::new("ben");
        change(&mut user);
        user
    };
    for (expected, user) in [
        (refusal("user.user_name", 257, 256).1, changed(|user| user.user_name = Some("x".repeat(257)))),
        (refusal("user.user_email", 258, 256).1, changed(|user| user.user_email = Some("ö".repeat(129)))),
        (refusal("user.system_role", 65, 64).1, changed(|user| user.system_role = "r".repeat(65))),
        (
            "`user.user_id` is 129 bytes long; at most 128 are allowed".to_owned(),
            changed(|user| user.user_id = "u".repeat(129)),
        ),
        (
            "`user.identity_ids` is 129 bytes long; at most 128 are allowed".to_owned(),
            changed(|user| user.identity_ids = vec!["i".to_owned(), "i".repeat(129)]),
        ),
        (
            "`user.identity_ids` has 33 ids; at most 32 are allowed, because every list of threads contains it; leave some out".to_owned(),
            changed(|user| user.identity_ids = vec!["i".to_owned(); 33]),
        ),
    ] {
        let created = repository.create_thread(&whole).owner(user.clone()).await;
        assert_eq!(invalid(&created.unwrap_err()), expected);
        let said = repository.create_event(&whole, &thread, Reply::text("hi")).user(user).await;
        assert_eq!(invalid(&said.unwrap_err()), expected);
    }
    let long = || "x".repeat(129);
    for (member, scope) in [
        (
            "worker_id",
            with!(Scope {
                worker_id: long(),
                ..scope()
            }),
        ),
        ("organization_id", scope().organization(long())),
        ("workspace_id", scope().workspace(long())),
    ] {
        let created = repository.create_thread(&scope).await;
        let expected = format!("`{member}` is 129 bytes long; at most 128 are allowed");
        assert_eq!(invalid(&created.unwrap_err()), expected);
    }
    let set = with!(Scope {
        worker_id: long(),
        ..scope()
    });
    let set = repository.set_setting(&set, "greeting", "hi").await;
    assert!(set.unwrap_err().to_string().contains("at most 128"));
}

/// Rows that earlier versions stored without the limits.
async fn stored_rows_over_the_limits_are_readable(fixture: &ServerFixture) {
    let mut owner = User::new("ada");
    owner.user_name = Some("ö".repeat(125_000));
    owner.identity_ids = vec!["i".repeat(1000); 100];
    owner.organization_role = "r".repeat(1000);
    let (title, large) = ("👨‍👩‍👧‍👦".repeat(10_000), json!({"k": "x".repeat(250_000)}));
    let thread = NewThread {
        title: Some(title.clone()),
        metadata: Some(large.clone()),
        ..NewThread::new("old")
    };
    let at = chrono::DateTime::from_timestamp(1_760_000_000, 0).unwrap();
    let draft = ThreadDraft {
        thread,
        owner: owner.clone(),
        at,
    };
    fixture.store.create_thread(&scope(), draft).await.unwrap();
    let read = fixture.repository.thread(&scope(), "old").await.unwrap();
    assert_eq!((&read.owner, &read.title), (&owner, &Some(title.clone())));

    // Frames contain the stored value unchanged.
    let is_whole = |shown: &Value| {
        assert_eq!(shown["title"], json!(title));
        assert_eq!(shown["metadata"], large);
        assert_eq!(shown["owner"], json!(owner));
    };
    let mut client = fixture.client().await;
    let list = client
        .request("thread.list", json!({}), "thread.list.result")
        .await;
    is_whole(&list["threads"][0]);
    let snapshot = client.subscribe("old").await;
    is_whole(&snapshot["thread"]);
    let frames = client.run_turn("old", "hello").await;
    let rows = frames
        .iter()
        .filter(|frame| frame["type"] == "thread.upsert");
    let rows: Vec<_> = rows.map(|frame| &frame["payload"]["thread"]).collect();
    rows.iter().for_each(|row| is_whole(row));
    // Each message stores the user again.
    assert_eq!(rows[0]["users"], json!([User::new("ada")]));
    // Each part can be replaced on its own.
    let short = |thread: dooers::repository::ThreadPatch| thread.title("short");
    let updated = fixture
        .repository
        .update_thread(&scope(), "old", short)
        .await
        .unwrap();
    assert_eq!(
        (updated.title.as_deref(), updated.metadata),
        (Some("short"), Some(large))
    );
    client.disconnect().await;
}
