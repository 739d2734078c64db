//! How the turns of an agent are run: the options `timeout`, `retry`, `on_busy` and `queue`.

use super::duration::{NotADuration, mended, milliseconds};
use crate::diagnostic::Mistake;
use crate::options::{Options, as_text, ungrouped};
use crate::suggest::nearest;
use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Expr, LitStr};

/// A day, in milliseconds: a turn that takes longer is a job, and wants another tool.
const LONGEST_TIMEOUT: u64 = 24 * 3_600_000;

/// A turn is not tried more often.
const MOST_RETRIES: u32 = 100;

/// A queue is not longer.
const LONGEST_QUEUE: u32 = 10_000;

/// The values of `on_busy`.
const ON_BUSY: [&str; 4] = ["queue", "reject", "interrupt", "concurrent"];

/// How the turns of an agent are run, as far as its author says it.
pub(super) struct Policy {
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

impl Policy {
    pub(super) fn of(options: &mut Options<'_>) -> Self {
        Self {
            timeout: timeout(options),
            retries: retries(options),
            on_busy: on_busy(options),
        }
    }
}

impl ToTokens for Policy {
    /// The calls that make it part of an `AgentDefinition`. The runtime is `__dooers`.
    fn to_tokens(&self, tokens: &mut TokenStream) {
        if let Some(timeout) = self.timeout {
            tokens.extend(quote! {
                .with_timeout(::core::time::Duration::from_millis(#timeout))
            });
        }
        if let Some(retries) = self.retries {
            tokens.extend(quote!(.with_retries(#retries)));
        }
        let on_busy = self.on_busy.as_ref().map(|on_busy| match on_busy {
            OnBusy::Queue(limit) => quote!(Queue { limit: #limit }),
            OnBusy::Reject => quote!(Reject),
            OnBusy::Interrupt => quote!(Interrupt),
            OnBusy::Concurrent => quote!(Concurrent),
        });
        if let Some(on_busy) = on_busy {
            tokens.extend(quote!(.when_busy(__dooers::OnBusy::#on_busy)));
        }
    }
}

fn timeout(options: &mut Options<'_>) -> Option<u64> {
    let value = options.expression("timeout")?;
    let quoted = as_text(&value).map(LitStr::value);
    let is_text = quoted.is_some();
    // As if it stood in quotes: the texts show how it must stand.
    let text = quoted.unwrap_or_else(|| value.to_token_stream().to_string().replace('_', ""));
    let meant = mended(&text, LONGEST_TIMEOUT).unwrap_or_else(|| "90s".to_owned());
    let mistake = match milliseconds(&text) {
        Ok(0) => Mistake::NoTimeout,
        Ok(long) if long > LONGEST_TIMEOUT => Mistake::LongTimeout,
        Ok(timeout) if is_text => return Some(timeout),
        Err(NotADuration::NoUnit) if is_text => Mistake::TimeoutWithoutUnit { meant },
        Err(NotADuration::Unit(unit)) if is_text => Mistake::TimeoutUnit { unit, meant },
        Err(NotADuration::Decimals) if is_text => Mistake::TimeoutDecimals { meant },
        Ok(_) | Err(_) => Mistake::Timeout { meant },
    };
    options.mistakes().add(value, mistake);
    None
}

fn retries(options: &mut Options<'_>) -> Option<u32> {
    let (retries, value) = options.count("retry")?;
    if retries > MOST_RETRIES {
        let most = MOST_RETRIES;
        options.mistakes().add(value, Mistake::ManyRetries { most });
    }
    Some(retries)
}

fn on_busy(options: &mut Options<'_>) -> Option<OnBusy> {
    let Some(value) = options.expression("on_busy") else {
        return queue(options);
    };
    let written = as_text(&value).map(LitStr::value);
    let on_busy = match written.as_deref() {
        // Without a length it is what an agent does anyway.
        Some("queue") => return queue(options),
        Some("reject") => OnBusy::Reject,
        Some("interrupt") => OnBusy::Interrupt,
        Some("concurrent") => OnBusy::Concurrent,
        _ => {
            let mistake = Mistake::NoSuchOnBusy {
                value: value.to_token_stream().to_string().replace(' ', ""),
                meant: nearest(&written.unwrap_or_else(|| last_word(&value)), ON_BUSY),
            };
            options.mistakes().add(value, mistake);
            return None;
        }
    };
    if let (Some(on_busy), Some(length)) = (written, options.expression("queue")) {
        let mistake = Mistake::QueueWithout { on_busy };
        options.mistakes().add(length, mistake);
    }
    Some(on_busy)
}

/// The name at the end of a path such as `OnBusy::Reject`.
fn last_word(value: &Expr) -> String {
    let Expr::Path(path) = ungrouped(value) else {
        return String::new();
    };
    let last = path.path.segments.last();
    last.map(|segment| segment.ident.to_string())
        .unwrap_or_default()
}

fn queue(options: &mut Options<'_>) -> Option<OnBusy> {
    let (limit, value) = options.count("queue")?;
    let mistake = match limit {
        0 => Mistake::NoQueue,
        1..=LONGEST_QUEUE => return Some(OnBusy::Queue(limit)),
        _ => Mistake::LongQueue {
            longest: LONGEST_QUEUE,
        },
    };
    options.mistakes().add(value, mistake);
    None
}
