//! The ledger of usage, and its limits.

use crate::asserts::{assert_stale, catch_up_fully, dump, newest, runs_of, start_position};
use crate::backends::{AnyStore, cases};
use crate::fixtures::{
    ana, begin_thread, ben, existing, manual_start, message, new_thread, now, private_scope,
    repeatable, run_change, scope, start, write, written,
};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use dooers::protocol::{ModelUsage, RunStatus, Usage, User};
use dooers::store::{
    BeginOutcome, ClaimOptions, NewMessage, Participant, RunQuery, Scope, StoreError, TurnChange,
    TurnUsage, UsageQuery, UsageSum,
};
use dooers::{UsageLimit, UsageLimitScope, UsagePeriod};
use futures::future::join_all;
use std::slice::from_ref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

cases![
    usage_adds_up_in_its_run_and_in_the_ledger,
    usage_is_summed_up_by_each_group,
    usage_outlives_its_thread,
    usage_of_a_refused_write_is_not_recorded,
    usage_without_a_run_is_recorded,
    message_over_a_limit_is_refused_until_the_period_ends,
    limit_counts_only_its_owner_and_currency,
    known_messages_and_running_turns_pass_a_limit,
    concurrent_turns_exceed_a_limit_by_their_own_usage,
];

/// A usage of Ana that is reported at this time.
fn used_at(run_id: Option<&str>, usage: Usage, at: DateTime<Utc>) -> TurnChange {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    TurnChange::Usage(Box::new(TurnUsage {
        id: format!("usage-{number:06}"),
        run_id: run_id.map(str::to_owned),
        user_id: "ana".to_owned(),
        usage,
        at,
    }))
}

fn used(run_id: &str, usage: Usage) -> TurnChange {
    used_at(Some(run_id), usage, now())
}

fn tokens(model: &str, input: u64, output: u64) -> Usage {
    Usage::new(model).input_tokens(input).output_tokens(output)
}

fn costing(model: &str, amount: &str, currency: &str) -> Usage {
    tokens(model, 1, 1).cost(amount.parse().unwrap(), currency)
}

async fn sums(store: &AnyStore, query: UsageQuery) -> Vec<UsageSum> {
    store.sum_usage(&scope(), &query).await.unwrap()
}

/// The sum of all usage, as `calls, input + output, cost CURRENCY …`.
async fn total(store: &AnyStore) -> String {
    let all = sums(store, UsageQuery::default()).await;
    match &all[..] {
        [] => String::new(),
        [sum] => described(sum),
        several => panic!("{several:?}"),
    }
}

fn described(sum: &UsageSum) -> String {
    let mut text = format!(
        "{}, {} + {}",
        sum.calls, sum.input_tokens, sum.output_tokens
    );
    for cost in &sum.costs {
        text += &format!(", {} {}", cost.amount, cost.currency);
    }
    text
}

fn shown(usage: &[ModelUsage]) -> Vec<String> {
    let line = |sum: &ModelUsage| {
        let costs = sum.costs.iter();
        let costs = costs.map(|cost| format!(", {} {}", cost.amount, cost.currency));
        format!(
            "{}: {} ({}) + {}{}",
            sum.model,
            sum.input_tokens,
            sum.cached_tokens,
            sum.output_tokens,
            costs.collect::<String>()
        )
    };
    usage.iter().map(line).collect()
}

