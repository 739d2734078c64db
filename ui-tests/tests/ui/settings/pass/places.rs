//! Where structs of settings can stand.
#![allow(unreachable_pub, reason = "as in a crate of its own")]

use dooers::prelude::*;
use dooers::{Agent, Turn};

pub mod inner {
    use dooers::prelude::*;

    #[derive(Debug, Clone, WorkerSettings)]
    #[non_exhaustive]
    pub struct Public {
        #[setting(default = 1)]
        pub one: u8,
        #[setting(default = 2)]
        pub(super) two: u8,
    }
}

#[dooers::agent]
async fn support(settings: inner::Public, live: Settings<inner::Public>) -> Result<String> {
    let same = live.get().await?;
    Ok(format!("{} {}", settings.one, same.two))
}

#[test]
fn in_a_module() {
    let (response, sent) = WorkerResponse::recorder();
    let turn = Turn::new(WorkerRequest::new(""), response);
    ui_tests::now(support::DEFINITION.call(turn)).unwrap();
    assert_eq!(
        sent.texts().len(),
        0,
        "what it returns is sent by the server"
    );
}

#[test]
fn in_a_function() {
    #[derive(Clone, WorkerSettings)]
    struct Local {
        #[setting(default = 5)]
        size: u8,
    }
    assert_eq!(Local::default().size, 5);
}
