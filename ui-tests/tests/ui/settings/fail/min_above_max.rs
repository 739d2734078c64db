use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(default = 5, min = 9, max = 1, step = 3)]
    size: u8,
}

fn main() {}
