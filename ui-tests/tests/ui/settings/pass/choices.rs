//! Enums of choices.

use dooers::prelude::*;

#[derive(Debug, Clone, Copy, PartialEq, SettingChoice)]
enum Tone {
    Warm,
    VeryFormal,
    #[setting(rename = "short", label = "As short as can be")]
    Terse,
    r#Type,
}

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(default = Tone::VeryFormal)]
    by_variant: Tone,
    #[setting(default = "short")]
    by_value: Tone,
    #[setting(default = Some(Tone::Warm).unwrap())]
    #[cfg(any())]
    never: Tone,
    none: Option<Tone>,
}

#[test]
fn choices_are_named_after_the_variants() {
    let expected = [
        ("warm", "Warm"),
        ("very_formal", "Very formal"),
        ("short", "As short as can be"),
        ("type", "Type"),
    ];
    assert_eq!(Tone::CHOICES, expected);
    for (value, _) in expected {
        assert_eq!(Tone::choose(value).map(|tone| tone.choice()), Some(value));
    }
    assert_eq!(Tone::choose("Warm"), None);
}

#[test]
fn default_is_a_variant_or_its_value() {
    let tuning = Tuning::default();
    assert_eq!(
        (tuning.by_variant, tuning.by_value),
        (Tone::VeryFormal, Tone::Terse)
    );
    assert_eq!(tuning.none, None);
}
