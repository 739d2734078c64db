struct Weather;

#[dooers::tool]
impl Weather {}

fn main() {}
