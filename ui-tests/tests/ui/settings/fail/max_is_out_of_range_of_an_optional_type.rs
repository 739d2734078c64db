use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(max = 300)]
    size: Option<u8>,
}

fn main() {}
