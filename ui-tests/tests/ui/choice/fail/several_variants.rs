// errors: 2
use dooers::prelude::*;

#[derive(Clone, SettingChoice)]
enum Tone {
    Other(String),
    #[setting(label = 2)]
    Formal,
}

fn main() {}
