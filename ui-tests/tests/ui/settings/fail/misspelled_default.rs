use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(defualt = "x")]
    value: String,
}

fn main() {}
