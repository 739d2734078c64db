use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(default = 2 * 3, step = 4)]
    value: Option<u8>,
}

fn main() {}