async fn usage_adds_up_in_its_run_and_in_the_ledger(store: &AnyStore) {
    let claim = begin_thread(store, "t", "r").await;
    assert_eq!(total(store).await, "");
    let changes = vec![
        used("r", tokens("m", 10, 1).cached_tokens(4)),
        used("r", costing("m", "0.1", "USD")),
        used("r", costing("m", "0.20", "USD")),
        used("r", costing("é😀", "1000000000", "JPY")),
    ];
    // All usage of a write is one change of its run.
    let changed = runs_of(&write(store, &claim.key, changes).await);
    let [run] = &changed[..] else {
        panic!("{changed:?}");
    };
    let expected = ["m: 12 (4) + 3, 0.3 USD", "é😀: 1 (0) + 1, 1000000000 JPY"];
    assert_eq!(
        (shown(&run.usage), run.status),
        (expected.map(str::to_owned).to_vec(), RunStatus::Running)
    );

    // The end of the run and its usage are one change as well, and the end of a run keeps earlier usage.
    let last = vec![
        used("r", costing("m", "0.000000000001", "USD")),
        written("t", "answer", Some("r")),
        run_change("t", "r", RunStatus::Succeeded),
        used("r", costing("m", "0.999999999999", "EUR")),
    ];
    let finished = store.finish_turn(&scope(), &claim.key, last, None).await;
    let ended = runs_of(&finished.unwrap().changes);
    let [run] = &ended[..] else {
        panic!("{ended:?}");
    };
    let expected = [
        "m: 14 (4) + 5, 0.300000000001 USD, 0.999999999999 EUR",
        "é😀: 1 (0) + 1, 1000000000 JPY",
    ];
    assert_eq!(shown(&run.usage), expected);
    assert_eq!(run.status, RunStatus::Succeeded);
    assert_eq!(store.run(&scope(), "t", "r").await.unwrap(), *run);
    assert_eq!(newest(store, &scope(), "t").await.runs, from_ref(run));
    let (changes, _) = catch_up_fully(store, &scope(), "t", start_position(), 10).await;
    assert_eq!(runs_of(&changes), from_ref(run));
    let found = store.find_runs(&scope(), &RunQuery::newest(10)).await;
    assert_eq!(found.unwrap(), from_ref(run));
    assert_eq!(
        total(store).await,
        "6, 15 + 6, 0.999999999999 EUR, 1000000000 JPY, 0.300000000001 USD"
    );
    // Fractions are carried into units.
    let claim = begin_thread(store, "t2", "r2").await;
    let more = vec![used("r2", costing("m", "0.000000000001", "EUR"))];
    write(store, &claim.key, more).await;
    assert_eq!(
        total(store).await,
        "7, 16 + 7, 1 EUR, 1000000000 JPY, 0.300000000001 USD"
    );
    assert!(!store.has_usage("usage-nowhere").await.unwrap());
    let TurnChange::Usage(known) = used("r2", tokens("m", 1, 1)) else {
        unreachable!();
    };
    let id = known.id.clone();
    write(store, &claim.key, vec![TurnChange::Usage(known)]).await;
    assert!(store.has_usage(&id).await.unwrap());
}

