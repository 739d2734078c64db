//! Threads of one and of several clients.

use crate::agents::{doing, echo};
use dooers::prelude::*;
use dooers::protocol::{ContentPart, ErrorCode};
use dooers::testing::{TestMessage, TestServer, TestUser};

#[tokio::test]
async fn client_has_several_threads() {
    let server = TestServer::of::<echo>().await;
    let mut ada = server.connect("ada").await;
    let first = ada.say("one").await.thread_id().to_owned();
    let second = ada.new_thread().say("two").await.thread_id().to_owned();
    assert_ne!(first, second);
    assert_eq!(ada.thread_id(), second);
    ada.say_in(&first, "three")
        .await
        .assert_text("You said: three");
    assert_eq!(ada.thread_id(), first);
    assert_eq!(ada.conversation_of(&second).unwrap().events().len(), 2);
    let listed: Vec<_> = ada
        .threads()
        .await
        .into_iter()
        .map(|thread| thread.id)
        .collect();
    assert_eq!(listed, [first, second]);
}

#[tokio::test]
async fn client_renames_a_thread() {
    let server = TestServer::of::<echo>().await;
    let mut ada = server.connect("ada").await;
    let thread_id = ada.say("hello").await.thread_id().to_owned();
    ada.rename_thread(&thread_id, "A title").await.unwrap();
    assert_eq!(ada.conversation().title(), Some("A title"));
    ada.rename_thread(&thread_id, " ").await.unwrap();
    assert_eq!(ada.conversation().title(), None);
    let refused = ada.rename_thread("missing", "A title").await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::NotFound);
}

#[tokio::test]
async fn clients_of_one_thread_see_each_other() {
    let server = TestServer::of::<echo>().await;
    let mut ada = server.connect("ada").await;
    let mut bob = server.connect("bob").await;
    let thread_id = ada.say("hello").await.thread_id().to_owned();
    bob.subscribe(&thread_id).await.unwrap();
    ada.send("for bob").await;
    bob.turn().await.assert_text("You said: for bob");
    bob.say("from bob").await.assert_text("You said: from bob");
    // Ada's own turn is first, followed by the turn of Bob's message.
    ada.turn().await.assert_text("You said: for bob");
    ada.turn().await.assert_text("You said: from bob");
    bob.unsubscribe(&thread_id).await.unwrap();
    ada.say("alone").await.assert_succeeded();
    bob.catch_up().await;
    assert!(!bob.conversation().texts().contains(&"alone".to_owned()));
}

#[tokio::test]
async fn client_joining_midway_waits_for_the_turn_end() {
    let server = TestServer::of::<doing>().await;
    let mut ada = server.connect("ada").await;
    ada.say("tools").await.assert_succeeded();
    ada.send("wait").await;
    ada.send("second").await;
    let mut bob = server.connect("bob").await;
    bob.subscribe(ada.thread_id()).await.unwrap();
    let run = bob.conversation().runs().last().unwrap().id.clone();
    server.worker().cancel_run(run).await.unwrap();
    bob.turn().await.assert_canceled();
    bob.turn().await.assert_text("what?");
}

#[tokio::test]
async fn private_threads_are_not_found_by_other_users() {
    let server = TestServer::of::<echo>()
        .config(|config| config.private_threads(true))
        .await;
    let mut ada = server.connect("ada").await;
    let thread_id = ada.say("a secret").await.thread_id().to_owned();
    let mut bob = server.connect("bob").await;
    let refusal = bob.subscribe(&thread_id).await.unwrap_err();
    assert_eq!(refusal.code, ErrorCode::NotFound);
    assert!(bob.threads().await.is_empty());
    let elsewhere = TestUser::new("ada").organization("another");
    assert!(server.connect(elsewhere).await.threads().await.is_empty());
    assert_eq!(server.connect("ada").await.threads().await.len(), 1);
}

