//! Lists in the values of variables.

/// The entries of a list that is separated by commas. Empty entries are skipped.
pub(super) fn entries(list: &str) -> impl Iterator<Item = &str> {
    list.split(',')
        .map(str::trim)
        .filter(|text| !text.is_empty())
}
