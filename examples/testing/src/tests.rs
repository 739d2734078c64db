//! Tests of the agent from the point of view of its users.

use super::*;
use dooers::testing::{FakeModel, FakeReply, TestServer, TestUser};
use futures::TryStreamExt;

impl Model for FakeModel {
    fn answer(&self, prompt: Vec<Value>) -> BoxStream<'static, Result<String>> {
        self.stream(prompt).map_err(AgentError::from).boxed()
    }
}

/// The server of the program, with a fake model.
async fn with(model: &FakeModel) -> TestServer {
    TestServer::start(server(WorkerConfig::new(), Arc::new(model.clone()))).await
}

#[tokio::test]
async fn first_answer_sets_the_title_of_the_thread() {
    let model = FakeModel::new().reply("Turn it off and on.");
    let server = with(&model).await;
    let mut ada = server.connect("ada").await;

    let turn = ada.say("My printer is slow").await;
    turn.assert_text("Turn it off and on.")
        .assert_title("My printer is slow")
        .assert_succeeded();

    let prompt = &model.prompts()[0];
    assert_eq!(prompt[0]["content"], "You help customers.");
    assert_eq!(prompt[1]["content"], "My printer is slow");
}

#[tokio::test]
async fn model_reads_only_messages_of_its_thread() {
    let model = FakeModel::new()
        .reply("Hello Ada.")
        .reply("Ada.")
        .reply("Nobody.");
    let server = with(&model).await;
    let mut ada = server.connect("ada").await;

    ada.say("I am Ada").await;
    ada.say("Who am I?").await.assert_text("Ada.");
    ada.new_thread().say("Who am I?").await;

    let [_, second, third] = &model.prompts()[..] else {
        panic!("three questions");
    };
    let said = |prompt: &Value| -> Vec<Value> {
        let messages = prompt.as_array().unwrap().iter().skip(1);
        messages.map(|message| message["content"].clone()).collect()
    };
    assert_eq!(said(second), ["I am Ada", "Hello Ada.", "Who am I?"]);
    assert_eq!(said(third), ["Who am I?"]);
}

#[tokio::test]
async fn changed_instructions_apply_to_the_next_answer() {
    let model = FakeModel::new().reply("Yes.").reply("Yes, Madam.");
    let server = with(&model).await;
    let mut ada = server.connect("ada").await;
    let mut boss = server
        .connect(TestUser::new("eve").organization_role("owner"))
        .await;

    ada.say("Are you there?").await.assert_text("Yes.");
    boss.patch_setting("instructions", "Be formal.")
        .await
        .unwrap();
    ada.say("And now?").await.assert_text("Yes, Madam.");

    let instructions: Vec<_> = model
        .prompts()
        .iter()
        .map(|prompt| prompt[0]["content"].clone())
        .collect();
    assert_eq!(instructions, ["You help customers.", "Be formal."]);
}

#[tokio::test]
async fn human_command_asks_for_a_phone_number() {
    let server = with(&FakeModel::new()).await;
    let mut ada = server.connect("ada").await;

    let turn = ada.say("/human").await;
    assert_eq!(turn.form().unwrap()["message"], "Where can we reach you?");
    let turn = ada.answer_form(json!({"phone": "555-0100"})).await;
    turn.assert_text("We call 555-0100 within the hour.");

    ada.say("/human").await.assert_succeeded();
    ada.cancel_form()
        .await
        .assert_text("As you like. I am still here.");
}

#[tokio::test(start_paused = true)]
async fn failed_model_is_asked_again() {
    let model = FakeModel::new()
        .reply(
            FakeReply::new()
                .text("Turn it")
                .error("the connection broke"),
        )
        .reply("Turn it off and on.");
    let server = with(&model).await;
    let mut ada = server.connect("ada").await;

    let turn = ada.say("My printer is slow").await;
    turn.assert_texts(["Turn it", "Turn it off and on."])
        .assert_succeeded();
}

#[tokio::test(start_paused = true)]
async fn slow_model_times_out() {
    let endless = FakeReply::new()
        .delay(Duration::from_secs(50))
        .text("Let me think");
    let server = with(&FakeModel::new().reply(endless)).await;
    let mut ada = server.connect("ada").await;

    let mut answer = ada.stream("My printer is slow").await;
    assert_eq!(answer.next_piece().await.as_deref(), Some("Let "));
    answer
        .turn()
        .await
        .assert_text("Let ")
        .assert_failed("timed out");
}

#[tokio::test]
async fn answers_survive_disconnects_and_restarts() {
    let model = FakeModel::new().reply("Turn it off and on.").reply("Good.");
    let server = with(&model).await;
    let mut ada = server.connect("ada").await;

    ada.send("My printer is slow").await;
    ada.disconnect();
    ada.reconnect().await;
    ada.turn().await.assert_text("Turn it off and on.");

    server.restart().await;
    ada.reconnect().await;
    ada.say("It works!").await.assert_text("Good.");
    assert_eq!(ada.conversation().events().len(), 4);
}
