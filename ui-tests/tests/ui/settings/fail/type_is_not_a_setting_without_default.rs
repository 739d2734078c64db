use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    when: When,
}

#[derive(Clone)]
struct When;

fn main() {}
