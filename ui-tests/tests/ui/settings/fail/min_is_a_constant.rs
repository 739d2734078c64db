use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(min = i8::MIN)]
    value: Option<i8>,
}

fn main() {}
