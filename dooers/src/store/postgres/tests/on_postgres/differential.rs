//! Differential tests: this store returns the same results as the memory store, also if several processes share its
//! database.

use super::{open, place};
use crate::store::tests::differential::{
    Compared, random_operations_have_the_same_answers, what_a_stopped_process_left_is_recovered,
};
use crate::store::{PostgresOptions, PostgresStore, Store};
use async_trait::async_trait;

struct Processes {
    options: PostgresOptions,
    stores: Vec<PostgresStore>,
}

impl Processes {
    async fn open(many: usize) -> Self {
        let mut processes = Self {
            options: place().unwrap(),
            stores: Vec::new(),
        };
        for _ in 0..many {
            processes.stores.push(open(&processes.options).await);
        }
        processes
    }
}

#[async_trait]
impl Compared for Processes {
    fn store(&self, which: u64) -> &dyn Store {
        &self.stores[usize::try_from(which).unwrap() % self.stores.len()]
    }

    async fn reopen(&mut self) {
        let one = self.stores.remove(0);
        one.close().await;
        self.stores.push(open(&self.options).await);
    }

    fn holds_nul(&self) -> bool {
        false
    }
}

#[tokio::test]
async fn random_operations_answer_as_in_memory() {
    if place().is_some() {
        random_operations_have_the_same_answers(2, || Processes::open(1)).await;
    }
}

#[tokio::test]
async fn random_operations_of_three_nodes_answer_the_same() {
    if place().is_some() {
        random_operations_have_the_same_answers(3, || Processes::open(3)).await;
    }
}

#[tokio::test]
async fn turns_of_a_stopped_process_are_recovered_alike() {
    if let Some(options) = place() {
        what_a_stopped_process_left_is_recovered(&open(&options).await).await;
    }
}
