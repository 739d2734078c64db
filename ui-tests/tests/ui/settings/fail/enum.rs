use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
enum Tuning {
    Loud,
}

fn main() {}
