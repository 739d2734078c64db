use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(default = 1, maximum_size = 3)]
    size: u8,
}

fn main() {}
