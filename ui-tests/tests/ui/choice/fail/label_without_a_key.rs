use dooers::SettingChoice;

#[derive(Clone, SettingChoice)]
enum Tone {
    #[setting("Friendly and patient")]
    Friendly,
    Formal,
}

fn main() {}
