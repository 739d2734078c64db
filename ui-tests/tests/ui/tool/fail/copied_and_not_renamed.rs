#[dooers::tool]
async fn weather() {}

#[dooers::tool]
async fn weather() {}

fn use_tool<T: dooers::Tool>() {}

fn main() {
    use_tool::<weather>();
}
