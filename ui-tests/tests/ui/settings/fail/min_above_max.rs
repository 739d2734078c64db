use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(min = 3, max = 1)]
    size: Option<u8>,
}

fn main() {}
