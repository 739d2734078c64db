struct Weather;

#[dooers::tool]
async fn weather() -> Vec<Weather> {
    vec![Weather]
}

fn main() {}
