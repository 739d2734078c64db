use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    name: &'static str,
}

fn main() {}
