//! The search for threads by their titles.

use crate::backends::{AnyStore, cases};
use crate::fixtures::{ana, ben, now, private_scope, scope};
use chrono::{DateTime, Utc};
use dooers::protocol::User;
use dooers::store::{
    NewThread, PageLimit, Scope, ThreadDraft, ThreadEdit, ThreadPage, ThreadPatch, TitleSearch,
};
use dooers_tests::with;
use futures::future::join_all;

cases![
    search_ignores_case_and_has_no_wildcards,
    search_pages_skip_and_repeat_no_match,
    search_page_scans_a_limited_number_of_threads,
    search_reads_a_long_list_in_steps,
    search_finds_only_visible_threads_and_new_titles,
    search_page_is_limited_in_bytes,
];

async fn create(store: &AnyStore, id: &str, title: Option<&str>, owner: User, at: DateTime<Utc>) {
    let draft = ThreadDraft {
        thread: with!(NewThread {
            title: title.map(str::to_owned),
            ..NewThread::new(id)
        }),
        owner,
        at,
    };
    store.create_thread(&scope(), draft).await.unwrap();
}

fn ids(page: &ThreadPage) -> Vec<&str> {
    let ids = page.threads.iter().map(|thread| thread.id.as_str());
    ids.collect()
}

/// The first page of a search.
async fn first(store: &AnyStore, search: &TitleSearch, limit: usize) -> ThreadPage {
    let here = scope();
    let page = store.search_threads(&here, search, None, limit.into());
    page.await.unwrap()
}

/// All pages of a search.
async fn pages(
    store: &AnyStore,
    scope: &Scope,
    search: &TitleSearch,
    limit: PageLimit,
) -> Vec<ThreadPage> {
    let mut pages: Vec<ThreadPage> = Vec::new();
    while pages.last().is_none_or(|page| page.next.is_some()) {
        let after = pages.last().and_then(|page| page.next.clone());
        let page = store.search_threads(scope, search, after.as_ref(), limit);
        pages.push(page.await.unwrap());
        assert!(pages.len() < 100, "the pages do not end");
    }
    pages
}

/// The ids on all pages of a search.
async fn found(store: &AnyStore, scope: &Scope, search: &TitleSearch) -> Vec<String> {
    let pages = pages(store, scope, search, 100.into()).await;
    let ids = pages.iter().flat_map(ids);
    ids.map(str::to_owned).collect()
}

async fn search_ignores_case_and_has_no_wildcards(store: &AnyStore) {
    assert_eq!(
        found(store, &scope(), &TitleSearch::new("a")).await,
        [""; 0]
    );
    for (id, title) in [
        ("untitled", None),
        ("empty", Some("")),
        ("order", Some("My ORDER 7")),
        ("street", Some("Hauptstraße ÄÖÜ")),
        ("greek", Some("ΟΔΟΣ ς İI")),
        ("percent", Some("100% a_b\\c 'd'")),
        ("other", Some("100 axb/c")),
        ("emoji", Some("👩‍👩‍👧 你好")),
    ] {
        create(store, id, title, ana(), now()).await;
    }
    for (text, expected) in [
        ("order", vec!["order"]),
        ("Y oRdEr 7", vec!["order"]),
        ("STRASSE äöü", vec!["street"]),
        ("aou", vec![]),
        ("οδοσ σ", vec!["greek"]),
        ("100", vec!["other", "percent"]),
        ("100%", vec!["percent"]),
        ("%", vec!["percent"]),
        ("a_b", vec!["percent"]),
        ("\\C 'D'", vec!["percent"]),
        ("_", vec!["percent"]),
        ("你", vec!["emoji"]),
        ("👩‍👧", vec!["emoji"]),
        ("nothing", vec![]),
    ] {
        let search = TitleSearch::new(text);
        assert_eq!(found(store, &scope(), &search).await, expected, "{text}");
    }
}

async fn search_pages_skip_and_repeat_no_match(store: &AnyStore) {
    // The times are equal, so the ids decide the order.
    let at = now();
    for number in 0..23 {
        let title = format!("Note {}", ["x", "odd", "y"][number % 3]);
        let id = format!("t{}", (number * 7) % 23);
        create(store, &id, Some(&title), ana(), at).await;
    }
    let all = store.threads(&scope(), None, 100.into()).await.unwrap();
    let odd = all.threads.iter();
    let odd = odd.filter(|thread| thread.title.as_deref() == Some("Note odd"));
    let odd: Vec<_> = odd.map(|thread| thread.id.as_str()).collect();
    assert_eq!(odd.len(), 8);
    for limit in [1, 3, 7, 8, 100] {
        for scanned in [1, 4, 22, 23, 24, 2_000] {
            let search = TitleSearch::new("ODD").scanning(scanned);
            let pages = pages(store, &scope(), &search, limit.into()).await;
            let found: Vec<_> = pages.iter().flat_map(ids).collect();
            assert_eq!(found, odd, "{limit} {scanned}");
            assert!(pages.iter().all(|page| page.threads.len() <= limit));
            let counts = pages.iter().map(|page| page.total_count);
            let counts: Vec<_> = counts.collect();
            assert!(counts[1..].iter().all(|count| *count == 0), "{counts:?}");
            if scanned >= 23 {
                assert_eq!(counts[0], 8);
                assert_eq!(pages.len(), 8_usize.div_ceil(limit), "no empty page");
            }
        }
    }
}

