use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning;

fn main() {}
