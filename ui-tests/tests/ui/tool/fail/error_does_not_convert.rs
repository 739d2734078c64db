#[derive(Debug, serde::Serialize)]
struct NoWeather;

#[dooers::tool]
async fn weather() -> std::result::Result<String, NoWeather> {
    Err(NoWeather)
}

fn main() {}
