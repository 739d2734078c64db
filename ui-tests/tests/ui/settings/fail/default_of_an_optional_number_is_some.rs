use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(default = Some(1))]
    value: Option<u8>,
}

fn main() {}
