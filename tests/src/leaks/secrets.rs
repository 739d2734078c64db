//! Planted secrets and the forms in which they could leak.

use aho_corasick::AhoCorasick;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde_json::{Map, Value};
use std::collections::hash_map::RandomState;
use std::fmt::Write;
use std::hash::{BuildHasher, Hasher};

/// The number of characters at the start and at the end of a secret that already count as a leak.
const PART: usize = 8;

/// Characters that every kind of escape changes. They are between the first and the last part of a planted text.
const ESCAPED: &str = r#"/"\ %é&'"#;

/// Planted secrets by their names. Each has a new random value.
#[derive(Debug, Default)]
pub struct Secrets(Vec<(String, Vec<u8>)>);

impl Secrets {
    /// Plants a text with characters that JSON, URLs and `Debug` escape.
    pub fn text(&mut self, name: &str) -> String {
        self.plant(name, format!("{}{ESCAPED}{}", word(), word()))
    }

    /// Plants a token that may be the value of an HTTP header or a subprotocol.
    pub fn token(&mut self, name: &str) -> String {
        self.plant(name, format!("{}-._~{}", word(), word()))
    }

    /// Plants a key of 32 bytes, and returns it in base64. The bytes are also searched for.
    pub fn key(&mut self, name: &str) -> String {
        let bytes = [word(), word(), word(), word()].concat().into_bytes();
        let text = STANDARD_NO_PAD.encode(&bytes);
        self.0.push((format!("{name} (bytes)"), bytes));
        self.plant(name, text.clone());
        text + "="
    }

    /// Plants this value.
    fn plant(&mut self, name: &str, value: String) -> String {
        assert!(!self.names().any(|known| known == name), "{name} twice");
        self.0.push((name.to_owned(), value.clone().into_bytes()));
        value
    }

    /// The value with this name, which is planted now if it is new.
    pub fn get_or_text(&mut self, name: &str) -> String {
        match self.get(name) {
            Some(value) => value,
            None => self.text(name),
        }
    }

    /// The value with this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<String> {
        let (_, value) = self.0.iter().find(|(known, _)| known == name)?;
        Some(String::from_utf8_lossy(value).into_owned())
    }

    /// The names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// The values by their names, for a program that plants them.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let value = |(name, value): &(String, Vec<u8>)| {
            (name.clone(), String::from_utf8_lossy(value).into())
        };
        self.0.iter().map(value).collect::<Map<_, _>>().into()
    }

    /// A search for all forms of all secrets.
    #[must_use]
    pub(super) fn search(&self) -> Search {
        let mut found = Vec::new();
        let mut forms = Vec::new();
        for (name, value) in &self.0 {
            let (first, last) = (&value[..PART], &value[value.len() - PART..]);
            for (part, bytes) in [("first", first), ("last", last)] {
                for (encoding, form) in encoded(bytes) {
                    found.push((name.clone(), format!("the {part} {PART} bytes {encoding}")));
                    forms.push(form);
                }
            }
        }
        Search {
            found,
            automaton: AhoCorasick::new(forms).expect("a few thousand short patterns"),
        }
    }
}

/// A search for secrets.
#[derive(Debug)]
pub(super) struct Search {
    /// The name of the secret and the form that each pattern finds.
    found: Vec<(String, String)>,
    automaton: AhoCorasick,
}

impl Search {
    /// The secrets in these bytes: name, form and position. A secret may occur several times.
    pub(super) fn find<'a>(
        &'a self,
        bytes: &'a [u8],
    ) -> impl Iterator<Item = (&'a str, &'a str, usize)> {
        self.automaton.find_overlapping_iter(bytes).map(|found| {
            let (name, form) = &self.found[found.pattern().as_usize()];
            (name.as_str(), form.as_str(), found.start())
        })
    }
}

/// The forms of a part of a secret. Letters and digits are the same in JSON, in a URL, in HTML and in `Debug`, so the
/// plain form also finds these.
fn encoded(part: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let mut forms = vec![("as they are", part.to_owned())];
    let hex = part.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    forms.push(("in upper-case hexadecimal", hex.to_uppercase().into_bytes()));
    forms.push(("in hexadecimal", hex.into_bytes()));
    for separator in [",", ", "] {
        let numbers: Vec<_> = part.iter().map(u8::to_string).collect();
        forms.push(("as numbers", numbers.join(separator).into_bytes()));
    }
    // The part may stand at any position of a longer text that is encoded. The characters at both ends depend on their
    // neighbours.
    for before in 0..3 {
        let text = [&b"\0\0"[..before], part].concat();
        let start = (before * 8).div_ceil(6);
        let end = text.len() * 8 / 6;
        for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
            let form = &engine.encode(&text)[start..end];
            forms.push(("in base64", form.as_bytes().to_owned()));
        }
    }
    forms.sort();
    forms.dedup_by(|one, other| one.1 == other.1);
    forms
}

/// Eight random letters and digits.
fn word() -> String {
    const DIGITS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut random = RandomState::new().build_hasher().finish();
    let mut word = String::new();
    while word.len() < PART {
        let digit = (random % DIGITS.len() as u64) as usize;
        word.push(char::from(DIGITS[digit]));
        random /= DIGITS.len() as u64;
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_encoding_of_a_secret_is_found() {
        let mut secrets = Secrets::default();
        let value = secrets.text("one");
        secrets.token("other");
        let search = secrets.search();
        let json = Value::from(value.as_str()).to_string();
        let percent: String = value.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let escaped = percent.replace("%", "");
        let mut texts = vec![
            value.clone(),
            json,
            escaped.clone(),
            escaped.to_lowercase(),
            format!("{value:?}"),
            format!("{:?}", value.as_bytes()),
            serde_json::to_string(value.as_bytes()).unwrap(),
            value[..PART].to_owned(),
            value[value.len() - PART..].to_owned(),
        ];
        for before in ["", "u", "us", "user:"] {
            let text = format!("{before}{value}");
            texts.push(STANDARD_NO_PAD.encode(&text));
            texts.push(URL_SAFE_NO_PAD.encode(&text[..before.len() + PART]));
        }
        for text in texts {
            let text = format!("before {text} after");
            let mut found = search.find(text.as_bytes());
            assert_eq!(found.next().map(|(name, ..)| name), Some("one"), "{text}");
        }
        assert!(search.find(&value.as_bytes()[1..PART]).next().is_none());
    }
}
