use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    names: Vec<String>,
}

fn main() {}
