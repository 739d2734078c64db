//! Handlers that wait for their test.
//!
//! A gate is known by a key that a message carries, so that the tests of one process do not meet at the same gate.

use crate::within;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use tokio::sync::Semaphore;

#[derive(Debug)]
struct Gate {
    arrived: Semaphore,
    opened: Semaphore,
}

static GATES: LazyLock<Mutex<HashMap<String, Arc<Gate>>>> = LazyLock::new(Mutex::default);

fn gate(key: &str) -> Arc<Gate> {
    let mut gates = GATES.lock().unwrap_or_else(PoisonError::into_inner);
    let new = || {
        Arc::new(Gate {
            arrived: Semaphore::new(0),
            opened: Semaphore::new(0),
        })
    };
    Arc::clone(gates.entry(key.to_owned()).or_insert_with(new))
}

/// In a handler: says that it is here, and waits to be let through.
pub async fn pass(key: &str) {
    arrive(key);
    let gate = gate(key);
    gate.opened
        .acquire()
        .await
        .expect("a gate is never closed")
        .forget();
}

/// In a handler: says that it is here, and goes on.
pub fn arrive(key: &str) {
    gate(key).arrived.add_permits(1);
}

/// In a test: waits for one handler to be here.
pub async fn arrived(key: &str) {
    let gate = gate(key);
    within(
        &format!("a handler at the gate `{key}`"),
        gate.arrived.acquire(),
    )
    .await
    .expect("a gate is never closed")
    .forget();
}

/// In a test: lets one handler through, now or when it comes.
pub fn open(key: &str) {
    gate(key).opened.add_permits(1);
}

/// In a test: how many handlers came that no [`arrived`] has taken yet.
pub fn waiting(key: &str) -> usize {
    gate(key).arrived.available_permits()
}
