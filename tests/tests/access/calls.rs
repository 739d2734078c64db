//! The calls of a program that take an id.

use crate::fixtures::{Ids, Measured, Places};
use crate::relations::Place;
use crate::verbs::{ANY_THREAD, IN_OTHER_THREAD, OF_THREAD};
use dooers::DispatchError;
use dooers::prelude::*;
use dooers::repository::{Repository, RepositoryError, RunPatch, Scope};
use dooers_tests::Server;

/// The number of calls in [`call`].
pub(crate) const COUNT: usize = 19;

/// The number of calls that remove nothing. They come first.
const WITHOUT_REMOVALS: usize = 16;

/// Makes one of the calls of a program in a scope with a thread of its own, `home`.
async fn call(
    repository: &Repository,
    scope: &Scope,
    home: &str,
    ids: &Ids,
    number: usize,
) -> Result<String, RepositoryError> {
    let thread = &*ids.thread;
    let news = || Reply::text("news");
    let of = |id: &str| id.to_owned();
    let answer = match number {
        0 => format!("{:?}", repository.thread(scope, thread).await?),
        1 => {
            let titled = repository.update_thread(scope, thread, |t| t.title("My title"));
            format!("{:?}", titled.await?)
        }
        2 => format!(
            "{:?}",
            repository.update_thread(scope, thread, |t| t).await?
        ),
        3 => format!("{:?}", repository.events(scope, of(thread)).await?.items),
        4 => {
            let of_run = repository.events(scope, of(home)).run(of(&ids.run));
            format!("{:?}", of_run.await?.items)
        }
        5 => format!("{:?}", repository.event(scope, thread, &ids.event).await?),
        6 => format!("{:?}", repository.event(scope, home, &ids.event).await?),
        7 => format!(
            "{:?}",
            repository.create_event(scope, of(thread), news()).await?
        ),
        8 => {
            let by_run = repository.create_event(scope, of(home), news());
            format!("{:?}", by_run.run(of(&ids.run)).await?)
        }
        9 => {
            let edited = repository.update_event(scope, home, &ids.event, |e| e.text("x"));
            format!("{:?}", edited.await?)
        }
        10 => format!(
            "{:?}",
            repository.runs(scope).thread(of(thread)).await?.items
        ),
        11 => format!("{:?}", repository.run(scope, thread, &ids.run).await?),
        12 => format!("{:?}", repository.create_run(scope, of(thread)).await?),
        13 => {
            let ended = repository.update_run(scope, home, &ids.run, RunPatch::succeeded);
            format!("{:?}", ended.await?)
        }
        14 => format!(
            "{:?}",
            repository.feedback(scope).thread(of(thread)).await?.items
        ),
        15 => format!("{:?}", repository.usage(scope).thread(of(thread)).await?),
        16 => format!(
            "{:?}",
            repository.remove_event(scope, thread, &ids.event).await?
        ),
        17 => format!(
            "{:?}",
            repository.remove_run(scope, thread, &ids.busy_run).await?
        ),
        18 => format!("{:?}", repository.remove_thread(scope, thread).await?),
        _ => unreachable!("there are {COUNT} calls"),
    };
    Ok(answer)
}

/// Makes a call and returns its result as text.
pub(crate) async fn ask(places: &Places<'_>, ids: &Ids, number: usize) -> Measured {
    places.executed().await;
    let answer = match call(
        &places.repository,
        &places.scope,
        &places.home.thread,
        ids,
        number,
    )
    .await
    {
        Ok(answer) => answer,
        Err(error) => format!("{error:?}: {error}"),
    };
    Measured {
        request: format!("call {number}"),
        answer: ids.hide(&answer),
        executed: places.executed().await,
    }
}

/// The results of the calls in the access matrix.
const RESULTS: [[&str; 2]; COUNT] = [
    OF_THREAD,
    OF_THREAD,
    OF_THREAD,
    OF_THREAD,
    ANY_THREAD,
    OF_THREAD,
    IN_OTHER_THREAD,
    OF_THREAD,
    IN_OTHER_THREAD,
    IN_OTHER_THREAD,
    OF_THREAD,
    OF_THREAD,
    OF_THREAD,
    IN_OTHER_THREAD,
    OF_THREAD,
    ANY_THREAD,
    OF_THREAD,
    OF_THREAD,
    OF_THREAD,
];

/// The result of a call: its name, its letter, the expected letters, and whether the answer shows the threads.
pub(crate) struct Made {
    pub(crate) what: String,
    pub(crate) letter: char,
    pub(crate) expected: [&'static str; 2],
    pub(crate) shows: bool,
}

/// Makes calls for the user of a place, and dispatches a message for the user. Nothing is removed if the user sees the threads,
/// because later requests need them.
pub(crate) async fn make(
    server: &Server,
    place: &Place,
    home: &str,
    ids: &Ids,
    sees: bool,
) -> Vec<Made> {
    let repository = server.worker().repository().await.unwrap();
    let scope = place.scope();
    let mut made = Vec::new();
    let count = if sees { WITHOUT_REMOVALS } else { COUNT };
    for (number, expected) in RESULTS.into_iter().enumerate().take(count) {
        let answer = call(&repository, &scope, home, ids, number).await;
        made.push(Made {
            what: format!("call {number}"),
            letter: match &answer {
                Ok(_) => '+',
                Err(RepositoryError::NotFound(_)) => '-',
                Err(_) => '?',
            },
            expected,
            shows: ids.are_in(&format!("{answer:?}")),
        });
    }
    let threads = repository.threads(&scope).await.unwrap().items;
    made.push(Made {
        what: "threads".to_owned(),
        letter: '+',
        expected: ANY_THREAD,
        shows: ids.are_in(&format!("{threads:?}")),
    });
    let message = server
        .worker()
        .dispatch_to(place.agent)
        .worker(&place.worker)
        .organization(&place.identity.organization_id)
        .workspace(&place.identity.workspace_id)
        .user(place.user())
        .thread(&ids.thread)
        .message("form");
    let sent = message.send().await;
    made.push(Made {
        what: "dispatch".to_owned(),
        letter: match &sent {
            Ok(_) => '+',
            Err(DispatchError::NotFound(_)) => '-',
            Err(_) => '?',
        },
        expected: OF_THREAD,
        shows: sent.is_ok_and(|turn| ids.are_in(turn.thread_id())),
    });
    made
}
