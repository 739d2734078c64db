use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(default = "hush")]
    key: Secret,
}

fn main() {}
