use dooers::prelude::*;

const NAME: &str = "äöü";

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(default = NAME, max_length = 2)]
    value: String,
}

fn main() {}
