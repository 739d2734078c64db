use dooers::prelude::*;

const LIMIT: u8 = 70;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(default = LIMIT, max = 60)]
    value: u8,
}

fn main() {}
