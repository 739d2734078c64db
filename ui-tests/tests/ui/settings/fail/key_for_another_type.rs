use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(secret)]
    value: String,
}

fn main() {}
