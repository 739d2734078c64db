#[dooers::agent]
pub use std::string::String as Support;

fn main() {}