async fn usage_is_summed_up_by_each_group(store: &AnyStore) {
    let day = |text: &str| -> DateTime<Utc> { format!("2026-{text}Z").parse().unwrap() };
    for (thread, user, model, at) in [
        ("t1", "ana", "small", "01-31T23:59:59.999999"),
        ("t1", "ana", "large", "02-01T00:00:00"),
        ("t2", "", "small", "02-01T12:00:00"),
        ("t2", "ben", "small", "02-02T00:00:00"),
    ] {
        let run = format!("{thread}-{at}");
        let target = match newest_or_none(store, thread).await {
            true => existing(thread),
            false => new_thread(thread),
        };
        let sent = message(target, &format!("e-{run}"), &User::new(user));
        let begun = store.begin_turn(&scope(), sent, &start(&run)).await;
        let key = begun.unwrap().claim.unwrap().key;
        let TurnChange::Usage(mut usage) = used_at(Some(&run), tokens(model, 1, 2), day(at)) else {
            unreachable!();
        };
        usage.user_id = user.to_owned();
        let changes = vec![TurnChange::Usage(usage)];
        let finished = store.finish_turn(&scope(), &key, changes, None).await;
        finished.unwrap();
    }
    let by = |change: fn(&mut UsageQuery)| {
        let mut query = UsageQuery::default();
        change(&mut query);
        query
    };
    let calls = async |query: UsageQuery| -> Vec<u64> {
        let sums = sums(store, query).await;
        sums.iter().map(|sum| sum.calls).collect()
    };
    let threads = sums(store, by(|query| query.by_thread = true)).await;
    let ids: Vec<_> = threads
        .iter()
        .map(|sum| sum.thread_id.as_deref().unwrap())
        .collect();
    assert_eq!(ids, ["t1", "t2"]);
    assert_eq!(
        (&*threads[0].agent, &*threads[0].organization_id),
        ("agent", "organization")
    );
    assert_eq!(described(&threads[1]), "2, 2 + 4");
    let users = sums(store, by(|query| query.by_user = true)).await;
    let ids: Vec<_> = users
        .iter()
        .map(|sum| sum.user_id.as_deref().unwrap())
        .collect();
    assert_eq!(ids, ["", "ana", "ben"]);
    let models = sums(store, by(|query| query.by_model = true)).await;
    let names: Vec<_> = models
        .iter()
        .map(|sum| sum.model.as_deref().unwrap())
        .collect();
    assert_eq!(names, ["large", "small"]);
    let days = sums(store, by(|query| query.by_day = true)).await;
    let dates: Vec<_> = days
        .iter()
        .map(|sum| (sum.day.unwrap(), sum.calls))
        .collect();
    let date = |month, day| NaiveDate::from_ymd_opt(2026, month, day).unwrap();
    assert_eq!(dates, [(date(1, 31), 1), (date(2, 1), 2), (date(2, 2), 1)]);
    let all = by(|query| {
        (query.by_thread, query.by_user) = (true, true);
        (query.by_model, query.by_day) = (true, true);
    });
    assert_eq!(calls(all).await, [1, 1, 1, 1]);
    let filtered = |change: fn(&mut UsageQuery)| calls(by(change));
    assert_eq!(
        filtered(|query| query.thread_id = Some("t1".to_owned())).await,
        [2]
    );
    assert_eq!(
        filtered(|query| query.user_id = Some(String::new())).await,
        [1]
    );
    assert_eq!(
        filtered(|query| query.model = Some("small".to_owned())).await,
        [3]
    );
    for nothing in ["t3", "' OR 1=1", "SMALL", "\u{1F600}"] {
        let nothing = Some(nothing.to_owned());
        for query in [
            UsageQuery {
                model: nothing.clone(),
                ..UsageQuery::default()
            },
            UsageQuery {
                thread_id: nothing.clone(),
                ..UsageQuery::default()
            },
        ] {
            assert_eq!(calls(query).await, [0; 0]);
        }
    }
    let (since, before) = (day("02-01T00:00:00"), day("02-02T00:00:00"));
    let since = UsageQuery {
        since: Some(since),
        ..UsageQuery::default()
    };
    assert_eq!(calls(since.clone()).await, [3]);
    assert_eq!(
        calls(UsageQuery {
            before: Some(before),
            ..since
        })
        .await,
        [2]
    );

    // Usage of other scopes is not visible. A viewer of private threads sees its own.
    for (viewer, calls) in [
        (private_scope(&ana()), 2),
        (private_scope(&ben()), 1),
        (private_scope(&User::new("eve")), 0),
        (scope().organization("other"), 0),
        (scope().workspace("other"), 0),
        (
            Scope::new("other", "worker")
                .organization("organization")
                .workspace("workspace"),
            0,
        ),
    ] {
        let found = store
            .sum_usage(&viewer, &UsageQuery::default())
            .await
            .unwrap();
        let found: u64 = found.iter().map(|sum| sum.calls).sum();
        assert_eq!(found, calls, "{viewer:?}");
    }
}

async fn newest_or_none(store: &AnyStore, thread_id: &str) -> bool {
    store.thread(&scope(), thread_id).await.is_ok()
}

