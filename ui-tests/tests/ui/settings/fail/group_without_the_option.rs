use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(default = "x")]
    more: More,
}

#[derive(Clone, WorkerSettings)]
struct More {}

fn main() {}
