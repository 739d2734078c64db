use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    size: Option<i128>,
}

fn main() {}
