use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(default = "", min_length = 1)]
    name: String,
}

fn main() {}
