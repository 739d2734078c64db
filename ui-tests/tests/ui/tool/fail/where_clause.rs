#[dooers::tool]
async fn weather()
where
    String: Clone,
{
}

fn main() {}
