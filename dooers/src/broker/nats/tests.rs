//! Tests of the options. The tests of the exchange need a database, see `tests/tests/nats`.

use super::NatsOptions;

#[test]
fn urls_have_one_login_and_one_scheme() {
    for urls in [
        "nats://a",
        "nats://a:4222,nats://b",
        "nats://ada:secret@a, nats://b/",
        "tls://ada:secret@[::1]:4222,tls://ada:secret@b",
        "nats://token@a",
    ] {
        let options = NatsOptions::from_urls(urls).unwrap();
        let shown = format!("{options:?}");
        assert!(!shown.contains("secret"), "{shown}");
        assert!(!shown.contains("token@"), "{shown}");
        assert!(options.prepare().is_ok(), "{urls}");
    }
    for (urls, reason) in [
        ("", "must begin with"),
        ("nats://a,", "must begin with"),
        ("a:4222", "must begin with"),
        ("ws://a", "must begin with"),
        ("nats://", "must have a host"),
        ("nats://a:port", "not a URL"),
        ("nats://a/hunter", "after the port"),
        ("nats://a?hunter", "after the port"),
        ("nats://a,tls://b", "all with tls://"),
        ("nats://ada:hunter@a,nats://bob:hunter@b", "the same user"),
        ("nats://%ff:hunter@a", "UTF-8"),
    ] {
        let error = NatsOptions::from_urls(urls).unwrap_err().to_string();
        assert!(error.contains(reason), "{urls}: {error}");
        assert!(!error.contains("hunter"), "{error}");
    }
}

#[test]
fn password_is_decoded() {
    let decoded = NatsOptions::from_urls("nats://a%40b:p%2Fw@host").unwrap();
    let other = NatsOptions::from_urls("nats://a%40b:p%2fw@host").unwrap();
    assert_eq!(decoded, other);
    let plain = NatsOptions::from_urls("nats://host").unwrap();
    assert_ne!(decoded, plain);
    assert_eq!(plain.clone().token("t"), decoded.clone().token("t"));
}
