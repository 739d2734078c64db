//! Servers that do not start.

use dooers_tests::leaks::{Channel, Evidence, Secrets};
use dooers_tests::{Process, TIMEOUT};

/// Starts a server that must not start with these variables, and checks that it shows none of the secrets.
pub(super) fn refused(secrets: &Secrets, variables: &[(&str, &str)]) {
    let (status, output, errors) = Process::start("leak-server", variables).wait_timeout(TIMEOUT);
    assert_eq!(status, Some(1), "{variables:?}\n{output}{errors}");
    assert!(errors.contains("Error: "), "{errors}");
    let mut evidence = Evidence::default();
    evidence.add_output(&output);
    evidence.add_output(&errors);
    assert!(evidence.of(Channel::Output).next().is_some());
    evidence.check(secrets, &[]);
}
