use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(default = 1, readonly: true)]
    value: u8,
}

fn main() {}
