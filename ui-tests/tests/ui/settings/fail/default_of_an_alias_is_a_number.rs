use dooers::prelude::*;

type Limit = u8;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(default = 1)]
    value: Limit,
}

fn main() {}
