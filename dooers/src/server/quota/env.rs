//! The environment variables of quotas.

use super::{QuotaChoice, Quotas};
use crate::server::config_error::ConfigError;
use crate::server::env::Environment;
use crate::throttle::Quota;

/// A variable and its quota.
type Variable = (&'static str, fn(&mut Quotas) -> &mut Quota);

/// The variables of quotas.
const QUOTAS: [Variable; 10] = [
    ("WORKER_QUOTA_MESSAGES_PER_MINUTE", |quotas| {
        &mut quotas.messages_per_minute
    }),
    ("WORKER_QUOTA_FRAMES_PER_SECOND", |quotas| {
        &mut quotas.frames_per_second
    }),
    ("WORKER_QUOTA_FRAME_BYTES_PER_MINUTE", |quotas| {
        &mut quotas.frame_bytes_per_minute
    }),
    ("WORKER_QUOTA_SETTINGS_PATCHES_PER_MINUTE", |quotas| {
        &mut quotas.settings_patches_per_minute
    }),
    ("WORKER_QUOTA_THREAD_UPDATES_PER_MINUTE", |quotas| {
        &mut quotas.thread_updates_per_minute
    }),
    ("WORKER_QUOTA_THREADS_PER_DAY", |quotas| {
        &mut quotas.threads_per_day
    }),
    ("WORKER_QUOTA_WAITING_TURNS", |quotas| {
        &mut quotas.waiting_turns
    }),
    ("WORKER_QUOTA_CONNECTIONS", |quotas| &mut quotas.connections),
    ("WORKER_QUOTA_SUBSCRIPTIONS", |quotas| {
        &mut quotas.subscriptions
    }),
    ("WORKER_QUOTA_FAILED_AUTHENTICATIONS_PER_MINUTE", |quotas| {
        &mut quotas.failed_authentications_per_minute
    }),
];

/// The variable that turns all quotas on or off.
const SWITCH: &str = "WORKER_QUOTAS";
const MESSAGE_BURST: &str = "WORKER_QUOTA_MESSAGE_BURST";
const FRAME_BURST: &str = "WORKER_QUOTA_FRAME_BURST";
const FRAME_BYTE_BURST: &str = "WORKER_QUOTA_FRAME_BYTE_BURST";
const FLOOD_TIMEOUT: &str = "WORKER_QUOTA_FLOOD_TIMEOUT";

/// Reads the quotas from their variables.
pub(in crate::server) fn quotas(env: &Environment<'_>) -> Result<QuotaChoice, ConfigError> {
    let mut are_on = true;
    env.boolean(SWITCH, &mut are_on)?;
    let mut quotas = Quotas::default();
    for (variable, quota) in QUOTAS {
        env.list(variable, quota(&mut quotas))?;
    }
    burst(env, MESSAGE_BURST, &mut quotas.message_burst)?;
    burst(env, FRAME_BURST, &mut quotas.frame_burst)?;
    burst(env, FRAME_BYTE_BURST, &mut quotas.frame_byte_burst)?;
    env.seconds(FLOOD_TIMEOUT, 0.0, &mut quotas.flood_timeout)?;
    let others = [
        SWITCH,
        MESSAGE_BURST,
        FRAME_BURST,
        FRAME_BYTE_BURST,
        FLOOD_TIMEOUT,
    ];
    let mut variables = QUOTAS.iter().map(|(variable, _)| *variable).chain(others);
    let is_set = variables.any(|variable| env.is_set(variable));
    Ok(match (are_on, is_set) {
        (false, _) => QuotaChoice::Off,
        (true, false) => QuotaChoice::ByAuthenticator,
        (true, true) => QuotaChoice::Set(quotas),
    })
}

fn burst(
    env: &Environment<'_>,
    variable: &'static str,
    target: &mut u32,
) -> Result<(), ConfigError> {
    let allowed = "it must be a whole number from 1 to 4294967295".to_owned();
    env.set(variable, target, allowed, |text| {
        text.parse().ok().filter(|burst| *burst > 0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn with(name: &str, value: &str) -> Result<QuotaChoice, ConfigError> {
        let variables = |variable: &str| (variable == name).then(|| value.into());
        quotas(&Environment::new(&variables))
    }

    fn set(name: &str, value: &str) -> Quotas {
        match with(name, value).unwrap() {
            QuotaChoice::Set(quotas) => quotas,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn each_variable_sets_its_quota() {
        for (variable, quota) in QUOTAS {
            let mut expected = Quotas::default();
            *quota(&mut expected) = Quota::at_most(7);
            assert_eq!(set(variable, " 7 "), expected, "{variable}");
            *quota(&mut expected) = Quota::Off;
            assert_eq!(set(variable, "off"), expected, "{variable}");
            let error = with(variable, "0").unwrap_err().to_string();
            let allowed = "it must be a whole number from 1 to 4294967295, or `off`";
            assert_eq!(error, format!("{variable} is `0`; {allowed}"));
        }
        assert_eq!(set(MESSAGE_BURST, "7").message_burst, 7);
        assert_eq!(set(FRAME_BURST, "7").frame_burst, 7);
        assert_eq!(set(FRAME_BYTE_BURST, "7").frame_byte_burst, 7);
        assert!(with(FRAME_BURST, "0").is_err());
        let timeout = set(FLOOD_TIMEOUT, "1.5").flood_timeout;
        assert_eq!(timeout, Duration::from_millis(1_500));
    }

    #[test]
    fn open_server_has_quotas_only_if_they_are_set() {
        let on = |name, value, believes| with(name, value).unwrap().quotas(believes).is_some();
        assert!(!on("", "", true));
        assert!(on("", "", false));
        assert!(!on("WORKER_QUOTAS", "", true));
        assert!(on("WORKER_QUOTAS", "on", true));
        assert!(!on("WORKER_QUOTAS", "off", false));
        assert!(on("WORKER_QUOTA_CONNECTIONS", "off", true));
    }
}
