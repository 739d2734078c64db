use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(default = 1, rows = 3)]
    size: u8,
}

fn main() {}
