use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting = "size"]
    size: Option<u8>,
}

fn main() {}
