use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(min 0)]
    value: Option<i8>,
}

fn main() {}
