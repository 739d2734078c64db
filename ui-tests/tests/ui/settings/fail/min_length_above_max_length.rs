use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(default = "Ada", min_length = 5, max_length = 1)]
    name: String,
}

fn main() {}
