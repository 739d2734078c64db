use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(default = 1, default = 2)]
    size: u8,
}

fn main() {}
