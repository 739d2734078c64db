use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(pattern = "(")]
    name: Option<String>,
}

fn main() {}
