//! The echo.
fn main() {}
