use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(validate = check)]
    value: Option<u8>,
}

fn check(_: &Option<u8>) -> Result<()> {
    Ok(())
}

fn main() {}
