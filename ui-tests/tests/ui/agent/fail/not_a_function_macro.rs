#[dooers::agent]
macro_rules! support {
    () => {};
}

support!();

fn main() {}
