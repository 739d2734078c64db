use dooers::prelude::*;

const NAME: &str = "c";

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(default = NAME, options("a", "b"))]
    value: String,
}

fn main() {}
