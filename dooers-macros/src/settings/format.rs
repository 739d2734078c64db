//! The formats of dates and mail addresses. The runtime has the same checks, so that it accepts every default.

/// Reports if a text is a date such as `2026-02-11`.
pub(super) fn is_date(text: &str) -> bool {
    let has_shape = text.len() == 10
        && text.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    if !has_shape {
        return false;
    }
    let number = |range: std::ops::Range<usize>| text[range].parse::<u32>().unwrap_or_default();
    let (year, month, day) = (number(0..4), number(5..7), number(8..10));
    let is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let days = match month {
        2 => 28 + u32::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    (1..=days).contains(&day)
}

/// Reports if a text is a mail address by the HTML standard.
pub(super) fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else {
        return false;
    };
    let is_local =
        |letter: char| letter.is_ascii_alphanumeric() || ".!#$%&'*+/=?^_`{|}~-".contains(letter);
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    !local.is_empty() && local.chars().all(is_local) && domain.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::{is_date, is_email};

    #[test]
    fn date_must_be_in_the_calendar() {
        for right in ["2026-02-11", "2024-02-29", "2000-02-29", "0000-01-01"] {
            assert!(is_date(right), "{right}");
        }
        for wrong in [
            "",
            "2026-2-11",
            "2026-02-30",
            "2100-02-29",
            "2026-13-01",
            "2026-00-10",
            "2026-01-00",
            "11.02.2026",
        ] {
            assert!(!is_date(wrong), "{wrong}");
        }
    }

    #[test]
    fn email_must_follow_the_html_standard() {
        for right in ["ada@example.org", "a.b+c@sub.example.co", "x@localhost"] {
            assert!(is_email(right), "{right}");
        }
        for wrong in [
            "",
            "ada",
            "@x.de",
            "ada@",
            "a b@c.de",
            "ada@-x.de",
            "ada@x..de",
            "a@b@c",
        ] {
            assert!(!is_email(wrong), "{wrong}");
        }
    }
}
