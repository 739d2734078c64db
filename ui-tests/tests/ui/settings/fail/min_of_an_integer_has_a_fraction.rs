use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(default = 1, min = 0.5)]
    size: u8,
}

fn main() {}
