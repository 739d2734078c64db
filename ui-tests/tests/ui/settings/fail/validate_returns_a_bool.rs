use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(validate = |n| *n > 3)]
    value: Option<u8>,
}

fn main() {}
