use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(default_env = "KEY=hush")]
    key: Option<Secret>,
}

fn main() {}
