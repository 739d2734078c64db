use dooers::prelude::*;

#[derive(Clone, Copy, WorkerSettings)]
union Tuning {
    size: u8,
}

fn main() {}
