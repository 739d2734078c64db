use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(default = 1)]
    size: u8,
    #[setting(default = 2, rename = "size")]
    width: u8,
}

fn main() {}
