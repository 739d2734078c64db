use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(default = "hush")]
    key: Option<Secret>,
}

fn main() {}
