//! Gates at which handlers wait for their test.
//!
//! A gate is identified by a key in the message, so that concurrent tests of one process use different gates.

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

/// Called by a handler: reports its arrival and waits until the test opens the gate.
pub async fn pass(key: &str) {
    arrive(key);
    let gate = gate(key);
    gate.opened
        .acquire()
        .await
        .expect("a gate is never closed")
        .forget();
}

/// Called by a handler: reports its arrival without waiting.
pub fn arrive(key: &str) {
    gate(key).arrived.add_permits(1);
}

/// Called by a test: waits until a handler arrives.
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

/// Called by a test: lets one handler pass, even if it arrives later.
pub fn open(key: &str) {
    gate(key).opened.add_permits(1);
}

/// Called by a test: the number of arrivals that no [`arrived`] has consumed.
pub fn waiting(key: &str) -> usize {
    gate(key).arrived.available_permits()
}
