use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(internal, creator)]
    name: Option<String>,
}

fn main() {}
