use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(group, required)]
    more: More,
}

#[derive(Clone, WorkerSettings)]
#[setting(group)]
struct More {}

fn main() {}
