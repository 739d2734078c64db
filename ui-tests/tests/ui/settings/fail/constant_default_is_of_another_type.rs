use dooers::prelude::*;

const LIMIT: u16 = 7;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(default = LIMIT)]
    value: u8,
}

fn main() {}
