use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(step = 0.5)]
    size: Option<u8>,
}

fn main() {}
