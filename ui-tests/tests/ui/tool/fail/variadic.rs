#[dooers::tool]
async fn weather(city: String, more: ...) -> String {
    let mut more = more;
    city
}

fn main() {}
