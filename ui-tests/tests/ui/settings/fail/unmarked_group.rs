use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    more: More,
}

#[derive(Clone, WorkerSettings)]
struct More {}

fn main() {}
