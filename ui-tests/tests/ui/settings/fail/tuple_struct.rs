use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning(String);

fn main() {}
