use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(default = 0, min = 1)]
    size: u8,
}

fn main() {}
