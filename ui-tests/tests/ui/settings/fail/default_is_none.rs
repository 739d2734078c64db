use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(default = None)]
    size: Option<u8>,
}

fn main() {}
