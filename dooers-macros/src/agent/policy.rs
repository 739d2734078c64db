//! How the turns of an agent are run: the options `timeout`, `retry`, `on_busy` and `queue`.

use crate::duration::{NotADuration, milliseconds};
use crate::likeness::nearest;
use crate::mistake::Mistake;
use crate::options::{Options, ungrouped};
use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Expr, ExprLit, Lit};

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
    let text = match ungrouped(&value) {
        Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) => text.value(),
        // As if it stood in quotes: the texts show how it must stand.
        other => other.to_token_stream().to_string().replace(['_', ' '], ""),
    };
    let is_text = matches!(
        ungrouped(&value),
        Expr::Lit(ExprLit {
            lit: Lit::Str(_),
            ..
        })
    );
    let mistake = match milliseconds(&text) {
        Ok(0) => Mistake::NoTimeout,
        Ok(long) if long > LONGEST_TIMEOUT => Mistake::LongTimeout,
        Ok(timeout) if is_text => return Some(timeout),
        Ok(_) => Mistake::Timeout { meant: text },
        Err(NotADuration::NoUnit(number)) => Mistake::Timeout {
            meant: format!("{number}s"),
        },
        Err(NotADuration::Other) => Mistake::Timeout {
            meant: "90s".to_owned(),
        },
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
    let written = options.text("on_busy");
    let queue = queue(options);
    let Some(written) = written else {
        return queue.map(|(limit, _)| OnBusy::Queue(limit));
    };
    let value = written.value();
    let on_busy = match value.as_str() {
        // Without a length it is what an agent does anyway.
        "queue" => return queue.map(|(limit, _)| OnBusy::Queue(limit)),
        "reject" => OnBusy::Reject,
        "interrupt" => OnBusy::Interrupt,
        "concurrent" => OnBusy::Concurrent,
        _ => {
            let meant = nearest(&value, ON_BUSY);
            let mistake = Mistake::NoSuchOnBusy {
                value: written.to_token_stream().to_string(),
                meant,
            };
            options.mistakes().add(written, mistake);
            return None;
        }
    };
    if let Some((_, place)) = queue {
        let mistake = Mistake::QueueWithout { on_busy: value };
        options.mistakes().add(place, mistake);
    }
    Some(on_busy)
}

fn queue(options: &mut Options<'_>) -> Option<(u32, Expr)> {
    let (limit, value) = options.count("queue")?;
    let mistake = match limit {
        0 => Mistake::NoQueue,
        1..=LONGEST_QUEUE => return Some((limit, value)),
        _ => Mistake::LongQueue {
            longest: LONGEST_QUEUE,
        },
    };
    options.mistakes().add(value, mistake);
    None
}
