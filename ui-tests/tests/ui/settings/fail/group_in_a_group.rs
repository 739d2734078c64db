use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(group)]
    more: More,
}

#[derive(Clone, WorkerSettings)]
struct More {
    #[setting(group)]
    most: Most,
}

#[derive(Clone, WorkerSettings)]
struct Most {}

fn main() {}
