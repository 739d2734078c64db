#[dooers::agent]
pub struct Support {
    pub name: String,
}

fn main() {}
