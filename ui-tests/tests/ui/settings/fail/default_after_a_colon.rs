use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(default: 1)]
    value: u8,
}

fn main() {}
