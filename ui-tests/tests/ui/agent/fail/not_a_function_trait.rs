#[dooers::agent]
pub trait Support {}

fn main() {}
