use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(default = 256)]
    size: u8,
}

fn main() {}
