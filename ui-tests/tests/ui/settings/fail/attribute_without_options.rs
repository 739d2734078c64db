use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting]
    value: Option<u8>,
}

fn main() {}
