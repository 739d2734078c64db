//! News that were sent and may not have reached the server.

use crate::broker::news::News;

/// Above this number, they are replaced by the news that anything may have changed.
const MOST: usize = 10_000;

/// News that were sent since the server last answered. If the connection is lost, they are sent again.
#[derive(Debug, Default)]
pub(super) struct Unconfirmed {
    news: Vec<News>,
    /// The number of news that were sent before the question that the server has not answered yet.
    asked: usize,
}

impl Unconfirmed {
    pub(super) fn add(&mut self, news: Vec<News>) {
        if self.news.len() + news.len() <= MOST {
            self.news.extend(news);
        } else {
            self.news.extend(news);
            self.news = News::instead_of(std::mem::take(&mut self.news));
            self.asked = 0;
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.news.is_empty()
    }

    /// Notes that the server is asked for an answer now.
    pub(super) fn ask(&mut self) {
        self.asked = self.news.len();
    }

    /// Notes the answer.
    pub(super) fn confirm(&mut self) {
        self.news.drain(..self.asked);
        self.asked = 0;
    }

    /// Takes all news, because the connection was lost.
    pub(super) fn take(&mut self) -> Vec<News> {
        self.asked = 0;
        std::mem::take(&mut self.news)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(event_id: &str) -> News {
        News::Turn(event_id.to_owned())
    }

    #[test]
    fn news_after_the_question_stay_unconfirmed() {
        let mut unconfirmed = Unconfirmed::default();
        unconfirmed.add(vec![turn("1"), turn("2")]);
        unconfirmed.ask();
        unconfirmed.add(vec![turn("3")]);
        unconfirmed.confirm();
        assert!(!unconfirmed.is_empty());
        assert_eq!(unconfirmed.take(), [turn("3")]);
        unconfirmed.confirm();
        assert!(unconfirmed.is_empty());
    }

    #[test]
    fn too_many_unconfirmed_news_become_one() {
        let mut unconfirmed = Unconfirmed::default();
        unconfirmed.add(vec![turn("1")]);
        unconfirmed.ask();
        unconfirmed.add(vec![turn("2"); MOST]);
        unconfirmed.confirm();
        assert_eq!(unconfirmed.take(), [News::Everything]);
    }
}
