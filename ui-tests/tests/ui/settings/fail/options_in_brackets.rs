use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(options = ["a", "b"])]
    value: Option<String>,
}

fn main() {}
