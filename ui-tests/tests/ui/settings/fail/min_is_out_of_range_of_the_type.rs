use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(default = 1, min = -1)]
    size: u8,
}

fn main() {}
