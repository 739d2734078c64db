use dooers::prelude::*;

const ADDRESS: &str = "ada@example.org";

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(default = ADDRESS)]
    value: Email,
}

fn main() {}