#[tokio::test]
async fn deleted_thread_ends_its_turn_with_an_error() {
    let server = TestServer::of::<doing>().await;
    let mut ada = server.connect("ada").await;
    ada.send("wait").await;
    let mut bob = server.connect("bob").await;
    bob.delete_thread(ada.thread_id()).await.unwrap();
    let turn = ada.turn().await;
    assert!(turn.conversation().is_deleted());
    assert!(turn.conversation().to_string().contains("(deleted)"));
    let refusal = ada.try_send("still there?").await.unwrap_err();
    assert_eq!(refusal.code, ErrorCode::NotFound);
}

#[tokio::test]
async fn older_events_are_loaded_page_by_page() {
    let server = TestServer::of::<echo>().await;
    let mut ada = server.connect("ada").await;
    for number in 0..80 {
        ada.say(number.to_string()).await.assert_succeeded();
    }
    let mut bob = server.connect("bob").await;
    let shown = bob.subscribe(ada.thread_id()).await.unwrap();
    assert_eq!((shown.events().len(), shown.has_older()), (100, true));
    assert!(bob.older().await);
    assert!(!bob.older().await);
    assert_eq!(bob.conversation().events(), ada.conversation().events());
}

/// One of two agents.
#[dooers::agent(default)]
async fn usual(request: WorkerRequest) -> String {
    format!("usually {}", request.message)
}

#[tokio::test]
async fn program_with_several_agents_can_be_tested() {
    let program = WorkerServer::new(WorkerConfig::new())
        .agent::<usual>()
        .agent::<echo>();
    let server = TestServer::start(program).await;
    let mut ada = server.connect("ada").await;
    ada.say("me").await.assert_text("usually me");
    let mut bob = server.connect_to::<echo>("bob").await;
    bob.say("me").await.assert_text("You said: me");
}

/// An agent whose threads are private.
#[dooers::agent(private_threads)]
async fn diary(request: WorkerRequest) -> String {
    format!("Dear diary: {}", request.message)
}

#[tokio::test]
async fn private_agent_hides_threads_from_test_users() {
    let program = WorkerServer::new(WorkerConfig::new())
        .agent::<diary>()
        .agent::<usual>();
    let server = TestServer::start(program).await;
    let mut adas = server.connect_to::<diary>("ada").await;
    let secret = adas.say("a secret").await.thread_id().to_owned();
    let mut bobs = server.connect_to::<diary>("bob").await;
    let refusal = bobs.subscribe(&secret).await.unwrap_err();
    assert_eq!(refusal.code, ErrorCode::NotFound);
    let news = server.connect("ada").await.say("news").await;
    let mut bens = server.connect("bob").await;
    bens.subscribe(news.thread_id()).await.unwrap();
    assert!(bobs.threads().await.is_empty());
    assert_eq!(bens.threads().await.len(), 1);
}

/// Sets the thread's title to the message.
#[dooers::agent]
async fn titled(request: WorkerRequest, response: WorkerResponse) -> Result<()> {
    response
        .update_thread(|thread| thread.title(title_from(&request)))
        .await?;
    Ok(())
}

#[tokio::test]
async fn title_is_the_first_words_or_the_content_kind() {
    let server = TestServer::of::<titled>().await;
    let mut ada = server.connect("ada").await;
    let url = "https://example.org/it";
    let long = "The kettle that I ordered leaks,\r\nand it is not the blue one from your page";
    for (message, title) in [
        (
            TestMessage::text(long),
            "The kettle that I ordered leaks, and it is not the blue one…",
        ),
        (
            TestMessage::parts([ContentPart::image(url).into()]),
            "Image",
        ),
        (
            TestMessage::parts([ContentPart::document(url, "it.pdf").into()]),
            "Document",
        ),
        (
            TestMessage::parts([ContentPart::audio(url).into()]),
            "Audio",
        ),
    ] {
        ada.new_thread().say(message).await.assert_title(title);
    }
    server.close().await;
}
