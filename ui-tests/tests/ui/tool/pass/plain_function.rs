//! An annotated function can still be called, passed and tested as a function.

use dooers::State;

/// Adds numbers.
#[dooers::tool]
async fn add(
    /// The first number.
    one: u8,
    #[tool(default = 2)] two: u8,
    #[tool(context)] State(factor): State<u8>,
) -> Result<u8, String> {
    one.checked_add(two)
        .and_then(|sum| sum.checked_mul(factor))
        .ok_or_else(|| "the sum is too large".to_owned())
}

#[dooers::tool]
async fn caller() -> Result<u8, String> {
    add(1, 2, State(3)).await
}

#[test]
fn annotated_function_is_called_directly() {
    assert_eq!(ui_tests::now(add(1, 2, State(1))), Ok(3));
    assert!(ui_tests::now(add(255, 2, State(1))).is_err());
    assert_eq!(ui_tests::now(caller()), Ok(9));
}

#[test]
fn annotated_function_is_passed_as_a_value() {
    let function = add;
    assert_eq!(ui_tests::now(function(1, 1, State(2))), Ok(4));
}
