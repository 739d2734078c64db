//! Arguments in any order and number, with any pattern.

use crate::run;
use dooers::prelude::*;

struct State<T>(T);
struct Db(&'static str);
struct Point {
    x: u8,
    y: u8,
}

impl FromTurn for State<Db> {
    async fn from_turn(_: &Turn) -> Result<Self> {
        Ok(Self(Db("rows")))
    }
}

impl FromTurn for Point {
    async fn from_turn(_: &Turn) -> Result<Self> {
        Ok(Self { x: 1, y: 2 })
    }
}

#[dooers::agent]
async fn none() {}

#[dooers::agent]
async fn request_only(request: WorkerRequest) -> String {
    request.message
}

#[dooers::agent]
async fn response_only(response: WorkerResponse) {
    response.text("response only");
}

#[dooers::agent]
async fn request_first(request: WorkerRequest, response: WorkerResponse) {
    response.text(request.message);
}

#[dooers::agent]
async fn response_first(response: WorkerResponse, request: WorkerRequest) {
    response.text(request.message);
}

#[dooers::agent]
async fn twice(one: WorkerRequest, two: WorkerRequest, response: WorkerResponse) {
    response.text(one.message + &two.message);
}

#[dooers::agent]
#[expect(unused_parens, reason = "they are allowed")]
async fn patterns(
    mut request: WorkerRequest,
    State(Db(rows)): State<Db>,
    Point { x, y: _y }: Point,
    _: WorkerRequest,
    _response: WorkerResponse,
    (response): (WorkerResponse),
) {
    request.message.push_str(rows);
    response.text(format!("{}{x}", request.message));
}

#[dooers::agent]
#[expect(unused_qualifications, reason = "they are allowed")]
async fn paths(request: dooers::WorkerRequest, response: ::dooers::WorkerResponse) {
    response.text(request.message);
}

/// An argument type with generics, an array and tuples.
struct Many<T, const N: usize>([T; N], fn() -> u8);

impl FromTurn for Many<(u8, &'static str), 2> {
    async fn from_turn(_: &Turn) -> Result<Self> {
        Ok(Self([(1, "a"), (2, "b")], || 3))
    }
}

#[dooers::agent]
async fn many(
    Many([(one, a), (two, b)], three): Many<(u8, &'static str), { 1 + 1 }>,
    response: WorkerResponse,
) {
    response.text(format!("{one}{a}{two}{b}{}", three()));
}

/// An argument that cannot be created, after one that can.
struct Refused;

impl FromTurn for Refused {
    async fn from_turn(_: &Turn) -> Result<Self> {
        Err("no argument today".into())
    }
}

#[dooers::agent]
async fn refused(response: WorkerResponse, _: Refused) {
    response.text("never");
}

#[test]
fn agent_is_called_with_its_arguments() {
    assert!(run::<none>("hello").1.is_empty());
    assert!(run::<request_only>("hello").0.is_ok());
    assert_eq!(run::<response_only>("hello").1, ["response only"]);
    assert_eq!(run::<request_first>("hello").1, ["hello"]);
    assert_eq!(run::<response_first>("hello").1, ["hello"]);
    assert_eq!(run::<twice>("hello").1, ["hellohello"]);
    assert_eq!(run::<patterns>("hello ").1, ["hello rows1"]);
    assert_eq!(run::<paths>("hello").1, ["hello"]);
    assert_eq!(run::<many>("hello").1, ["1a2b3"]);
}

#[test]
fn argument_error_ends_the_turn_before_the_call() {
    let (answer, texts) = run::<refused>("hello");
    assert_eq!(answer.unwrap_err().to_string(), "no argument today");
    assert!(texts.is_empty());
}

#[test]
fn pattern_fields_are_used() {
    let Point { x, y } = Point { x: 1, y: 2 };
    assert_eq!(x + y, 3);
}
