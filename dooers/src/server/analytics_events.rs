//! Lists of analytics events, for the configuration.

use super::list::entries;
use crate::protocol::MAX_ANALYTICS_NAME_BYTES;
use std::collections::HashSet;
use std::str::FromStr;

/// A list of the names of analytics events, separated by commas. Built-in events and those of a program are allowed.
///
/// ```
/// use dooers::AnalyticsEvents;
///
/// let events: AnalyticsEvents = "message.c2s, order.placed".parse()?;
/// # Ok::<(), dooers::InvalidAnalyticsName>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AnalyticsEvents(HashSet<String>);

impl AnalyticsEvents {
    pub(super) fn into_names(self) -> HashSet<String> {
        self.0
    }
}

/// An entry of a list that cannot be the name of an analytics event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` has more than {MAX_ANALYTICS_NAME_BYTES} bytes, so no analytics event has this name; separate names by commas"
)]
#[non_exhaustive]
pub struct InvalidAnalyticsName(pub String);

impl FromStr for AnalyticsEvents {
    type Err = InvalidAnalyticsName;

    fn from_str(text: &str) -> Result<Self, InvalidAnalyticsName> {
        let names = entries(text).map(|name| {
            if name.len() > MAX_ANALYTICS_NAME_BYTES {
                return Err(InvalidAnalyticsName(name.to_owned()));
            }
            Ok(name.to_owned())
        });
        names.collect::<Result<_, _>>().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn list_is_separated_by_commas() {
        let events: AnalyticsEvents = " message.c2s,order.placed ,".parse().unwrap();
        let names = events.into_names();
        assert_eq!(
            names,
            ["message.c2s", "order.placed"].map(str::to_owned).into()
        );
        assert!("x".repeat(129).parse::<AnalyticsEvents>().is_err());
    }
}
