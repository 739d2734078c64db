//! The formats of durations, times of day, addresses and colors.
//!
//! These functions are `const`, so that the checks of values and the compile-time checks of defaults have one rule.

/// The text and the length in nanoseconds of each unit of a duration, from the longest.
const UNITS: [(&str, u128); 7] = [
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// The maximum number of digits in front of a unit.
const MAX_DIGITS: usize = 15;

/// The pattern of [`nanoseconds`].
pub(super) const DURATION: &str = "^(?:[0-9]{1,15}(?:d|h|m|s|ms|us|ns))+$";
/// The pattern of [`is_time`].
pub(super) const TIME: &str = "^(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?$";
/// The pattern of [`is_color`].
pub(super) const COLOR: &str = "^#[0-9A-Fa-f]{6}$";
/// The pattern of [`is_http_url`].
pub(super) const HTTP_URL: &str = r"^https?:\/\/(?:[^\u0000-\u002C\u002F\u003A-\u0040\u005B-\u005E\u0060\u007B-\u007F]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?(?:[\/?#][^\u0000-\u0020\u007F]*)?$";

/// The length of a duration such as `1m30s` in nanoseconds. `None` for any other text, and for a duration that is
/// longer than `Duration::MAX`, which the pattern cannot express.
pub(super) const fn nanoseconds(text: &str) -> Option<u128> {
    let bytes = text.as_bytes();
    let (mut at, mut sum) = (0, 0_u128);
    if bytes.is_empty() {
        return None;
    }
    while at < bytes.len() {
        let (mut number, first) = (0_u128, at);
        while at < bytes.len() && bytes[at].is_ascii_digit() {
            if at - first == MAX_DIGITS {
                return None;
            }
            number = number * 10 + (bytes[at] - b'0') as u128;
            at += 1;
        }
        let digits_end = at;
        while at < bytes.len() && !bytes[at].is_ascii_digit() {
            at += 1;
        }
        let Some(unit) = unit_length(bytes, digits_end, at) else {
            return None;
        };
        if digits_end == first {
            return None;
        }
        sum = sum.saturating_add(number.saturating_mul(unit));
    }
    if sum > std::time::Duration::MAX.as_nanos() {
        return None;
    }
    Some(sum)
}

/// The length of the unit that these bytes name.
const fn unit_length(bytes: &[u8], from: usize, to: usize) -> Option<u128> {
    let mut unit = 0;
    while unit < UNITS.len() {
        let (name, length) = UNITS[unit];
        let name = name.as_bytes();
        let is_first = from < to && name[0] == bytes[from];
        let is_second = match name.len() {
            1 => to - from == 1,
            _ => to - from == 2 && name[1] == bytes[from + 1],
        };
        if is_first && is_second {
            return Some(length);
        }
        unit += 1;
    }
    None
}

/// Writes a duration with as few units as possible: `1m30s`, and `0s` for no time.
pub(super) fn duration_text(nanoseconds: u128) -> String {
    let (mut rest, mut text) = (nanoseconds, String::new());
    for (name, length) in UNITS {
        if rest >= length {
            text += &format!("{}{name}", rest / length);
            rest %= length;
        }
    }
    if text.is_empty() {
        text += "0s";
    }
    text
}

/// Returns true for a time of day such as `09:30` or `09:30:15`.
pub(super) const fn is_time(text: &str) -> bool {
    let bytes = text.as_bytes();
    if bytes.len() != 5 && bytes.len() != 8 {
        return false;
    }
    let mut at = 0;
    while at < bytes.len() {
        let is_right = match at {
            2 | 5 => bytes[at] == b':',
            0 => matches!(bytes[0], b'0'..=b'2'),
            1 => bytes[1].is_ascii_digit() && (bytes[0] < b'2' || bytes[1] <= b'3'),
            3 | 6 => matches!(bytes[at], b'0'..=b'5'),
            _ => bytes[at].is_ascii_digit(),
        };
        if !is_right {
            return false;
        }
        at += 1;
    }
    true
}

/// Writes a time of day without seconds if they are 0: `09:30:00` becomes `09:30`.
pub(super) fn time_text(time: &str) -> &str {
    match time.strip_suffix(":00") {
        Some(shorter) if is_time(shorter) => shorter,
        _ => time,
    }
}

/// Returns true for a color such as `#ff8000`.
pub(super) const fn is_color(text: &str) -> bool {
    let bytes = text.as_bytes();
    if bytes.len() != 7 || bytes[0] != b'#' {
        return false;
    }
    let mut at = 1;
    while at < bytes.len() {
        if !bytes[at].is_ascii_hexdigit() {
            return false;
        }
        at += 1;
    }
    true
}

/// Writes a color in lower case.
pub(super) fn color_text(mut color: String) -> String {
    color.make_ascii_lowercase();
    color
}

/// Returns true for an address such as `https://example.org/path`. It has no user name and no password, because an
/// address is shown to everyone who sees the settings.
pub(super) const fn is_http_url(text: &str) -> bool {
    let bytes = text.as_bytes();
    let Some(host) = after_scheme(bytes) else {
        return false;
    };
    let mut at = host;
    if at < bytes.len() && bytes[at] == b'[' {
        at += 1;
        while at < bytes.len()
            && (bytes[at].is_ascii_hexdigit() || matches!(bytes[at], b':' | b'.'))
        {
            at += 1;
        }
        if at == host + 1 || at == bytes.len() || bytes[at] != b']' {
            return false;
        }
        at += 1;
    } else {
        while at < bytes.len() && is_in_host(bytes[at]) {
            at += 1;
        }
    }
    if at == host {
        return false;
    }
    if at < bytes.len() && bytes[at] == b':' {
        let port = at + 1;
        at = port;
        while at < bytes.len() && bytes[at].is_ascii_digit() {
            at += 1;
        }
        if at == port || at - port > 5 {
            return false;
        }
    }
    if at < bytes.len() && !matches!(bytes[at], b'/' | b'?' | b'#') {
        return false;
    }
    while at < bytes.len() {
        if bytes[at] <= b' ' || bytes[at] == 0x7f {
            return false;
        }
        at += 1;
    }
    true
}

/// The index of the host in an address.
const fn after_scheme(bytes: &[u8]) -> Option<usize> {
    if starts_with(bytes, b"http://") {
        Some(7)
    } else if starts_with(bytes, b"https://") {
        Some(8)
    } else {
        None
    }
}

const fn starts_with(bytes: &[u8], start: &[u8]) -> bool {
    let mut at = 0;
    while at < start.len() {
        if at == bytes.len() || bytes[at] != start[at] {
            return false;
        }
        at += 1;
    }
    true
}

const fn is_in_host(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_') || !byte.is_ascii()
}

#[cfg(test)]
mod tests {
    use super::*;
    use regex::Regex;

    /// Asserts that a function and a pattern accept the same of these texts, and returns the accepted ones.
    fn accepted<'a>(
        pattern: &str,
        is_accepted: fn(&str) -> bool,
        texts: &[&'a str],
    ) -> Vec<&'a str> {
        let pattern = Regex::new(pattern).unwrap();
        let accepts = |text: &&&str| {
            assert_eq!(pattern.is_match(text), is_accepted(text), "{text:?}");
            is_accepted(text)
        };
        texts.iter().filter(accepts).copied().collect()
    }

    #[test]
    fn duration_is_read_and_written_shortly() {
        for (text, shortest) in [
            ("30s", "30s"),
            ("90s", "1m30s"),
            ("24h", "1d"),
            ("1s1m", "1m1s"),
            ("0h", "0s"),
            ("1500ms", "1s500ms"),
            ("1us1ns", "1us1ns"),
            (
                "213503982334601d7h15s999ms999us999ns",
                "213503982334601d7h15s999ms999us999ns",
            ),
        ] {
            let read = nanoseconds(text).unwrap();
            assert_eq!(duration_text(read), shortest, "{text}");
            assert_eq!(nanoseconds(shortest), Some(read), "{text}");
        }
        assert_eq!(nanoseconds("213503982334601d7h16s"), None, "too long");
        let texts = [
            "30s",
            "1m30s",
            "",
            "30",
            "s",
            "1.5s",
            "-1s",
            "1 s",
            "1S",
            "1sm",
            "1w",
            "1m30",
            "1000000000000000d",
            "1n",
            "1mss",
            "1s\n",
            "٣s",
        ];
        let is_duration: fn(&str) -> bool = |text| nanoseconds(text).is_some();
        assert_eq!(accepted(DURATION, is_duration, &texts), ["30s", "1m30s"]);
    }

    #[test]
    fn time_of_day_has_two_digits_each() {
        let texts = [
            "00:00",
            "23:59:59",
            "09:30",
            "24:00",
            "9:30",
            "09:60",
            "09:30:60",
            "09:30:",
            "0930",
            "29:00",
            "09:30:15.5",
            "09-30",
            "é9:30",
        ];
        assert_eq!(
            accepted(TIME, is_time, &texts),
            ["00:00", "23:59:59", "09:30"]
        );
        let written = ["00:00:00", "00:00", "09:30:15"].map(time_text);
        assert_eq!(written, ["00:00", "00:00", "09:30:15"]);
    }

    #[test]
    fn color_has_six_hex_digits() {
        let texts = [
            "#ff8000", "#FF8000", "#fff", "ff8000", "#ff800g", "#ff80000", "#ff80é",
        ];
        assert_eq!(accepted(COLOR, is_color, &texts), ["#ff8000", "#FF8000"]);
    }

    #[test]
    fn address_is_absolute_and_without_credentials() {
        let right = [
            "http://localhost:8080",
            "https://example.org/a/b?c=d#e",
            "https://example.org?x",
            "http://[::1]:80/",
            "https://münchen.example/ü",
            "https://a_b.example",
        ];
        let wrong = [
            "",
            "example.org",
            "ftp://example.org",
            "https://",
            "https:///path",
            "HTTPS://a.b",
            "https://ada:pw@example.org",
            "https://a b",
            "https://a/ b",
            "https://a:",
            "https://a:123456",
            "https://a:x",
            "http://[::1",
            "http://[]",
            "http://[g]",
            "https://a\\b",
            "https://a/\n",
            "//a",
        ];
        let texts: Vec<_> = right.iter().chain(&wrong).copied().collect();
        assert_eq!(accepted(HTTP_URL, is_http_url, &texts), right);
    }
}
