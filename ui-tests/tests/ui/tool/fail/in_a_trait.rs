#![allow(async_fn_in_trait, dead_code)]

trait Weather {
    #[dooers::tool]
    async fn weather(city: String) -> String {
        city
    }
}

fn main() {}
