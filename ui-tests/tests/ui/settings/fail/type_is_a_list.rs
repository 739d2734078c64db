use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    sizes: Vec<u8>,
}

fn main() {}
