use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
#[setting(group)]
struct Tuning {
    #[setting(group)]
    more: More,
}

#[derive(Clone, WorkerSettings)]
struct More {}

fn main() {}
