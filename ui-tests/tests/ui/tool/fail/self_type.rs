#![allow(dead_code, unused_imports)]

struct Weather;

impl Weather {
    #[dooers::tool]
    async fn weather() -> Option<Self> {
        None
    }
}

fn main() {}
