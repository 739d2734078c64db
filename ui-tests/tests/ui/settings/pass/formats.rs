//! Durations, times, addresses, colors and lists; cases of names.

use dooers::prelude::*;
use dooers::settings::{Color, HttpUrl, NaiveTime};
use std::time::Duration;

const HOST: &str = "b.example";
const SITE: &str = "https://example.org/";

#[derive(Debug, Clone, Copy, PartialEq, Default, SettingChoice)]
#[setting(rename_all = "kebab-case")]
enum Tone {
    VeryFormal,
    #[default]
    Warm,
}

#[derive(Debug, Clone, PartialEq, WorkerSettings)]
#[setting(rename_all = "camelCase")]
struct Tuning {
    #[setting(default = "90s")]
    max_wait: Duration,
    #[setting(default = Duration::from_millis(1_500))]
    pause: Duration,
    #[setting(default = "09:30", placeholder = "09:30")]
    opens: NaiveTime,
    #[setting(default = SITE)]
    site: HttpUrl,
    #[setting(default = "#FF8000")]
    color: Option<Color>,
    closes: Option<NaiveTime>,
    #[setting(default = ["a.example", HOST], rows = 3)]
    hosts: Vec<String>,
    names: Vec<String>,
    #[setting(default = [Tone::Warm, Tone::VeryFormal], validate = |tones| if tones.len() < 3 { Ok(()) } else { Err("too many") })]
    tones: Vec<Tone>,
    tone: Tone,
    #[setting(default = Tone::VeryFormal)]
    other: Tone,
    no_tone: Option<Tone>,
    #[setting(rename = "as_it_is")]
    renamed: Option<String>,
}

#[test]
fn formatted_settings_have_typed_defaults() {
    let tuning = Tuning::default();
    assert_eq!(tuning.max_wait, Duration::from_secs(90));
    assert_eq!(tuning.pause, Duration::from_millis(1_500));
    assert_eq!(tuning.opens, NaiveTime::from_hms_opt(9, 30, 0).unwrap());
    assert_eq!(tuning.site.as_str(), SITE);
    assert_eq!(tuning.color.as_ref().map(Color::as_str), Some("#ff8000"));
    assert_eq!(tuning.hosts, ["a.example", "b.example"]);
    assert!(tuning.names.is_empty());
    assert_eq!(tuning.tones, [Tone::Warm, Tone::VeryFormal]);
    assert_eq!((tuning.tone, tuning.other), (Tone::Warm, Tone::VeryFormal));
    assert_eq!((tuning.no_tone, tuning.closes), (None, None));
}

#[test]
fn names_follow_the_case() {
    let ids: Vec<_> = Tuning::schema()
        .fields()
        .map(dooers::settings::Field::id)
        .collect();
    assert_eq!(
        ids,
        [
            "maxWait", "pause", "opens", "site", "color", "closes", "hosts", "names", "tones",
            "tone", "other", "noTone", "as_it_is"
        ]
    );
    assert_eq!(Tone::VeryFormal.choice(), "very-formal");
    let schema = Tuning::json_schema().to_value();
    let label = |id: &str| schema["properties"][id]["title"].clone();
    assert_eq!(
        [label("maxWait"), label("as_it_is")],
        ["Max wait", "Renamed"]
    );
}

#[test]
fn formatted_settings_are_patched_in_their_text_form() {
    let mut tuning = Tuning::default();
    for (id, value) in [
        ("maxWait", "1h30m"),
        ("opens", "23:59:01"),
        ("site", "http://localhost:8000"),
        ("color", "#00ff00"),
        ("hosts", "c.example\nd.example"),
        ("tones", "very-formal"),
    ] {
        tuning.apply_patch(id, value.into()).unwrap();
        assert_eq!(tuning.to_values().get(id), Some(&value.into()), "{id}");
    }
    assert_eq!(tuning.max_wait, Duration::from_secs(5_400));
    assert_eq!(tuning.tones, [Tone::VeryFormal]);
    for (id, value) in [
        ("maxWait", "90"),
        ("opens", "24:00"),
        ("site", "example.org"),
        ("color", "green"),
        ("tones", "cold"),
        ("tones", ""),
    ] {
        let refused = tuning.apply_patch(id, value.into()).is_err();
        assert_eq!(refused, !value.is_empty(), "{id}: {value}");
    }
    assert!(tuning.tones.is_empty());
}
