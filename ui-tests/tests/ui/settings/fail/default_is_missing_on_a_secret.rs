use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    key: Secret,
}

fn main() {}
