use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(default = 1, validate = check)]
    size: u8,
}

fn check(_: &String) -> Result<(), String> {
    Ok(())
}

fn main() {}
