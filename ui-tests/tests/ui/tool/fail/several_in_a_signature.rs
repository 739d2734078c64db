// errors: 8
#[dooers::tool(name = "", nmae = "a")]
const unsafe fn weather<T>(
    /// The city.
    _city: &str,
    #[tool(default = "3")] _days: u8,
    (_one, _two): (u8, u8),
) {
}

fn main() {}
