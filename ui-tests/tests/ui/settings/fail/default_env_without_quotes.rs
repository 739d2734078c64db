use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(default_env = SUPPORT_KEY)]
    key: Secret,
}

fn main() {}
