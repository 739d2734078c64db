struct Weather;

#[dooers::tool]
async fn weather() -> Weather {
    Weather
}

fn main() {}
