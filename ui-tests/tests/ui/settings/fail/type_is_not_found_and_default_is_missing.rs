use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    limit: Missing,
}

fn main() {}
