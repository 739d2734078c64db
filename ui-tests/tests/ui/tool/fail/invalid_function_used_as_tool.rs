#[dooers::tool]
fn weather(city: String) -> String {
    city
}

fn use_tool<T: dooers::Tool>() {}

fn main() {
    use_tool::<weather>();
}
