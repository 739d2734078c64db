use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(default = 1)]
    limit: Missing,
}

fn main() {}
