//! Arguments that contain other arguments.

use crate::run;
use dooers::prelude::*;
use dooers::{Agent, Turn};

#[derive(Debug, Clone, PartialEq)]
struct Database(u8);

struct Never;

impl FromTurn for Never {
    async fn from_turn(_: &Turn) -> Result<Self> {
        Err("never".into())
    }
}

#[dooers::agent]
async fn nested(
    (request, response): (WorkerRequest, WorkerResponse),
    some: Option<WorkerRequest>,
    none: Option<Never>,
    right: Result<WorkerRequest>,
    wrong: Result<Never>,
    absent: Option<State<Database>>,
    token: CancellationToken,
) -> Result<()> {
    let wrong = wrong.err().map(|error| error.to_string());
    let text = format!(
        "{} {} {} {} {wrong:?} {absent:?} {}",
        request.message,
        some.is_some(),
        none.is_none(),
        right.is_ok(),
        token.is_cancelled()
    );
    response.text(text);
    Ok(())
}

#[dooers::agent]
async fn stateful(State(database): State<Database>, response: WorkerResponse) {
    response.text(format!("{database:?}"));
}

#[test]
fn nested_arguments_are_created_or_give_errors() {
    let (answer, texts) = run::<nested>("hello");
    answer.unwrap();
    assert_eq!(texts, ["hello true true true Some(\"never\") None false"]);
}

#[test]
fn state_comes_from_the_turn() {
    let (response, sent) = WorkerResponse::recorder();
    let turn = Turn::new(WorkerRequest::new(""), response).with_state(Database(7));
    ui_tests::now(stateful::DEFINITION.call(turn)).unwrap();
    assert_eq!(sent.texts(), ["Database(7)"]);
    let (answer, _) = run::<stateful>("");
    let error = answer.unwrap_err().to_string();
    assert!(
        error.contains("Database") && error.contains("`.state(..)`"),
        "{error}"
    );
}
