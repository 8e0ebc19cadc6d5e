//! Retries of an upload after a failure of the network or the server. Only for calls with an idempotency key: a retry
//! then finds what the first attempt has done.

use std::time::Duration;

use crate::client::Error;

/// The pause before each retry.
pub(crate) const DELAYS: [Duration; 4] =
    [Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];
/// The longest pause that a server may demand.
const WAIT_MAX: Duration = Duration::from_secs(30);
/// The longest time of all pauses that a server demands. A busy server says so by `Retry-After`, and other uploads may
/// take minutes.
const DEMANDED_MAX: Duration = Duration::from_secs(300);

/// Retries passing failures: once per delay, and as often as the server demands a pause, for five minutes.
pub(crate) fn with_retries<T>(
    delays: &[Duration],
    mut attempt: impl FnMut() -> Result<T, Error>,
    mut wait: impl FnMut(&Error, Duration),
) -> Result<T, Error> {
    let (mut delays, mut demanded) = (delays.iter(), Duration::ZERO);
    loop {
        let error = match attempt() {
            Err(error) if is_passing(&error) => error,
            done => return done,
        };
        let pause = demanded_pause(&error).map(|pause| pause.clamp(Duration::from_millis(100), WAIT_MAX));
        match pause.filter(|pause| demanded + *pause <= DEMANDED_MAX) {
            Some(pause) => {
                demanded += pause;
                wait(&error, pause);
            }
            None => match delays.next() {
                Some(delay) => wait(&error, *delay),
                None => return Err(error),
            },
        }
    }
}

/// True if a retry may help.
fn is_passing(error: &Error) -> bool {
    match error {
        Error::Unreachable { source, .. } => matches!(
            source,
            ureq::Error::Io(_)
                | ureq::Error::Protocol(_)
                | ureq::Error::Timeout(_)
                | ureq::Error::HostNotFound
                | ureq::Error::ConnectionFailed
        ),
        Error::Problem { document, .. } => is_passing_status(document.status),
        Error::Unexpected { status, .. } => is_passing_status(*status),
        Error::Address(_) | Error::Token(_) | Error::Unreadable { .. } | Error::Report(_) => false,
    }
}

/// 503 is the server's; 502 and 504 come from a proxy before it.
fn is_passing_status(status: u16) -> bool {
    matches!(status, 502..=504)
}

fn demanded_pause(error: &Error) -> Option<Duration> {
    match error {
        Error::Problem { retry_after, .. } | Error::Unexpected { retry_after, .. } => *retry_after,
        Error::Address(_)
        | Error::Token(_)
        | Error::Unreachable { .. }
        | Error::Unreadable { .. }
        | Error::Report(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16, retry_after: Option<u64>) -> Error {
        let retry_after = retry_after.map(Duration::from_secs);
        Error::Unexpected { url: String::new(), status, retry_after, excerpt: String::new() }
    }

    fn unreachable() -> Error {
        Error::Unreachable { url: String::new(), source: ureq::Error::ConnectionFailed }
    }

    /// Runs a script of outcomes; returns the result and the pauses in seconds.
    fn check(mut script: Vec<Result<u32, Error>>) -> (Result<u32, Error>, Vec<f64>) {
        let mut waited = Vec::new();
        let result = with_retries(&DELAYS, || script.remove(0), |_, delay| waited.push(delay.as_secs_f64()));
        (result, waited)
    }

    #[test]
    fn passing_failures_are_retried() {
        let (result, waited) = check(vec![Err(unreachable()), Err(answered(503, None)), Ok(7)]);
        assert!(matches!(result, Ok(7)));
        assert_eq!(waited, [0.5, 1.0]);
    }

    #[test]
    fn a_refusal_is_not_retried() {
        for status in [301, 400, 401, 413, 422, 500] {
            let (result, waited) = check(vec![Err(answered(status, None))]);
            assert!(result.is_err() && waited.is_empty(), "{status}");
        }
    }

    #[test]
    fn retries_end_after_the_last_delay() {
        let (result, waited) = check((0..5).map(|_| Err(unreachable())).collect());
        assert!(matches!(result, Err(Error::Unreachable { .. })));
        assert_eq!(waited, [0.5, 1.0, 2.0, 4.0]);
    }

    #[test]
    fn a_server_may_demand_a_pause_up_to_a_limit() {
        let (_, waited) = check(vec![Err(answered(503, Some(3))), Err(answered(503, Some(3600))), Ok(0)]);
        assert_eq!(waited, [3.0, 30.0]);
    }

    #[test]
    fn a_busy_server_is_asked_for_five_minutes() {
        let (result, waited) = check((0..15).map(|_| Err(answered(503, Some(30)))).collect());
        assert!(result.is_err());
        assert_eq!(waited, [[30.0; 10].as_slice(), &[0.5, 1.0, 2.0, 4.0]].concat());
        let (result, waited) = check(vec![Err(answered(503, Some(0))), Ok(1)]);
        assert!(result.is_ok() && waited == [0.1], "no request right after the other");
    }
}