async fn usage_outlives_its_thread(store: &AnyStore) {
    let claim = begin_thread(store, "t", "r").await;
    write(store, &claim.key, vec![used("r", tokens("m", 5, 5))]).await;
    store.delete_thread(&scope(), "t").await.unwrap();
    assert_eq!(total(store).await, "1, 5 + 5");
    let of_thread = UsageQuery {
        thread_id: Some("t".to_owned()),
        ..UsageQuery::default()
    };
    assert_eq!(sums(store, of_thread).await.len(), 1);
    let at = now();
    let limits = [day_limit("10 tokens")];
    assert_limited(say(store, "again", &ana(), &limits, at).await);
}

async fn usage_of_a_refused_write_is_not_recorded(store: &AnyStore) {
    let claim = begin_thread(store, "t", "r").await;
    let stale = with_fence(&claim.key, claim.key.fence + 1);
    let change = || vec![used("r", tokens("m", 1, 1))];
    assert_stale(store.write_turn(&scope(), &stale, change()).await);
    assert_stale(store.finish_turn(&scope(), &stale, change(), None).await);
    let late = now();
    assert_stale(store.retry_turn(&scope(), &stale, change(), late).await);
    let other = scope().workspace("other");
    assert!(
        store
            .write_turn(&other, &claim.key, change())
            .await
            .is_err()
    );
    assert_eq!(total(store).await, "");
    // The usage of a failed attempt counts, and so does that of the next attempt of the same run.
    let retried = store.retry_turn(&scope(), &claim.key, change(), late).await;
    retried.unwrap();
    let again = start("ignored");
    let again = store
        .claim_turn(&scope(), "t", &again)
        .await
        .unwrap()
        .unwrap();
    let finished = store
        .finish_turn(&scope(), &again.key, change(), None)
        .await;
    assert_eq!(
        shown(&runs_of(&finished.unwrap().changes)[0].usage),
        ["m: 2 (0) + 2"]
    );
    assert_eq!(total(store).await, "2, 2 + 2");
}

fn with_fence(key: &dooers::store::TurnKey, fence: u64) -> dooers::store::TurnKey {
    let mut key = key.clone();
    key.fence = fence;
    key
}

async fn usage_without_a_run_is_recorded(store: &AnyStore) {
    let first = message(new_thread("t"), "e", &ana());
    let begun = store.begin_turn(&scope(), first, &manual_start()).await;
    let key = begun.unwrap().claim.unwrap().key;
    let before = newest(store, &scope(), "t").await.thread.rev;
    for run_id in [None, Some("nowhere")] {
        let changes = vec![used_at(run_id, tokens("m", 1, 1), now())];
        assert_eq!(write(store, &key, changes).await, []);
    }
    assert_eq!(total(store).await, "2, 2 + 2");
    assert_eq!(newest(store, &scope(), "t").await.thread.rev, before);
}

fn limit(scope: UsageLimitScope, period: UsagePeriod, amount: &str) -> UsageLimit {
    UsageLimit::new(scope, period, amount.parse().unwrap())
}

fn day_limit(amount: &str) -> UsageLimit {
    limit(UsageLimitScope::User, UsagePeriod::Day, amount)
}

fn limited(limits: &[UsageLimit], at: DateTime<Utc>) -> ClaimOptions {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let run_id = format!("limited-{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    ClaimOptions {
        at,
        limits: limits.into(),
        ..start(&run_id)
    }
}

/// Sends a message in a new thread, within these limits.
async fn say(
    store: &AnyStore,
    thread_id: &str,
    user: &User,
    limits: &[UsageLimit],
    at: DateTime<Utc>,
) -> Result<BeginOutcome, StoreError> {
    let new = NewMessage {
        at,
        ..message(new_thread(thread_id), &format!("{thread_id}-e"), user)
    };
    store.begin_turn(&scope(), new, &limited(limits, at)).await
}

/// Asserts that a message was refused because of a limit. Returns the delay.
#[track_caller]
fn assert_limited(begun: Result<BeginOutcome, StoreError>) -> Duration {
    match begun {
        Err(StoreError::RateLimited { retry_after, .. }) => retry_after,
        other => panic!("{other:?}"),
    }
}

