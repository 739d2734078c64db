use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(min_length = 3, max_length = 1)]
    name: Option<String>,
}

fn main() {}
