use dooers::prelude::*;

#[derive(Clone, SettingChoice)]
enum Tone<T> {
    Friendly,
    Other(T),
}

fn main() {}