async fn message_over_a_limit_is_refused_until_the_period_ends(store: &AnyStore) {
    let at: DateTime<Utc> = "2026-02-27T22:30:00Z".parse().unwrap();
    let claim = begin_thread(store, "t", "r").await;
    let usage = tokens("m", 90, 10).cost("2.5".parse().unwrap(), "USD");
    write(store, &claim.key, vec![used_at(Some("r"), usage, at)]).await;
    let before = dump(store, &scope()).await;
    let (day, month) = (UsagePeriod::Day, UsagePeriod::Month);
    let next_day = Duration::from_secs(90 * 60);
    let next_month = Duration::from_secs(90 * 60 + 24 * 3600);
    let mut number = 0;
    for scope in [
        UsageLimitScope::User,
        UsageLimitScope::Organization,
        UsageLimitScope::Worker,
    ] {
        for (period, left) in [(day, next_day), (month, next_month)] {
            for reached in ["100 tokens", "2.50 USD", "0 tokens", "2.499999999999 USD"] {
                let limits = [limit(scope, period, reached)];
                let delay = assert_limited(say(store, "refused", &ana(), &limits, at).await);
                assert_eq!(delay, left, "{scope:?} {period:?} {reached}");
                // The limit applies to threads that exist as well, whatever else is wrong.
                let next = message(existing("t"), "refused", &ana());
                let start = limited(&limits, at);
                assert_limited(store.begin_turn(&self::scope(), next, &start).await);
            }
            for open in ["101 tokens", "2.500000000001 USD", "0.01 EUR"] {
                number += 1;
                let limits = [limit(scope, period, open)];
                let id = format!("open-{number}");
                say(store, &id, &ana(), &limits, at).await.unwrap();
                store.delete_thread(&self::scope(), &id).await.unwrap();
            }
        }
    }
    assert_eq!(dump(store, &scope()).await, before);

    // Of several limits, the one that ends last decides.
    let both = [
        limit(UsageLimitScope::Worker, month, "1 tokens"),
        limit(UsageLimitScope::User, day, "1 tokens"),
    ];
    assert_eq!(
        assert_limited(say(store, "no", &ana(), &both, at).await),
        next_month
    );
    // The next day and the next month begin from zero.
    let tomorrow = at + TimeDelta::minutes(90);
    say(store, "tomorrow", &ana(), &both[1..], tomorrow)
        .await
        .unwrap();
    assert_limited(say(store, "no", &ana(), &both, tomorrow).await);
    let march = tomorrow + TimeDelta::days(1);
    say(store, "march", &ana(), &both, march).await.unwrap();
}

async fn limit_counts_only_its_owner_and_currency(store: &AnyStore) {
    let at = now();
    let claim = begin_thread(store, "t", "r").await;
    let changes = vec![
        used_at(Some("r"), costing("m", "1", "USD"), at),
        used_at(Some("r"), costing("m", "5", "EUR"), at),
        used_at(Some("r"), tokens("m", 1, 1), at),
    ];
    write(store, &claim.key, changes).await;
    let only = |amount: &str| [day_limit(amount)];
    // Tokens count whatever their currency.
    assert_limited(say(store, "no", &ana(), &only("6 tokens"), at).await);
    assert_limited(say(store, "no", &ana(), &only("5 EUR"), at).await);
    say(store, "usd", &ana(), &only("1.01 USD"), at)
        .await
        .unwrap();
    // Other users, and another organization with the same user.
    say(store, "ben", &ben(), &only("1 tokens"), at)
        .await
        .unwrap();
    let nobody = NewMessage {
        participant: Participant::connection("ana"),
        ..message(new_thread("nobody"), "nobody-e", &User::new(""))
    };
    let start = limited(&only("1 tokens"), at);
    store.begin_turn(&scope(), nobody, &start).await.unwrap();
    let other = scope().organization("other");
    let sent = || message(new_thread("other"), "other-e", &ana());
    let worker = [limit(UsageLimitScope::Worker, UsagePeriod::Day, "1 tokens")];
    assert_limited(
        store
            .begin_turn(&other, sent(), &limited(&worker, at))
            .await,
    );
    let organization = UsageLimitScope::Organization;
    let limits = [
        day_limit("1 tokens"),
        limit(organization, UsagePeriod::Day, "1 tokens"),
    ];
    store
        .begin_turn(&other, sent(), &limited(&limits, at))
        .await
        .unwrap();
    // Another worker and another agent of the organization share its budget.
    let elsewhere = Scope::new("other", "elsewhere")
        .organization("organization")
        .workspace("workspace");
    let sent = message(new_thread("elsewhere"), "elsewhere-e", &ben());
    let start = limited(&limits[1..], at);
    assert_limited(store.begin_turn(&elsewhere, sent, &start).await);
}

