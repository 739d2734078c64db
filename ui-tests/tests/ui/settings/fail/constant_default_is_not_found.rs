use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(default = LIMIT)]
    value: u8,
}

fn main() {}
