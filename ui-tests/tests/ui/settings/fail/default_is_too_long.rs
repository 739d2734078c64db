use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(default = "abcdef", max_length = 5)]
    name: String,
}

fn main() {}
