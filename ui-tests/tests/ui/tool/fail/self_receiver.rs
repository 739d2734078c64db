#![allow(dead_code)]

struct Weather;

impl Weather {
    #[dooers::tool]
    async fn weather(&self, #[tool(default = 1)] days: u8) -> u8 {
        days
    }
}

fn main() {}
