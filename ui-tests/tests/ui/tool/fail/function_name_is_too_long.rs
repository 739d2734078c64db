#[dooers::tool]
async fn weather_weather_weather_weather_weather_weather_weather_weather_weather_() {}

fn main() {}
