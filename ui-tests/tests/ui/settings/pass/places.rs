//! Structs of settings in modules and functions.
#![allow(unreachable_pub, reason = "the module stands for a crate")]

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
fn settings_in_a_module_are_an_argument() {
    let (response, sent) = WorkerResponse::recorder();
    let turn = Turn::new(WorkerRequest::new(""), response);
    ui_tests::now(support::DEFINITION.call(turn)).unwrap();
    assert_eq!(sent.texts().len(), 0, "the server sends the return value");
}

#[test]
fn settings_in_a_function_have_defaults() {
    #[derive(Clone, WorkerSettings)]
    struct Local {
        #[setting(default = 5)]
        size: u8,
    }
    assert_eq!(Local::default().size, 5);
}
