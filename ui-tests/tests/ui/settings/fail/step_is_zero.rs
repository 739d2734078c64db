use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(step = 0)]
    size: Option<u8>,
}

fn main() {}
