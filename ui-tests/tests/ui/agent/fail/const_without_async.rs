#[dooers::agent]
const fn support() -> &'static str {
    "hello"
}

fn main() {}
