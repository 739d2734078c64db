use dooers::prelude::*;

struct Weather;

#[dooers::tool]
async fn weather() -> Result<Weather> {
    Ok(Weather)
}

fn main() {}
