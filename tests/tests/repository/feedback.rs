//! The feedback of users, as the program reads it.

use crate::fixtures::{appended, scope, scope_of, start_server};
use chrono::{TimeDelta, Utc};
use dooers::protocol::{FeedbackTarget, FeedbackTargetType, FeedbackValue};
use dooers::repository::RepositoryError;
use futures::TryStreamExt;
use serde_json::json;

#[tokio::test]
async fn feedback_is_listed_and_counted() {
    let (server, repository) = start_server().await;
    let here = &scope();
    let mut ada = server.client("ada").await;
    let mut bob = server.client("bob").await;
    let before = Utc::now() - TimeDelta::minutes(1);
    let mut answers = Vec::new();
    for text in ["one", "two", "three"] {
        let id = ada.send_message(None, text).await;
        ada.expect_ack(&id).await;
        answers.push(appended(&ada.read_turn().await)[1].clone());
    }
    bob.read_pending().await;
    for (number, answer) in answers.iter().enumerate() {
        for (client, feedback) in [(&mut ada, "like"), (&mut bob, "dislike")] {
            let payload = json!({
                "target_type": "event", "target_id": answer["id"], "feedback": feedback,
                "reason": format!("reason {number}"), "classification": "tone",
            });
            client.request("feedback", payload, "feedback.ack").await;
        }
    }
    let page = repository.feedback(here).limit(4).await.unwrap();
    assert_eq!(page.items.len(), 4);
    let newest = &page.items[0];
    let last = answers[2]["id"].as_str().unwrap().to_owned();
    assert_eq!(newest.target, FeedbackTarget::Event(last));
    assert_eq!(newest.value, FeedbackValue::Dislike);
    assert_eq!(newest.reason.as_deref(), Some("reason 2"));
    assert_eq!(newest.classification.as_deref(), Some("tone"));
    assert_eq!(newest.user_id, "bob");
    let rest = repository.feedback(here).limit(4).after(page.next).await;
    let rest = rest.unwrap();
    assert_eq!((rest.items.len(), rest.next), (2, None));
    let oldest = repository.feedback(here).oldest_first().stream();
    let oldest: Vec<_> = oldest.try_collect().await.unwrap();
    let newest: Vec<_> = page.items.into_iter().chain(rest.items).rev().collect();
    assert_eq!(oldest, newest);

    let thread_id = answers[0]["thread_id"].as_str().unwrap();
    let found = repository
        .feedback(here)
        .thread(thread_id)
        .user("ada")
        .value(FeedbackValue::Like)
        .target_type(FeedbackTargetType::Event)
        .since(before)
        .before(Utc::now() + TimeDelta::minutes(1));
    assert_eq!(found.await.unwrap().items.len(), 1);
    let none = repository
        .feedback(here)
        .since(Utc::now() + TimeDelta::minutes(1));
    assert_eq!(none.await.unwrap().items, []);
    // A user's scope contains the feedback of everyone in the user's threads.
    let of_ada = repository.feedback(&scope_of("ada")).await.unwrap();
    assert_eq!(of_ada.items.len(), 6);
    let of_bob = repository.feedback(&scope_of("bob")).await.unwrap();
    assert_eq!(of_bob.items, []);
    let unseen = repository
        .feedback(&scope_of("bob"))
        .thread(thread_id)
        .await;
    assert!(matches!(unseen, Err(RepositoryError::NotFound("thread"))));
    let broken = repository.feedback(here).after("x".to_owned()).await;
    assert!(matches!(broken, Err(RepositoryError::Invalid(_))));

    let days = repository
        .feedback_summary(here)
        .since(before)
        .await
        .unwrap();
    // The test may run at midnight.
    let sum =
        |count: fn(&dooers::repository::FeedbackDay) -> u64| days.iter().map(count).sum::<u64>();
    assert_eq!((sum(|day| day.likes), sum(|day| day.dislikes)), (3, 3));
    assert!(days.iter().all(|day| day.agent == "teller"));
    let earlier = repository.feedback_summary(here).before(before).await;
    assert_eq!(earlier.unwrap(), []);
    server.close([ada, bob]).await;
}
