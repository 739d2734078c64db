#[dooers::agent]
mod support {}

fn main() {}
