use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(default_env = "")]
    key: Secret,
}

fn main() {}
