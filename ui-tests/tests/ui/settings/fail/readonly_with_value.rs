use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(readonly = true, default = 1)]
    size: u8,
}

fn main() {}