async fn search_page_scans_a_limited_number_of_threads(store: &AnyStore) {
    for number in 0..10 {
        let title = if number == 0 { "wanted" } else { "other" };
        create(store, &format!("t{number}"), Some(title), ana(), now()).await;
    }
    let search = TitleSearch::new("wanted").scanning(4);
    let pages = pages(store, &scope(), &search, 5.into()).await;
    let shown: Vec<_> = pages.iter().map(ids).collect();
    assert_eq!(shown, [vec![], vec![], vec!["t0"]]);
    // The first page counts only what it scans, and ends at the last thread that it has scanned.
    assert_eq!(pages[0].total_count, 0);
    let end = pages[0].next.as_ref().unwrap();
    assert_eq!(end.thread_id, "t6");
    let search = TitleSearch::new("other").scanning(4);
    let page = first(store, &search, 2).await;
    assert_eq!((ids(&page), page.total_count), (vec!["t9", "t8"], 4));
    assert_eq!(page.next.unwrap().thread_id, "t8");
}

async fn search_reads_a_long_list_in_steps(store: &AnyStore) {
    let creating = (0..505).map(|number| async move {
        let title = if number == 0 { "wanted" } else { "other" };
        create(store, &format!("t{number}"), Some(title), ana(), now()).await;
    });
    join_all(creating).await;
    let search = TitleSearch::new("WANTED");
    let page = first(store, &search, 30).await;
    assert_eq!((ids(&page), page.total_count), (vec!["t0"], 1));
    assert_eq!(page.next, None);
    let search = TitleSearch::new("OTHER");
    let page = first(store, &search, 100).await;
    assert_eq!((page.threads.len(), page.total_count), (100, 504));
}

async fn search_finds_only_visible_threads_and_new_titles(store: &AnyStore) {
    for (id, user) in [("a", ana()), ("b", ben()), ("c", ana())] {
        create(store, id, Some("Notes"), user, now()).await;
    }
    let search = TitleSearch::new("notes");
    let elsewhere = with!(Scope {
        workspace_id: "elsewhere".to_owned(),
        ..scope()
    });
    for (scope, expected) in [
        (scope(), vec!["c", "b", "a"]),
        (private_scope(&ana()), vec!["c", "a"]),
        (private_scope(&ben()), vec!["b"]),
        (private_scope(&User::new("stranger")), vec![]),
        (elsewhere, vec![]),
    ] {
        for (limit, scanned) in [(100, 1), (1, 2_000), (100, 2_000)] {
            let search = search.clone().scanning(scanned);
            let pages = pages(store, &scope, &search, limit.into()).await;
            let found: Vec<_> = pages.iter().flat_map(ids).collect();
            assert_eq!(found, expected);
            let count = expected.len().min(scanned);
            assert_eq!(pages[0].total_count, count as u64);
        }
    }
    for (id, patch) in [
        ("a", ThreadPatch::default().title("Letters")),
        ("c", ThreadPatch::default().without_title()),
    ] {
        let edit = ThreadEdit::Patch { patch, at: now() };
        store.edit_thread(&scope(), id, edit).await.unwrap();
    }
    assert_eq!(found(store, &scope(), &search).await, ["b"]);
    let letters = TitleSearch::new("letters");
    assert_eq!(found(store, &scope(), &letters).await, ["a"]);
    store.delete_thread(&scope(), "b").await.unwrap();
    assert_eq!(found(store, &scope(), &search).await, [""; 0]);
}

async fn search_page_is_limited_in_bytes(store: &AnyStore) {
    for number in 0..6 {
        let title = format!("{number} {}", "x".repeat(1_000));
        create(store, &format!("t{number}"), Some(&title), ana(), now()).await;
    }
    let search = TitleSearch::new("X");
    for (bytes, expected) in [(1, 6), (1_500, 6), (4_000, 3), (usize::MAX, 1)] {
        let limit = PageLimit::new(10).bytes(bytes);
        let pages = pages(store, &scope(), &search, limit).await;
        let found: Vec<_> = pages.iter().flat_map(ids).collect();
        assert_eq!(found, ["t5", "t4", "t3", "t2", "t1", "t0"], "{bytes}");
        assert_eq!((pages.len(), pages[0].total_count), (expected, 6));
    }
}
