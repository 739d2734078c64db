//! Tests of calls with ids that a scope does not show.

use super::TestStore;
use crate::store::tests::foreign_ids::{
    foreign_ids_are_like_missing_ones, foreign_threads_are_unchanged,
};

#[tokio::test]
async fn foreign_id_costs_as_many_statements_as_a_missing_one() {
    let test = TestStore::open().await;
    let mut before = 0;
    let statements = || {
        let now = test.store.executed();
        now - std::mem::replace(&mut before, now)
    };
    foreign_ids_are_like_missing_ones(&test.store, async || {}, statements).await;
    foreign_threads_are_unchanged(&test.store).await;
    assert!(test.store.executed() > 200, "all statements are counted");
}