async fn known_messages_and_running_turns_pass_a_limit(store: &AnyStore) {
    let at = now();
    let limits = [day_limit("1 tokens")];
    let first = repeatable(new_thread("t"), "e", "c");
    let begun = store
        .begin_turn(&scope(), first, &limited(&limits, at))
        .await;
    let key = begun.unwrap().claim.unwrap().key;
    // Queued before the limit is reached.
    let queued = message(existing("t"), "queued", &ana());
    store
        .begin_turn(&scope(), queued, &limited(&limits, at))
        .await
        .unwrap();
    let changes = || vec![used_at(None, tokens("m", 1, 0), at)];
    write(store, &key, changes()).await;
    let again = repeatable(new_thread("t"), "e2", "c");
    let again = store
        .begin_turn(&scope(), again, &limited(&limits, at))
        .await
        .unwrap();
    assert!(again.is_repeated);
    assert_limited(say(store, "no", &ana(), &limits, at).await);
    let next = limited(&limits, at);
    let finished = store
        .finish_turn(&scope(), &key, changes(), Some(&next))
        .await;
    assert_eq!(finished.unwrap().next.unwrap().event.id, "queued");
}

async fn concurrent_turns_exceed_a_limit_by_their_own_usage(store: &AnyStore) {
    const TURNS: u64 = 64;
    let at = now();
    let limits = [limit(
        UsageLimitScope::Worker,
        UsagePeriod::Month,
        "10 tokens",
    )];
    let turns = (0..TURNS).map(|number| {
        let (store, limits) = (Arc::clone(store), limits.clone());
        tokio::spawn(async move {
            let id = format!("t{number}");
            let begun = say(&store, &id, &ana(), &limits, at).await;
            let claim = begun.ok()?.claim.unwrap();
            let run_id = claim.run.unwrap().id;
            let changes = vec![used_at(Some(&run_id), tokens("m", 1, 0), at)];
            let finished = store.finish_turn(&scope(), &claim.key, changes, None).await;
            assert_eq!(
                shown(&runs_of(&finished.unwrap().changes)[0].usage).len(),
                1
            );
            Some(())
        })
    });
    let started = join_all(turns).await.into_iter();
    let started = started
        .filter(|turn| turn.as_ref().unwrap().is_some())
        .count();
    // Every turn that started is in the ledger, and turns are refused only once the limit is reached.
    assert!(started >= 10, "{started}");
    assert_eq!(total(store).await, format!("{started}, {started} + 0"));
    assert_limited(say(store, "last", &ana(), &limits, at).await);
    let exact = [limit(
        UsageLimitScope::Worker,
        UsagePeriod::Day,
        &format!("{started} tokens"),
    )];
    assert_limited(say(store, "last", &ana(), &exact, at).await);
    let above = [limit(
        UsageLimitScope::Worker,
        UsagePeriod::Day,
        &format!("{} tokens", started + 1),
    )];
    say(store, "last", &ana(), &above, at).await.unwrap();
}
