//! Suggestions for misspelled names.

use strsim::jaro_winkler;

/// The similarity above which a name is suggested.
const SIMILAR: f64 = 0.8;

/// Returns the name that was probably meant. Case is ignored.
pub(crate) fn similar<'a>(
    misspelled: &str,
    names: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let misspelled = misspelled.trim().to_lowercase();
    let similarity = |name: &'a str| (jaro_winkler(&misspelled, &name.to_lowercase()), name);
    let names = names.into_iter().map(similarity);
    let (similarity, name) = names.max_by(|(one, _), (other, _)| one.total_cmp(other))?;
    (similarity > SIMILAR).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn similar_name_is_suggested() {
        let names = ["owner", "manager", "member"];
        for (misspelled, expected) in [
            ("ownr", Some("owner")),
            (" OWNER", Some("owner")),
            ("managr", Some("manager")),
            ("membre", Some("member")),
            ("viewer", None),
            ("", None),
        ] {
            assert_eq!(similar(misspelled, names), expected, "{misspelled}");
        }
        assert_eq!(similar("owner", []), None);
    }
}
