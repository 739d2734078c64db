use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(group, validate = check)]
    more: More,
}

#[derive(Clone, WorkerSettings)]
struct More {}

fn main() {}
