//! Durations, times, addresses, colors and lists on the wire and in a store.

use crate::asserts::{field, patch, patch_error, subscribe};
use dooers::prelude::*;
use dooers::settings::{Color, HttpUrl, NaiveTime, SettingsError};
use dooers::store::SqliteOptions;
use dooers::{Database, WorkerServer};
use dooers_tests::{Server, in_memory};
use serde_json::{Value, json};
use std::time::Duration;

#[derive(Debug, Clone, Copy, PartialEq, SettingChoice)]
enum Day {
    Monday,
    #[default]
    Tuesday,
}

#[derive(Debug, Clone, WorkerSettings)]
struct Hours {
    #[setting(default = "90s")]
    patience: Duration,
    #[setting(default = "09:30")]
    opens: NaiveTime,
    site: Option<HttpUrl>,
    #[setting(default = "#ff8000")]
    color: Color,
    hosts: Vec<String>,
    #[setting(default = [Day::Monday])]
    days: Vec<Day>,
    first: Day,
    #[setting(default = 3, readonly)]
    fixed: u8,
    #[setting(internal)]
    hidden: Option<Duration>,
}

#[dooers::agent]
async fn hours(settings: Hours) -> String {
    format!("{settings:?}")
}

#[tokio::test]
async fn formatted_settings_survive_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let start = || async {
        let database = SqliteOptions::new(directory.path().join("worker.db"));
        let config = in_memory().database(Database::Sqlite(database));
        let worker = WorkerServer::new(config).agent::<hours>();
        (Server::start(worker.clone()).await, worker)
    };
    let (server, _) = start().await;
    let mut client = server.client("ada").await;
    let before = subscribe(&mut client, "user").await;
    let shown = |snapshot: &Value, id: &str| {
        let shown = field(snapshot, id);
        (
            shown["type"].clone(),
            shown["format"].clone(),
            shown["value"].clone(),
        )
    };
    for (id, kind, format, default, sent, stored) in [
        (
            "patience",
            "text",
            json!("duration"),
            json!("1m30s"),
            "120s",
            "2m",
        ),
        (
            "opens",
            "text",
            json!("time"),
            json!("09:30"),
            "23:59:00",
            "23:59",
        ),
        (
            "site",
            "text",
            json!("url"),
            Value::Null,
            "http://a.example",
            "http://a.example",
        ),
        (
            "color",
            "text",
            json!("color"),
            json!("#ff8000"),
            "#00FF00",
            "#00ff00",
        ),
        (
            "hosts",
            "textarea",
            json!("list"),
            json!(""),
            " a\r\n\n b c \n",
            "a\nb c",
        ),
        (
            "days",
            "textarea",
            json!("list"),
            json!("monday"),
            "tuesday\ntuesday\nmonday",
            "tuesday\nmonday",
        ),
        (
            "first",
            "select",
            Value::Null,
            json!("tuesday"),
            "monday",
            "monday",
        ),
    ] {
        assert_eq!(shown(&before, id), (json!(kind), format, default), "{id}");
        let change = patch(&mut client, id, json!(sent)).await;
        assert_eq!(change["value"], stored, "{id}");
    }
    for (id, value, accepted) in [
        ("patience", json!("2 minutes"), "a duration such as `30s`"),
        ("patience", json!(120), "a duration such as `30s`"),
        ("opens", json!("24:00"), "a time of day such as `09:30`"),
        (
            "site",
            json!("a.example"),
            "an address such as `https://example.org/`",
        ),
        ("color", json!("green"), "a color such as `#ff8000`"),
        ("hosts", json!(["a"]), "a text with one item per line"),
        (
            "days",
            json!("monday\nsunday"),
            "each one of `monday`, `tuesday`",
        ),
    ] {
        let (code, text) = patch_error(&mut client, id, value).await;
        assert!(code == "INVALID_VALUE" && text.contains(accepted), "{text}");
    }
    server.close([client]).await;

    let (server, worker) = start().await;
    let settings = worker
        .settings::<Hours>("w1")
        .await
        .unwrap()
        .get()
        .await
        .unwrap();
    assert_eq!(settings.patience, Duration::from_secs(120));
    assert_eq!(settings.opens, NaiveTime::from_hms_opt(23, 59, 0).unwrap());
    assert_eq!(settings.site.unwrap().as_str(), "http://a.example");
    assert_eq!(settings.color.as_str(), "#00ff00");
    assert_eq!(settings.hosts, ["a", "b c"]);
    assert_eq!(settings.days, [Day::Tuesday, Day::Monday]);
    assert_eq!(settings.first, Day::Monday);
    server.close([]).await;
}

#[tokio::test]
async fn value_is_set_by_id_and_checked() {
    let settings = Settings::<Hours>::detached();
    settings.set_value("patience", "3600s").await.unwrap();
    settings.set_value("hidden", "5ms").await.unwrap();
    let read = settings.get().await.unwrap();
    assert_eq!(read.patience, Duration::from_secs(3_600));
    assert_eq!(read.hidden, Some(Duration::from_millis(5)));
    settings.set_value("patience", Value::Null).await.unwrap();
    assert_eq!(
        settings.get().await.unwrap().patience,
        Duration::from_secs(90)
    );
    for (id, value) in [("patience", "soon"), ("fixed", "4"), ("missing", "x")] {
        let refused = settings.set_value(id, value).await.unwrap_err();
        assert!(matches!(refused, SettingsError::Patch(_)), "{refused}");
    }
}

#[tokio::test]
async fn item_that_is_not_one_line_is_refused() {
    let settings = Settings::<Hours>::detached();
    settings
        .set(|hours| hours.hosts = vec!["a b".to_owned()])
        .await
        .unwrap();
    for item in ["a\nb", " a", "", "a\r"] {
        let change = |hours: &mut Hours| hours.hosts = vec!["x".to_owned(), item.to_owned()];
        let refused = settings.set(change).await.unwrap_err().to_string();
        assert!(refused.contains("one item per line"), "{refused}");
    }
    assert_eq!(settings.get().await.unwrap().hosts, ["a b"]);
}
