use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    name: String,
}

fn main() {}
