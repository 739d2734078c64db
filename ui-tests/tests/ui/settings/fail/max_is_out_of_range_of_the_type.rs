use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(default = 1, max = 300)]
    size: u8,
}

fn main() {}
