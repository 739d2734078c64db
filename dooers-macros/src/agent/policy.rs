//! The turn policy of an agent: the options `timeout`, `retry`, `on_busy` and `queue`.

use super::attribute::AGENT;
use crate::diagnostic::Diagnostic;
use crate::function::timeout;
use crate::options::Options;
use crate::suggest::closest;
use crate::syntax::{as_string, peel_groups};
use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Expr, LitStr, Path};

/// The largest number of retries.
const MAX_RETRIES: u32 = 100;

/// The largest number of messages that may wait in a thread.
const MAX_QUEUE: u32 = 10_000;

/// The values of `on_busy`.
const ON_BUSY_VALUES: [&str; 4] = ["queue", "reject", "interrupt", "concurrent"];

/// The turn policy of an agent. `None` stands for the default of the runtime.
pub(super) struct TurnPolicy {
    timeout: Option<u64>,
    retries: Option<u32>,
    on_busy: Option<OnBusy>,
}

enum OnBusy {
    Queue(u32),
    Reject,
    Interrupt,
    Concurrent,
}

impl TurnPolicy {
    pub(super) fn parse(options: &mut Options<'_>) -> Self {
        Self {
            timeout: timeout(options, &AGENT),
            retries: retries(options),
            on_busy: on_busy(options),
        }
    }

    /// Generates the method calls that add the policy to an `AgentDefinition`.
    pub(super) fn setters(&self, crate_path: &Path) -> TokenStream {
        let timeout = self
            .timeout
            .map(|timeout| quote!(.with_timeout(::core::time::Duration::from_millis(#timeout))));
        let retries = self.retries.map(|retries| quote!(.with_retries(#retries)));
        let on_busy = self.on_busy.as_ref().map(|on_busy| {
            let on_busy = match on_busy {
                OnBusy::Queue(limit) => quote!(Queue { limit: #limit }),
                OnBusy::Reject => quote!(Reject),
                OnBusy::Interrupt => quote!(Interrupt),
                OnBusy::Concurrent => quote!(Concurrent),
            };
            quote!(.when_busy(#crate_path::OnBusy::#on_busy))
        });
        quote!(#timeout #retries #on_busy)
    }
}

fn retries(options: &mut Options<'_>) -> Option<u32> {
    let (retries, value) = options.count("retry")?;
    if retries > MAX_RETRIES {
        let max = MAX_RETRIES;
        options.report(value, Diagnostic::TooManyRetries { max });
    }
    Some(retries)
}

fn on_busy(options: &mut Options<'_>) -> Option<OnBusy> {
    let Some(value) = options.expr("on_busy") else {
        return queue(options);
    };
    let written = as_string(&value).map(LitStr::value);
    let on_busy = match written.as_deref() {
        // Without a length, this is the default.
        Some("queue") => return queue(options),
        Some("reject") => OnBusy::Reject,
        Some("interrupt") => OnBusy::Interrupt,
        Some("concurrent") => OnBusy::Concurrent,
        _ => {
            let diagnostic = Diagnostic::InvalidOnBusy {
                value: value.to_token_stream().to_string().replace(' ', ""),
                suggestion: closest(
                    &written.unwrap_or_else(|| last_segment(&value)),
                    ON_BUSY_VALUES,
                ),
            };
            options.report(value, diagnostic);
            return None;
        }
    };
    if let (Some(on_busy), Some(length)) = (written, options.expr("queue")) {
        let diagnostic = Diagnostic::UnusedQueue { on_busy };
        options.report(length, diagnostic);
    }
    Some(on_busy)
}

/// Returns the last segment of a path such as `OnBusy::Reject`.
fn last_segment(value: &Expr) -> String {
    let Expr::Path(path) = peel_groups(value) else {
        return String::new();
    };
    let last = path.path.segments.last();
    last.map(|segment| segment.ident.to_string())
        .unwrap_or_default()
}

fn queue(options: &mut Options<'_>) -> Option<OnBusy> {
    let (limit, value) = options.count("queue")?;
    let diagnostic = match limit {
        0 => Diagnostic::ZeroQueue,
        1..=MAX_QUEUE => return Some(OnBusy::Queue(limit)),
        _ => Diagnostic::QueueTooLong { max: MAX_QUEUE },
    };
    options.report(value, diagnostic);
    None
}
