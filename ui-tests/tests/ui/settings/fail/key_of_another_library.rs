use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(range = "0..5")]
    value: Option<u8>,
}

fn main() {}
