use dooers::prelude::*;

#[derive(WorkerSettings)]
struct Tuning {
    #[setting(default = 1)]
    size: u8,
}

fn main() {}
