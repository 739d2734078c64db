//! The coding (compression) of an answer, by the header `Accept-Encoding`.

use axum::http::HeaderMap;
use axum::http::header::ACCEPT_ENCODING;

/// A coding in which the files of the playground are served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    Gzip,
    /// The file as it is.
    Identity,
}

impl Coding {
    /// The value of `Content-Encoding`. `None` for a file as it is.
    pub(super) fn header(self) -> Option<&'static str> {
        match self {
            Self::Gzip => Some("gzip"),
            Self::Identity => None,
        }
    }

    /// Chooses the coding that the client prefers, by the rules of RFC 9110, section 12.5.3. Of equal ones, it chooses the
    /// smaller answer. Returns `None` if the client accepts none of them.
    pub(super) fn choose(headers: &HeaderMap) -> Option<Self> {
        let mut weights = Weights::default();
        for value in headers.get_all(ACCEPT_ENCODING) {
            // A line that is not text accepts nothing.
            for entry in value.to_str().unwrap_or_default().split(',') {
                weights.add(entry);
            }
        }
        let gzip = match weights.gzip.or(weights.others) {
            None | Some(0) => None,
            Some(weight) => Some((Self::Gzip, weight)),
        };
        let identity = match weights.identity.or(weights.others) {
            Some(0) => None,
            // A client that says nothing about it accepts it as the last choice.
            weight => Some((Self::Identity, weight.unwrap_or(0))),
        };
        // `max_by_key` returns the last one of equal ones.
        let choices = [identity, gzip].into_iter().flatten();
        let best = choices.max_by_key(|(_, weight)| *weight);
        best.map(|(coding, _)| coding)
    }
}

/// The weights that a client has given, in thousandths. A weight of 0 refuses the coding.
#[derive(Debug, Default)]
struct Weights {
    gzip: Option<u16>,
    identity: Option<u16>,
    /// The weight of the codings that are not listed (`*`).
    others: Option<u16>,
}

impl Weights {
    /// Adds an entry such as `gzip` or `gzip;q=0.8`. Entries that are malformed, or of other codings, are ignored.
    fn add(&mut self, entry: &str) {
        let (name, parameter) = entry.split_once(';').unwrap_or((entry, "q=1"));
        let target = match name.trim().to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => &mut self.gzip,
            "identity" => &mut self.identity,
            "*" => &mut self.others,
            _ => return,
        };
        if let Some(weight) = weight(parameter) {
            *target = Some(weight);
        }
    }
}

/// Parses a weight such as `q=0.8`.
fn weight(parameter: &str) -> Option<u16> {
    let (name, value) = parameter.split_once('=')?;
    let value: f32 = value.trim().parse().ok()?;
    let is_weight = name.trim().eq_ignore_ascii_case("q") && (0.0..=1.0).contains(&value);
    // The cast is exact enough: the smallest weight that the header can express is 0.001.
    is_weight.then_some((value * 1000.0).round() as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(lines: &[&str]) -> Option<Coding> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(ACCEPT_ENCODING, line.parse().unwrap());
        }
        Coding::choose(&headers)
    }

    #[test]
    fn client_chooses_the_coding_by_its_weights() {
        use Coding::{Gzip, Identity};
        for (lines, expected) in [
            (&[][..], Some(Identity)),
            (&[""], Some(Identity)),
            (&["gzip, deflate, br, zstd"], Some(Gzip)),
            (&["br"], Some(Identity)),
            (&["X-GZIP"], Some(Gzip)),
            (&["deflate, zstd"], Some(Identity)),
            (&["identity;q=0.5, gzip;q=0.8"], Some(Gzip)),
            (&["identity ; Q = 0.5,gzip; q=0.50"], Some(Gzip)),
            (&["gzip;q=0"], Some(Identity)),
            (&["identity, gzip;q=0.9"], Some(Identity)),
            (&["identity;q=0.5, gzip;q=0.5"], Some(Gzip)),
            (&["*"], Some(Gzip)),
            (&["*;q=0.1, gzip;q=0"], Some(Identity)),
            (&["*;q=0, gzip"], Some(Gzip)),
            (&["identity;q=0", "gzip;q=0.001"], Some(Gzip)),
            (&["identity;q=0"], None),
            (&["*;q=0"], None),
            (&["*;q=0, identity;q=0.1"], Some(Identity)),
            // Malformed weights accept nothing.
            (&["gzip;q=x"], Some(Identity)),
            (&["gzip;q=2, identity;level=1"], Some(Identity)),
            (&["gzip;q=NaN", "gzip;q=-1, gzip;q=, gzip;"], Some(Identity)),
        ] {
            assert_eq!(chosen(lines), expected, "{lines:?}");
        }
    }

    #[test]
    fn header_that_is_not_text_accepts_nothing() {
        let mut headers = HeaderMap::new();
        let value = axum::http::HeaderValue::from_bytes(b"gzip, \xff").unwrap();
        headers.insert(ACCEPT_ENCODING, value);
        assert_eq!(Coding::choose(&headers), Some(Coding::Identity));
    }
}
