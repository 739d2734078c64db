use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
#[setting(version = 2)]
struct Tuning {

}

fn main() {}
