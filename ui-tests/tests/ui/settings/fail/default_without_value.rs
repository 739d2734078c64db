use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(default)]
    size: Option<u8>,
}

fn main() {}
