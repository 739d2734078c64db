use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(options = "a")]
    model: Option<String>,
}

fn main() {}
