use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    hosts: Option<Vec<String>>,
}

fn main() {}
