//! Calls that are dropped before they end.

use super::{Bench, failing, mirror};
use crate::tool::ToolRequest;
use futures::FutureExt;

#[tokio::test]
async fn dropped_calls_get_results_that_say_so() {
    let bench = Bench::new(failing().with_tool(mirror("write")));
    let calls = [
        ToolRequest::new("read", "hangs", ""),
        ToolRequest::new("waiting", "write", ""),
    ];
    assert!(bench.tools.call_all(calls).now_or_never().is_none());
    let replies = bench.sent.replies();
    let of = |id: &str| {
        let mut found = replies
            .iter()
            .filter(|reply| reply.kind().as_str() == "tool.result");
        let found = found
            .find(|reply| reply.data().unwrap()["id"] == id)
            .unwrap();
        found.data().unwrap()["result"]["error"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(
        of("read"),
        "the call was interrupted; it may have had an effect"
    );
    assert_eq!(
        of("waiting"),
        "the call was not started, because the turn ended"
    );
    assert_eq!(replies.len(), 4);
}

#[tokio::test]
async fn call_that_was_never_polled_sends_nothing() {
    let bench = Bench::new(failing());
    drop(bench.tools.call_all([ToolRequest::new("c", "hangs", "")]));
    assert!(bench.events().is_empty());
}
