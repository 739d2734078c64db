//! The calls of a program that take an id.

use crate::fixtures::{Ids, Measured, Places};
use dooers::prelude::*;
use dooers::repository::{RepositoryError, RunPatch};

/// The number of calls in [`call`].
pub(crate) const COUNT: usize = 19;

/// Makes one of the calls of a program in the scope of the caller.
async fn call(places: &Places<'_>, ids: &Ids, number: usize) -> Result<String, RepositoryError> {
    let (repository, scope) = (&places.repository, &places.scope);
    let (thread, home) = (&*ids.thread, &*places.home.thread);
    let news = || Reply::text("news");
    let of = |id: &str| id.to_owned();
    let answer = match number {
        0 => format!("{:?}", repository.thread(scope, thread).await?),
        1 => {
            let titled = repository.update_thread(scope, thread, |t| t.title("x"));
            format!("{:?}", titled.await?)
        }
        2 => format!(
            "{:?}",
            repository.update_thread(scope, thread, |t| t).await?
        ),
        3 => format!("{:?}", repository.remove_thread(scope, thread).await?),
        4 => format!("{:?}", repository.events(scope, of(thread)).await?.items),
        5 => {
            let of_run = repository.events(scope, of(home)).run(of(&ids.run));
            format!("{:?}", of_run.await?.items)
        }
        6 => format!("{:?}", repository.event(scope, thread, &ids.event).await?),
        7 => format!("{:?}", repository.event(scope, home, &ids.event).await?),
        8 => format!(
            "{:?}",
            repository.create_event(scope, of(thread), news()).await?
        ),
        9 => {
            let by_run = repository.create_event(scope, of(home), news());
            format!("{:?}", by_run.run(of(&ids.run)).await?)
        }
        10 => {
            let edited = repository.update_event(scope, home, &ids.event, |e| e.text("x"));
            format!("{:?}", edited.await?)
        }
        11 => format!(
            "{:?}",
            repository.remove_event(scope, thread, &ids.event).await?
        ),
        12 => format!(
            "{:?}",
            repository.runs(scope).thread(of(thread)).await?.items
        ),
        13 => format!("{:?}", repository.run(scope, thread, &ids.run).await?),
        14 => format!("{:?}", repository.create_run(scope, of(thread)).await?),
        15 => {
            let ended = repository.update_run(scope, home, &ids.run, RunPatch::succeeded);
            format!("{:?}", ended.await?)
        }
        16 => format!(
            "{:?}",
            repository.remove_run(scope, thread, &ids.busy_run).await?
        ),
        17 => format!(
            "{:?}",
            repository.feedback(scope).thread(of(thread)).await?.items
        ),
        18 => format!("{:?}", repository.usage(scope).thread(of(thread)).await?),
        _ => unreachable!("there are {COUNT} calls"),
    };
    Ok(answer)
}

/// Makes a call and returns its result as text.
pub(crate) async fn ask(places: &Places<'_>, ids: &Ids, number: usize) -> Measured {
    places.executed().await;
    let answer = match call(places, ids, number).await {
        Ok(answer) => answer,
        Err(error) => format!("{error:?}: {error}"),
    };
    Measured {
        request: format!("call {number}"),
        answer: ids.hide(&answer),
        executed: places.executed().await,
    }
}
