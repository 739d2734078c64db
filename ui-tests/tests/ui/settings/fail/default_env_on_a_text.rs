use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(default_env = "NAME")]
    name: String,
}

fn main() {}
