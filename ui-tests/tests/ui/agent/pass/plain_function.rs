//! An annotated function can still be called, passed and tested as a function.

use dooers::prelude::*;

#[dooers::agent]
async fn support(request: WorkerRequest, response: WorkerResponse) -> Result<String> {
    response.text("One moment.");
    Ok(request.message.to_uppercase())
}

#[dooers::agent]
async fn caller(request: WorkerRequest, response: WorkerResponse) -> Result<String> {
    support(request, response).await
}

#[test]
fn annotated_function_is_called_directly() {
    let (response, sent) = WorkerResponse::recorder();
    let answer = ui_tests::now(support(WorkerRequest::new("hello"), response));
    assert_eq!(answer.unwrap(), "HELLO");
    assert_eq!(sent.texts(), ["One moment."]);
}

#[test]
fn annotated_function_is_called_by_another() {
    assert_eq!(crate::run::<caller>("hello").1, ["One moment."]);
}

#[test]
fn annotated_function_is_passed_as_a_value() {
    let function = support;
    let (response, _) = WorkerResponse::recorder();
    assert!(ui_tests::now(function(WorkerRequest::new("hello"), response)).is_ok());
}
