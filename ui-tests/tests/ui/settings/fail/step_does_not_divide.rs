use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(min = 0, max = 10, step = 3)]
    size: Option<u8>,
}

fn main() {}
