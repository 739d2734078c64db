use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(default = Some(u8::MAX))]
    value: Option<u8>,
}

fn main() {}
