use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(gruop)]
    value: More,
}

#[derive(Clone, WorkerSettings)]
struct More {}

fn main() {}
