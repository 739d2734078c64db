#![allow(unused_imports)]

#[dooers::tool]
async fn weather(city: ) -> String {
    String::new()
}

fn use_tool<T: dooers::Tool>() {}

fn main() {
    use_tool::<weather>();
}
