use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    size: Option<Option<u8>>,
}

fn main() {}
