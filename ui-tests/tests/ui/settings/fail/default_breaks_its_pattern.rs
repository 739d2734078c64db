use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(default = "A1", pattern = "^[a-z]+$")]
    code: String,
}

fn main() {}
