#[dooers::agent]
pub enum Support {
    Open,
}

fn main() {}
