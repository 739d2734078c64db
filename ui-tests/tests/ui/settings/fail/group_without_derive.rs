use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(group)]
    more: More,
}

#[derive(Clone)]
struct More {}

fn main() {}
