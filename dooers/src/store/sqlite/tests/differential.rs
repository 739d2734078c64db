//! Differential tests: this store returns the same results as the memory store.

use super::TestStore;
use crate::store::Store;
use crate::store::tests::differential::{
    Compared, random_operations_have_the_same_answers, what_a_stopped_process_left_is_recovered,
};
use async_trait::async_trait;

/// `None` while the store is being reopened.
struct Reopened(Option<TestStore>);

impl Reopened {
    async fn open() -> Self {
        Self(Some(TestStore::open().await))
    }
}

#[async_trait]
impl Compared for Reopened {
    fn store(&self, _: u64) -> &dyn Store {
        &self.0.as_ref().unwrap().store
    }

    async fn reopen(&mut self) {
        self.0 = Some(self.0.take().unwrap().reopen().await);
    }

    fn holds_nul(&self) -> bool {
        true
    }
}

#[tokio::test]
async fn random_operations_answer_as_in_memory() {
    random_operations_have_the_same_answers(8, Reopened::open).await;
}

#[tokio::test]
async fn turns_of_a_stopped_process_are_recovered_alike() {
    let compared = TestStore::open().await;
    what_a_stopped_process_left_is_recovered(&compared.store).await;
}
