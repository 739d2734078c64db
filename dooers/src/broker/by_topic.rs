//! Grouping of news by their topics.

use super::news::News;
use super::topic::Topic;
use std::collections::HashMap;

/// Groups news by their topics, and keeps their order within each. News with several topics are in several groups. Topics
/// with the same news share a group, so that these news are encoded once.
pub(super) fn by_topic(news: &[News]) -> Vec<(Vec<Topic>, Vec<News>)> {
    let mut places = HashMap::new();
    let mut groups: Vec<(Topic, Vec<News>)> = Vec::new();
    for news in news {
        for topic in news.topics() {
            let place = *places.entry(topic).or_insert(groups.len());
            match groups.get_mut(place) {
                Some((_, group)) => group.push(news.clone()),
                None => groups.push((topic, vec![news.clone()])),
            }
        }
    }
    let mut shared: Vec<(Vec<Topic>, Vec<News>)> = Vec::new();
    for (topic, group) in groups {
        // The topics of a single change follow each other.
        match shared.last_mut() {
            Some((topics, same)) if *same == group => topics.push(topic),
            _ => shared.push((vec![topic], group)),
        }
    }
    shared
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::{PlaceKey, ThreadNotice};
    use crate::store::Scope;

    #[test]
    fn news_are_grouped_in_their_order() {
        let [place, other] = ["w", "x"].map(|worker| PlaceKey::of(&Scope::new("a", worker)));
        let notice = |thread_id: &str, place| {
            News::Thread(ThreadNotice {
                thread_id: thread_id.to_owned(),
                rev: 1,
                place,
                deleted_for: None,
            })
        };
        let turn = |event_id: &str| News::Turn(event_id.to_owned());
        let (t, u) = (notice("t", Some(place)), notice("u", Some(place)));
        let v = notice("v", Some(other));
        let all = [turn("1"), t.clone(), u.clone(), turn("2"), v.clone()];
        let groups = by_topic(&all);
        let topic_of = |news: &News| news.topics()[0];
        let expected = [
            (vec![Topic::All], vec![turn("1"), turn("2")]),
            (vec![topic_of(&t)], vec![t.clone()]),
            (vec![Topic::Place(place)], vec![t, u.clone()]),
            (vec![topic_of(&u)], vec![u]),
            (vec![topic_of(&v), Topic::Place(other)], vec![v]),
        ];
        assert_eq!(groups, expected);
    }
}
