//! The program's access for a user: the repository in the user's scope, and dispatched messages.

use crate::fixtures::Ids;
use crate::relations::Place;
use dooers::DispatchError;
use dooers::prelude::*;
use dooers::repository::{Repository, RepositoryError, RunPatch};
use dooers_tests::Server;

/// The results of a call that needs a visible thread.
const OF_THREAD: [&str; 2] = ["+------", "+++----"];

/// The results of a list, which contains only visible threads.
const FILTERED: [&str; 2] = ["+......", "+++...."];

type Answer = (&'static str, char, [&'static str; 2]);

/// Makes calls about a thread for the user of a place.
pub(crate) async fn ask(
    server: &Server,
    repository: &Repository,
    place: &Place,
    ids: &Ids,
) -> Vec<Answer> {
    let scope = &place.scope();
    let thread = &*ids.thread;
    let news = || Reply::text("news");
    let mut answers = Vec::new();
    for (what, result) in [
        ("thread", repository.thread(scope, thread).await.map(drop)),
        (
            "update_thread",
            repository
                .update_thread(scope, thread, |thread| thread.title("mine"))
                .await
                .map(drop),
        ),
        ("events", repository.events(scope, thread).await.map(drop)),
        (
            "event",
            repository.event(scope, thread, &ids.event).await.map(drop),
        ),
        (
            "create_event",
            repository
                .create_event(scope, thread, news())
                .await
                .map(drop),
        ),
        (
            "update_event",
            repository
                .update_event(scope, thread, &ids.form, |event| event.text("mine"))
                .await
                .map(drop),
        ),
        (
            "runs",
            repository.runs(scope).thread(thread).await.map(drop),
        ),
        (
            "feedback",
            repository.feedback(scope).thread(thread).await.map(drop),
        ),
        (
            "run",
            repository.run(scope, thread, &ids.run).await.map(drop),
        ),
        (
            "create_run",
            repository.create_run(scope, thread).await.map(drop),
        ),
        (
            "update_run",
            repository
                .update_run(scope, thread, &ids.run, RunPatch::succeeded)
                .await
                .map(drop),
        ),
    ] {
        let letter = match result {
            Ok(()) => '+',
            Err(RepositoryError::NotFound(_)) => '-',
            Err(_) => '?',
        };
        answers.push((what, letter, OF_THREAD));
    }
    let threads = repository.threads(scope).await.unwrap().items;
    let is_listed = threads.iter().any(|thread| ids.are_in(&thread.id));
    answers.push(("threads", if is_listed { '+' } else { '.' }, FILTERED));
    let message = server
        .worker()
        .dispatch_to(place.agent)
        .worker(&place.worker)
        .organization(&place.identity.organization_id)
        .workspace(&place.identity.workspace_id)
        .user(place.user())
        .thread(thread)
        .message("form");
    let letter = match message.send().await {
        Ok(_) => '+',
        Err(DispatchError::NotFound(_)) => '-',
        Err(_) => '?',
    };
    answers.push(("dispatch", letter, OF_THREAD));
    answers
}
