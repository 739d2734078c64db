#[dooers::tool]
pub struct Weather;

fn use_tool<T: dooers::Tool>() {}

fn main() {
    use_tool::<Weather>();
}
