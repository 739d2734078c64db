use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(default = "ada")]
    address: Email,
}

fn main() {}
